//! Looks at stages again and again.

use crate::cli::Look;
use crate::commands::run::Run;
use crate::commands::stages::Work;
use crate::commands::{choice_of, stages};
use crate::exit;
use crate::render::{Output, text};
use std::time::Duration;

/// Shows the stages until Ctrl-C; gives the exit code. A look that fails says so, and the
/// next one is taken all the same; but where the first does, there is nothing to watch.
pub async fn watch(run: &Run, Look { stages, elsewhere }: Look, pause: Duration) -> u8 {
    let output = Output::result(stages.json);
    let looks = async {
        let mut first = true;
        loop {
            if !first && !stages.json {
                text::replace_with_next();
            }
            let choice = choice_of(stages.clone(), Some(elsewhere.clone()));
            let code = stages::run(run, choice, Work::Status, output).await;
            if first && code != exit::SUCCESS {
                return code;
            }
            first = false;
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        code = looks => code,
        _ = tokio::signal::ctrl_c() => exit::SUCCESS,
    }
}
