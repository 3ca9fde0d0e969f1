//! `deployer completions` and `deployer man`: made from the command line as it is.

use crate::cli::Cli;
use crate::cli::shell::{Completions, Man};
use crate::completion::VARIABLE;
use crate::failure::Failure;
use crate::render::text;
use clap::CommandFactory;
use clap_complete::env::Shells;
use std::path::Path;

const PROGRAM: &str = "deployer";

/// Prints the script that a shell reads at its start.
pub fn completions(options: &Completions) -> Result<(), Failure> {
    let name = options.shell.name();
    let shells = Shells::builtins();
    let failed = |reason: String| Failure::Input {
        message: format!("no completions for {name}: {reason}"),
        next_step: "name one of the shells that --help lists".to_owned(),
    };
    let shell = shells
        .completer(name)
        .ok_or_else(|| failed("it isn't known".to_owned()))?;
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)
        .map_err(|error| failed(error.to_string()))?;
    text::result(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}

/// Writes a page for the program and each command of it; prints how many.
pub fn man(options: &Man) -> Result<(), Failure> {
    let dir = &options.dir;
    let failed = |path: &Path, error: &std::io::Error| Failure::Input {
        message: format!("can't write {}: {error}", path.display()),
        next_step: "name a folder that may be written".to_owned(),
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    let mut pages = 0;
    let mut all = vec![Cli::command().display_name(PROGRAM)];
    while let Some(mut command) = all.pop() {
        command.build();
        let name = command.get_display_name().unwrap_or(PROGRAM).to_owned();
        let below = command.get_subcommands().filter(|it| !it.is_hide_set());
        all.extend(below.cloned());
        let path = dir.join(format!("{name}.1"));
        let page = clap_mangen::Man::new(command.disable_help_subcommand(true)).title(name);
        let mut text = Vec::new();
        page.render(&mut text)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| failed(&path, &error))?;
        pages += 1;
    }
    text::result(&format!("{pages} pages in {}", dir.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::shell::Shell;
    use clap::ValueEnum;

    #[test]
    fn every_shell_that_can_be_named_has_a_script() {
        for shell in Shell::value_variants() {
            let shells = Shells::builtins();
            assert!(shells.completer(shell.name()).is_some(), "{shell:?}");
        }
    }

    #[test]
    fn every_command_has_a_page_with_its_options_and_examples() {
        let dir = tempfile::tempdir().expect("a folder");
        let pages = dir.path().join("man1");
        man(&Man { dir: pages.clone() }).expect("it may be written");
        let page = |name: &str| {
            let path = pages.join(format!("{name}.1"));
            std::fs::read_to_string(path).expect("a page")
        };
        for command in Cli::command().get_subcommands() {
            let page = page(&format!("deployer-{}", command.get_name()));
            assert!(page.contains(".TH "), "{page}");
            assert!(page.contains(".SH SYNOPSIS"), "{page}");
        }
        let up = page("deployer-up");
        assert!(
            up.contains("no\\-verify") && up.contains("Examples"),
            "{up}"
        );
        assert!(page("deployer-stages-show").contains("STAGE"));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_bad_input() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let dir = file.path().join("man1");
        let failure = man(&Man { dir }).expect_err("a file is in the way");
        assert_eq!(failure.exit_code(), crate::exit::BAD_INPUT);
    }
}
