//! Works out how far the chat goes on AWS and what that costs, and writes docs/SCALE.md.
//!
//! Deliberately absent: measurements, which are the benches', and arguments.

mod compute;
mod figures;
mod page;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SCALE.md");
    match std::fs::write(&path, page::render()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
