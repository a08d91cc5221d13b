//! The engine's thread: its loop, and what it does while nothing is in flight.

use super::archive::Archive;
use super::clock::ClockWatch;
use super::committer::{Committer, Report};
use super::connections::{BacklogBounds, Connections};
use super::diff_part::SharedParts;
use super::directory::DirectoryChange;
use super::durable::{Step, durable};
use super::group::{Decision, Group, Pending, PendingRelay, published, viewed};
use super::held_back::HeldBounds;
use super::inbox::{Event, Inbox, Item, Request};
use super::protocol::{
    Actor, Administration, Caller, ConnectionId, ConnectionSink, Failure, OnOutcome, Outcome, Read,
};
use super::reading::{Asked, ReadJob, Reading, TurnCome};
use super::teller::Teller;
use super::{EngineSettings, Shared, clock, sync};
use graph::model::Rev;
use graph::ops::AccountOperation;
use graph::world::Due;
use graph::{Committed, Operation, Projection, SharedDiff, Timestamp, TokenId, World};
use std::collections::{HashMap, VecDeque};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use store::{LogError, Past};
use tokio::sync::{oneshot, watch};

/// How often the last-used times of tokens are stored.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// How many closed accounts, and how many sessions, are removed at once. The next time comes soon.
const CLOSED_AT_ONCE: usize = 8;
const SESSIONS_AT_ONCE: usize = 1_000;

/// How often the engine, while it drains, looks whether the last read is done.
const FINISH_EVERY: Duration = Duration::from_millis(1);

/// Everything the thread owns. Its World is ahead of what is durable by the groups that are not committed yet.
pub(super) struct Thread {
    pub(super) inbox: Arc<Inbox>,
    pub(super) committer: Committer,
    pub(super) past: Box<dyn Past + Send>,
    archive: Archive,
    reading: Reading,
    pub(super) world: World,
    pub(super) connections: Connections,
    pub(super) shared: Arc<Shared>,
    pub(super) settings: EngineSettings,
    /// How many groups were begun.
    pub(super) groups: u64,
    /// The group that the committer writes.
    pub(super) in_flight: Option<Group>,
    /// The group that is decided meanwhile.
    pub(super) gathered: Option<Group>,
    /// Mutations to be decided again, before any other.
    pub(super) again: VecDeque<Pending>,
    /// How many requests were taken from the inbox and count as waiting.
    pub(super) taken: usize,
    /// The World may be damaged: what had expired before its last groups. It is reloaded once nothing is in flight.
    pub(super) damaged: Option<Vec<(Due, Timestamp)>>,
    /// The last rev that is durable and was told.
    pub(super) told: Rev,
    waiting: Waiting,
    draining: Vec<oneshot::Sender<()>>,
    ends: bool,
    /// Publishes the number of the last finished look at the log.
    pub(super) looks: watch::Sender<u64>,
    /// When the last look at the log began; `None` when one is due.
    pub(super) polled: Option<Instant>,
    touched: Instant,
    /// When what has ended among sessions, keys and accounts was last looked for.
    tidied: Option<Instant>,
    clock: ClockWatch,
}

/// What waits until the World is whole, or for a group of its own.
#[derive(Default)]
struct Waiting {
    /// Reads that must reflect the group with this number.
    reads: Vec<(u64, Asked, ConnectionId, OnOutcome)>,
    /// Relay events that came while the World was damaged.
    relays: Vec<PendingRelay>,
}

/// What the thread starts with.
pub(super) struct Parts {
    pub(super) inbox: Arc<Inbox>,
    pub(super) committer: Committer,
    pub(super) past: Box<dyn Past + Send>,
    pub(super) archive: Archive,
    pub(super) reading: Reading,
    pub(super) world: World,
    pub(super) shared: Arc<Shared>,
    pub(super) looks: watch::Sender<u64>,
    pub(super) settings: EngineSettings,
}

impl Thread {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { inbox, committer, past, archive, reading, world, shared, looks, settings } = parts;
        let now = Instant::now();
        let kept = BacklogBounds { time: settings.backlog_kept, bytes: settings.backlog_bytes_max };
        let held = HeldBounds { entries_max: settings.held_entries_max, bytes_max: settings.held_bytes_max };
        Thread {
            inbox,
            committer,
            past,
            archive,
            clock: ClockWatch::begin(world.clock()),
            told: world.rev(),
            world,
            connections: Connections::new(
                kept,
                held,
                reading.feed(),
                Teller::start(),
                Arc::clone(&shared.figures),
            ),
            reading,
            shared,
            settings,
            groups: 0,
            in_flight: None,
            gathered: None,
            again: VecDeque::new(),
            taken: 0,
            damaged: None,
            waiting: Waiting::default(),
            draining: Vec::new(),
            ends: false,
            looks,
            polled: Some(now),
            touched: now,
            tidied: None,
        }
    }

    /// Runs until drained, or until every handle is dropped. A fault outside any single operation ends the process:
    /// the data on disk is whole, and a restart loads it.
    pub(super) fn run(mut self) {
        let ran = catch_unwind(AssertUnwindSafe(|| while self.step() {}));
        if ran.is_err() {
            end_process("the engine failed");
        }
        self.close();
    }

    /// Closes the log last, when nothing else in the process has it open: only then does one file remain (D18).
    fn close(self) {
        let Thread { inbox, committer, past, archive, reading, draining, connections, .. } = self;
        connections.flush();
        for done in draining {
            let _ = done.send(());
        }
        inbox.end();
        drop((archive, reading, past));
        drop(committer);
    }

    /// Handles one item. While there is none, hands over what is gathered, does what waits for the moment when nothing
    /// is in flight, and sleeps. False ends the loop.
    fn step(&mut self) -> bool {
        let mut has_room = self.has_room();
        if has_room && let Some(pending) = self.again.pop_front() {
            self.decide(pending);
            return true;
        }
        let mut item = self.inbox.next(has_room);
        if item.is_none() {
            self.hand_over();
            if self.is_quiet() {
                self.while_quiet();
                if self.is_done() {
                    return false;
                }
            }
            has_room = self.has_room();
            if has_room && !self.again.is_empty() {
                return true;
            }
            item = self.inbox.wait(has_room, self.patience());
        }
        match item {
            Some(Item::Event(event)) => self.hear(event),
            Some(Item::Request(request)) => self.take(request),
            None => {}
        }
        true
    }

    /// Whether the engine drains and has answered everything. The readers see the waiting reads through.
    fn is_done(&self) -> bool {
        if !self.ends || !self.again.is_empty() || !self.inbox.is_empty() {
            return false;
        }
        self.reading.close();
        // Looked at first: what the last read sends is there before it is done.
        self.reading.is_idle() && !self.inbox.has_events()
    }

    /// Whether nothing is in flight: the World is what is on disk, and everyone was told.
    fn is_quiet(&self) -> bool {
        self.in_flight.is_none() && self.gathered.is_none()
    }

    /// Whether another mutation may be decided now.
    fn has_room(&mut self) -> bool {
        let has_room = match &self.gathered {
            Some(group) => group.has_room(&self.settings),
            None => true,
        };
        has_room && self.damaged.is_none() && self.is_in_time()
    }

    /// Moves the clock to the present. False if due times have come, or the clock was set back, while anything is in
    /// flight: the next mutation is decided after that was told.
    fn is_in_time(&mut self) -> bool {
        let now = self.clock.read();
        let is_due = self.world.next_due().is_some_and(|due| due <= now);
        if !is_due && !self.world.would_set_back(now) {
            self.world.advance(now);
            return true;
        }
        let is_quiet = self.is_quiet();
        if is_quiet {
            self.set_clock(now);
        }
        is_quiet
    }

    /// How long nothing is to be done unless something arrives.
    fn patience(&self) -> Duration {
        if self.ends {
            return FINISH_EVERY;
        }
        if !self.is_quiet() {
            return self.settings.poll;
        }
        let due_in_ms = self.world.next_due().map(|due| (due.ms() - clock::now().ms()).max(0));
        let due_in = due_in_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        let poll_in =
            self.polled.map_or(Duration::ZERO, |polled| self.settings.poll.saturating_sub(polled.elapsed()));
        due_in.map_or(poll_in, |due_in| due_in.min(poll_in))
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Connect { id, caller, outbox } => self.connect(id, caller, outbox),
            Event::Disconnect(id) => {
                self.connections.remove(id);
                self.reading.forget_connection(id);
            }
            Event::TurnCome(come) => self.begin_read(*come),
            Event::PageReady(page) => self.connections.take_place(*page),
            Event::Search(job) => self.archive.ask(*job),
            Event::PageFound(found, connection, answer) => {
                self.read(Asked::Found(found), connection, answer);
            }
            Event::Answer(connection, answer, outcome) => {
                self.connections.answer(connection, answer, *outcome);
            }
            Event::Committer(Report::Done(done)) => self.landed(done),
            Event::Committer(Report::Used(stored)) => self.tidy_sessions(stored),
            Event::Committer(Report::News(news, decided)) => {
                let proposals = self.decide_after(&news);
                let _ = decided.send(proposals);
            }
            Event::Drain(done) => {
                self.draining.extend(done);
                self.ends = true;
            }
        }
    }

    /// Adds a connection. The groups begun so far were not decided for it. Its reads reflect them.
    fn connect(&mut self, id: ConnectionId, caller: Caller, outbox: Box<dyn ConnectionSink>) {
        if self.shared.directory.holds(caller) {
            self.connections.add((self.world.rev(), self.groups), id, caller, outbox);
            self.connections.note_expiry(self.shared.directory.expires(caller));
        } else {
            // The token was revoked between the handshake and here.
            outbox.close();
        }
    }

    fn take(&mut self, request: Request) {
        self.taken += 1;
        match request {
            Request::Mutate(mutation, answer) => {
                self.decide(Pending { decision: Decision::Mutation(mutation), answer });
            }
            Request::Administer(asked, answer) => {
                self.decide(Pending { decision: Decision::Administration(asked), answer });
            }
            Request::Read { caller, read, connection, answer } => {
                self.ask_reading(Asked::ByUser(caller, read), connection, answer);
            }
            Request::ReadPublic { read, answer } => {
                self.ask_reading(Asked::Public(read), None, answer);
            }
            Request::Relay { caller, relay, connection: from, answer } => {
                self.relay(PendingRelay { caller, relay, from, answer });
            }
        }
    }

    /// Passes a read on. One on a connection waits for the last group that was not decided for that connection, or that
    /// has a mutation of its own.
    fn ask_reading(&mut self, asked: Asked, connection: Option<ConnectionId>, answer: OnOutcome) {
        let after = connection.and_then(|id| Some((id, self.connections.after_group(id)?)));
        match after {
            Some((id, group)) if !self.is_over(group) => {
                self.waiting.reads.push((group, asked, id, answer));
            }
            _ => self.read(asked, connection, answer),
        }
    }

    /// Whether neither this group nor an earlier one is in flight.
    fn is_over(&self, group: u64) -> bool {
        let groups = [&self.in_flight, &self.gathered];
        groups.into_iter().flatten().all(|other| other.number > group)
    }

    /// Passes on the reads whose groups are over.
    pub(super) fn read_what_waited(&mut self) {
        if self.waiting.reads.is_empty() {
            return;
        }
        for (group, asked, connection, answer) in mem::take(&mut self.waiting.reads) {
            match self.is_over(group) {
                true => self.read(asked, Some(connection), answer),
                false => self.waiting.reads.push((group, asked, connection, answer)),
            }
        }
    }

    /// Relays an event, after the groups in flight.
    pub(super) fn relay(&mut self, relay: PendingRelay) {
        if self.damaged.is_some() {
            self.waiting.relays.push(relay);
            return;
        }
        let addressed = caught(|| relay.address(&self.world, &self.connections));
        match self.gathered.as_mut().or(self.in_flight.as_mut()) {
            Some(group) => group.relays.push((relay, addressed)),
            None => relay.send(addressed, &mut self.connections),
        }
    }

    /// What is done while nothing is in flight: other processes' batches and due times, the reads, the upkeep.
    fn while_quiet(&mut self) {
        if let Some(expired) = self.damaged.take() {
            self.reload(&expired);
        }
        if self.again.is_empty() {
            self.release();
        }
        if let Some(look) = self.begin_look() {
            self.follow_log();
            self.looks.send_replace(look);
        }
        let now = self.clock.read();
        self.set_clock(now);
        self.read_what_waited();
        for relay in mem::take(&mut self.waiting.relays) {
            self.relay(relay);
        }
        if !self.ends && self.tidied.is_none_or(|tidied| tidied.elapsed() >= self.settings.tidy_every) {
            self.tidied = Some(Instant::now());
            self.tidy(now);
        }
        if self.touched.elapsed() >= TOUCH_EVERY || self.ends {
            self.touched = Instant::now();
            // What was deleted for good before the oldest kept batch is forgotten by history too.
            let oldest = self.shared.oldest_held.load(Ordering::Relaxed);
            self.world.forget_gone(oldest.saturating_sub(1));
            self.reading.forget_gone(oldest.saturating_sub(1));
            let used = self.shared.directory.take_used();
            if !used.is_empty() {
                self.committer.touch_tokens(used);
            }
        }
    }

    /// Looks for what has ended among sessions, keys and accounts, and has it removed. Nothing is in flight.
    fn tidy(&mut self, now: Timestamp) {
        // Whoever is connected uses their session.
        self.shared.directory.note_used(self.connections.sessions(), now);
        let closed: Vec<_> = self.world.closed_by(now).take(CLOSED_AT_ONCE).collect();
        for user in closed {
            self.administer(AccountOperation::ClosedRemove { user });
        }
        if !self.shared.directory.idle_sessions(now).is_empty() {
            // Other servers may know of a later use.
            self.committer.read_used();
        } else if self.world.keys_over_by(now).next().is_some()
            || self.world.tokens_over_by(now).next().is_some()
        {
            self.administer(AccountOperation::Tidy { sessions: Vec::new() });
        }
    }

    /// Ends the sessions that were used nowhere for too long.
    fn tidy_sessions(&mut self, stored: HashMap<TokenId, Timestamp>) {
        self.shared.directory.learn_used(stored);
        let mut sessions = self.shared.directory.idle_sessions(clock::now());
        if !sessions.is_empty() && !self.ends {
            sessions.truncate(SESSIONS_AT_ONCE);
            self.administer(AccountOperation::Tidy { sessions });
        }
    }

    /// Has a change of accounts decided that the server asks for by itself.
    fn administer(&mut self, operation: AccountOperation) {
        let operation = Operation::Account(Box::new(operation));
        let asked = Administration { actor: Actor::Server, operation };
        let answer: OnOutcome = Box::new(|outcome| {
            if let Outcome::Failed(failure) = outcome {
                tracing::warn!(?failure, "cannot remove what has ended among accounts; it is tried again");
            }
        });
        self.again.push_back(Pending { decision: Decision::Administration(Box::new(asked)), answer });
    }

    /// Begins a look at the log if one is due, and returns its number.
    pub(super) fn begin_look(&mut self) -> Option<u64> {
        let now = Instant::now();
        if self.polled.is_some_and(|polled| now - polled < self.settings.poll) {
            return None;
        }
        self.polled = Some(now);
        self.connections.drop_stale();
        self.connections.end_expired(&self.shared.directory);
        self.reading.drop_stale(now);
        Some(self.shared.looks_begun.fetch_add(1, Ordering::AcqRel) + 1)
    }

    fn read(&mut self, asked: Asked, connection: Option<ConnectionId>, answer: OnOutcome) {
        if let Asked::ByUser(caller, Read::Sync { since }) = asked {
            let outcome = guarded(|| {
                known(&self.shared, caller)?;
                Ok(sync::sync(self.told, &mut self.connections, caller, since, connection))
            });
            return self.connections.answer(connection, answer, outcome);
        }
        let connection = connection.filter(|id| self.connections.has(*id));
        let since = self.connections.position();
        let job = ReadJob { asked, connection, ticket: None, since, answer };
        if let Some(come) = self.reading.ask(job) {
            self.begin_read(come);
        }
    }

    /// Begins a read whose turn has come. On a connection, what else it is sent is held back until the page comes.
    fn begin_read(&mut self, come: TurnCome) {
        let ticket = come.connection().and_then(|id| self.connections.hold_back(id));
        self.reading.begin(come, self.connections.position(), ticket);
    }

    /// Lets time pass up to now, or sets the World's clock back where the system's was. Nothing is in flight.
    fn set_clock(&mut self, now: Timestamp) {
        let last = self.world.clock();
        if now < last {
            self.world.set_clock(now);
            if self.world.clock() < last {
                // The Worlds that follow have the same clock before it is set back.
                for time in [last, now] {
                    durable(&mut self.connections, &self.shared, Step::Clock(time));
                }
                // A restart must not bring back what has expired, although its due time is to come again.
                let expired: Vec<_> = self.world.expired().collect();
                if !expired.is_empty() {
                    self.committer.note_expired(expired);
                }
            }
        } else {
            let Thread { world, connections, shared, settings, .. } = self;
            pass_time(world, connections, shared, now, settings.part_entries_max);
        }
    }

    /// Applies the batches that other processes have committed, and sends their diffs.
    fn follow_log(&mut self) {
        match self.committer.look(self.world.rev()) {
            Ok(news) => {
                self.shared.figures.looks_failed.set(0);
                self.follow(&news);
            }
            Err(error @ LogError::Astray { .. }) => {
                tracing::error!(%error, "the batch log does not continue from the World; reloading it");
                self.reload(&[]);
                self.connections.close_all();
            }
            Err(error) => {
                self.shared.figures.looks_failed.set(1);
                tracing::warn!(%error, "cannot read new batches from the batch log");
            }
        }
    }

    /// Follows the batches that other processes have committed. Nothing in flight is applied to the World.
    pub(super) fn follow(&mut self, news: &[Committed]) {
        let Thread { world, connections, shared, settings, told, .. } = self;
        for committed in news {
            follow(world, connections, shared, committed, settings.part_entries_max);
            *told = committed.rev;
        }
        if !news.is_empty() {
            shared.figures.batches.add(news.len() as u64);
            shared.figures.note_world(world);
        }
    }
}

/// A caller whose token was revoked while their request waited gets no other answer.
fn known(shared: &Shared, caller: Caller) -> Result<(), Failure> {
    if shared.directory.holds(caller) { Ok(()) } else { Err(Failure::Revoked) }
}

/// The answer to something that changes nothing.
fn guarded(read: impl FnOnce() -> Result<Outcome, Failure>) -> Outcome {
    caught(read).unwrap_or_else(Outcome::Failed)
}

/// A read that panics is answered as an internal error. It has changed nothing.
pub(super) fn caught<T>(read: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        tracing::error!("a read panicked");
        Err(Failure::Exception)
    })
}

/// Applies a batch that another process committed, and sends its diffs to the connections here.
fn follow(
    world: &mut World,
    connections: &mut Connections,
    shared: &Shared,
    Committed { rev, batch }: &Committed,
    most: usize,
) {
    pass_time(world, connections, shared, batch.at, most);
    connections.forget_removed(batch);
    let diffs = {
        let projection = Projection::before(world, batch, connections.users());
        world.apply(batch);
        projection.after(world)
    };
    let directory = DirectoryChange::by(world, batch);
    durable(connections, shared, Step::Batch { rev: *rev, batch: Arc::new(batch.clone()), directory });
    tell(connections, diffs, most);
    for (published, users) in published(world, connections, batch) {
        connections.announce(&users, &published, None);
    }
    for user in viewed(batch) {
        connections.tell_view(&user, None);
    }
}

/// Lets due times pass, and sends diffs to the users whose view changes.
fn pass_time(world: &mut World, connections: &mut Connections, shared: &Shared, now: Timestamp, most: usize) {
    let dues = world.due_by(now);
    if dues.is_empty() {
        world.advance(now);
        return;
    }
    connections.note_dues(world.rev());
    let diffs = {
        let projection = Projection::before_due(world, &dues, connections.users());
        world.advance(now);
        projection.after(world)
    };
    durable(connections, shared, Step::Clock(now));
    tell(connections, diffs, most);
}

fn tell(connections: &mut Connections, diffs: Vec<SharedDiff>, most: usize) {
    for shared in diffs {
        connections.tell(&SharedParts::of(shared, most), None);
    }
}

/// Ends the process at once, because its state may no longer be true.
pub(super) fn end_process(why: &str) -> ! {
    tracing::error!("{why}; the server stops");
    std::process::exit(70)
}
