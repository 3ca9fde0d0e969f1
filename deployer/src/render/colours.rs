//! Which colours are used, where there are any.

use anstyle::{AnsiColor, Style};
use std::io::IsTerminal;

/// Styles by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colours {
    on: bool,
    /// Times, latencies, notices.
    pub dim: Style,
    /// A member's name.
    pub key: Style,
    /// A text in JSON.
    pub text: Style,
    /// A number, `true`, `false`, `null`.
    pub number: Style,
    /// What is sent or heard.
    pub arrow: Style,
    /// What went wrong.
    pub bad: Style,
    /// What may go wrong.
    pub warning: Style,
}

impl Colours {
    /// For stdout: where it is a terminal, and `NO_COLOR` isn't set to anything.
    pub fn of_stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        match wanted && std::io::stdout().is_terminal() {
            true => Self::all(),
            false => Self::none(),
        }
    }

    pub(super) fn all() -> Self {
        Self {
            on: true,
            ..Self::none()
        }
    }

    pub(super) fn none() -> Self {
        Self {
            on: false,
            dim: Style::new().dimmed(),
            key: AnsiColor::Blue.on_default(),
            text: AnsiColor::Green.on_default(),
            number: AnsiColor::Yellow.on_default(),
            arrow: AnsiColor::Cyan.on_default().bold(),
            bad: AnsiColor::Red.on_default().bold(),
            warning: AnsiColor::Yellow.on_default(),
        }
    }

    /// The text in this style.
    pub fn paint(&self, style: Style, text: &str) -> String {
        match self.on && style != Style::new() {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }
}
