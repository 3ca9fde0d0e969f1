//! What the documents show is tried: every command line of the deployer's in them is one that
//! the command line takes, every pair of stage files in them is one that it reads.
//!
//! Deliberately absent: running them. `tests/tutorial` runs the pages that are to be followed
//! from beginning to end.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use deployer_core::stage_file::{self, FileText};

use crate::cli::Cli;

/// A block of a document between fences.
struct Block {
    language: String,
    text: String,
    /// Of its first line.
    line: usize,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// README and all of `docs`, with their paths below the workspace.
fn documents() -> Vec<(String, String)> {
    let mut folders = vec![workspace().join("docs")];
    let mut paths = vec![workspace().join("README.md")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("md") => paths.push(path),
                _ if path.is_dir() => folders.push(path),
                _ => {}
            }
        }
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(workspace()).expect("below it");
        let text = std::fs::read_to_string(path).expect("a text");
        (name.display().to_string(), text)
    };
    paths.iter().map(read).collect()
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in document.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                open = Some(Block {
                    language: language.to_owned(),
                    text: String::new(),
                    line: number + 2,
                });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The words of a line as a shell would part them, up to what isn't an argument any more: a
/// comment, a pipe, a redirection.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in line.chars() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (' ', None) => words.extend(word.take()),
            ('#', None) if word.is_none() => break,
            ('|' | '>' | '<' | ';' | '&', None) => break,
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The deployer's own command lines of a block, with the lines they begin on.
fn commands(block: &Block) -> Vec<(usize, Vec<String>)> {
    let mut all = Vec::new();
    let mut lines = block.text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let mut line = line.to_owned();
        while let Some(begun) = line.strip_suffix('\\') {
            let (_, next) = lines.next().unwrap_or_default();
            line = format!("{begun}{}", next.trim_start());
        }
        for part in line.split([';', '|', '&', '(']) {
            let words = words(part.trim());
            let is_variable = |word: &&String| {
                let name = word.split_once('=').map(|(name, _)| name);
                name.is_some_and(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
            };
            let variables = words.iter().take_while(is_variable).count();
            if words.get(variables).is_some_and(|word| word == "deployer") {
                all.push((block.line + number, words[variables..].to_vec()));
            }
        }
    }
    all
}

/// What a reader is to put in themselves.
fn filled_in(word: &str) -> String {
    match word {
        "ACCOUNT" => "123456789012".to_owned(),
        "REGION" => "eu-central-1".to_owned(),
        "$PORT" => "9100".to_owned(),
        word => word.to_owned(),
    }
}

#[test]
fn every_command_line_in_the_documents_is_one_that_the_command_line_takes() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (name, text) in documents() {
        for block in blocks(&text).iter().filter(|block| block.language == "sh") {
            for (line, words) in commands(block) {
                seen += 1;
                let words = words.iter().map(|word| filled_in(word));
                let parsed = Cli::command().try_get_matches_from(words.clone());
                if let Err(error) = parsed
                    && error.use_stderr()
                {
                    let words: Vec<_> = words.collect();
                    wrong.push(format!("{name}:{line}: {}\n{error}", words.join(" ")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 50, "only {seen} command lines were found");
}

/// The file that a block says it is: its first line is a comment with the path.
fn file_of(block: &Block) -> Option<&str> {
    let path = block.text.lines().next()?.strip_prefix("# stages/")?;
    (block.language == "toml").then_some(path.strip_suffix(".toml")?)
}

#[test]
fn every_stage_file_that_stands_beside_its_service_in_a_document_is_read() {
    let mut seen = 0;
    for (name, text) in documents() {
        let mut service: Option<Block> = None;
        for block in blocks(&text) {
            match (file_of(&block), &service) {
                (Some(stage_file::SERVICE_FILE_STEM), _) => service = Some(block),
                (Some(stage), Some(service)) => {
                    seen += 1;
                    let file = |block: &Block, path: &str| format!("{name}:{}: {path}", block.line);
                    let read = stage_file::read(
                        stage,
                        FileText {
                            path: &file(service, "service.toml"),
                            text: &service.text,
                        },
                        FileText {
                            path: &file(&block, stage),
                            text: &block.text,
                        },
                    );
                    let problems = read.err().unwrap_or_default();
                    assert!(problems.is_empty(), "{problems:#?}");
                }
                _ => {}
            }
        }
    }
    assert!(seen >= 3, "only {seen} stage files were found");
}

#[test]
fn words_are_parted_as_a_shell_does() {
    let parted = words(r#"deployer invoke local default --body 'hi "there"' "" x # no more"#);
    let expected = [
        "deployer",
        "invoke",
        "local",
        "default",
        "--body",
        "hi \"there\"",
        "",
        "x",
    ];
    assert_eq!(parted, expected);
}
