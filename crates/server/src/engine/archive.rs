//! The past, beside the engine's thread: pages of history are searched here, and what need not be kept is taken away,
//! so that no mutation ever waits for either.

use super::history_views::ViewVersion;
use super::protocol::{Caller, Failure, OnOutcome, Outcome, PageOfHistory};
use super::{EngineCommand, EngineSettings, Shared, clock};
use graph::UserId;
use graph::batch::Subject;
use graph::model::Rev;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use store::{HistoryQuery, HistoryReader, Log, LogError, Pruner, StopSign};

/// How many pages may be asked for and not yet answered; what comes beyond is answered `unavailable`.
const WAITING_MAX: usize = 256;
/// How many batches are taken away before the pruner looks up.
const PRUNE_AT_ONCE: usize = 500;
/// How often the pruner looks after the storage.
const KEEP_UP_EVERY: Duration = Duration::from_millis(100);

/// The engine's handle on its archive. When it is dropped, the archive's threads end, and their connections to the log
/// are closed.
pub(super) struct Archive {
    jobs: Option<SyncSender<Job>>,
    /// Its other end is the pruner's sign to end.
    pruning: Option<SyncSender<()>>,
    /// Ends what the threads are at.
    stop: StopSign,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.stop.set();
        (self.jobs, self.pruning) = (None, None);
        for thread in self.threads.drain(..) {
            // Of a thread that panicked nothing is left to wait for.
            let _ = thread.join();
        }
    }
}

/// A page that is asked for.
pub(super) struct Job {
    /// Who asked for the page.
    pub(super) caller: Caller,
    /// Which batches it may hold, and how many.
    pub(super) query: HistoryQuery,
    /// As of when the query's reader is.
    pub(super) version: ViewVersion,
    /// Where the page goes.
    pub(super) answer: OnOutcome,
}

/// A page that was found. Meanwhile the world has gone on, so the engine has the last word on it.
pub(super) struct FoundPage {
    /// Who asked for the page.
    pub(super) caller: Caller,
    /// The batches as the log has them; nothing is left out yet.
    pub(super) page: PageOfHistory,
    /// The latest rev that the search took in.
    pub(super) until: Rev,
    /// The view that the page was judged by.
    pub(super) version: ViewVersion,
    /// Where the page goes.
    pub(super) answer: OnOutcome,
}

impl Archive {
    /// Starts the threads, each with its own connection to the log.
    pub(super) fn start(
        log: &dyn Log,
        settings: &EngineSettings,
        shared: &Arc<Shared>,
        engine: Weak<Sender<EngineCommand>>,
    ) -> Result<Self, super::StartError> {
        let (mut history, mut pruner) = (log.history()?, log.pruner(settings.retention)?);
        let stop = StopSign::default();
        history.heed(stop.clone());
        pruner.heed(stop.clone());
        let (jobs, waiting) = sync_channel(WAITING_MAX);
        let (pruning, ended) = sync_channel(0);
        let (reading, held, every) = (Arc::clone(shared), Arc::clone(shared), settings.prune_every);
        let mut archive = Archive { jobs: Some(jobs), pruning: Some(pruning), stop, threads: Vec::new() };
        let named = |name: &str| std::thread::Builder::new().name(name.into());
        archive.threads.push(named("history").spawn(move || read(history, &waiting, &reading, &engine))?);
        archive.threads.push(named("pruner").spawn(move || prune(pruner, every, &ended, &held))?);
        Ok(archive)
    }

    /// Asks for a page; what is found comes back to the engine.
    pub(super) fn ask(&self, job: Job) {
        // There are none to send to only while it is dropped, and then nobody asks.
        let Some(jobs) = &self.jobs else { return };
        if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) = jobs.try_send(job) {
            (job.answer)(Outcome::Failed(Failure::Unavailable));
        }
    }
}

fn read(
    mut history: Box<dyn HistoryReader>,
    jobs: &Receiver<Job>,
    shared: &Shared,
    engine: &Weak<Sender<EngineCommand>>,
) {
    for Job { caller, query, version, answer } in jobs {
        let page = catch_unwind(AssertUnwindSafe(|| page(&mut *history, &query, shared)));
        let failure = match page {
            Ok(Ok(page)) => {
                let found = FoundPage { caller, page, until: query.until, version, answer };
                // An engine that is gone owes no answers; what it drops unanswered answers for itself.
                if let Some(engine) = engine.upgrade() {
                    let _ = engine.send(EngineCommand::PageFound(Box::new(found)));
                }
                continue;
            }
            Ok(Err(LogError::Stopped)) => Failure::Unavailable,
            Ok(Err(error)) => {
                tracing::error!(%error, "cannot read a page of history");
                Failure::Storage
            }
            Err(_) => Failure::Exception,
        };
        answer(Outcome::Failed(failure));
    }
}

fn page(
    history: &mut dyn HistoryReader,
    query: &HistoryQuery,
    shared: &Shared,
) -> Result<PageOfHistory, LogError> {
    let past = history.page(query)?;
    let mut ids: HashSet<UserId> = past.batches.iter().filter_map(|past| past.batch.actor).collect();
    for entry in past.batches.iter().flat_map(|past| &past.batch.entries) {
        if let Subject::Grant(change) = &entry.subject {
            ids.extend(change.latest().map(|grant| grant.user));
        }
    }
    let people: HashMap<_, _> = shared.directory.people(&ids);
    Ok(PageOfHistory { past, reader: Arc::clone(&query.reader), people })
}

/// Takes away what need not be kept, whenever it is time to, and looks after the storage all along.
fn prune(mut pruner: Box<dyn Pruner>, every: Duration, ended: &Receiver<()>, shared: &Shared) {
    let (mut wait, mut waited) = (every, Instant::now());
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(wait.min(KEEP_UP_EVERY)) {
        let is_due = waited.elapsed() >= wait;
        // A fault here must end neither the thread nor the process.
        let pruned = catch_unwind(AssertUnwindSafe(|| {
            let kept_up = pruner.keep_up();
            if !is_due {
                return Ok(None);
            }
            // Told when it is time to prune, and not ten times a second.
            if let Err(error) = kept_up {
                tracing::warn!(%error, "storage maintenance failed; it will be retried");
            }
            pruner.prune_some(clock::now(), PRUNE_AT_ONCE).map(Some)
        }));
        wait = match pruned {
            Ok(Ok(None)) => continue,
            Ok(Ok(Some(pruned))) => {
                shared.oldest_held.store(pruned.oldest, Ordering::Relaxed);
                // The pruner itself pauses between its transactions.
                if pruned.more { Duration::ZERO } else { every }
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "pruning history failed; it will be retried");
                every
            }
            Err(_) => {
                tracing::error!("pruning history panicked; it will be retried");
                every
            }
        };
        waited = Instant::now();
    }
}
