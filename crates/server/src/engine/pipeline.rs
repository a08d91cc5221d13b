//! The commit pipeline: one group is in flight, which is to say with the committer, and the next one is decided
//! meanwhile. Nothing of a group is told before it is on disk. What is not committed is taken back by exact inverse.

use super::durable::{Step, durable};
use super::group::{Context, Group, Pending};
use super::protocol::{Failure, Outcome};
use super::thread::{Thread, end_process};
use graph::world::Due;
use graph::{Committed, Timestamp};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use store::{LogError, Proposal};

impl Thread {
    /// Decides one mutation as part of the gathered group.
    pub(super) fn decide(&mut self, pending: Pending) {
        let mut group = self.gathered.take().unwrap_or_else(|| self.begin_group());
        match self.decide_into(&mut group, pending) {
            Ok(()) => self.gathered = Some(group),
            Err(Panicked) => self.decide_again(group),
        }
    }

    fn begin_group(&mut self) -> Group {
        self.groups += 1;
        Group::new(self.groups, &self.world)
    }

    /// Decides one mutation, after everything in flight, and applies it. A mutation that panics is refused. It may have
    /// damaged the World, and then nothing is decided until the World is reloaded.
    fn decide_into(&mut self, group: &mut Group, pending: Pending) -> Result<(), Panicked> {
        let Thread { world, connections, past, in_flight, settings, .. } = self;
        let part_entries_max = settings.part_entries_max;
        let context = Context { connections, past: &**past, in_flight: in_flight.as_ref(), part_entries_max };
        let begun = Instant::now();
        let taken = catch_unwind(AssertUnwindSafe(|| group.take(world, context, &pending.decision)));
        group.spent += begun.elapsed();
        let connection = pending.decision.connection();
        if taken.is_ok() {
            if let Some(id) = connection {
                connections.note_group(id, group.number);
            }
            group.asked.push(pending);
            return Ok(());
        }
        tracing::error!("an operation panicked; the World will be reloaded");
        connections.answer(connection, pending.answer, Outcome::Failed(Failure::Exception));
        self.damaged.get_or_insert_default();
        Err(Panicked)
    }

    /// Has a group's mutations decided again, before any other. The World was taken back, or will be reloaded.
    fn decide_again(&mut self, group: Group) {
        if let Some(expired) = &mut self.damaged {
            expired.extend(&group.expired);
        }
        for pending in group.asked.into_iter().rev() {
            self.again.push_front(pending);
        }
        for (relay, _) in group.relays {
            self.relay(relay);
        }
        self.read_what_waited();
    }

    /// Hands the gathered group over to the committer, if that is free.
    pub(super) fn hand_over(&mut self) {
        if self.in_flight.is_some() {
            return;
        }
        let Some(mut group) = self.gathered.take() else { return };
        // Every transaction finds what other processes have committed.
        group.look = self.begin_look();
        self.shared.figures.note_group(&group);
        self.committer.commit(group.first_rev, group.applied.clone());
        self.in_flight = Some(group);
        self.release();
        self.inbox.next_group();
    }

    /// The requests taken so far no longer count as waiting.
    pub(super) fn release(&mut self) {
        self.inbox.release(mem::take(&mut self.taken));
    }

    /// The committer is done with the group in flight.
    pub(super) fn landed(&mut self, done: Result<(), LogError>) {
        let Some(group) = self.in_flight.take() else { return };
        match done {
            // What is gathered is handed over once nothing is left to decide: the clients that are told now often ask
            // again at once, and a commit costs much the same for many as for few.
            Ok(()) => self.tell(group),
            Err(LogError::Abandoned) => {
                // Only a damaged World has a group abandoned.
                self.polled = None;
                self.decide_again(group);
            }
            Err(error) => self.refuse(&error, group),
        }
        self.read_what_waited();
    }

    /// Tells of a group that is on disk.
    fn tell(&mut self, mut group: Group) {
        self.told = group.first_rev + group.applied.len() as u64;
        for step in group.steps() {
            durable(&mut self.connections, &self.shared, step);
        }
        self.shared.figures.batches.add(group.applied.len() as u64);
        self.shared.figures.note_world(&self.world);
        if let Some(look) = group.look {
            self.looks.send_replace(look);
        }
        group.tell(&mut self.connections);
    }

    /// Refuses the group that could not be written, and the gathered one, which was decided after it.
    fn refuse(&mut self, error: &LogError, failed: Group) {
        tracing::error!(%error, "cannot write a group of mutations");
        self.shared.figures.commits_failed.one();
        self.polled = None;
        let groups = [self.gathered.take(), Some(failed)];
        for group in groups.iter().flatten() {
            match &mut self.damaged {
                Some(expired) => expired.extend(&group.expired),
                None => group.revert(&mut self.world),
            }
        }
        if matches!(error, LogError::Astray { .. } | LogError::Duplicate { .. }) {
            self.damaged.get_or_insert_default();
        }
        for group in groups.into_iter().rev().flatten() {
            for Pending { decision, answer } in group.asked {
                let outcome = Outcome::Failed(Failure::Storage);
                self.connections.answer(decision.connection(), answer, outcome);
            }
            for (relay, _) in group.relays {
                self.relay(relay);
            }
        }
    }

    /// Other processes have committed before the group in flight could be written: takes back what is not committed,
    /// follows their batches, and decides the group again. `None` abandons its transaction.
    pub(super) fn decide_after(&mut self, news: &[Committed]) -> Option<Vec<Proposal>> {
        if self.damaged.is_some() {
            return None;
        }
        if let Some(gathered) = self.gathered.take() {
            gathered.revert(&mut self.world);
            self.decide_again(gathered);
        }
        let before = self.in_flight.take()?;
        before.revert(&mut self.world);
        self.follow(news);
        let mut group = self.begin_group();
        group.look = before.look;
        let mut asked = before.asked.into_iter();
        while let Some(pending) = asked.next() {
            if self.decide_into(&mut group, pending).is_err() {
                group.asked.extend(asked);
                self.in_flight = Some(group);
                return None;
            }
        }
        let proposals = group.applied.clone();
        self.in_flight = Some(group);
        for (relay, _) in before.relays {
            self.relay(relay);
        }
        Some(proposals)
    }

    /// Reloads the World from the log, while nothing is in flight. `expired` had expired before groups that were
    /// dropped. Clients have been sent everything up to `told`.
    pub(super) fn reload(&mut self, expired: &[(Due, Timestamp)]) {
        let before = match self.committer.load() {
            Ok(world) => mem::replace(&mut self.world, world),
            Err(error) => end_process(&format!("the data cannot be loaded: {error}")),
        };
        before.expired().chain(expired.iter().copied()).for_each(|(due, at)| self.world.expire(due, at));
        self.world.advance(before.clock());
        self.shared.figures.reloads.one();
        durable(&mut self.connections, &self.shared, Step::Reloaded(&self.world));
        if self.world.rev() != mem::replace(&mut self.told, self.world.rev()) {
            // Other processes have committed batches that no client here was told of.
            self.connections.close_all();
        }
    }
}

/// A mutation panicked, and was refused.
struct Panicked;
