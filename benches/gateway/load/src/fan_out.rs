//! One member of a room sends, and all are told. Every message is counted at each
//! member, so that a figure is of deliveries that took place, each once.
//!
//! A room of the chat takes 128 members. More than that are several rooms, told one
//! after the other: rooms live in one function environment, which takes one event at a
//! time.

use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use crate::failure::Failure;
use crate::figures::Latencies;
use crate::socket::{self, Stream, is_error_frame};
use crate::{Ran, figures};

#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    url: String,
    #[arg(long)]
    members: usize,
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    #[arg(long)]
    rounds: usize,
}

/// Between two sends, untimed: the function still ends the one before, and would refuse.
const PAUSE: Duration = Duration::from_millis(5);
/// Not counted: after these all is warm.
const WARM_UP: usize = 2;

pub(crate) async fn run(options: Options) -> Ran {
    let per_room = options.members / options.rooms;
    let mut rooms = Vec::new();
    for number in 0..options.rooms {
        // Rooms outlive their members for a while: each run has its own.
        let name = format!("bench-{}-{number}", std::process::id());
        rooms.push(Room::fill(&options.url, name, per_room).await?);
    }
    let (mut rounds, mut refused) = (Latencies::new(), 0);
    let mut took = Duration::ZERO;
    for round in 0..WARM_UP + options.rounds {
        let mut spent = Duration::ZERO;
        for room in &mut rooms {
            let told = room.tell(round).await?;
            spent += told.took;
            refused += told.refused;
        }
        if round >= WARM_UP {
            rounds.record(spent)?;
            took += spent;
        }
    }
    for mut room in rooms {
        room.expect_no_more()?;
        room.leave().await;
    }
    let deliveries = (per_room * options.rooms * options.rounds) as u64;
    let mut figures = figures::rate(deliveries, took);
    figures["to_last_p50_ms"] = json!(rounds.ms(0.5));
    figures["to_last_p99_ms"] = json!(rounds.ms(0.99));
    figures["refused"] = json!(refused);
    figures::print(&figures)
}

struct Room {
    name: String,
    members: Vec<SplitSink<Stream, Message>>,
    /// What came, and to which member.
    heard: mpsc::UnboundedReceiver<(usize, String)>,
}

/// Everybody has heard it.
struct Told {
    took: Duration,
    /// How often the function was busy, and the sender had to send again.
    refused: u32,
}

impl Room {
    /// Members join one after the other; each is announced to all that are there.
    async fn fill(url: &str, name: String, members: usize) -> Result<Self, Failure> {
        let (tell, heard) = mpsc::unbounded_channel();
        let mut room = Self {
            name,
            members: Vec::with_capacity(members),
            heard,
        };
        for member in 0..members {
            let (sink, stream) = socket::open(url).await?.split();
            tokio::spawn(listen(member, stream, tell.clone()));
            room.members.push(sink);
            let request = json!({ "action": "join", "room": room.name });
            let announced = format!(" has joined to Room {}", room.name);
            room.all_hear(member, &request.to_string(), &announced)
                .await?;
        }
        Ok(room)
    }

    async fn tell(&mut self, round: usize) -> Result<Told, Failure> {
        let text = format!("round {round:05}");
        let request = json!({ "action": "send", "room": self.name, "msg": text });
        self.all_hear(0, &request.to_string(), &format!("]: {text}"))
            .await
    }

    /// Sends, and waits until every member has got a text that ends so, and no other.
    async fn all_hear(&mut self, by: usize, request: &str, end: &str) -> Result<Told, Failure> {
        sleep(PAUSE).await;
        let began = Instant::now();
        let mut refused = 0;
        self.send(by, request).await?;
        let mut counts = vec![0; self.members.len()];
        let mut missing = counts.len();
        while missing > 0 {
            let heard = socket::in_time(self.heard.recv()).await?;
            let (member, text) = heard.ok_or(Failure::Closed)?;
            if member == by && is_error_frame(&text) {
                refused += 1;
                sleep(PAUSE).await;
                self.send(by, request).await?;
                continue;
            }
            if !text.ends_with(end) {
                let sent = request.to_owned();
                return Err(Failure::OtherText { sent, got: text });
            }
            counts[member] += 1;
            if counts[member] > 1 {
                let times = format!("member {member} got {text:?} {} times", counts[member]);
                return Err(Failure::Miscounted(times));
            }
            missing -= 1;
        }
        let took = began.elapsed();
        Ok(Told { took, refused })
    }

    async fn send(&mut self, by: usize, request: &str) -> Result<(), Failure> {
        let sending = self.members[by].send(Message::text(request));
        Ok(socket::in_time(sending).await??)
    }

    /// One after the other: what is measured next isn't disturbed by all at once.
    async fn leave(self) {
        for mut member in self.members {
            let _gone = member.close().await;
        }
    }

    fn expect_no_more(&mut self) -> Result<(), Failure> {
        match self.heard.try_recv() {
            Ok((member, text)) => {
                let more = format!("member {member} got {text:?}, which nobody sent");
                Err(Failure::Miscounted(more))
            }
            Err(_) => Ok(()),
        }
    }
}

async fn listen(
    member: usize,
    mut stream: SplitStream<Stream>,
    tell: mpsc::UnboundedSender<(usize, String)>,
) {
    while let Some(Ok(message)) = stream.next().await {
        if let Message::Text(text) = message {
            // Nobody listens any more when the run is over.
            let _over = tell.send((member, text.to_string()));
        }
    }
}
