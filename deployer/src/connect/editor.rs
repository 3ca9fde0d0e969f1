//! Where lines come from: an editor with history and completion on a terminal, else stdin.
//!
//! Deliberately absent: what a line means (`commands`).

use super::commands::NAMES;
use super::templates::Templates;
use crate::render::{Talk, text};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, ExternalPrinter, Helper};
use std::borrow::Cow;
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Lines that were typed and not taken yet.
const LINES: usize = 64;
/// Lines that are kept from one run to the next.
const HISTORY: usize = 1_000;
const PROMPT: &str = "> ";

/// Lines as they come; they end when the user does.
pub struct Input {
    /// The lines.
    pub lines: mpsc::Receiver<String>,
    /// Whether somebody types them.
    pub by_hand: bool,
    /// How the terminal was before.
    before: Option<Termios>,
}

impl Drop for Input {
    /// The editor may still wait for a key, with the terminal as it wants it.
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // There is nothing left to do about a terminal that is gone.
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, before);
            text::clear_line();
        }
    }
}

/// Begins to read lines. On a terminal what `talk` prints goes above the line that is edited.
///
/// # Errors
/// When the terminal can't be used.
pub fn start(talk: &Talk, templates: Arc<Mutex<Templates>>) -> Result<Input, ReadlineError> {
    let (sender, lines) = mpsc::channel(LINES);
    let by_hand = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !by_hand {
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        return Ok(Input {
            lines,
            by_hand,
            before: None,
        });
    }
    let before = tcgetattr(std::io::stdin()).ok();
    let config = Config::builder()
        .max_history_size(HISTORY)?
        .history_ignore_space(true)
        .auto_add_history(true)
        .build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config)?;
    let kept = history_file();
    if let Some(path) = &kept {
        // There is none before the first run.
        let _ = editor.load_history(path);
    }
    {
        let mut known = templates.lock().unwrap_or_else(PoisonError::into_inner);
        for line in editor.history().iter() {
            known.learn(line);
        }
    }
    editor.set_helper(Some(Assistant {
        templates,
        hinter: HistoryHinter::new(),
    }));
    let mut printer = editor.create_external_printer()?;
    talk.print_above(Box::new(move |line| {
        // The user has gone: there is nobody to print for.
        let _ = printer.print(line);
    }));
    std::thread::spawn(move || edit(editor, kept.as_deref(), &sender));
    Ok(Input {
        lines,
        by_hand,
        before,
    })
}

fn edit(
    mut editor: Editor<Assistant, FileHistory>,
    kept: Option<&Path>,
    lines: &mpsc::Sender<String>,
) {
    while let Ok(line) = editor.readline(PROMPT) {
        if let Some(path) = kept {
            // A folder that can't be written costs the history only.
            let _ = path.parent().map(std::fs::create_dir_all);
            let _ = editor.append_history(path);
        }
        if lines.blocking_send(line).is_err() {
            return;
        }
    }
}

/// In the user's folder for such, not in the project: what is sent may be private.
fn history_file() -> Option<PathBuf> {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let state = given("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| Some(PathBuf::from(given("HOME")?).join(".local/state")))?;
    state
        .is_absolute()
        .then(|| state.join("deployer/connect-history"))
}

/// Completes and hints.
struct Assistant {
    templates: Arc<Mutex<Templates>>,
    hinter: HistoryHinter,
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        place: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let begun = &line[..place];
        if begun.starts_with('/') {
            let names = NAMES.iter().filter(|name| name.starts_with(begun));
            let pair = |name: &&str| Pair {
                display: name.trim_end().to_owned(),
                replacement: (*name).to_owned(),
            };
            return Ok((0, names.map(pair).collect()));
        }
        let templates = self
            .templates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let pairs = templates.begun(begun).into_iter().map(|candidate| Pair {
            display: candidate.route,
            replacement: candidate.frame,
        });
        Ok((0, pairs.collect()))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, place: usize, context: &Context<'_>) -> Option<String> {
        self.hinter.hint(line, place, context)
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        let colours = crate::render::Colours::of_stdout();
        Cow::Owned(colours.paint(colours.dim, hint))
    }
}

impl Validator for Assistant {}

impl Helper for Assistant {}
