//! What a seed stands for: the account's habits, how bad the wires are, who
//! deploys what and when.

use crate::contents;
use crate::random::Random;
use cloud_model::Realism;
use std::time::Duration;

/// The latest a request arrives after it was sent, where it arrives at all: what the
/// engine assumes.
pub const LATEST_ARRIVAL: Duration = deployer_engine::lease::LATEST_ARRIVAL;

/// What a deployer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Releases the content with this index.
    Up(usize),
    /// Removes everything.
    Down,
    /// Makes the release before the live one live again.
    Rollback,
}

/// One deployer.
#[derive(Debug, Clone)]
pub struct Deployer {
    /// What it does.
    pub command: Command,
    /// When it begins.
    pub starts: Duration,
    /// When it is asked to stop (Ctrl-C), counted from its beginning.
    pub interrupted: Option<Duration>,
    /// Whether it waits for another deployer.
    pub waits: bool,
    /// Whether it sees that a crashed deployer's process is gone.
    pub same_machine: bool,
    /// What its wire does.
    pub rates: Rates,
}

/// How often a call goes wrong, per mille of all calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// Faults of the wire and the service.
    pub faults: u64,
    /// The process ends.
    pub crashes: u64,
    /// The process stands still for a while.
    pub pauses: u64,
    /// The slowest ordinary way there, or back, in ms.
    pub slowest_ms: u64,
}

/// A whole run.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The account's habits.
    pub realism: Option<Realism>,
    /// How long functions settle without that habit, in ms.
    pub activation_ms: i64,
    /// Deployed undisturbed before the others begin.
    pub before: Option<usize>,
    /// Who deploys.
    pub deployers: Vec<Deployer>,
    /// What is deployed at last.
    pub last: usize,
}

impl Scenario {
    /// The scenario of a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let realism = random.per_mille(600).then(|| Realism {
            seed,
            request_quotas: random.per_mille(300),
            conflicts: random.per_mille(500),
            iam_propagation: random.per_mille(500),
            function_activation: random.per_mille(500),
            stale_reads: random.per_mille(500),
        });
        let content = |random: &mut Random| {
            random.one_of(&std::array::from_fn::<usize, { contents::COUNT }, _>(|i| i))
        };
        let before = random.per_mille(500).then(|| content(&mut random));
        let together = random.per_mille(400);
        let rates = Rates {
            faults: random.one_of(&[0, 5, 20, 60]),
            crashes: random.one_of(&[0, 2, 8]),
            pauses: random.one_of(&[0, 2, 8]),
            slowest_ms: random.one_of(&[5, 50, 300]),
        };
        let deployers = (0..2 + random.below(3))
            .map(|_| Deployer {
                command: match random.below(20) {
                    0..14 => Command::Up(content(&mut random)),
                    14..17 => Command::Down,
                    _ => Command::Rollback,
                },
                starts: match together {
                    true => random.ms(0, 500),
                    false => random.ms(0, 40_000),
                },
                interrupted: random.per_mille(50).then(|| random.ms(0, 20_000)),
                waits: random.per_mille(850),
                same_machine: random.per_mille(300),
                rates,
            })
            .collect();
        Self {
            realism,
            activation_ms: random.one_of(&[0, 0, 700]),
            before,
            deployers,
            last: content(&mut random),
        }
    }
}
