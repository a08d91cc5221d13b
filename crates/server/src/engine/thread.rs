//! The engine's thread: its loop, and what it does while nothing is in flight.

use super::archive::{Archive, FoundPage, Job};
use super::clock::ClockWatch;
use super::committer::{Committer, Report};
use super::connections::{BacklogBounds, Connections};
use super::diff_part::DiffPart;
use super::directory::DirectoryChange;
use super::durable::{Step, durable};
use super::group::{Group, PendingMutation, published};
use super::history_views::{HistoryViews, ViewVersion};
use super::inbox::{Event, Inbox, Item, Request};
use super::protocol::{
    Caller, ConnectionId, ConnectionSink, Failure, OnOutcome, Outcome, PageRequest, Read, Relay,
    RequestedScope,
};
use super::{EngineSettings, Shared, clock, reads, relay_audience};
use graph::model::Rev;
use graph::world::Due;
use graph::{Committed, Projection, Timestamp, World};
use std::collections::VecDeque;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use store::{LogError, Past};
use tokio::sync::{oneshot, watch};

/// How often the last-used times of tokens are stored.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// Everything the thread owns. Its World is ahead of what is durable by the groups that are not committed yet.
pub(super) struct Thread {
    pub(super) inbox: Arc<Inbox>,
    pub(super) committer: Committer,
    pub(super) past: Box<dyn Past + Send>,
    archive: Archive,
    pub(super) world: World,
    pub(super) connections: Connections,
    readers: HistoryViews,
    pub(super) shared: Arc<Shared>,
    pub(super) settings: EngineSettings,
    /// The group that the committer writes.
    pub(super) in_flight: Option<Group>,
    /// The group that is decided meanwhile.
    pub(super) gathered: Option<Group>,
    /// Mutations to be decided again, before any other.
    pub(super) again: VecDeque<PendingMutation>,
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
    clock: ClockWatch,
}

/// What waits until nothing is in flight.
#[derive(Default)]
struct Waiting {
    reads: Vec<(Caller, Read, Option<ConnectionId>, OnOutcome)>,
    public_reads: Vec<(String, PageRequest, OnOutcome)>,
    found: Vec<FoundPage>,
    relays: Vec<(Caller, Relay, ConnectionId, OnOutcome)>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.reads.is_empty()
            && self.public_reads.is_empty()
            && self.found.is_empty()
            && self.relays.is_empty()
    }
}

/// What the thread starts with.
pub(super) struct Parts {
    pub(super) inbox: Arc<Inbox>,
    pub(super) committer: Committer,
    pub(super) past: Box<dyn Past + Send>,
    pub(super) archive: Archive,
    pub(super) world: World,
    pub(super) shared: Arc<Shared>,
    pub(super) looks: watch::Sender<u64>,
    pub(super) settings: EngineSettings,
}

impl Thread {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { inbox, committer, past, archive, world, shared, looks, settings } = parts;
        let now = Instant::now();
        let kept = BacklogBounds { time: settings.backlog_kept, bytes: settings.backlog_bytes_max };
        Thread {
            inbox,
            committer,
            past,
            archive,
            clock: ClockWatch::begin(world.clock()),
            told: world.rev(),
            world,
            connections: Connections::new(kept),
            readers: HistoryViews::default(),
            shared,
            settings,
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
        let Thread { inbox, committer, past, archive, draining, .. } = self;
        for done in draining {
            let _ = done.send(());
        }
        inbox.end();
        drop((archive, past));
        drop(committer);
    }

    /// Handles one item. While there is none, hands over what is gathered, does what waits for the moment when nothing
    /// is in flight, and sleeps. False ends the loop.
    fn step(&mut self) -> bool {
        let has_room = self.has_room();
        if has_room && let Some(pending) = self.again.pop_front() {
            self.decide(pending);
            return true;
        }
        let mut item = self.inbox.next(has_room);
        if item.is_none() {
            self.hand_over();
            if self.is_quiet() {
                self.while_quiet();
                if self.ends && self.again.is_empty() && self.inbox.is_empty() {
                    return false;
                }
            }
            let has_room = self.has_room();
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

    /// Whether nothing is in flight: the World is what is on disk, and everyone was told.
    fn is_quiet(&self) -> bool {
        self.in_flight.is_none() && self.gathered.is_none()
    }

    /// Whether another mutation may be decided now.
    fn has_room(&mut self) -> bool {
        let has_room = match &self.gathered {
            Some(group) => group.has_room(&self.settings),
            // What waits for the group in flight must not wait for another one as well.
            None => self.in_flight.is_none() || self.waiting.is_empty(),
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
            Event::Disconnect(id) => self.connections.remove(id),
            Event::PageFound(found) => self.waiting.found.push(*found),
            Event::Committer(Report::Done(done)) => self.landed(done),
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

    /// Adds a connection. The groups in flight are none of its business: its first read reflects them.
    fn connect(&mut self, id: ConnectionId, caller: Caller, outbox: Box<dyn ConnectionSink>) {
        if self.shared.directory.holds(caller) {
            self.connections.add(self.world.rev(), id, caller, outbox);
        } else {
            // The token was revoked between the handshake and here.
            outbox.close();
        }
    }

    fn take(&mut self, request: Request) {
        self.taken += 1;
        match request {
            Request::Mutate(mutation, answer) => self.decide(PendingMutation { mutation, answer }),
            Request::Read { caller, read, connection, answer } => {
                self.waiting.reads.push((caller, read, connection, answer));
            }
            Request::ReadPublic { token, page, answer } => {
                self.waiting.public_reads.push((token, page, answer));
            }
            Request::Relay { caller, relay, connection, answer } => {
                self.waiting.relays.push((caller, relay, connection, answer));
            }
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
        let Waiting { reads, public_reads, found, relays } = mem::take(&mut self.waiting);
        for (caller, relay, connection, answer) in relays {
            answer(guarded(|| {
                known(&self.shared, caller)?;
                relay_audience::address(&self.world, &self.connections, caller, relay, connection)?
                    .send(&self.connections);
                Ok(Outcome::PassedOn)
            }));
        }
        for (caller, read, connection, answer) in reads {
            self.read(caller, &read, connection, answer);
        }
        for found in found {
            self.tell_found(found);
        }
        for (token, page, answer) in public_reads {
            answer(guarded(|| Ok(reads::public(&self.world, &token, page))));
        }
        if self.touched.elapsed() >= TOUCH_EVERY || self.ends {
            self.touched = Instant::now();
            // What was deleted for good before the oldest kept batch is forgotten by history too.
            let oldest = self.shared.oldest_held.load(Ordering::Relaxed);
            self.world.forget_gone(oldest.saturating_sub(1));
            let used = self.shared.directory.take_used();
            if !used.is_empty() {
                self.committer.touch_tokens(used);
            }
        }
    }

    /// Begins a look at the log if one is due, and returns its number.
    pub(super) fn begin_look(&mut self) -> Option<u64> {
        let now = Instant::now();
        if self.polled.is_some_and(|polled| now - polled < self.settings.poll) {
            return None;
        }
        self.polled = Some(now);
        self.connections.drop_stale(now);
        Some(self.shared.looks_begun.fetch_add(1, Ordering::AcqRel) + 1)
    }

    fn read(&mut self, caller: Caller, read: &Read, connection: Option<ConnectionId>, answer: OnOutcome) {
        if let Read::History { scope, page } = *read {
            return self.search(caller, scope, page, answer);
        }
        let kept = self.settings.load_kept;
        answer(guarded(|| {
            known(&self.shared, caller)?;
            Ok(reads::answer(&self.world, &mut self.connections, caller, read, connection, kept))
        }));
    }

    /// Has the archive search a page of history. The result comes back as a command.
    fn search(&mut self, caller: Caller, scope: RequestedScope, page: PageRequest, answer: OnOutcome) {
        let version = ViewVersion::now(&self.world, &self.connections);
        let query = caught(|| {
            known(&self.shared, caller)?;
            let reader = || self.readers.of(&self.world, version, caller.user);
            reads::history_query(&self.world, caller, scope, page, reader).map_err(Failure::Refused)
        });
        match query {
            Ok(query) => self.archive.ask(Job { caller, query, version, answer }),
            Err(failure) => answer(Outcome::Failed(failure)),
        }
    }

    /// Answers with a page of history that was found, reduced to what its reader may see by now.
    fn tell_found(&mut self, found: FoundPage) {
        let FoundPage { caller, mut page, until, version, answer } = found;
        answer(guarded(|| {
            known(&self.shared, caller)?;
            let now = ViewVersion::now(&self.world, &self.connections);
            if version != now {
                page = reads::seen_now(page, self.readers.of(&self.world, now, caller.user));
            }
            Ok(Outcome::History { page: Box::new(page), rev: until })
        }));
    }

    /// Lets time pass up to now, or sets the World's clock back where the system's was. Nothing is in flight.
    fn set_clock(&mut self, now: Timestamp) {
        let last = self.world.clock();
        if now < last {
            self.world.set_clock(now);
            if self.world.clock() < last {
                durable(&mut self.connections, &self.shared, Step::Clock(now));
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
            Ok(news) => self.follow(&news),
            Err(error @ LogError::Astray { .. }) => {
                tracing::error!(%error, "the batch log does not continue from the World; reloading it");
                self.reload(&[]);
                self.connections.close_all();
            }
            Err(error) => tracing::warn!(%error, "cannot read new batches from the batch log"),
        }
    }

    /// Follows the batches that other processes have committed. Nothing in flight is applied to the World.
    pub(super) fn follow(&mut self, news: &[Committed]) {
        let Thread { world, connections, shared, settings, told, .. } = self;
        for committed in news {
            follow(world, connections, shared, committed, settings.part_entries_max);
            *told = committed.rev;
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
fn caught<T>(read: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
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

fn tell(connections: &mut Connections, diffs: Vec<(graph::UserId, graph::Diff)>, most: usize) {
    for (user, diff) in diffs {
        let parts = DiffPart::split(diff, most);
        connections.tell(user, &parts, None);
    }
}

/// Ends the process at once, because its state may no longer be true.
pub(super) fn end_process(why: &str) -> ! {
    tracing::error!("{why}; the server stops");
    std::process::exit(70)
}
