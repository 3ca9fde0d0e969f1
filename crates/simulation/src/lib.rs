//! A deterministic simulation: the real engine with the real SDK clients on the
//! model of AWS, in-process and on virtual time, several deployers at once, with
//! everything that can go wrong drawn from one seed.
//!
//! Equal seeds give equal runs, to the last line of the trace. Deliberately
//! absent: sockets, processes, the machine's clock, and any knowledge of how the
//! engine works: it is driven by its public functions only.

mod call;
mod contents;
mod counts;
mod deployer;
mod leases;
mod line;
mod many;
mod process;
mod random;
mod run;
mod sabotage;
mod scenario;
pub mod somebody;
mod trace;
mod watch;
mod world;

pub use counts::Counts;
pub use many::{Report, run_caught, run_many};
pub use run::{Outcome, run};
pub use sabotage::Sabotage;
