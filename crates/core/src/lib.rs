//! The pure core of the deployer: what a stage file means, what a stage should
//! look like in an account, and which steps lead from what is there to that.
//!
//! Everything here is a function from values to values. Deliberately absent:
//! files, the network, clocks, randomness and the AWS SDK. Sources come in as
//! text, the account as an [`observed::Observed`], artifacts as hashes; out come
//! a [`desired::Desired`] and a [`plan::Plan`].

pub mod account;
pub mod account_logging;
pub mod api_details;
pub mod assumptions;
pub mod authorizer;
pub mod census;
pub mod desired;
pub mod export;
pub mod facilities;
pub mod grants;
pub mod lease;
pub mod manifest;
pub mod manifest_key;
pub mod names;
pub mod observed;
pub mod operations;
pub mod permissions;
pub mod plan;
pub mod policy;
pub mod promotion;
pub mod provenance;
pub mod record;
pub mod release;
pub mod secrets;
pub mod stage_file;
pub mod stage_settings;
pub mod table;
pub mod tags;
pub mod ttl;
