//! The documents that are made from the code: docs/CLI.md from the command line, and
//! docs/ERRORS.md from the tables of exit codes, causes and passing errors. A test compares
//! them with what they would be; with UPDATE_DOCS=1 it writes them.

use crate::cli::Cli;
use crate::exit;
use clap::{Command, CommandFactory};
use deployer_engine::causes::{CAUSES, Cause, LACKS_PERMISSION};
use deployer_engine::retry::{PASSING_ERRORS, PassingError};
use std::fmt::Write;
use std::path::Path;

const ERRORS: &str = "\
# Errors

<!-- Made from the code: UPDATE_DOCS=1 cargo test --package deployer --bin deployer reference -->

An error says what was done (service and operation), on what, AWS's code and words, the
request id that AWS's support asks for, and what to do next:

```text
error: lambda:CreateFunction chat-alpha-room: InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda. (request id 0d6cf33b)
  next: IAM took unusually long to make the new role known: run the command again
```

A mistake in a stage file says file, line and column, and what may have been meant; all
mistakes of a file are told at once, before anything is touched. With `--json` the same
fields are on stdout ([JSON.md](JSON.md)): `cause` there is a name of the table below.
";

const CAUSES_HEAD: &str = "
## What AWS says, and what to do

The first row that fits has its say. `…` stands for any text.

| cause | AWS says | it mostly means | what to do |
|---|---|---|---|
";

const PASSING_HEAD: &str = "
## What passes by itself

These are tried again, beyond the SDK's own retries of what is safe to repeat, until the
time is over; only then are they told. Whose answer was lost isn't tried again: the next
command looks first.

| AWS says | waits for | at most | known from |
|---|---|---|---|
";

/// docs/ERRORS.md
fn errors() -> String {
    let mut text = ERRORS.to_owned();
    text.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for (code, meaning) in exit::TABLE {
        let _ = writeln!(text, "| {code} | {meaning} |");
    }
    text.push_str("\nOf several stages, the first that failed, in the order given, has its say.\n");
    text.push_str(CAUSES_HEAD);
    for cause in CAUSES {
        let _ = writeln!(text, "{}", row_of_cause(cause));
    }
    let _ = writeln!(
        text,
        "| {LACKS_PERMISSION} | `AccessDenied` or `AccessDeniedException` otherwise | the caller's policies don't allow the call | the statement that would allow it is told; `deployer permissions STAGE` prints the whole policy |"
    );
    text.push_str(PASSING_HEAD);
    for passing in PASSING_ERRORS {
        let _ = writeln!(text, "{}", row_of_passing(passing));
    }
    text
}

fn row_of_cause(cause: &Cause) -> String {
    let Cause {
        name,
        service,
        operations,
        codes,
        message,
        meaning,
        next_step,
        ..
    } = cause;
    let calls = match (*service, operations) {
        ("", _) => String::new(),
        (service, []) => format!("{service}: "),
        (service, operations) => format!("{service} {}: ", operations.join(", ")),
    };
    let codes: Vec<String> = codes
        .iter()
        .filter(|code| !code.is_empty())
        .map(|code| format!("`{code}`"))
        .collect();
    let message = match *message {
        "" => String::new(),
        message => format!(" `…{message}…`"),
    };
    let says = format!("{calls}{}{message}", codes.join(", "));
    format!(
        "| {name} | {} | {meaning} | {} |",
        says.trim(),
        next_step.replace('<', "\\<")
    )
}

fn row_of_passing(passing: &PassingError) -> String {
    let message = match passing.message {
        "" => String::new(),
        message => format!(" `…{message}…`"),
    };
    format!(
        "| {}: `{}`{message} | {} | {} s | {} |",
        passing.service,
        passing.code,
        passing.reason,
        passing.deadline.as_secs(),
        passing.source
    )
}

/// docs/CLI.md
fn command_line() -> String {
    let mut text = "\
# The command line

<!-- Made from the code: UPDATE_DOCS=1 cargo test --package deployer --bin deployer reference -->

What `deployer --help`, and `--help` of each command, print.
"
    .to_owned();
    let mut command = Cli::command().term_width(100);
    command.build();
    describe(&mut command, &mut text);
    text
}

fn describe(command: &mut Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or("deployer").to_owned();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(
        text,
        "\n## {name}\n\n```text\n{}\n```\n",
        lines.join("\n").trim()
    );
    let below = command.get_subcommands_mut();
    for command in below.filter(|it| !it.is_hide_set() && it.get_name() != "help") {
        describe(command, text);
    }
}

/// Compares the document with what it would be, or writes it.
fn up_to_date(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let line = kept.lines().zip(text.lines()).position(|(a, b)| a != b);
    assert!(
        kept == text,
        "docs/{name} differs from the code from line {} on: UPDATE_DOCS=1 writes it",
        line.map_or(kept.lines().count().min(text.lines().count()), |it| it) + 1
    );
}

#[test]
fn the_document_of_errors_is_that_of_the_tables() {
    up_to_date("ERRORS.md", &errors());
}

#[test]
fn the_document_of_the_command_line_is_that_of_the_help() {
    up_to_date("CLI.md", &command_line());
}

#[test]
fn every_cell_of_the_errors_stays_in_its_column() {
    let text = errors();
    let rows = text.lines().filter(|line| line.starts_with('|'));
    for row in rows {
        let columns = row.matches('|').count();
        assert!([3, 5].contains(&columns), "{row}");
    }
}

#[test]
fn every_exit_code_has_one_row_and_a_place_in_the_help() {
    let help = Cli::command().render_long_help().to_string();
    let mut seen = std::collections::BTreeSet::new();
    for (code, meaning) in exit::TABLE {
        assert!(seen.insert(code), "{code} twice");
        assert!(
            help.contains(&format!("\n  {code:<3}  {meaning}")),
            "{code}"
        );
    }
}
