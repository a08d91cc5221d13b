//! The engine's thread: its loop, and how it handles a failed commit or a panicking operation.

use super::archive::{Archive, FoundPage, Job};
use super::clock::ClockWatch;
use super::connections::{BacklogBounds, Connections, holds};
use super::diff_part::SharedParts;
use super::durable::{Step, durable};
use super::group::{Group, PendingMutation, published};
use super::held_back::HeldBounds;
use super::history_views::{HistoryViews, ViewVersion};
use super::protocol::{
    Caller, ConnectionId, Failure, OnOutcome, Outcome, PageRequest, Read, Relay, RequestedScope,
};
use super::reading::{Asked, ReadJob, Reading, ReadyPage, TurnCome};
use super::{EngineCommand, EngineSettings, Shared, clock, reads, relay_audience};
use graph::model::Rev;
use graph::{Committed, Projection, SharedDiff, Timestamp, World};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use store::{Abandon, Log, LogError};
use tokio::sync::{oneshot, watch};

/// How often the last-used times of tokens are stored.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// How often the engine, while it drains, looks whether the last read is done.
const FINISH_EVERY: Duration = Duration::from_millis(1);

/// Everything the thread owns.
pub(super) struct Thread {
    log: Box<dyn Log>,
    archive: Archive,
    reading: Reading,
    world: World,
    connections: Connections,
    readers: HistoryViews,
    shared: Arc<Shared>,
    settings: EngineSettings,
    /// Publishes the number of the last finished look at the log.
    looks: watch::Sender<u64>,
    polled: Instant,
    touched: Instant,
    clock: ClockWatch,
}

/// The commands of one round, sorted by when they are handled.
#[derive(Default)]
struct Round {
    mutations: Vec<PendingMutation>,
    reads: Vec<(Asked, Option<ConnectionId>, OnOutcome)>,
    turns: Vec<TurnCome>,
    pages: Vec<ReadyPage>,
    found: Vec<FoundPage>,
    relays: Vec<(Caller, Relay, ConnectionId, OnOutcome)>,
    drain: Option<oneshot::Sender<()>>,
}

impl Thread {
    pub(super) fn new(
        log: Box<dyn Log>,
        archive: Archive,
        reading: Reading,
        world: World,
        shared: Arc<Shared>,
        looks: watch::Sender<u64>,
        settings: EngineSettings,
    ) -> Self {
        let now = Instant::now();
        let kept = BacklogBounds { time: settings.backlog_kept, bytes: settings.backlog_bytes_max };
        let held_bounds =
            HeldBounds { entries_max: settings.held_entries_max, bytes_max: settings.held_bytes_max };
        let connections = Connections::new(kept, held_bounds, reading.feed());
        let readers = HistoryViews::default();
        let clock = ClockWatch::begin(world.clock());
        Thread {
            log,
            archive,
            reading,
            world,
            connections,
            readers,
            shared,
            settings,
            looks,
            polled: now,
            touched: now,
            clock,
        }
    }

    /// Runs until drained, or until every handle is dropped. A fault outside any single operation ends the process:
    /// the data on disk is whole, and a restart loads it.
    pub(super) fn run(mut self, commands: &Receiver<EngineCommand>) {
        let ran = catch_unwind(AssertUnwindSafe(|| {
            while let Some(round) = self.collect(commands) {
                if let Some(done) = self.round(round) {
                    self.finish_reads(commands);
                    let _ = done.send(());
                    return;
                }
            }
        }));
        if ran.is_err() {
            end_process("the engine failed");
        }
        self.close();
    }

    /// Closes the log last, when nothing else in the process has it open: only then does one file remain (D18).
    fn close(self) {
        let Thread { mut log, archive, reading, .. } = self;
        drop((archive, reading));
        if let Err(error) = log.checkpoint() {
            tracing::warn!(%error, "the latest changes could not be merged into the one data file; nothing is lost");
        }
    }

    /// Waits for work, at most until the next upkeep, and takes what there is.
    fn collect(&mut self, commands: &Receiver<EngineCommand>) -> Option<Round> {
        let mut round = Round::default();
        let mut next = match commands.recv_timeout(self.patience()) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return None,
        };
        let mut taken = 0;
        while let Some(command) = next.take() {
            self.sort(command, &mut round);
            taken += 1;
            if taken < self.settings.group_max && round.drain.is_none() {
                next = commands.try_recv().ok();
            }
        }
        Some(round)
    }

    fn patience(&self) -> Duration {
        let due_in_ms = self.world.next_due().map(|due| (due.ms() - clock::now().ms()).max(0));
        let due_in = due_in_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        due_in.map_or(self.settings.poll, |due_in| due_in.min(self.settings.poll))
    }

    fn sort(&mut self, command: EngineCommand, round: &mut Round) {
        match command {
            EngineCommand::Mutate(mutation, answer) => {
                self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                round.mutations.push(PendingMutation { mutation, answer });
            }
            EngineCommand::Read { caller, read, connection, answer } => {
                self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                round.reads.push((Asked::ByUser(caller, read), connection, answer));
            }
            EngineCommand::ReadPublic { read, answer } => {
                self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                round.reads.push((Asked::Public(read), None, answer));
            }
            EngineCommand::Relay { caller, relay, connection, answer } => {
                self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                round.relays.push((caller, relay, connection, answer));
            }
            EngineCommand::Connect { id, caller, outbox } => {
                self.connections.add(&self.world, id, caller, outbox)
            }
            EngineCommand::TurnCome(come) => round.turns.push(come),
            EngineCommand::PageReady(page) => round.pages.push(*page),
            EngineCommand::PageFound(found) => round.found.push(*found),
            EngineCommand::Disconnect(id) => {
                self.connections.remove(id);
                self.reading.forget_connection(id);
            }
            EngineCommand::Drain(done) => round.drain = Some(done),
        }
    }

    /// One round: other processes' batches and due times, the group of mutations, the reads, the upkeep.
    fn round(&mut self, round: Round) -> Option<oneshot::Sender<()>> {
        if self.polled.elapsed() >= self.settings.poll {
            self.polled = Instant::now();
            let look = self.shared.looks_begun.fetch_add(1, Ordering::AcqRel) + 1;
            self.follow_log();
            self.connections.drop_stale();
            self.reading.drop_stale(self.polled);
            self.looks.send_replace(look);
        }
        self.set_clock();
        if !round.mutations.is_empty() {
            self.commit(round.mutations);
        }
        for (caller, relay, connection, answer) in round.relays {
            let outcome = guarded(|| {
                known(&self.world, caller)?;
                relay_audience::address(&self.world, &self.connections, caller, relay, connection)?
                    .send(&mut self.connections);
                Ok(Outcome::PassedOn)
            });
            self.connections.answer(Some(connection), answer, outcome);
        }
        for (asked, connection, answer) in round.reads {
            self.read(asked, connection, answer);
        }
        for come in round.turns {
            self.begin_read(come);
        }
        for page in round.pages {
            self.connections.take_place(page);
        }
        for found in round.found {
            self.tell_found(found);
        }
        if self.touched.elapsed() >= TOUCH_EVERY || round.drain.is_some() {
            self.touched = Instant::now();
            // What was deleted for good before the oldest kept batch is forgotten by history too.
            let oldest = self.shared.oldest_held.load(Ordering::Relaxed);
            self.world.forget_gone(oldest.saturating_sub(1));
            self.reading.forget_gone(oldest.saturating_sub(1));
            let used = self.shared.directory.take_used();
            if !used.is_empty()
                && let Err(error) = self.log.touch_tokens(&used)
            {
                tracing::warn!(%error, "cannot store the last-used times of tokens");
            }
        }
        round.drain
    }

    fn read(&mut self, asked: Asked, connection: Option<ConnectionId>, answer: OnOutcome) {
        match asked {
            Asked::ByUser(caller, Read::History { scope, page }) => self.search(caller, scope, page, answer),
            Asked::ByUser(caller, Read::Sync { since }) => {
                let outcome = guarded(|| {
                    known(&self.world, caller)?;
                    Ok(reads::sync(&self.world, &mut self.connections, caller, since, connection))
                });
                self.connections.answer(connection, answer, outcome);
            }
            asked => {
                let connection = connection.filter(|id| self.connections.has(*id));
                let since = self.connections.position();
                let job = ReadJob { asked, connection, ticket: None, since, answer };
                if let Some(come) = self.reading.ask(job) {
                    self.begin_read(come);
                }
            }
        }
    }

    /// Begins a read whose turn has come. On a connection, what else it is sent is held back until the page comes.
    fn begin_read(&mut self, come: TurnCome) {
        let ticket = come.connection().and_then(|id| self.connections.hold_back(id));
        self.reading.begin(come, self.connections.position(), ticket);
    }

    /// Sees the waiting reads through. Commands of any other kind come too late.
    fn finish_reads(&mut self, commands: &Receiver<EngineCommand>) {
        self.reading.close();
        loop {
            // Looked at first: what the last read sends is there before it is done.
            let is_idle = self.reading.is_idle();
            while let Ok(command) = commands.try_recv() {
                match command {
                    EngineCommand::TurnCome(come) => self.begin_read(come),
                    EngineCommand::PageReady(page) => self.connections.take_place(*page),
                    _ => {}
                }
            }
            if is_idle {
                return;
            }
            std::thread::sleep(FINISH_EVERY);
        }
    }

    /// Has the archive search a page of history. The result comes back as a command.
    fn search(&mut self, caller: Caller, scope: RequestedScope, page: PageRequest, answer: OnOutcome) {
        let version = ViewVersion::now(&self.world, &self.connections);
        let query = caught(|| {
            known(&self.world, caller)?;
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
            known(&self.world, caller)?;
            let now = ViewVersion::now(&self.world, &self.connections);
            if version != now {
                page = reads::seen_now(page, self.readers.of(&self.world, now, caller.user));
            }
            Ok(Outcome::History { page: Box::new(page), rev: until })
        }));
    }

    /// Commits mutations as one group. A mutation that panics is refused, and the others are decided again without
    /// it.
    fn commit(&mut self, mut asked: Vec<PendingMutation>) {
        while !asked.is_empty() {
            let mut group = Group::new(&self.world);
            let mut culprit = None;
            let committed = self.transact(&asked, &mut group, &mut culprit);
            match (committed, culprit) {
                (Ok(()), _) => {
                    for (rev, proposal) in (group.first_rev + 1..).zip(&group.applied) {
                        let step = Step::Batch { rev, batch: Arc::clone(&proposal.batch) };
                        durable(&self.world, &mut self.connections, &self.shared, step);
                    }
                    group.tell(&mut self.connections, asked);
                    return;
                }
                (Err(_), Some(culprit)) => {
                    tracing::error!("an operation panicked; reloading the World");
                    let failed = asked.remove(culprit);
                    let outcome = Outcome::Failed(Failure::Exception);
                    self.connections.answer(failed.mutation.connection, failed.answer, outcome);
                    self.reload(group.first_rev, Some(&group));
                }
                (Err(error), None) => {
                    self.refuse(&error, &group, asked);
                    return;
                }
            }
        }
    }

    fn transact(
        &mut self,
        asked: &[PendingMutation],
        group: &mut Group,
        culprit: &mut Option<usize>,
    ) -> Result<(), LogError> {
        let Thread { log, world, connections, shared, settings, .. } = self;
        let most = settings.part_entries_max;
        log.transact(world.rev(), &mut |news, past| {
            for committed in news {
                follow(world, connections, shared, committed, most);
            }
            *group = Group::new(world);
            for (nth, PendingMutation { mutation, .. }) in asked.iter().enumerate() {
                let taken =
                    catch_unwind(AssertUnwindSafe(|| group.take(world, connections, past, mutation, most)));
                let Ok(taken) = taken else {
                    *culprit = Some(nth);
                    return Err(Abandon);
                };
                taken?;
            }
            Ok(group.applied.clone())
        })?;
        Ok(())
    }

    fn refuse(&mut self, error: &LogError, group: &Group, asked: Vec<PendingMutation>) {
        if matches!(error, LogError::Unknown { .. }) {
            end_process(&format!("a commit may or may not be on disk: {error}"));
        }
        tracing::error!(%error, "cannot write a group of mutations");
        group.revert(&mut self.world);
        if matches!(error, LogError::Astray { .. } | LogError::Duplicate { .. }) {
            self.reload(self.world.rev(), None);
        }
        for PendingMutation { answer, mutation } in asked {
            self.connections.answer(mutation.connection, answer, Outcome::Failed(Failure::Storage));
        }
    }

    /// Reloads the World from the log, as of the last commit. Clients have been sent everything up to `sent`, and
    /// the group is not to be committed.
    fn reload(&mut self, sent: Rev, group: Option<&Group>) {
        let before = match self.log.load(store::LoadScope::Everything) {
            Ok(world) => std::mem::replace(&mut self.world, world),
            Err(error) => end_process(&format!("the data cannot be loaded: {error}")),
        };
        before.expired().for_each(|(due, at)| self.world.expire(due, at));
        if let Some(group) = group {
            group.restore_expired(&mut self.world);
        }
        self.world.advance(before.clock());
        durable(&self.world, &mut self.connections, &self.shared, Step::Reloaded);
        if self.world.rev() != sent {
            // Other processes have committed batches that no client here was told of.
            self.connections.close_all();
        }
    }

    /// Lets time pass up to now, or sets the World's clock back where the system's was.
    fn set_clock(&mut self) {
        let now = self.clock.read();
        let last = self.world.clock();
        if now < last {
            self.world.set_clock(now);
            if self.world.clock() < last {
                // Whoever follows has the same clock before it is set back.
                for time in [last, now] {
                    durable(&self.world, &mut self.connections, &self.shared, Step::Clock(time));
                }
                self.note_expired();
            }
        } else {
            let Thread { world, connections, shared, settings, .. } = self;
            pass_time(world, connections, shared, now, settings.part_entries_max);
        }
    }

    /// Puts on disk what has expired, now that its due time is to come again: a restart must not bring it back.
    fn note_expired(&mut self) {
        let expired: Vec<_> = self.world.expired().collect();
        if !expired.is_empty()
            && let Err(error) = self.log.note_expired(&expired)
        {
            tracing::warn!(%error, "cannot store what expired before the clock was set back");
        }
    }

    /// Applies the batches that other processes have committed, and sends their diffs.
    fn follow_log(&mut self) {
        let news = match self.log.changed() {
            Ok(false) => return,
            Ok(true) => self.log.since(self.world.rev()),
            Err(error) => Err(error),
        };
        match news {
            Ok(news) => {
                for committed in &news {
                    let Thread { world, connections, shared, settings, .. } = self;
                    follow(world, connections, shared, committed, settings.part_entries_max);
                }
            }
            Err(error @ LogError::Astray { .. }) => {
                tracing::error!(%error, "the batch log does not continue from the World; reloading it");
                self.reload(self.world.rev(), None);
                self.connections.close_all();
            }
            Err(error) => tracing::warn!(%error, "cannot read new batches from the batch log"),
        }
    }
}

/// A caller whose token was revoked while their request waited gets no other answer.
fn known(world: &World, caller: Caller) -> Result<(), Failure> {
    if holds(world, caller) { Ok(()) } else { Err(Failure::Revoked) }
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
    durable(world, connections, shared, Step::Batch { rev: *rev, batch: Arc::new(batch.clone()) });
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
    durable(world, connections, shared, Step::Clock(now));
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
