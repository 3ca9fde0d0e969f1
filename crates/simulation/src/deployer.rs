//! A deployer at work: the engine under its lease, with the real clients on a
//! wire of the simulation.

use crate::contents::{self, Content};
use crate::line::Line;
use crate::process::{Fate, Process};
use crate::random::Random;
use crate::sabotage::{Sabotage, Sabotaged};
use crate::scenario::{Command, Deployer, Rates};
use crate::world::World;
use deployer_aws::{Clock, Cloud};
use deployer_core::desired::Desired;
use deployer_core::manifest::journal;
use deployer_engine::apply::{Means, Outcome};
use deployer_engine::down::{Down, DownError, Removal};
use deployer_engine::events::Event;
use deployer_engine::exclusive;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::lease::{LeaseRequest, Reads, Waiting};
use deployer_engine::observe::Known;
use deployer_engine::up::{Up, UpError};
use deployer_engine::verify::Verify;
use std::sync::Arc;
use tokio::time::sleep;

/// The index from which deployers are the simulation's own, undisturbed ones.
pub const UNDISTURBED: usize = 100;

/// A session of one deployer with the account.
pub struct Session {
    world: Arc<World>,
    who: String,
    cloud: Cloud,
    mistake: Sabotage,
    interrupt: Interrupt,
    waiting: Waiting,
}

impl Session {
    /// An undisturbed one.
    pub fn undisturbed(
        world: &Arc<World>,
        seed: u64,
        index: usize,
        command: Command,
        mistake: Sabotage,
    ) -> Self {
        let rates = Rates {
            slowest_ms: 20,
            ..Rates::default()
        };
        let index = UNDISTURBED + index;
        Self::new(world, seed, index, command, rates, Fate::default(), mistake)
    }

    fn new(
        world: &Arc<World>,
        seed: u64,
        index: usize,
        command: Command,
        rates: Rates,
        fate: Fate,
        mistake: Sabotage,
    ) -> Self {
        let who = holder(index);
        let random = Random::new(seed, 10 + index as u64);
        let world = Arc::clone(world);
        let line = Line::new(
            Arc::clone(&world),
            who.clone(),
            command,
            rates,
            random,
            fate,
        );
        let clock: Arc<dyn Clock> = Arc::clone(&world) as Arc<dyn Clock>;
        Self {
            cloud: Cloud::over(Arc::new(line), clock, contents::REGION),
            world,
            who,
            mistake,
            interrupt: Interrupt::default(),
            waiting: Waiting::Wait,
        }
    }

    /// The clients.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// `up`.
    ///
    /// # Errors
    /// As the engine's.
    pub async fn up(&self, content: usize, is_gone: IsGone<'_>) -> Result<Up, UpError> {
        self.world.may_be_live(content);
        let content = &contents::all()[content];
        let mut desired = content.desired.clone();
        desired.provenance.by.clone_from(&self.who);
        desired.provenance.at = self.at();
        let sabotaged = self.sabotaged();
        let say = |event: Event| self.say(&event);
        let means = self.means(&desired, content, &sabotaged, &say);
        let lease = self.lease(&desired, &sabotaged, is_gone);
        exclusive::up(&desired, &means, &lease).await
    }

    /// `down`.
    ///
    /// # Errors
    /// As the engine's.
    pub async fn down(&self, is_gone: IsGone<'_>) -> Result<Down, DownError> {
        let content = &contents::all()[0];
        let sabotaged = self.sabotaged();
        let say = |event: Event| self.say(&event);
        let means = self.means(&content.desired, content, &sabotaged, &say);
        let lease = self.lease(&content.desired, &sabotaged, is_gone);
        let known = Known::of(&content.desired);
        exclusive::down(&known, &Removal::default(), &means, &lease).await
    }

    async fn rollback(&self, is_gone: IsGone<'_>) -> Result<Outcome, String> {
        let content = &contents::all()[0];
        let sabotaged = self.sabotaged();
        let say = |event: Event| self.say(&event);
        let means = self.means(&content.desired, content, &sabotaged, &say);
        let lease = self.lease(&content.desired, &sabotaged, is_gone);
        let known = Known::of(&content.desired);
        match exclusive::rollback(&known, None, &means, &lease).await {
            Ok(rollback) => Ok(rollback.outcome),
            Err(error) => Err(error.to_string()),
        }
    }

    fn at(&self) -> String {
        let now = Clock::now(&*self.world);
        jiff::Timestamp::try_from(now).map_or_else(|_| String::new(), |now| now.to_string())
    }

    fn sabotaged(&self) -> Sabotaged<'_> {
        Sabotaged {
            inner: &self.cloud,
            mistake: self.mistake,
        }
    }

    fn means<'a>(
        &'a self,
        desired: &'a Desired,
        content: &'a Content,
        sabotaged: &'a Sabotaged<'a>,
        events: &'a (dyn deployer_engine::events::EventSink + 'a),
    ) -> Means<'a, Sabotaged<'a>, Sabotaged<'a>> {
        Means {
            reader: sabotaged,
            writer: sabotaged,
            account: &desired.account,
            names: &desired.names,
            artifacts: &content.artifacts,
            events,
            interrupt: &self.interrupt,
            verify: Verify::Endpoint,
        }
    }

    fn lease<'a>(
        &self,
        desired: &Desired,
        sabotaged: &'a Sabotaged<'a>,
        is_gone: IsGone<'a>,
    ) -> LeaseRequest<'a, Sabotaged<'a>> {
        LeaseRequest {
            store: sabotaged,
            journal: journal(&desired.names),
            tags: desired.journal_tags(),
            holder: self.who.clone(),
            is_gone,
            waiting: self.waiting,
            reads: Reads::Later,
        }
    }

    fn say(&self, event: &Event) {
        match event {
            Event::StepStarted { what, .. } => self.tell(format_args!("  {what} …")),
            Event::StepDone { what, .. } => self.tell(format_args!("  {what}: done")),
            Event::StepWaiting { what, reason, .. } => {
                self.tell(format_args!("  {what}: waits for {reason}"));
            }
            Event::StepFailed { what, error, .. } => {
                // Request ids and the like are the answers' business.
                let (kind, message) = (error.kind, &error.message);
                self.tell(format_args!("  {what}: {kind:?} {message}"));
            }
            other => self.tell(format_args!("  {other:?}")),
        }
    }

    fn tell(&self, what: std::fmt::Arguments<'_>) {
        self.world.say(&self.who, what);
    }
}

/// Whether a holder's process is known to be gone.
pub type IsGone<'a> = &'a (dyn Fn(&str) -> bool + Sync);

/// What a deployer's lease names.
pub fn holder(index: usize) -> String {
    format!("d{index}")
}

/// Lives a deployer's life, to its end or crash.
pub async fn live(
    world: &Arc<World>,
    seed: u64,
    index: usize,
    deployer: &Deployer,
    fates: &[Fate],
    mistake: Sabotage,
) {
    sleep(deployer.starts).await;
    let fate = fates[index].clone();
    let mut session = Session::new(
        world,
        seed,
        index,
        deployer.command,
        deployer.rates,
        fate.clone(),
        mistake,
    );
    if !deployer.waits {
        session.waiting = Waiting::DontWait;
    }
    if let Some(after) = deployer.interrupted {
        let interrupt = session.interrupt.clone();
        tokio::spawn(async move {
            sleep(after).await;
            interrupt.request();
        });
    }
    session.tell(format_args!("begins {:?}", deployer.command));
    let gone = |who: &str| {
        deployer.same_machine
            && (0..fates.len()).any(|other| holder(other) == who && fates[other].crashed())
    };
    let work = async {
        match deployer.command {
            Command::Up(content) => match session.up(content, &gone).await {
                Ok(up) => ended(&up.outcome),
                Err(error) => failed(&error),
            },
            Command::Down => match session.down(&gone).await {
                Ok(down) => ended(&down.outcome),
                Err(error) => failed(&error),
            },
            Command::Rollback => match session.rollback(&gone).await {
                Ok(outcome) => ended(&outcome),
                Err(error) => ("command: refused or failed", error),
            },
        }
    };
    let (what, why) = Process::new(work, fate)
        .await
        .unwrap_or(("command: crashed", String::new()));
    world.count(what);
    session.tell(format_args!("{what} {why}"));
}

fn ended(outcome: &Outcome) -> (&'static str, String) {
    let what = match (outcome.complete(), outcome.interrupted) {
        (true, _) => "command: done",
        (false, true) => "command: interrupted",
        (false, false) => "command: steps failed",
    };
    (what, String::new())
}

fn failed(error: &dyn std::error::Error) -> (&'static str, String) {
    ("command: refused or failed", error.to_string())
}
