//! Whether the server is ready: the engine is asked, and the disk is tried.

use crate::app::App;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long each part of the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a finding is used: whoever asks, and however often, the server is looked at no more often than this.
const KEPT: Duration = Duration::from_secs(1);
/// How much must fit on the disk.
const TRIED_BYTES: usize = 64 << 10;

/// Why the server is not ready, as a sentence.
type Finding = Result<(), &'static str>;

const STOPPING: &str = "The server is stopping.";
const ENGINE: &str = "The engine does not answer.";
const LOG: &str = "The batch log cannot be read.";
const FULL: &str = "The disk is full.";
const DISK: &str = "The data directory cannot be written to.";
const SLOW: &str = "The disk does not answer.";

pub(super) struct Readiness {
    data: PathBuf,
    last: Mutex<Option<(Instant, Finding)>>,
}

impl Readiness {
    pub(super) fn new(data: PathBuf) -> Self {
        Readiness { data, last: Mutex::new(None) }
    }

    /// Whether the server is ready. Those who ask at the same time wait for one answer.
    ///
    /// # Errors
    /// Why it is not.
    pub(super) async fn check(&self, app: &App) -> Finding {
        if app.is_stopping() {
            return Err(STOPPING);
        }
        let mut last = self.last.lock().await;
        match &*last {
            Some((when, finding)) if when.elapsed() < KEPT => *finding,
            _ => {
                let finding = self.look(app).await;
                *last = Some((Instant::now(), finding));
                finding
            }
        }
    }

    async fn look(&self, app: &App) -> Finding {
        // The engine looks at the log by the committer, so neither is stuck.
        timeout(PATIENCE, app.engine.look()).await.map_err(|_| ENGINE)?;
        if app.engine.figures().looks_failed.get() > 0 {
            return Err(LOG);
        }
        let data = self.data.clone();
        let tried = tokio::task::spawn_blocking(move || try_disk(&data));
        match timeout(PATIENCE, tried).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(if is_full(&error) { FULL } else { DISK }),
            Ok(Err(_)) => Err(DISK),
            Err(_) => Err(SLOW),
        }
    }
}

/// Writes a file that has no name and is gone when it is closed.
fn try_disk(data: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(data)?;
    file.write_all(&[0; TRIED_BYTES])?;
    file.sync_data()
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
