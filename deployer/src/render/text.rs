//! Plain lines. A closed pipe (`deployer plan | head`) is no error.

use std::io::{IsTerminal, Write};

/// A result, on stdout.
pub fn result(line: &str) {
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

/// Begins anew where a terminal is written to; elsewhere an empty line.
pub fn redraw() {
    let mut screen = std::io::stdout();
    let _ = match screen.is_terminal() {
        true => write!(screen, "\x1b[H\x1b[2J\x1b[3J"),
        false => writeln!(screen),
    };
    let _ = screen.flush();
}

/// Progress, on stderr.
pub fn progress(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// An error and what to do, on stderr.
pub fn error(message: &str, next_step: &str) {
    let _ = writeln!(std::io::stderr(), "error: {message}\n  next: {next_step}");
}
