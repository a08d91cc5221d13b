//! The engine: one thread that owns the World, so that there is one order of commits.
//!
//! It takes the waiting mutations and decides them in order, as groups. The committer writes one group to the log, and
//! the engine then answers and sends diffs, while it decides the next. Reads are answered beside it, from a World that
//! follows what is durable.

mod archive;
mod backlog;
pub(crate) mod clock;
mod committer;
mod connections;
mod diff_part;
mod directory;
mod durable;
mod figures;
mod group;
mod held_back;
mod ids;
mod inbox;
mod pipeline;
pub mod protocol;
mod reading;
mod relay_audience;
mod shared_text;
mod sync;
mod teller;
mod thread;

pub use diff_part::DiffPart;
pub use directory::{Identity, KnownToken};
pub use figures::Figures;
pub use ids::RandomIds;
pub use protocol::{
    Account, Actor, Administration, Caller, ConnectionId, ConnectionSink, Failure, IdempotencyKey, Mutation,
    OnOutcome, Outcome, PageRequest, PublicRead, Published, Read, Relay, Relayed,
};
pub use shared_text::SharedText;

use archive::Archive;
use committer::Committer;
use directory::Directory;
use graph::model::{Key, KeyHash, TokenHash, User};
use graph::tokens::TokenRefusal;
use graph::{Batch, Operation, UserId};
use inbox::{Event, Inbox, Request};
use reading::{ReadersLoad, Reading};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use store::{LoadScope, Log, LogError, Retention};
use thread::{Parts, Thread};
use tokio::sync::{oneshot, watch};

/// The engine's settings.
#[derive(Clone, Copy, Debug)]
pub struct EngineSettings {
    /// How many mutations and reads may wait. Further ones are answered `unavailable`.
    pub queue_max: usize,
    /// The most mutations that are committed together.
    pub group_max: usize,
    /// The most of them that one user has in a group.
    pub group_share: usize,
    /// How long a group is decided; what comes later waits for the next commit.
    pub group_time: Duration,
    /// The most entries of a diff over a socket before it is sent in parts.
    pub part_entries_max: usize,
    /// How often the log is checked for batches that other processes committed.
    pub poll: Duration,
    /// How long a load keeps its list after each page.
    pub load_kept: Duration,
    /// How long diffs are kept for `graph:sync`.
    pub backlog_kept: Duration,
    /// How many bytes of diffs are kept for `graph:sync`, per user.
    pub backlog_bytes_max: usize,
    /// How many messages to a connection are held back while a page for it is being prepared.
    pub held_entries_max: usize,
    /// How many bytes of them.
    pub held_bytes_max: usize,
    /// Called during every read, while the World that is read stands still. It does nothing except in tests.
    pub during_read: fn(),
    /// How long history is kept.
    pub retention: Retention,
    /// The pause between the end of a pruning and the next one.
    pub prune_every: Duration,
    /// How long a session lives after it was last used, in milliseconds.
    pub session_ms: i64,
    /// How often sessions, keys and accounts that have ended are looked for and removed.
    pub tidy_every: Duration,
}

impl Default for EngineSettings {
    fn default() -> Self {
        EngineSettings {
            queue_max: 10_000,
            group_max: 512,
            group_share: 64,
            group_time: Duration::from_millis(4),
            part_entries_max: 1_000,
            poll: Duration::from_millis(50),
            load_kept: Duration::from_secs(60),
            backlog_kept: Duration::from_secs(300),
            backlog_bytes_max: 1 << 20,
            held_entries_max: 1_000,
            held_bytes_max: 8 << 20,
            during_read: || {},
            retention: Retention::default(),
            prune_every: Duration::from_secs(60),
            session_ms: 30 * 86_400_000,
            tidy_every: Duration::from_secs(60),
        }
    }
}

/// The engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the data cannot be loaded: {0}")]
    Load(#[from] LogError),
    #[error("the engine's thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// The transports' handle on the engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    handle: Arc<Handle>,
    shared: Arc<Shared>,
    /// The other end is dropped once the log is closed.
    closed: watch::Receiver<()>,
    /// The number of the last finished look at the log.
    looked: watch::Receiver<u64>,
    reads: ReadersLoad,
}

/// An answer owed to a caller. Dropping it unanswered answers `unavailable`.
struct OwedOutcome(Option<OnOutcome>);

impl OwedOutcome {
    fn give(mut self, outcome: Outcome) {
        if let Some(answer) = self.0.take() {
            answer(outcome);
        }
    }
}

impl Drop for OwedOutcome {
    fn drop(&mut self) {
        if let Some(answer) = self.0.take() {
            answer(Outcome::Failed(Failure::Unavailable));
        }
    }
}

/// State shared by the handle and the threads.
struct Shared {
    directory: Directory,
    next_connection: AtomicU64,
    /// The number of the last look at the log that was begun.
    looks_begun: AtomicU64,
    /// The rev of the oldest batch that history still keeps.
    oldest_held: AtomicU64,
    figures: Arc<Figures>,
}

/// The inbox as the handles share it. When the last handle is dropped, the engine finishes what waits and ends.
struct Handle(Arc<Inbox>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.refuse();
        let _ = self.0.tell(Event::Drain(None));
    }
}

impl Engine {
    /// Loads the World from the log and starts the thread.
    ///
    /// # Errors
    /// [`StartError::Load`] when the log cannot be read, [`StartError::Thread`] when the system cannot start a
    /// thread.
    pub fn start(mut log: Box<dyn Log>, settings: EngineSettings) -> Result<Engine, StartError> {
        let world = log.load(LoadScope::Everything)?;
        let used = log.tokens_last_used()?;
        let inbox = Arc::new(Inbox::new(settings.queue_max, settings.group_share));
        let shared = Arc::new(Shared {
            directory: Directory::of(&world, used, settings.session_ms),
            next_connection: AtomicU64::new(1),
            looks_begun: AtomicU64::new(0),
            oldest_held: AtomicU64::new(0),
            figures: Arc::default(),
        });
        let archive = Archive::start(&*log, &settings, &shared, &inbox)?;
        let reading = Reading::start(&world, &settings, &inbox)?;
        let reads = reading.load();
        let past = log.open_past()?;
        shared.figures.note_world(&world);
        let committer = Committer::start(log, Arc::clone(&inbox), Arc::clone(&shared.figures))?;
        let (looks, looked) = watch::channel(0);
        let handle = Arc::new(Handle(Arc::clone(&inbox)));
        let parts = Parts {
            inbox,
            committer,
            past,
            archive,
            reading,
            world,
            shared: Arc::clone(&shared),
            looks,
            settings,
        };
        let (closes, closed) = watch::channel(());
        std::thread::Builder::new().name("engine".into()).spawn(move || {
            Thread::new(parts).run();
            drop(closes);
        })?;
        Ok(Engine { handle, shared, closed, looked, reads })
    }

    /// The owner of the token with this hash. Notes that the token was used.
    ///
    /// # Errors
    /// Why the token lets nobody in.
    pub fn authenticate(&self, hash: &TokenHash) -> Result<Identity, TokenRefusal> {
        self.shared.directory.authenticate(hash, clock::now())
    }

    /// Waits until what other processes have committed by now is taken up. The engine looks at the log every
    /// [`EngineSettings::poll`] anyway, so this costs it nothing, however many wait.
    pub async fn look(&self) {
        let begun = self.shared.looks_begun.load(Ordering::Acquire);
        // An error means that the thread has ended, and nobody looks any more.
        let _ = self.looked.clone().wait_for(|over| *over > begun).await;
    }

    /// What the engine counts of itself.
    pub fn figures(&self) -> &Figures {
        &self.shared.figures
    }

    /// How many requests wait for the engine.
    pub fn waiting(&self) -> usize {
        self.handle.0.waiting()
    }

    /// How many reads wait, and how many are under way.
    pub fn reads(&self) -> (usize, usize) {
        self.reads.now()
    }

    /// Requests a mutation. It is answered once, when it is on disk or refused.
    pub fn mutate(&self, mutation: Mutation, answer: OnOutcome) {
        self.ask(answer, |answer| Request::Mutate(Box::new(mutation), answer));
    }

    /// Requests a change of accounts, and waits until it is on disk or refused. The batch has no entries when nothing
    /// changed.
    ///
    /// # Errors
    /// [`Failure::Refused`] by the rules, [`Failure::Revoked`] when the caller's token has been revoked meanwhile, and
    /// the failures of any change.
    pub async fn administer(&self, actor: Actor, operation: Operation) -> Result<Arc<Batch>, Failure> {
        let (given, taken) = oneshot::channel();
        let answer: OnOutcome = Box::new(move |outcome| drop(given.send(outcome)));
        let asked = Box::new(Administration { actor, operation });
        self.ask(answer, |answer| Request::Administer(asked, answer));
        match taken.await {
            Ok(Outcome::Administered(batch)) => Ok(batch),
            Ok(Outcome::Failed(failure)) => Err(failure),
            Ok(_) => Err(Failure::Exception),
            Err(_) => Err(Failure::Unavailable),
        }
    }

    /// An account, or what stands for a removed one.
    pub fn user(&self, id: UserId) -> Option<Arc<User>> {
        self.shared.directory.user(id)
    }

    /// Every account that was not removed, in order of creation.
    pub fn users(&self) -> Vec<Arc<User>> {
        self.shared.directory.everyone()
    }

    /// The account with that email, in any case.
    pub fn user_by_email(&self, email: &str) -> Option<Arc<User>> {
        self.shared.directory.user_by_email(email)
    }

    /// The account of whom the issuer knows by that subject.
    pub fn user_by_identity(&self, issuer: &str, subject: &str) -> Option<Arc<User>> {
        self.shared.directory.user_by_identity(issuer, subject)
    }

    /// The key with that hash, while it works. Only the operation that it permits uses it up.
    pub fn key(&self, hash: &KeyHash) -> Option<Arc<Key>> {
        self.shared.directory.key(hash, clock::now())
    }

    /// The invitations that nobody has used, while they work, the oldest first.
    pub fn invitations(&self) -> Vec<Arc<Key>> {
        self.shared.directory.invitations(clock::now())
    }

    /// The keys for a user's account and the user's invitations, while they work, the oldest first.
    pub fn keys_of(&self, user: UserId) -> Vec<Arc<Key>> {
        self.shared.directory.keys_of(user, clock::now())
    }

    /// A user's sessions that have not ended, the oldest first.
    pub fn sessions_of(&self, user: UserId) -> Vec<KnownToken> {
        self.shared.directory.sessions_of(user, clock::now())
    }

    /// A user's tokens, sessions included, the oldest first.
    pub fn tokens_of(&self, user: UserId) -> Vec<KnownToken> {
        self.shared.directory.tokens_of(user)
    }

    /// Relays an event to the users who see its subject. It is dropped when the engine is overloaded.
    pub fn relay(&self, caller: Caller, relay: Relay, connection: ConnectionId, answer: OnOutcome) {
        self.ask(answer, |answer| Request::Relay { caller, relay, connection, answer });
    }

    /// Requests a read of a publication for a caller without an account.
    pub fn read_public(&self, read: PublicRead, answer: OnOutcome) {
        self.ask(answer, |answer| Request::ReadPublic { read, answer });
    }

    /// Requests a read. It is answered once and reflects every mutation answered before.
    pub fn read(&self, caller: Caller, read: Read, connection: Option<ConnectionId>, answer: OnOutcome) {
        self.ask(answer, |answer| Request::Read { caller, read, connection, answer });
    }

    fn ask(&self, answer: OnOutcome, request: impl FnOnce(OnOutcome) -> Request) {
        let owed = OwedOutcome(Some(answer));
        // What is refused is dropped, here or with the inbox, and is thereby answered.
        drop(self.handle.0.ask(request(Box::new(move |outcome| owed.give(outcome)))));
    }

    /// Registers a connection. From now on its outbox gets every diff that affects its user.
    pub fn connect(&self, caller: Caller, outbox: Box<dyn ConnectionSink>) -> ConnectionId {
        let id = ConnectionId(self.shared.next_connection.fetch_add(1, Ordering::Relaxed));
        // An engine that has ended connects nobody. The process is about to end.
        let _ = self.handle.0.tell(Event::Connect { id, caller, outbox });
        id
    }

    /// Forgets a connection.
    pub fn disconnect(&self, connection: ConnectionId) {
        let _ = self.handle.0.tell(Event::Disconnect(connection));
    }

    /// Refuses new requests, finishes the waiting ones and stops. Gives up waiting after `within`.
    pub async fn drain(&self, within: Duration) {
        self.handle.0.refuse();
        let (done, drained) = oneshot::channel();
        if self.handle.0.tell(Event::Drain(Some(done))).is_err() {
            return;
        }
        if tokio::time::timeout(within, drained).await.is_err() {
            tracing::warn!("the engine did not finish within {within:?}");
        }
    }

    /// Waits, after [`Engine::drain`], until the log is closed. Gives up after `within`.
    pub async fn closed(&self, within: Duration) {
        let mut closed = self.closed.clone();
        let gone = async { while closed.changed().await.is_ok() {} };
        if tokio::time::timeout(within, gone).await.is_err() {
            tracing::warn!("the batch log was not closed within {within:?}");
        }
    }
}
