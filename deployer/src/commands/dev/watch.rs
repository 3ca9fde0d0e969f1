//! Hears of changes in folders. Bounded: of too many it is only known that there were
//! some.

use crate::failure::Failure;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;

/// Changes that wait to be looked at.
const QUEUE: usize = 1024;

/// Folders that are watched.
pub struct Watch {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    queue: mpsc::Receiver<PathBuf>,
    lost: Arc<AtomicBool>,
}

/// What was heard.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// This has changed, come or gone.
    Path(PathBuf),
    /// So much that nobody knows what.
    Lost,
}

impl Watch {
    /// Of nothing yet.
    pub fn new() -> Result<Self, Failure> {
        let (sender, queue) = mpsc::channel(QUEUE);
        let lost = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&lost);
        let hear = move |event: notify::Result<Event>| match event {
            Ok(event) if matters(&event.kind) => {
                if event.need_rescan() {
                    mark.store(true, Ordering::Release);
                }
                // An empty path only wakes whoever waits.
                let rescan = event.need_rescan().then(PathBuf::new);
                for path in event.paths.into_iter().chain(rescan) {
                    if sender.try_send(path).is_err() {
                        mark.store(true, Ordering::Release);
                    }
                }
            }
            Ok(_) => {}
            Err(_) => {
                mark.store(true, Ordering::Release);
                let _full = sender.try_send(PathBuf::new());
            }
        };
        let watcher = notify::recommended_watcher(hear).map_err(|error| Failure::NotSo {
            message: format!("can't watch files: {error}"),
            next_step: next_step(&error),
        })?;
        Ok(Self {
            watcher,
            folders: BTreeSet::new(),
            queue,
            lost,
        })
    }

    /// Watches these folders and no others; gives the first that can't be, and what to do.
    pub fn set(&mut self, folders: &BTreeSet<PathBuf>) -> Option<Failure> {
        for gone in self.folders.difference(folders) {
            // It isn't watched any more if it isn't there.
            let _gone = self.watcher.unwatch(gone);
        }
        self.folders.retain(|folder| folders.contains(folder));
        let mut failed = None;
        for new in folders {
            if self.folders.contains(new) {
                continue;
            }
            match self.watcher.watch(new, RecursiveMode::NonRecursive) {
                Ok(()) => _ = self.folders.insert(new.clone()),
                // What goes while we look is no mistake.
                Err(_) if !new.is_dir() => {}
                Err(error) => {
                    failed.get_or_insert_with(|| Failure::NotSo {
                        message: format!("changes in {} won't be seen: {error}", new.display()),
                        next_step: next_step(&error),
                    });
                }
            }
        }
        failed
    }

    /// A folder that has changed may be another of the same name: it is watched anew by
    /// the next [`Watch::set`].
    pub fn renew(&mut self, folder: &Path) {
        if self.folders.remove(folder) {
            let _gone = self.watcher.unwatch(folder);
        }
    }

    /// How many folders are watched.
    pub fn count(&self) -> usize {
        self.folders.len()
    }

    /// The next change. Nothing is lost where this is dropped.
    pub async fn next(&mut self) -> Heard {
        let path = self.queue.recv().await;
        match (self.lost.swap(false, Ordering::AcqRel), path) {
            (false, Some(path)) if path != Path::new("") => Heard::Path(path),
            // The watcher, and with it the sender, lives as long as this.
            _ => Heard::Lost,
        }
    }
}

/// Reading is no change.
fn matters(kind: &EventKind) -> bool {
    !matches!(kind, EventKind::Access(_))
}

fn next_step(error: &notify::Error) -> String {
    let full = match &error.kind {
        notify::ErrorKind::MaxFilesWatch => true,
        notify::ErrorKind::Io(error) => {
            matches!(error.raw_os_error(), Some(24 | 28))
        }
        _ => false,
    };
    match full {
        true => "let more be watched: sudo sysctl fs.inotify.max_user_watches=524288 \
                 fs.inotify.max_user_instances=512"
            .to_owned(),
        false => "mend what the message says, and start again".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    async fn heard(watch: &mut Watch, wanted: &Path) {
        let until = async {
            loop {
                if watch.next().await == Heard::Path(wanted.to_owned()) {
                    return;
                }
            }
        };
        let heard = timeout(Duration::from_secs(20), until).await;
        assert!(heard.is_ok(), "nobody heard of {}", wanted.display());
    }

    #[tokio::test]
    async fn a_save_by_renaming_is_heard_of_again_and_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().canonicalize().expect("its path");
        let (file, beside) = (root.join("main.rs"), root.join("new"));
        let mut watch = Watch::new().expect("a watcher");
        assert!(watch.set(&[root.clone()].into()).is_none());
        for text in ["one", "two"] {
            std::fs::write(&beside, text).expect("a file");
            std::fs::rename(&beside, &file).expect("it is renamed");
            heard(&mut watch, &file).await;
        }
    }

    #[tokio::test]
    async fn a_folder_that_goes_and_comes_is_watched_anew() {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().canonicalize().expect("its path");
        let folder = root.join("src");
        std::fs::create_dir(&folder).expect("a folder");
        let mut watch = Watch::new().expect("a watcher");
        let all = [root.clone(), folder.clone()].into();
        assert!(watch.set(&all).is_none());
        std::fs::remove_dir(&folder).expect("it goes");
        heard(&mut watch, &folder).await;
        std::fs::create_dir(&folder).expect("it comes");
        heard(&mut watch, &folder).await;
        watch.renew(&folder);
        assert!(watch.set(&all).is_none());
        let file = folder.join("main.rs");
        std::fs::write(&file, "").expect("a file");
        heard(&mut watch, &file).await;
    }

    #[test]
    fn reading_is_no_change() {
        use notify::event::{AccessKind, CreateKind};
        assert!(!matters(&EventKind::Access(AccessKind::Any)));
        assert!(matters(&EventKind::Create(CreateKind::File)));
    }
}
