//! Plain lines. A closed pipe (`deployer plan | head`) is no error.

use std::io::Write;

/// A result, on stdout.
pub fn result(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Progress, on stderr.
pub fn progress(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// An error and what to do, on stderr.
pub fn error(message: &str, next_step: &str) {
    let _ = writeln!(std::io::stderr(), "error: {message}\n  next: {next_step}");
}
