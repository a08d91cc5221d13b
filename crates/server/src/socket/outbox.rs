//! The outbox: what waits to be sent on one connection, in the order in which it leaves, and bounded.

use crate::engine::DiffPart;
use graph::BatchId;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The bounds of an outbox.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub entries_max: usize,
    pub bytes_max: usize,
}

/// How much larger the bounds are for entries caused by the connection's own user.
const OWN_FACTOR: usize = 8;

/// Why an outbox ended. The first reason stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client reads too slowly. Waiting entries were dropped.
    Overflow,
    /// The token was revoked. Waiting entries were dropped.
    Revoked,
    /// The connection is gone.
    Gone,
    /// The server shut down. Waiting entries were sent.
    Finished,
}

/// How the bounds apply to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The entry must fit, or the outbox ends.
    Bound,
    /// An answer to the connection's own request. It is always admitted, because a connection with too many waiting
    /// answers is not read from. With the batch it reports, if any.
    Asked(Option<BatchId>),
    /// An entry caused by the connection's own user, who must not be disconnected by their own cascade. It has
    /// larger bounds. If the first part of a diff is admitted, all parts are.
    Own(Option<BatchId>),
    /// An entry that is dropped unless there is room to spare.
    Spare,
}

/// The bounded queue of one connection. Adding an entry never waits.
#[derive(Debug)]
pub struct Outbox<T> {
    bounds: Bounds,
    state: Mutex<State<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<(T, Admission, usize)>,
    /// The waiting amounts caused by other users and by the connection's own user.
    others: Amount,
    own: Amount,
    /// The batch whose further parts are admitted.
    cascade: Option<BatchId>,
    finishing: bool,
    ended: Option<End>,
}

/// An amount of waiting entries.
#[derive(Clone, Copy, Debug, Default)]
struct Amount {
    entries: usize,
    bytes: usize,
}

impl<T> Outbox<T> {
    /// An empty outbox.
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

    /// Adds an entry at the end. If it does not fit, the outbox ends, and `Some(Overflow)` is returned once.
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

    /// Ends the outbox and drops the waiting entries.
    pub fn end(&self, end: End) {
        self.lock().end(end);
        self.changed.notify_one();
    }

    /// Ends the outbox once all waiting entries are sent.
    pub fn finish(&self) {
        self.lock().finishing = true;
        self.changed.notify_one();
    }

    /// Why the outbox ended, if it did.
    pub fn ended(&self) -> Option<End> {
        self.lock().ended
    }

    /// The next entry to send.
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
    /// The amount that an entry counts towards.
    fn amount(&mut self, admission: Admission) -> &mut Amount {
        match admission {
            Admission::Bound | Admission::Spare => &mut self.others,
            Admission::Own(_) | Admission::Asked(_) => &mut self.own,
        }
    }

    fn admits(&mut self, bounds: Bounds, bytes: usize, admission: Admission) -> bool {
        let amount = *self.amount(admission);
        let within = |entries_max: usize, bytes_max: usize| {
            // A single entry is never too large.
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

/// The size of a waiting diff. The nodes themselves are shared with the graph.
pub fn diff_bytes(diff: &DiffPart) -> usize {
    256 + 512 * diff.len()
}

/// The size of a waiting page with this many nodes and links.
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
