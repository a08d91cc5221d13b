//! Archive threads: one searches pages of history and one prunes, so that no mutation waits for either.

use super::inbox::{Event, Inbox};
use super::protocol::{Caller, ConnectionId, Failure, OnOutcome, Outcome};
use super::{EngineSettings, Shared, clock};
use graph::UserId;
use graph::batch::Subject;
use graph::model::{Rev, User};
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use store::{HistoryPage, HistoryQuery, HistoryReader, Log, LogError, Pruner, StopSign};

/// How many pages may be requested and unanswered. Further requests are answered `unavailable`.
const WAITING_MAX: usize = 256;
/// How many batches are pruned before the pruner checks whether it should stop.
const PRUNE_AT_ONCE: usize = 500;
/// How often the pruner maintains the storage.
const KEEP_UP_EVERY: Duration = Duration::from_millis(100);

/// The engine's handle on its archive. Dropping it ends the archive's threads and closes their connections to the
/// log.
pub(super) struct Archive {
    jobs: Option<SyncSender<Job>>,
    /// Dropping this end tells the pruner to stop.
    pruning: Option<SyncSender<()>>,
    /// Interrupts what the threads are doing.
    stop: StopSign,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.stop.set();
        (self.jobs, self.pruning) = (None, None);
        for thread in self.threads.drain(..) {
            // A thread that panicked leaves nothing to wait for.
            let _ = thread.join();
        }
    }
}

/// A page that is requested.
pub(super) struct Job {
    /// Who requested the page.
    pub(super) caller: Caller,
    /// Which batches it may hold, and how many.
    pub(super) query: HistoryQuery,
    /// The connection that the request came on, if it came over a socket.
    pub(super) connection: Option<ConnectionId>,
    /// Where the page goes.
    pub(super) answer: OnOutcome,
}

/// A page that was found. The World has moved on meanwhile, so a reader makes the final decision about it.
pub(super) struct FoundPage {
    /// Who asked for the page.
    pub(super) caller: Caller,
    /// The batches as the log has them. Nothing is left out yet.
    pub(super) past: HistoryPage,
    /// The actors of the batches and the grantees of the grants in them.
    pub(super) people: HashMap<UserId, Arc<User>>,
    /// The latest rev that the search covered.
    pub(super) until: Rev,
}

impl Archive {
    /// Starts the threads, each with its own connection to the log.
    pub(super) fn start(
        log: &dyn Log,
        settings: &EngineSettings,
        shared: &Arc<Shared>,
        engine: &Arc<Inbox>,
    ) -> Result<Self, super::StartError> {
        let (mut history, mut pruner) = (log.history()?, log.pruner(settings.retention)?);
        let stop = StopSign::default();
        history.heed(stop.clone());
        pruner.heed(stop.clone());
        let (jobs, waiting) = sync_channel(WAITING_MAX);
        let (pruning, ended) = sync_channel(0);
        let (reading, held, every) = (Arc::clone(shared), Arc::clone(shared), settings.prune_every);
        let engine = Arc::clone(engine);
        let mut archive = Archive { jobs: Some(jobs), pruning: Some(pruning), stop, threads: Vec::new() };
        let named = |name: &str| std::thread::Builder::new().name(name.into());
        archive.threads.push(named("history").spawn(move || read(history, &waiting, &reading, &engine))?);
        archive.threads.push(named("pruner").spawn(move || prune(pruner, every, &ended, &held))?);
        Ok(archive)
    }

    /// Requests a page. The result comes back to the engine.
    pub(super) fn ask(&self, job: Job) {
        // The sender is missing only while the archive is dropped. Nobody requests pages then.
        let Some(jobs) = &self.jobs else { return };
        if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) = jobs.try_send(job) {
            (job.answer)(Outcome::Failed(Failure::Unavailable));
        }
    }
}

fn read(mut history: Box<dyn HistoryReader>, jobs: &Receiver<Job>, shared: &Shared, engine: &Inbox) {
    for Job { caller, query, connection, answer } in jobs {
        let page = catch_unwind(AssertUnwindSafe(|| page(&mut *history, &query, shared)));
        let failure = match page {
            Ok(Ok((past, people))) => {
                let found = FoundPage { caller, past, people, until: query.until };
                // An engine that has ended owes no answers: dropping the page answers it.
                let _ = engine.tell(Event::PageFound(Box::new(found), connection, answer));
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
) -> Result<(HistoryPage, HashMap<UserId, Arc<User>>), LogError> {
    let past = history.page(query)?;
    let mut ids: HashSet<UserId> = past.batches.iter().filter_map(|past| past.batch.actor).collect();
    for entry in past.batches.iter().flat_map(|past| &past.batch.entries) {
        if let Subject::Grant(change) = &entry.subject {
            ids.extend(change.latest().map(|grant| grant.user));
        }
    }
    let people: HashMap<_, _> = shared.directory.users(&ids);
    Ok((past, people))
}

/// Prunes history when it is due, and maintains the storage all the time.
fn prune(mut pruner: Box<dyn Pruner>, every: Duration, ended: &Receiver<()>, shared: &Shared) {
    let (mut wait, mut waited) = (every, Instant::now());
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(wait.min(KEEP_UP_EVERY)) {
        let is_due = waited.elapsed() >= wait;
        // A panic here must end neither the thread nor the process.
        let pruned = catch_unwind(AssertUnwindSafe(|| {
            let kept_up = pruner.keep_up();
            if let Ok(upkeep) = &kept_up {
                shared.figures.note_upkeep(*upkeep);
            }
            if !is_due {
                return Ok(None);
            }
            // Reported when pruning is due, not ten times a second.
            if let Err(error) = kept_up {
                tracing::warn!(%error, "storage maintenance failed; it will be retried");
            }
            pruner.prune_some(clock::now(), PRUNE_AT_ONCE).map(Some)
        }));
        wait = match pruned {
            Ok(Ok(None)) => continue,
            Ok(Ok(Some(pruned))) => {
                shared.oldest_held.store(pruned.oldest, Ordering::Relaxed);
                shared.figures.pruned.add(pruned.removed as u64);
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
