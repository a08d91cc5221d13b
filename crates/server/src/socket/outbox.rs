//! The line: what waits to be sent on one connection, in the one order everything leaves in, and never too much of it.

use graph::{BatchId, Diff};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub entries_max: usize,
    pub bytes_max: usize,
}

/// How much larger the bounds are for what the connection's own user caused.
const OWN_FACTOR: usize = 8;

/// Why a line ended. The first reason stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client reads too slowly; what waited was thrown away.
    Overflow,
    /// The token was revoked; what waited was thrown away.
    Revoked,
    /// The connection is gone.
    Gone,
    /// The server shuts down; what waited was sent.
    Finished,
}

/// How an entry stands to the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Within them, or the line ends.
    Bound,
    /// What the connection itself asked for: always let in, for a connection whose answers wait is listened to no further.
    /// With the batch it tells of, if it does.
    Asked(Option<BatchId>),
    /// Caused by the connection's own user, whom their own cascade must not cut off. It has bounds of its own, and of a
    /// diff in several parts all go where the first one went.
    Own(Option<BatchId>),
    /// Only where there is room to spare; otherwise it is dropped.
    Spare,
}

/// The bounded queue of one connection. Whoever puts something in never waits.
#[derive(Debug)]
pub struct Outbox<T> {
    bounds: Bounds,
    state: Mutex<State<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<(T, Admission, usize)>,
    /// What waits of what others caused, and of what the connection's own user did.
    others: Amount,
    own: Amount,
    /// The batch whose further parts are let in.
    cascade: Option<BatchId>,
    finishing: bool,
    ended: Option<End>,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default)]
struct Amount {
    entries: usize,
    bytes: usize,
}

impl<T> Outbox<T> {
    /// An empty line.
    pub fn new(bounds: Bounds) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            others: Amount::default(),
            own: Amount::default(),
            cascade: None,
            finishing: false,
            ended: None,
        };
        Outbox { bounds, state: Mutex::new(state), changed: Notify::new() }
    }

    /// Puts something at the end. If there is no room for it the line ends, and `Some(Overflow)` is returned once.
    pub fn push(&self, entry: T, bytes: usize, admission: Admission) -> Option<End> {
        let mut state = self.lock();
        if state.ended.is_some() {
            return None;
        }
        if !state.admits(self.bounds, bytes, admission) {
            if admission == Admission::Spare {
                return None;
            }
            state.end(End::Overflow);
            drop(state);
            self.changed.notify_one();
            return Some(End::Overflow);
        }
        if let Admission::Own(Some(batch)) | Admission::Asked(Some(batch)) = admission {
            state.cascade = Some(batch);
        }
        let amount = state.amount(admission);
        amount.entries += 1;
        amount.bytes += bytes;
        state.waiting.push_back((entry, admission, bytes));
        drop(state);
        self.changed.notify_one();
        None
    }

    /// Ends the line, throwing away what waits.
    pub fn end(&self, end: End) {
        self.lock().end(end);
        self.changed.notify_one();
    }

    /// Ends the line when all that waits is sent.
    pub fn finish(&self) {
        self.lock().finishing = true;
        self.changed.notify_one();
    }

    /// Why it ended, if it did.
    pub fn ended(&self) -> Option<End> {
        self.lock().ended
    }

    /// The next to be sent.
    ///
    /// # Errors
    /// Why there will be none.
    pub async fn next(&self) -> Result<T, End> {
        loop {
            {
                let mut state = self.lock();
                if let Some(end) = state.ended {
                    return Err(end);
                }
                if let Some((entry, admission, bytes)) = state.waiting.pop_front() {
                    let amount = state.amount(admission);
                    amount.entries -= 1;
                    amount.bytes -= bytes;
                    return Ok(entry);
                }
                if state.finishing {
                    state.end(End::Finished);
                    return Err(End::Finished);
                }
            }
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// What an entry counts to.
    fn amount(&mut self, admission: Admission) -> &mut Amount {
        match admission {
            Admission::Bound | Admission::Spare => &mut self.others,
            Admission::Own(_) | Admission::Asked(_) => &mut self.own,
        }
    }

    fn admits(&mut self, bounds: Bounds, bytes: usize, admission: Admission) -> bool {
        let amount = *self.amount(admission);
        let within = |entries_max: usize, bytes_max: usize| {
            // One entry alone is never too large.
            amount.entries == 0
                || (amount.entries < entries_max && amount.bytes.saturating_add(bytes) <= bytes_max)
        };
        let Bounds { entries_max, bytes_max } = bounds;
        match admission {
            Admission::Asked(_) => true,
            Admission::Spare => within(entries_max / 2, bytes_max / 2),
            Admission::Bound => within(entries_max, bytes_max),
            Admission::Own(batch) => {
                let more = |most: usize| most.saturating_mul(OWN_FACTOR);
                within(more(entries_max), more(bytes_max)) || (batch.is_some() && batch == self.cascade)
            }
        }
    }

    fn end(&mut self, end: End) {
        if self.ended.is_none() {
            self.ended = Some(end);
            self.waiting = VecDeque::new();
            (self.others, self.own) = (Amount::default(), Amount::default());
        }
    }
}

/// What a diff weighs while it waits. The nodes themselves are shared with the graph.
pub fn diff_bytes(diff: &Diff) -> usize {
    256 + 512 * diff.len()
}

/// What a page of so many nodes and links weighs while it waits.
pub fn page_bytes(entities: usize) -> usize {
    256 + 96 * entities
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const BOUNDS: Bounds = Bounds { entries_max: 3, bytes_max: 1_000 };

    fn batch(n: u128) -> Option<BatchId> {
        Some(BatchId(Uuid::from_u128(n)))
    }

    #[tokio::test]
    async fn p3_what_is_put_in_leaves_in_order() {
        let line = Outbox::new(BOUNDS);
        for n in 0..3 {
            assert_eq!(line.push(n, 1, Admission::Bound), None);
        }
        line.finish();
        assert_eq!(line.next().await, Ok(0));
        assert_eq!(line.next().await, Ok(1));
        assert_eq!(line.next().await, Ok(2));
        assert_eq!(line.next().await, Err(End::Finished));
    }

    #[tokio::test]
    async fn p19_too_many_entries_end_the_line() {
        let line = Outbox::new(BOUNDS);
        for n in 0..3 {
            assert_eq!(line.push(n, 1, Admission::Bound), None);
        }
        assert_eq!(line.push(3, 1, Admission::Bound), Some(End::Overflow));
        assert_eq!(line.push(4, 1, Admission::Bound), None, "it is told once");
        assert_eq!(line.next().await, Err(End::Overflow));
        line.end(End::Gone);
        assert_eq!(line.ended(), Some(End::Overflow));
    }

    #[tokio::test]
    async fn p19_too_many_bytes_end_the_line() {
        let line = Outbox::new(BOUNDS);
        assert_eq!(line.push(0, 5_000, Admission::Bound), None, "one entry alone is never too large");
        assert_eq!(line.next().await, Ok(0));
        assert_eq!(line.push(1, 600, Admission::Bound), None);
        assert_eq!(line.push(2, 600, Admission::Bound), Some(End::Overflow));
    }

    #[tokio::test]
    async fn p18_ones_own_cascade_does_not_cut_one_off() {
        let line = Outbox::new(BOUNDS);
        for part in 0..1_000 {
            assert_eq!(line.push(part, 600, Admission::Own(batch(1))), None, "part {part}");
        }
        assert_eq!(line.push(0, 1, Admission::Own(batch(2))), Some(End::Overflow), "not one after another");
    }

    // Rules: P19, P32.
    #[tokio::test]
    async fn p19_what_is_passed_on_goes_where_there_is_room_to_spare() {
        let line = Outbox::new(BOUNDS);
        for n in 0..10 {
            assert_eq!(line.push(n, 1, Admission::Spare), None);
        }
        assert_eq!(line.next().await, Ok(0));
        line.finish();
        assert_eq!(line.next().await, Err(End::Finished), "the others were dropped");
    }

    #[tokio::test]
    async fn p18_what_others_cause_while_it_drains_does_not_cut_one_off_either() {
        let line = Outbox::new(BOUNDS);
        for part in 0..100 {
            assert_eq!(line.push(part, 600, Admission::Own(batch(1))), None);
        }
        for n in 0..3 {
            assert_eq!(line.push(n, 300, Admission::Bound), None, "{n}");
        }
        assert_eq!(line.push(3, 1, Admission::Bound), Some(End::Overflow), "their own bounds hold");
    }

    #[tokio::test]
    async fn p19_answers_are_always_let_in_and_count_against_nobody() {
        let line = Outbox::new(BOUNDS);
        for n in 0..100 {
            assert_eq!(line.push(n, 600, Admission::Asked(None)), None);
        }
        assert_eq!(line.push(0, 900, Admission::Bound), None);
        for n in 0..100 {
            assert_eq!(line.next().await, Ok(n));
        }
        assert_eq!(
            line.push(1, 200, Admission::Bound),
            Some(End::Overflow),
            "what was taken out counts no more"
        );
    }
}
