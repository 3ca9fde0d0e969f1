//! `deployer dev`: does what `up` does whenever something is saved, on a local cloud, and
//! shows what happens there.
//!
//! One deploy at a time; what changes meanwhile leads to one more. Deliberately absent:
//! stages on AWS, where nobody should deploy by saving, and another way to deploy: each
//! turn is an `up` ([`super::up`]).

mod changes;
mod feed;
mod places;
mod watch;

use super::build::Workshop;
use super::run::{Run, Stage};
use super::up::{self, Live, Options};
use crate::cli::dev::Dev;
use crate::exit;
use crate::failure::Failure;
use crate::local;
use crate::project::Project;
use crate::render::dev::{DevScreen, LiveLine};
use crate::render::{Console, Output, text};
use crate::traffic::Ours;
use changes::{Changed, Changes};
use deployer_core::stage_file::{Place, StageDefinition};
use deployer_engine::interrupt::Interrupt;
use deployer_engine::verify::Verify;
use deployer_package::{Remembered, Sources};
use feed::Feed;
use jiff::Timestamp;
use places::{Kind, Places};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};
use watch::{Heard, Watch};

/// Paths that are named of a change.
const NAMED: usize = 3;

/// Deploys and watches until Ctrl-C; gives the exit code.
///
/// # Errors
/// When there is nothing to begin with.
pub async fn run(project: &Project, options: &Dev) -> Result<u8, Failure> {
    let definition = project.read_stage(&options.stage)?;
    crate::guards::template(&definition)?;
    let port = port_of(&definition, &options.stage)?;
    let mut signals = Signals::new()?;
    let output = match options.json {
        true => Output::Stream,
        false => Output::Calm,
    };
    let console = Console::new(output, 1);
    let mut ears = Ears {
        watch: Watch::new()?,
        places: Places::new(project, &options.stage),
        changes: Changes::default(),
        feed: Feed::new(port),
        ours: Ours::new(&definition),
        screen: DevScreen::new(&console, options.json, &options.stage),
    };
    ears.look_around(project, &definition).await;
    local::ensure_running(project, port).await?;
    ears.feed.begin();
    let mut dev = Session {
        project,
        console,
        name: options.stage.clone(),
        ears,
        live: None,
        remembered: Arc::default(),
    };
    dev.serve(definition, &mut signals).await
}

/// The port of the local cloud that the stage is on.
fn port_of(definition: &StageDefinition, stage: &str) -> Result<u16, Failure> {
    match definition.place {
        Place::Local { port } => Ok(port),
        Place::Aws { .. } => Err(Failure::Input {
            message: format!("`{stage}` is on AWS, and `dev` works on a local cloud only"),
            next_step: format!(
                "deployer up {stage}, and deployer logs {stage} -f; or dev of a stage with \
                 `target = \"local\"`"
            ),
        }),
    }
}

/// What asks us to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::NotSo {
                message: format!("can't listen for signals: {error}"),
                next_step: "start again".to_owned(),
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// What is listened to all the time.
struct Ears {
    watch: Watch,
    places: Places,
    changes: Changes,
    feed: Feed,
    ours: Ours,
    screen: DevScreen,
}

impl Ears {
    /// Hears one thing: a change is noted, what happens is shown. Nothing is lost where
    /// this is dropped.
    async fn hear(&mut self) {
        tokio::select! {
            heard = self.watch.next() => match heard {
                Heard::Path(path) if self.places.kind(&path).is_some() => {
                    self.watch.renew(&path);
                    self.changes.heard(path, Instant::now());
                }
                Heard::Path(_) => {}
                Heard::Lost => self.changes.lost(Instant::now()),
            },
            told = self.feed.next() => self.screen.told(&told, &self.ours),
        }
    }

    /// Asks cargo where the source is, and watches that. Where cargo can't say, everything
    /// that was watched before stays.
    async fn look_around(&mut self, project: &Project, definition: &StageDefinition) {
        let functions = definition.functions.values();
        let packages: Vec<String> = functions.map(|it| it.package.clone()).collect();
        if let Ok(sources) = Sources::of(&project.root, &packages).await {
            self.places.found(sources);
        }
        self.watch_folders();
    }

    fn watch_folders(&mut self) {
        let (folders, more) = self.places.folders();
        let failed = self.watch.set(&folders);
        if let Some(failure) = failed {
            self.screen.complain(&failure);
        }
        if more {
            self.screen.complain(&Failure::NotSo {
                message: format!(
                    "there are more than {} folders of source; changes in the others won't be seen",
                    places::WATCHED
                ),
                next_step: "move what isn't source out of the packages' folders".to_owned(),
            });
        }
    }

    /// Waits until something has changed; `None`: nobody reads what is said any more.
    async fn change(&mut self) -> Option<Changed> {
        while !self.screen.unread() {
            match self.changes.due() {
                Some(due) if due <= Instant::now() => {
                    if let Some(changed) = self.changes.take() {
                        return Some(changed);
                    }
                }
                Some(due) => tokio::select! {
                    () = self.hear() => {}
                    () = sleep_until(due) => {}
                },
                None => self.hear().await,
            }
        }
        None
    }
}

/// How a turn ended.
enum Turn {
    Ended,
    /// We were asked to end, and nothing is half done.
    GivenUp,
    /// We were asked to end amid writes.
    Stopped,
}

struct Session<'a> {
    project: &'a Project,
    console: Console,
    name: String,
    ears: Ears,
    live: Option<Live>,
    remembered: Arc<Remembered>,
}

impl Session<'_> {
    async fn serve(
        &mut self,
        definition: StageDefinition,
        signals: &mut Signals,
    ) -> Result<u8, Failure> {
        let mut next = Some((definition, Instant::now()));
        loop {
            if let Some((definition, since)) = next {
                match self.turn(definition, since, signals).await {
                    Turn::Ended => {}
                    Turn::GivenUp => return Ok(self.end(exit::SUCCESS)),
                    Turn::Stopped => return Ok(self.end(exit::INTERRUPTED)),
                }
            }
            let changed = tokio::select! {
                changed = self.ears.change() => changed,
                () = signals.asked() => None,
            };
            match changed {
                Some(changed) => next = self.begin(changed).await,
                None => return Ok(self.end(exit::SUCCESS)),
            }
        }
    }

    /// Says what has changed, and reads the stage's files again. `None`: they are wrong,
    /// which was said.
    async fn begin(&mut self, changed: Changed) -> Option<(StageDefinition, Instant)> {
        let ears = &mut self.ears;
        ears.screen.changed(&named(self.project, &changed));
        let kinds = changed.paths.iter().map(|path| ears.places.kind(path));
        let everywhere = changed.more || kinds.flatten().any(|kind| kind != Kind::Source);
        let read = self.project.read_stage(&self.name);
        let read = read.and_then(|definition| {
            let port = port_of(&definition, &self.name)?;
            Ok((definition, port))
        });
        let (definition, port) = match read {
            Ok(read) => read,
            Err(failure) => {
                ears.screen.failed(&failure, self.live.as_ref());
                return None;
            }
        };
        ears.feed.go_to(port);
        match everywhere {
            true => ears.look_around(self.project, &definition).await,
            // A folder may be new.
            false if changed.paths.iter().any(|path| path.is_dir()) => ears.watch_folders(),
            false => {}
        }
        Some((definition, changed.since))
    }

    /// One `up`. What happens meanwhile is shown, and what changes noted.
    async fn turn(
        &mut self,
        definition: StageDefinition,
        since: Instant,
        signals: &mut Signals,
    ) -> Turn {
        let run = Run {
            project: Some(self.project.clone()),
            workshop: Workshop::remembering(&self.remembered),
            interrupt: Interrupt::default(),
            now: Timestamp::now(),
        };
        let ours = Ours::new(&definition);
        let stage = Stage::of_file(self.name.clone(), definition);
        let options = Options {
            no_wait: false,
            adopt: false,
            verify: Verify::Endpoint,
            lives: None,
        };
        let screen = self.console.screen(&self.name);
        self.ears.screen.working();
        let deployed = {
            let mut deploy = std::pin::pin!(up::deploy(&run, &stage, &screen, options));
            loop {
                tokio::select! {
                    biased;
                    deployed = &mut deploy => break Some(deployed),
                    () = signals.asked() => {
                        if run.interrupt.requested() {
                            std::process::exit(exit::INTERRUPTED.into());
                        }
                        if screen.is_building() {
                            break None;
                        }
                        run.interrupt.request();
                        text::progress(
                            "interrupted: finishing the calls in flight; Ctrl-C again stops at once",
                        );
                    }
                    () = self.ears.hear() => {}
                }
            }
        };
        screen.finish();
        let ears = &mut self.ears;
        let interrupted = run.interrupt.requested();
        match deployed {
            None => Turn::GivenUp,
            Some(Ok(live)) => {
                ears.ours = ours.live_at(&live.url);
                let line = LiveLine {
                    live: &live,
                    identity: stage.definition.identity.to_string(),
                    first: self.live.is_none(),
                    took: since.elapsed(),
                    cargo: screen.cargo_took().unwrap_or_default(),
                    folders: ears.watch.count(),
                };
                ears.screen.live(&line, &ears.ours);
                self.live = Some(live);
                match interrupted {
                    true => Turn::GivenUp,
                    false => Turn::Ended,
                }
            }
            Some(Err(failure)) => {
                screen.failed(&failure.of_up());
                ears.screen.fallen_back(self.live.as_ref());
                match interrupted {
                    true => Turn::Stopped,
                    false => Turn::Ended,
                }
            }
        }
    }

    fn end(&self, code: u8) -> u8 {
        self.ears.screen.end(self.live.as_ref());
        code
    }
}

/// The first few, as the user knows them.
fn named(project: &Project, changed: &Changed) -> Vec<String> {
    let root = project.root.canonicalize();
    let root = root.unwrap_or_else(|_| project.root.clone());
    let shown = |path: &PathBuf| {
        let path = path.strip_prefix(&root).unwrap_or(path);
        path.display().to_string()
    };
    let mut named: Vec<String> = changed.paths.iter().take(NAMED).map(shown).collect();
    let others = changed.paths.len().saturating_sub(NAMED);
    match (changed.more, others) {
        (true, _) => named.push("others".to_owned()),
        (false, 0) => {}
        (false, others) => named.push(format!("{others} more")),
    }
    named
}
