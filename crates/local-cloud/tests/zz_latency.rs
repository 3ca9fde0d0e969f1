mod support;
use std::time::Instant;
use support::{TestCloud, http};
#[tokio::test(flavor = "multi_thread")]
async fn latency() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&support::deploy::Function::default(), &["$default"]).await;
    let mut client = cloud.connect(&stage).await;
    let b = Instant::now(); client.tell("echo x").await; client.text().await; eprintln!("cold {:?}", b.elapsed());
    let mut t = Vec::new();
    for _ in 0..500 { let b = Instant::now(); client.tell("echo x").await; client.text().await; t.push(b.elapsed()); }
    t.sort(); eprintln!("echo p50 {:?} p99 {:?}", t[250], t[495]);
    let mut clients = Vec::new();
    for _ in 0..50 { clients.push(cloud.connect(&stage).await); }
    let b = Instant::now();
    let mut js = tokio::task::JoinSet::new();
    for mut c in clients { js.spawn(async move { for _ in 0..40 { c.tell("echo y").await; c.text().await; } }); }
    while js.join_next().await.is_some() {}
    eprintln!("50 conns: {:.0} msg/s; processes {}", 2000.0 / b.elapsed().as_secs_f64(), cloud.health().await["processes"]);
    let id = client.connection_id().await; let path = format!("/@connections/{id}");
    let b = Instant::now();
    for _ in 0..500 { http::signed("execute-api", cloud.port, "POST", &path, &[], b"x").await; client.text().await; }
    eprintln!("post->frame {:?}", b.elapsed() / 500);
    let b = Instant::now();
    for _ in 0..500 { cloud.connect(&stage).await; }
    eprintln!("connects/s (no $connect) {:.0}", 500.0 / b.elapsed().as_secs_f64());
}
