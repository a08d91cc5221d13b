//! Reads, beside the engine: reader threads answer them from a World of their own, which follows the engine's. No
//! mutation waits for a read.
//!
//! Over REST a read is answered by its reader. A read on a connection begins and ends with the engine, which holds
//! back what the connection is sent meanwhile and gives the page its place.

mod answers;
mod history;
mod loads;
mod publications;
mod queue;
mod world;

pub(super) use queue::Turn;
pub(super) use world::{News, Position};

use super::EngineSettings;
use super::archive::{FoundPage, Job};
use super::connections::holds;
use super::held_back::Ticket;
use super::inbox::{Event, Inbox};
use super::protocol::{
    Caller, ConnectionId, Failure, OnOutcome, Outcome, PageRequest, PublicRead, Read, RequestedScope,
};
use super::thread::caught;
use answers::Found;
use graph::World;
use graph::model::Rev;
use history::Sight;
use loads::{Holder, Loads};
use queue::{Admitted, QueueBounds, ReadQueue, Work};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Instant;
use store::HistoryQuery;
use world::{ReadingWorld, WorldAt};

/// How many threads read.
const READERS: usize = 2;
/// How many reads may be under way for each thread. While a thread carries out one, the engine begins the next.
const UNDER_WAY: usize = 2;
/// What part of the waiting reads may be one caller's.
const OF_ONE: usize = 10;
/// By how much the readers step back for the other threads. Each step is about a tenth of the processor.
const NICE: i32 = 5;

/// What is read.
pub(super) enum Asked {
    /// A read of a user.
    ByUser(Caller, Read),
    /// A page of history that the archive has found.
    Found(Box<FoundPage>),
    /// A read of a caller without an account.
    Public(PublicRead),
}

impl Asked {
    fn turn(&self) -> Turn {
        match self {
            Asked::ByUser(caller, _) => Turn::User(caller.account),
            Asked::Found(found) => Turn::User(found.caller.account),
            Asked::Public(..) => Turn::Anyone,
        }
    }
}

/// A read that waits or is under way.
pub(super) struct ReadJob {
    /// What is read.
    pub(super) asked: Asked,
    /// The connection that it came on, if it came over a socket and the connection is still there.
    pub(super) connection: Option<ConnectionId>,
    /// The page's place among what the connection is sent. A read on a connection has it from when it begins.
    pub(super) ticket: Option<Ticket>,
    /// The position that the answer must reflect.
    pub(super) since: Position,
    /// Where the answer goes.
    pub(super) answer: OnOutcome,
}

/// An answer that must take its place among what its connection is sent.
pub(super) struct ReadyPage {
    /// The connection.
    pub(super) connection: ConnectionId,
    /// The place.
    pub(super) ticket: Ticket,
    /// The position that the answer reflects.
    pub(super) reflects: Position,
    /// The answer.
    pub(super) outcome: Outcome,
    /// Where it goes.
    pub(super) answer: OnOutcome,
}

/// A read whose turn has come. The engine begins it.
pub(super) struct TurnCome {
    turn: Turn,
    job: ReadJob,
}

impl TurnCome {
    /// The connection on which the answer takes its place, if it came over a socket. A search for a page of history
    /// takes none, because it may take long: the page that it finds does.
    pub(super) fn connection(&self) -> Option<ConnectionId> {
        self.job.connection.filter(|_| !matches!(self.job.asked, Asked::ByUser(_, Read::History { .. })))
    }
}

/// The engine's handle on its readers. Dropping it ends them.
pub(super) struct Reading {
    shared: Arc<Readers>,
    threads: Vec<JoinHandle<()>>,
}

/// How busy the readers are, for whoever watches.
#[derive(Clone)]
pub(super) struct ReadersLoad(Weak<Readers>);

impl ReadersLoad {
    /// How many reads wait, and how many are under way.
    pub(super) fn now(&self) -> (usize, usize) {
        self.0.upgrade().map_or((0, 0), |readers| readers.queue.load())
    }
}

/// What the readers' World follows, in order.
pub(super) struct ReadersFeed {
    shared: Arc<Readers>,
    /// What nobody has been told of yet.
    news: Vec<News>,
    position: Position,
}

impl ReadersFeed {
    /// Notes something that is durable and that nobody has been told of.
    pub(super) fn note(&mut self, news: News) {
        self.news.push(news);
    }

    /// The position of everything noted so far. What is noted without asking for it in between has one position:
    /// no read sees part of it.
    pub(super) fn position(&mut self) -> Position {
        if !self.news.is_empty() {
            let (position, is_far_behind) = self.shared.world.feed(std::mem::take(&mut self.news));
            self.position = position;
            if is_far_behind {
                self.shared.queue.wake();
            }
        }
        self.position
    }
}

struct Readers {
    world: ReadingWorld,
    queue: ReadQueue<ReadJob>,
    loads: Loads,
    engine: Arc<Inbox>,
    during_read: fn(),
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.shared.queue.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked leaves nothing to wait for.
            let _ = thread.join();
        }
    }
}

impl Reading {
    /// Starts the readers, on a World like the engine's.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub(super) fn start(
        world: &World,
        settings: &EngineSettings,
        engine: &Arc<Inbox>,
    ) -> std::io::Result<Self> {
        let bounds = QueueBounds {
            waiting_max: settings.queue_max,
            waiting_of_one_max: settings.queue_max.div_ceil(OF_ONE),
            under_way_max: READERS * UNDER_WAY,
        };
        let shared = Arc::new(Readers {
            world: ReadingWorld::new(world.clone()),
            queue: ReadQueue::new(bounds),
            loads: Loads::new(settings.load_kept),
            engine: Arc::clone(engine),
            during_read: settings.during_read,
        });
        let mut reading = Reading { shared, threads: Vec::new() };
        for _ in 0..READERS {
            let shared = Arc::clone(&reading.shared);
            let thread = std::thread::Builder::new().name("reader".into()).spawn(move || {
                step_back();
                shared.serve();
            })?;
            reading.threads.push(thread);
        }
        Ok(reading)
    }

    /// How busy the readers are.
    pub(super) fn load(&self) -> ReadersLoad {
        ReadersLoad(Arc::downgrade(&self.shared))
    }

    /// The way in which the readers' World follows the engine's.
    pub(super) fn feed(&self) -> ReadersFeed {
        ReadersFeed { shared: Arc::clone(&self.shared), news: Vec::new(), position: 0 }
    }

    /// Asks for a read. It waits for its turn, or is returned to be begun at once.
    pub(super) fn ask(&self, job: ReadJob) -> Option<TurnCome> {
        let turn = job.asked.turn();
        match self.shared.queue.admit(turn, job) {
            Admitted::Begins(job) => return Some(TurnCome { turn, job }),
            Admitted::Waits => {}
            Admitted::Full(job) => (job.answer)(Outcome::Failed(Failure::Unavailable)),
        }
        None
    }

    /// Begins a read. The answer will reflect at least the given position. `ticket` is the place of its page on
    /// its connection; without one, the answer takes none.
    pub(super) fn begin(&self, come: TurnCome, since: Position, ticket: Option<Ticket>) {
        let TurnCome { turn, job } = come;
        self.shared.queue.begun(turn, ReadJob { since, ticket, ..job });
    }

    /// Forgets what is kept for a connection.
    pub(super) fn forget_connection(&self, id: ConnectionId) {
        self.shared.loads.forget(Holder::Connection(id));
    }

    /// Forgets ids deleted for good at or before `rev`.
    pub(super) fn forget_gone(&self, rev: Rev) {
        self.shared.world.note(News::Forgotten(rev));
    }

    /// Drops what has been kept too long.
    pub(super) fn drop_stale(&self, now: Instant) {
        self.shared.loads.drop_stale(now);
    }

    /// Lets no further reads in. The engine goes on with those that wait until none is left.
    pub(super) fn close(&self) {
        self.shared.queue.close();
    }

    /// Whether no read waits or is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.shared.queue.is_idle()
    }
}

impl Readers {
    fn serve(self: &Arc<Self>) {
        while let Some(work) = self.queue.next() {
            match work {
                Work::CatchUp => self.world.catch_up(),
                Work::Begin(turn, job) if job.connection.is_some() => {
                    // An engine that has ended owes no answers: dropping the job answers it.
                    if self.engine.tell(Event::TurnCome(Box::new(TurnCome { turn, job }))).is_err() {
                        self.queue.done(turn);
                    }
                }
                Work::Begin(turn, job) | Work::Read(turn, job) => {
                    // A panic here must end neither the thread nor the process.
                    if catch_unwind(AssertUnwindSafe(|| self.carry_out(job))).is_err() {
                        tracing::error!("answering a read panicked");
                    }
                    self.queue.done(turn);
                }
            }
        }
    }

    fn carry_out(self: &Arc<Self>, job: ReadJob) {
        let ReadJob { asked, connection, ticket, since, answer } = job;
        let asked = match asked {
            Asked::ByUser(caller, Read::History { scope, page }) => {
                let search = match self.query(caller, scope, page, since) {
                    Ok(query) => Event::Search(Box::new(Job { caller, query, connection, answer })),
                    Err(failure) => Event::Answer(connection, answer, Box::new(Outcome::Failed(failure))),
                };
                let _ = self.engine.tell(search);
                return;
            }
            asked => asked,
        };
        let (found, reflects) = {
            let world = self.world.since(since);
            // Without a place on its connection, there is no connection any more to keep a load for.
            let found = caught(|| self.outcome(&world, asked, connection.filter(|_| ticket.is_some())));
            (found.unwrap_or_else(|failure| Found::Answer(Outcome::Failed(failure))), world.position())
        };
        let outcome = match found {
            Found::Answer(outcome) => outcome,
            Found::Work(work) => caught(|| Ok(work())).unwrap_or_else(Outcome::Failed),
        };
        match connection.zip(ticket) {
            None => answer(outcome),
            Some((connection, ticket)) => {
                let page = ReadyPage { connection, ticket, reflects, outcome, answer };
                let _ = self.engine.tell(Event::PageReady(Box::new(page)));
            }
        }
    }

    /// The query for a page of history, for the archive.
    fn query(
        self: &Arc<Self>,
        caller: Caller,
        scope: RequestedScope,
        PageRequest { limit, offset }: PageRequest,
        since: Position,
    ) -> Result<HistoryQuery, Failure> {
        let world = self.world.since(since);
        caught(|| {
            (self.during_read)();
            known(&world, caller)?;
            let scope = history::scope(&world, caller, scope).map_err(Failure::Refused)?;
            let reader = Arc::new(Sight::new(Arc::clone(self), caller.user, since));
            Ok(HistoryQuery { reader, scope, until: world.rev(), limit, offset })
        })
    }

    fn outcome(
        &self,
        world: &WorldAt,
        asked: Asked,
        connection: Option<ConnectionId>,
    ) -> Result<Found, Failure> {
        (self.during_read)();
        Ok(match asked {
            Asked::ByUser(caller, read) => {
                known(world, caller)?;
                answers::answer(world, &self.loads, caller, &read, connection)
            }
            Asked::Found(found) => {
                known(world, found.caller)?;
                Found::Answer(history::judged(world, found.caller.user, *found))
            }
            Asked::Public(read) => Found::Answer(answers::public(world, &read)),
        })
    }
}

/// A caller whose token was revoked while their request waited gets no other answer.
fn known(world: &World, caller: Caller) -> Result<(), Failure> {
    if holds(world, caller) { Ok(()) } else { Err(Failure::Revoked) }
}

/// Lowers the priority of the calling thread: when the processors are busy, the engine and the transports go first.
fn step_back() {
    #[cfg(target_os = "linux")]
    {
        // On Linux each thread has a priority of its own.
        let thread = rustix::thread::gettid();
        if let Err(error) = rustix::process::setpriority_process(Some(thread), NICE) {
            tracing::debug!(%error, "a reader keeps its priority");
        }
    }
}
