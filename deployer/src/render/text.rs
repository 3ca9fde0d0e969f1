//! Plain lines. A closed pipe (`deployer plan | head`) is no error.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the next result replaces what was shown.
static REPLACING: AtomicBool = AtomicBool::new(false);

/// A result, on stdout.
pub fn result(line: &str) {
    if REPLACING.swap(false, Ordering::Relaxed) {
        replace();
    }
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A result, on stdout. `false`: nobody reads it.
pub fn result_if_read(line: &str) -> bool {
    writeln!(std::io::stdout(), "{line}").is_ok()
}

/// Takes back the line that is begun on a terminal, such as a prompt.
pub fn clear_line() {
    let mut screen = std::io::stdout();
    let _ = write!(screen, "\r\x1b[K");
    let _ = screen.flush();
}

/// Lets the next result take the place of all that was shown, on a terminal; elsewhere an
/// empty line comes before it. Until there is one, what was shown stays.
pub fn replace_with_next() {
    REPLACING.store(true, Ordering::Relaxed);
}

fn replace() {
    let mut screen = std::io::stdout();
    let _ = match screen.is_terminal() {
        true => write!(screen, "\x1b[H\x1b[2J\x1b[3J"),
        false => writeln!(screen),
    };
}

/// Progress, on stderr.
pub fn progress(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// An error and what to do, on stderr.
pub fn error(message: &str, next_step: &str) {
    let _ = writeln!(std::io::stderr(), "error: {message}\n  next: {next_step}");
}
