//! Figures on their way out, and the limit of open files, without which there would be
//! few clients.

use std::io::Write as _;

use crate::failure::Failure;

/// Most descriptors asked of the operating system.
const DESCRIPTORS: u64 = 65_536;

/// Prints lines.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Says how far it is, to who waits.
pub(crate) fn progress(text: &str) {
    // Nobody waits where this can't be written.
    let _gone = writeln!(std::io::stderr(), "{text}");
}

/// Says why a command failed.
pub(crate) fn complain(failure: &Failure) {
    progress(&format!("chat-load: {failure}"));
}

/// Each connection is a descriptor.
pub(crate) fn raise_descriptor_limit() -> Result<(), Failure> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = hard.min(DESCRIPTORS);
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    Ok(())
}
