//! The committer: one thread that owns the writing log, so that the engine decides the next group while the former
//! one is encoded, written and synced.

use super::figures::Figures;
use super::inbox::{Event, Inbox};
use super::thread::end_process;
use graph::model::Rev;
use graph::world::Due;
use graph::{Committed, Timestamp, TokenId, World};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;
use store::{Abandon, LoadScope, Log, LogError, Proposal};

/// What the committer reports about the group in flight.
pub(super) enum Report {
    /// The group is on disk, or nothing of it is.
    Done(Result<(), LogError>),
    /// Other processes have committed these batches before the group could be written. The transaction is open: it
    /// waits for the group as decided after them, or for `None` to be abandoned. Dropping the sender abandons it too.
    News(Vec<Committed>, Sender<Option<Vec<Proposal>>>),
    /// When tokens were last used, as it was asked for.
    Used(HashMap<TokenId, Timestamp>),
}

/// Something the committer does, in the order of requests.
enum Job {
    Commit { head: Rev, proposals: Vec<Proposal> },
    Look { head: Rev, found: Sender<Result<Vec<Committed>, LogError>> },
    Load(Sender<Result<World, LogError>>),
    NoteExpired(Vec<(Due, Timestamp)>),
    TouchTokens(Vec<(TokenId, Timestamp)>),
    ReadUsed,
}

/// The engine's handle on its committer. Dropping it finishes what was requested and closes the log.
pub(super) struct Committer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A committer that panics ends the process.
            let _ = thread.join();
        }
    }
}

impl Committer {
    pub(super) fn start(
        log: Box<dyn Log>,
        inbox: Arc<Inbox>,
        figures: Arc<Figures>,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new().name("committer".into()).spawn(move || {
            if catch_unwind(AssertUnwindSafe(|| run(log, &waiting, &inbox, &figures))).is_err() {
                end_process("the committer failed");
            }
        })?;
        Ok(Committer { jobs: Some(jobs), thread: Some(thread) })
    }

    fn ask(&self, job: Job) {
        // The committer ends with the process or after this handle.
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(job);
        }
    }

    /// Commits a group that was decided at `head`. A [`Report`] follows, also for an empty group: its transaction
    /// finds what other processes have committed.
    pub(super) fn commit(&self, head: Rev, proposals: Vec<Proposal>) {
        self.ask(Job::Commit { head, proposals });
    }

    /// Waits for the batches that other processes have committed after `head`.
    ///
    /// # Errors
    /// Those of [`Log::changed`] and [`Log::since`].
    pub(super) fn look(&self, head: Rev) -> Result<Vec<Committed>, LogError> {
        self.answer(|found| Job::Look { head, found })
    }

    /// Waits for the World as it is on disk.
    ///
    /// # Errors
    /// Those of [`Log::load`].
    pub(super) fn load(&self) -> Result<World, LogError> {
        self.answer(Job::Load)
    }

    fn answer<T>(&self, job: impl FnOnce(Sender<Result<T, LogError>>) -> Job) -> Result<T, LogError> {
        let (sender, answer) = channel();
        self.ask(job(sender));
        answer.recv().unwrap_or(Err(LogError::Stopped))
    }

    /// Notes what has expired, before any later group is committed; see [`Log::note_expired`].
    pub(super) fn note_expired(&self, expired: Vec<(Due, Timestamp)>) {
        self.ask(Job::NoteExpired(expired));
    }

    /// Stores when tokens were last used.
    pub(super) fn touch_tokens(&self, used: Vec<(TokenId, Timestamp)>) {
        self.ask(Job::TouchTokens(used));
    }

    /// Reads when tokens were last used. A [`Report`] follows, unless it cannot be read.
    pub(super) fn read_used(&self) {
        self.ask(Job::ReadUsed);
    }
}

fn run(mut log: Box<dyn Log>, jobs: &Receiver<Job>, inbox: &Inbox, figures: &Figures) {
    for job in jobs {
        match job {
            Job::Commit { head, proposals } => {
                let begun = Instant::now();
                let done = commit(&mut *log, head, proposals, inbox);
                figures.commits.note_time(begun.elapsed());
                if let Err(error @ LogError::Unknown { .. }) = &done {
                    end_process(&format!("a commit may or may not be on disk: {error}"));
                }
                let _ = inbox.tell(Event::Committer(Report::Done(done)));
            }
            Job::Look { head, found } => {
                let news = match log.changed() {
                    Ok(true) => log.since(head),
                    Ok(false) => Ok(Vec::new()),
                    Err(error) => Err(error),
                };
                let _ = found.send(news);
            }
            Job::Load(loaded) => {
                let _ = loaded.send(log.load(LoadScope::Everything));
            }
            Job::NoteExpired(expired) => {
                if let Err(error) = log.note_expired(&expired) {
                    tracing::warn!(%error, "cannot store what expired before the clock was set back");
                }
            }
            Job::ReadUsed => match log.tokens_last_used() {
                Ok(used) => drop(inbox.tell(Event::Committer(Report::Used(used)))),
                Err(error) => tracing::warn!(%error, "cannot read the last-used times of tokens"),
            },
            Job::TouchTokens(used) => {
                if let Err(error) = log.touch_tokens(&used) {
                    tracing::warn!(%error, "cannot store the last-used times of tokens");
                }
            }
        }
    }
    if let Err(error) = log.checkpoint() {
        tracing::warn!(%error, "the latest changes could not be merged into the one data file; nothing is lost");
    }
}

fn commit(log: &mut dyn Log, head: Rev, proposals: Vec<Proposal>, inbox: &Inbox) -> Result<(), LogError> {
    let mut proposals = Some(proposals);
    let rev = log.transact(head, &mut |news, _| {
        if !news.is_empty() {
            let (sender, decided) = channel();
            let _ = inbox.tell(Event::Committer(Report::News(news.to_vec(), sender)));
            proposals = decided.recv().ok().flatten();
        }
        proposals.take().ok_or(Abandon)
    });
    rev.map(drop)
}
