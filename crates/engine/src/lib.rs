//! The engine: observe, plan, apply, verify. Drives any cloud behind the two
//! traits in [`cloud`], and tells what happens only through [`events`].
//!
//! Deliberately absent: the AWS SDK (the `deployer-aws` crate), deciding what to
//! do (the pure planner in `deployer-core`), and printing.

pub mod apply;
pub mod causes;
pub mod checkup;
pub mod cloud;
pub mod directory;
pub mod down;
pub mod error;
pub mod events;
pub mod exclusive;
pub mod figures;
pub mod interrupt;
pub mod invoke;
pub mod lease;
pub mod logs;
pub mod observe;
pub mod promote;
pub mod retry;
pub mod rollback;
pub mod up;
pub mod verify;
