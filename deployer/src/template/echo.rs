//! The echo: one function, small enough to be read at once.

use super::{Source, own, shipped};

/// Those that this repository has, too.
pub(super) const SHIPPED: &[Source] = shipped![
    ".github/workflows/alpha.yml",
    "functions/echo/Cargo.toml",
    "functions/echo/fixtures/message.json",
    "functions/echo/src/lib.rs",
    "functions/echo/src/main.rs",
    "stages/alpha.toml",
];

/// Those that are its own.
pub(super) const OWN: &[Source] = &[
    own!(".gitignore", "common/gitignore"),
    own!(".github/actions/deployer/action.yml", "common/action.yml"),
    own!(".github/workflows/ci.yml", "common/ci.yml"),
    own!("Cargo.lock", "echo/Cargo.lock"),
    own!("Cargo.toml", "echo/Cargo.toml"),
    own!("README.md", "echo/README.md"),
    own!("clippy.toml", "common/clippy.toml"),
    own!("stages/local.toml", "echo/local.toml"),
    own!("stages/service.toml", "echo/service.toml"),
];
