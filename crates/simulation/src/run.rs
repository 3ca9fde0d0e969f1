//! One run: the deployers of a scenario live, then the cloud heals, and an
//! undisturbed `up`, another one, and a `down` must end where they should.

use crate::contents::{self, Content};
use crate::counts::Counts;
use crate::deployer::{Session, live};
use crate::process::Fate;
use crate::sabotage::Sabotage;
use crate::scenario::{Command, LATEST_ARRIVAL, Scenario};
use crate::world::World;
use deployer_core::desired::{Desired, DesiredFunction};
use deployer_core::names::{FunctionVersion, RoleName};
use deployer_core::observed::Observed;
use deployer_engine::observe::{Known, observe};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// What was written is read by everybody after this.
const SETTLED: Duration = Duration::from_secs(5);
/// No run takes longer, on virtual time; who waits for a lease waits 30 minutes
/// at most.
const LONGEST: Duration = Duration::from_secs(4 * 60 * 60);

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// Of which seed.
    pub seed: u64,
    /// What must not be, and was; empty: all is well.
    pub violations: Vec<String>,
    /// What was reached.
    pub counts: Counts,
    /// Of all that happened.
    pub hash: u64,
    /// All that happened, if asked for.
    pub trace: Vec<String>,
}

/// Bytes. The engine's futures are large where nothing is optimised.
const STACK: usize = 16 * 1024 * 1024;

/// Runs a seed, on a thread of its own. `keep`: the trace, for reading.
///
/// # Panics
/// When the engine or the model does.
pub fn run(seed: u64, mistake: Sabotage, keep: bool) -> Outcome {
    let run = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || run_here(seed, mistake, keep));
    let ended = run.expect("a thread").join();
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn run_here(seed: u64, mistake: Sabotage, keep: bool) -> Outcome {
    // The SDK draws its jitter from this thread's sequence.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O");
    runtime.block_on(async {
        let scenario = Scenario::of(seed);
        let world = World::new(seed, &scenario, keep);
        world.say("run", format_args!("{scenario:?}"));
        let life = live_through(&world, seed, &scenario, mistake);
        match timeout(LONGEST, life).await {
            Ok(Ok(())) => {}
            Ok(Err(violation)) => world.violated(violation),
            Err(_) => world.violated("it never ends".to_owned()),
        }
        let (violations, counts, trace) = world.end();
        Outcome {
            seed,
            violations,
            counts,
            hash: trace.hash(),
            trace: trace.into_lines(),
        }
    })
}

async fn live_through(
    world: &Arc<World>,
    seed: u64,
    scenario: &Scenario,
    mistake: Sabotage,
) -> Result<(), String> {
    if let Some(before) = scenario.before {
        up(world, seed, 0, before, mistake, "the up before").await?;
        sleep(SETTLED).await;
    }
    let fates: Vec<Fate> = scenario.deployers.iter().map(|_| Fate::default()).collect();
    let lives: FuturesUnordered<_> = scenario
        .deployers
        .iter()
        .enumerate()
        .map(|(index, deployer)| live(world, seed, index, deployer, &fates, mistake))
        .collect();
    let () = lives.collect().await;
    // What is still on its way arrives, and is read.
    sleep(LATEST_ARRIVAL + SETTLED).await;
    world.say("run", format_args!("the cloud is healed"));
    heal(world, seed, scenario.last, mistake).await
}

async fn heal(world: &Arc<World>, seed: u64, last: usize, mistake: Sabotage) -> Result<(), String> {
    up(world, seed, 1, last, mistake, "the last up").await?;
    sleep(SETTLED).await;
    let content = &contents::all()[last];
    let live = world.live();
    if live != [last] {
        return Err(format!("after the last up {live:?} is live, not {last}"));
    }
    only_this(world, content)?;
    let session = Session::undisturbed(world, seed, 2, Command::Up(last), mistake);
    let again = session.up(last, &|_| false).await;
    let again = again.map_err(|error| format!("the second up: {error}"))?;
    if !again.plan.is_empty() {
        return Err(format!("the second up has work to do: {}", again.plan));
    }
    let known = Known::of(&content.desired);
    let observed = observe(session.cloud(), &content.desired.names, &known).await;
    let observed = observed.map_err(|error| format!("looking: {error}"))?;
    the_manifest_fits(content, &observed)?;
    sleep(SETTLED).await;
    let session = Session::undisturbed(world, seed, 3, Command::Down, mistake);
    let down = session.down(&|_| false).await;
    let down = down.map_err(|error| format!("the last down: {error}"))?;
    if !down.outcome.complete() || !down.left.is_empty() {
        let (failed, left) = (&down.outcome.failed, &down.left);
        return Err(format!("the last down: {failed:?}, left: {left}"));
    }
    let left = world.inventory();
    let count = left.apis.count + left.functions.count + left.roles.count + left.log_groups.count;
    if count > 0 {
        return Err(format!("the last down leaves {left:?}"));
    }
    let tables = world.tables();
    if !tables.is_empty() {
        return Err(format!("the last down leaves the tables {tables:?}"));
    }
    Ok(())
}

async fn up(
    world: &Arc<World>,
    seed: u64,
    index: usize,
    content: usize,
    mistake: Sabotage,
    what: &str,
) -> Result<(), String> {
    let session = Session::undisturbed(world, seed, index, Command::Up(content), mistake);
    let up = session.up(content, &|_| false).await;
    let up = up.map_err(|error| format!("{what}: {error}"))?;
    match up.outcome.complete() && up.url.is_some() {
        true => Ok(()),
        false => Err(format!("{what}: {:?}", up.outcome.failed)),
    }
}

/// One API, and of everything else exactly what the content names.
fn only_this(world: &Arc<World>, content: &Content) -> Result<(), String> {
    let desired = &content.desired;
    let inventory = world.inventory();
    let sorted = |names: Vec<String>| {
        let mut names = names;
        names.sort();
        names
    };
    let text = |names: &[deployer_core::names::FunctionName]| {
        names.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let functions = sorted(text(&desired.function_names()));
    let mut log_groups: Vec<String> = desired
        .log_groups()
        .iter()
        .map(ToString::to_string)
        .collect();
    log_groups.push(deployer_core::manifest::journal(&desired.names).to_string());
    let as_it_should = inventory.apis.count == 1
        && inventory.functions.names == functions
        && roles_fit(desired, &inventory.roles.names)
        && tables_fit(desired, &world.tables())
        && inventory.log_groups.names == sorted(log_groups);
    match as_it_should {
        true => Ok(()),
        false => Err(format!(
            "after the last up there is {inventory:?}, and tables {:?}",
            world.tables()
        )),
    }
}

/// All that something runs as, and beside it such as a kept release runs as.
fn roles_fit(desired: &Desired, found: &[String]) -> bool {
    let names = &desired.names;
    let functions: Vec<&DesiredFunction> = desired.functions.values().collect();
    let own = functions.iter().map(|it| names.own_role(&it.name));
    let may_be: Vec<RoleName> = std::iter::once(names.execution_role.clone())
        .chain(own)
        .collect();
    let is_used = |role: &RoleName| {
        let arn = desired.account.role_arn(role);
        functions.iter().any(|it| it.configuration.role_arn == arn)
    };
    let must_be = may_be.iter().filter(|role| is_used(role));
    let is_there = |role: &RoleName| found.iter().any(|it| it == role.as_str());
    let is_known = |name: &String| {
        let mut all = may_be.iter().chain([&names.invoke_role]);
        all.any(|it| it.as_str() == name)
    };
    must_be.chain([&names.invoke_role]).all(is_there) && found.iter().all(is_known)
}

/// Those that the files name; one that they named once may have stayed.
fn tables_fit(desired: &Desired, found: &[String]) -> bool {
    let all = contents::all().iter();
    let all = all.flat_map(|it| it.desired.tables.keys());
    let known: Vec<String> = all.map(ToString::to_string).collect();
    let mut wanted = desired.tables.keys();
    wanted.all(|it| found.contains(&it.to_string())) && found.iter().all(|it| known.contains(it))
}

/// What the journal says of the live release is what the draft, which is as the
/// release, invokes.
fn the_manifest_fits(content: &Content, observed: &Observed) -> Result<(), String> {
    let desired = &content.desired;
    let api = observed.apis.first();
    let deployment = api.and_then(|api| api.live_deployment(&desired.names.api_stage));
    let manifest = deployment.and_then(|live| observed.manifest_of(live));
    let (Some(api), Some(manifest)) = (api, manifest) else {
        return Err("the live release has no manifest".to_owned());
    };
    let invoked = |name: &str, version: &FunctionVersion| {
        let end = format!(":function:{name}:{version}/invocations");
        api.uris().any(|uri| uri.ends_with(&end))
    };
    // That of an authorizer that is off is there, and nobody asks it.
    let routed = desired.routed_functions();
    let guard = desired.gateway.authorizer.as_ref();
    let is_asked = |key| routed.contains(key) || guard.is_some_and(|it| it.function == *key);
    let fits = manifest.release == content.release
        && manifest.routes == desired.routes
        && manifest.authorizer == desired.gateway.authorizer
        && manifest.existing == desired.existing_arns()
        && manifest.functions.len() == desired.functions.len()
        && manifest.functions.iter().all(|(key, function)| {
            desired.functions.get(key).is_some_and(|wanted| {
                wanted.name == function.name && wanted.code.sha256.as_str() == function.code_sha256
            }) && (!is_asked(key) || invoked(function.name.as_str(), &function.version))
        });
    match fits {
        true => Ok(()),
        false => Err(format!(
            "the live release's manifest doesn't fit: {manifest:?}"
        )),
    }
}
