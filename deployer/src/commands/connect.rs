//! `deployer connect`: a connection to a stage or an address, by hand or by script.

use crate::cli::connect::Connect;
use crate::connect::handshake::{Handshake, trust};
use crate::connect::script::{self, Script, Settings};
use crate::connect::target::{self, Target};
use crate::connect::templates::Templates;
use crate::connect::{by_hand, editor, explain};
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{ScriptFailure, ScriptResult, Talk, script as shown};
use chat_client::{Link, LinkOptions};
use deployer_aws::Signer;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A connection on which nothing is heard from one PING to the next is taken for cut.
const PING_EVERY: Duration = Duration::from_secs(30);

/// Connects. `project` is asked for only where a stage is named.
pub async fn run(project: Result<&Project, Failure>, options: &Connect) -> Result<(), Failure> {
    // What is wrong with files is said before anything is touched.
    let script = options.script.as_deref().map(read).transpose()?;
    let examples = options.templates.as_deref().map(read).transpose()?;
    let target = match target::is_url(&options.to) {
        true => target::of_url(&options.to)?,
        false => target::of_stage(project?, &options.to).await?,
    };
    let handshake = Handshake::of(options);
    if let Err(message) = handshake.request(&target.url) {
        return Err(Failure::Input {
            message,
            next_step: "mend the options of the command".to_owned(),
        });
    }
    let signer = match options.sign {
        true => Some(Arc::new(signer(&target).await?)),
        false => None,
    };
    let link_options = LinkOptions {
        trust: trust(options, &target)?,
        ping_every: Some(PING_EVERY),
        ..LinkOptions::default()
    };
    let dial = |handshake: Handshake| {
        Link::new(
            handshake.ask(&target.url, signer.clone()),
            link_options.clone(),
        )
    };
    match script {
        Some((path, script)) => {
            let dial = |prepared: &[_]| dial(handshake.with(prepared));
            play(options, &path, &script, &dial).await
        }
        None => {
            let mut templates = Templates::new(target.selection.as_deref(), &target.routes);
            for message in examples.iter().flat_map(|(_, script)| script.messages()) {
                templates.learn(&message);
            }
            talk(options, &target, dial(handshake.clone()), templates).await
        }
    }
}

/// A script, with its path as the user knows it.
fn read(path: &Path) -> Result<(String, Script), Failure> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| Failure::Input {
        message: format!("can't read {shown}: {error}"),
        next_step: "name a script that is there: docs/CONNECT.md".to_owned(),
    })?;
    let script = script::read(&shown, &text).map_err(|it| Failure::Script(Box::new(it)))?;
    Ok((shown, script))
}

async fn signer(target: &Target) -> Result<Signer, Failure> {
    let signer = Signer::new(&target.destination).await?;
    // Whoever has no credentials hears of it before anything is sent.
    signer.headers(&target.url).await?;
    Ok(signer)
}

async fn talk(
    options: &Connect,
    target: &Target,
    link: Link,
    templates: Templates,
) -> Result<(), Failure> {
    let screen = Talk::new(options.json);
    let templates = Arc::new(Mutex::new(templates));
    let input = editor::start(&screen, Arc::clone(&templates));
    let input = input.map_err(|error| Failure::NotSo {
        message: format!("this terminal can't be used: {error}"),
        next_step: "pipe lines into the command".to_owned(),
    })?;
    let settings = by_hand::Settings {
        to: &options.to,
        url: &target.url,
        keep_alive: options.keep_alive.as_deref(),
        reconnect: !options.no_reconnect,
        linger: options.linger,
        templates,
    };
    by_hand::run(link, input, &screen, &settings).await
}

async fn play(
    options: &Connect,
    path: &str,
    script: &Script,
    dial: &script::Dial<'_>,
) -> Result<(), Failure> {
    let random = random();
    let settings = Settings {
        dial,
        timeout: options.timeout,
        done: &|step, took| shown::line_done(&step.text, took),
        random,
    };
    let began = Instant::now();
    let played = script::run(script, &settings).await;
    let mut result = ScriptResult {
        script: path,
        to: &options.to,
        clients: script.clients.len(),
        seconds: began.elapsed().as_secs_f64(),
        outcome: None,
        failed: None,
    };
    match played {
        Ok(outcome) => {
            result.outcome = Some(&outcome);
            shown::result(&result, options.json);
            Ok(())
        }
        Err(mismatch) => {
            result.failed = Some(ScriptFailure {
                line: mismatch.line,
                text: &mismatch.text,
                message: &mismatch.message,
            });
            if options.json {
                shown::result(&result, true);
            }
            let refused = mismatch.refusal.as_ref();
            let next_step = match refused {
                Some(error) => explain::next_step(&options.to, error),
                None => "see what the stage's functions say, or mend the script".to_owned(),
            };
            Err(Failure::NotSo {
                message: format!("{path}:{}: {}", mismatch.line, mismatch.message),
                next_step,
            })
        }
    }
}

/// 8 hex digits that no other run has.
fn random() -> String {
    use std::hash::{BuildHasher, RandomState};
    let drawn = RandomState::new().hash_one(std::process::id());
    format!("{:08x}", drawn & 0xffff_ffff)
}
