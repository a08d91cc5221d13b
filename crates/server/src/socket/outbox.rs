//! The outbox: what waits to be sent on one connection, in the order in which it leaves, and bounded.

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
/// How many changes too large for the bounds may wait besides what the bounds admit: one, and one that takes it back.
const LARGE_MAX: usize = 2;

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

/// How the bounds apply to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Another user's change. It must be admitted, or the outbox ends.
    Bound,
    /// An answer to the connection's own request. It is always admitted, because a connection with too many waiting
    /// answers is not read from.
    Asked,
    /// A change by the connection's own user, who must not be disconnected by their own cascades. It has larger
    /// bounds.
    Own,
    /// A change that is dropped unless there is room to spare.
    Spare,
}

/// The bounded queue of one connection. Adding to it never waits.
///
/// What is added is a change: one entry, or several that belong together. A change is admitted as a whole or not at
/// all. One that is too large for the bounds waits besides what they admit, so no change is ever too large by
/// itself, but only [`LARGE_MAX`] of them do.
#[derive(Debug)]
pub struct Outbox<T> {
    bounds: Bounds,
    state: Mutex<State<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<Waiting<T>>,
    /// What waits because of other users, and because of the connection's own user.
    others: Tally,
    own: Tally,
    /// Whether the last entry that was taken out has been sent, and the next one is waited for.
    is_idle: bool,
    finishing: bool,
    ended: Option<End>,
}

#[derive(Debug)]
struct Waiting<T> {
    entry: T,
    bytes: usize,
    is_own: bool,
    is_large: bool,
}

/// What waits and how it counts.
#[derive(Debug, Default)]
struct Tally {
    /// What counts.
    entries: usize,
    bytes: usize,
    /// How many entries of each large change still wait, the oldest first. They do not count.
    large: VecDeque<usize>,
    /// Since a large change was admitted, more has been waiting than `entries_max`. Until that is over, only bytes
    /// count: what comes while a large change is being sent cuts off nobody who reads.
    is_behind: bool,
}

/// How a change is admitted.
enum Admitted {
    Counted,
    Large,
}

impl Tally {
    /// Whether and how a change of so many entries and bytes is admitted.
    fn admits(&self, bounds: Bounds, entries: usize, bytes: usize) -> Option<Admitted> {
        let few = self.is_behind || self.entries.saturating_add(entries) <= bounds.entries_max;
        if few && self.bytes.saturating_add(bytes) <= bounds.bytes_max {
            return Some(Admitted::Counted);
        }
        // A large change is one that no empty outbox would have room for, or that may be sent in parts because of it.
        let is_large = entries > 1 || bytes > bounds.bytes_max;
        (is_large && self.large.len() < LARGE_MAX).then_some(Admitted::Large)
    }

    fn add(&mut self, how: &Admitted, entries: usize, bytes: usize) {
        match how {
            Admitted::Counted => {
                self.entries += entries;
                self.bytes += bytes;
            }
            Admitted::Large => {
                self.large.push_back(entries);
                self.is_behind = true;
            }
        }
    }

    /// Notes that an entry has left.
    fn remove(&mut self, bytes: usize, is_large: bool, bounds: Bounds) {
        if !is_large {
            self.entries -= 1;
            self.bytes -= bytes;
        } else if let Some(entries) = self.large.front_mut() {
            *entries -= 1;
            if *entries == 0 {
                self.large.pop_front();
            }
        }
        self.is_behind &= !self.large.is_empty() || self.entries >= bounds.entries_max;
    }
}

impl<T> Outbox<T> {
    /// An empty outbox.
    pub fn new(bounds: Bounds) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            others: Tally::default(),
            own: Tally::default(),
            is_idle: false,
            finishing: false,
            ended: None,
        };
        Outbox { bounds, state: Mutex::new(state), changed: Notify::new() }
    }

    /// Adds a change of one entry at the end. As [`Outbox::push_all`].
    pub fn push(&self, entry: T, bytes: usize, admission: Admission) -> Option<End> {
        self.push_all([(entry, bytes)], admission)
    }

    /// Adds a change at the end: its entries, each with the bytes it holds while it waits. If it is not admitted, the
    /// outbox ends, and `Some(Overflow)` is returned once.
    pub fn push_all(
        &self,
        change: impl IntoIterator<Item = (T, usize)>,
        admission: Admission,
    ) -> Option<End> {
        let change: Vec<(T, usize)> = change.into_iter().collect();
        let (entries, bytes) = (change.len(), change.iter().map(|(_, bytes)| bytes).sum());
        let mut state = self.lock();
        if state.ended.is_some() || entries == 0 {
            return None;
        }
        let Some(how) = state.admits(self.bounds, entries, bytes, admission) else {
            if admission == Admission::Spare {
                return None;
            }
            state.end(End::Overflow);
            drop(state);
            self.changed.notify_one();
            return Some(End::Overflow);
        };
        let is_own = matches!(admission, Admission::Own | Admission::Asked);
        let is_large = matches!(how, Admitted::Large);
        state.tally(is_own).add(&how, entries, bytes);
        let waiting = change.into_iter().map(|(entry, bytes)| Waiting { entry, bytes, is_own, is_large });
        state.waiting.extend(waiting);
        drop(state);
        self.changed.notify_one();
        None
    }

    /// Lets something pass by the outbox, if nothing waits in it and nothing taken out of it is still being sent.
    /// `send` sends it, and returns whether it could. Nothing overtakes it meanwhile. Returns whether it was sent.
    pub fn pass_by(&self, send: impl FnOnce() -> bool) -> bool {
        let state = self.lock();
        state.is_idle && state.waiting.is_empty() && !state.finishing && state.ended.is_none() && send()
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

    /// How many entries wait, and how many bytes they hold.
    pub fn load(&self) -> (usize, usize) {
        let state = self.lock();
        (state.waiting.len(), state.waiting.iter().map(|waiting| waiting.bytes).sum())
    }

    /// Why the outbox ended, if it did.
    pub fn ended(&self) -> Option<End> {
        self.lock().ended
    }

    /// The next entry to send. Asking for it means that the former one has been sent.
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
                if let Some(Waiting { entry, bytes, is_own, is_large }) = state.waiting.pop_front() {
                    state.tally(is_own).remove(bytes, is_large, bounds(self.bounds, is_own));
                    state.is_idle = false;
                    return Ok(entry);
                }
                if state.finishing {
                    state.end(End::Finished);
                    return Err(End::Finished);
                }
                state.is_idle = true;
            }
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// What a change by the connection's own user, or by another, counts towards.
    fn tally(&mut self, is_own: bool) -> &mut Tally {
        if is_own { &mut self.own } else { &mut self.others }
    }

    fn admits(&self, all: Bounds, entries: usize, bytes: usize, admission: Admission) -> Option<Admitted> {
        match admission {
            Admission::Asked => Some(Admitted::Counted),
            Admission::Own => self.own.admits(bounds(all, true), entries, bytes),
            Admission::Bound => self.others.admits(bounds(all, false), entries, bytes),
            Admission::Spare if self.others.is_behind => None,
            Admission::Spare if self.others.entries == 0 => Some(Admitted::Counted),
            Admission::Spare => {
                let half = Bounds { entries_max: all.entries_max / 2, bytes_max: all.bytes_max / 2 };
                let admitted = self.others.admits(half, entries, bytes);
                admitted.filter(|how| matches!(how, Admitted::Counted))
            }
        }
    }

    fn end(&mut self, end: End) {
        if self.ended.is_none() {
            self.ended = Some(end);
            self.waiting = VecDeque::new();
            (self.others, self.own) = (Tally::default(), Tally::default());
        }
    }
}

/// The bounds for changes by the connection's own user, or by others.
fn bounds(all: Bounds, is_own: bool) -> Bounds {
    let factor = if is_own { OWN_FACTOR } else { 1 };
    Bounds {
        entries_max: all.entries_max.saturating_mul(factor),
        bytes_max: all.bytes_max.saturating_mul(factor),
    }
}

/// The size of a waiting page with this many nodes and links.
pub fn page_bytes(entities: usize) -> usize {
    256 + 96 * entities
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { entries_max: 3, bytes_max: 1_000 };

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

    /// Whether something may pass by, while the next entry is waited for.
    async fn passes(line: &Outbox<u32>) -> bool {
        let waits = line.next();
        tokio::pin!(waits);
        tokio::select! {
            biased;
            _ = &mut waits => false,
            passes = async { line.pass_by(|| true) } => passes,
        }
    }

    // Rules: P4, P35.
    #[tokio::test]
    async fn p4_nothing_passes_by_what_waits_or_is_being_sent() {
        let line = Outbox::new(BOUNDS);
        assert!(!line.pass_by(|| true), "nobody has begun to send");
        assert!(passes(&line).await);
        assert_eq!(line.push(0, 1, Admission::Bound), None);
        assert!(!line.pass_by(|| true), "it waits");
        assert_eq!(line.next().await, Ok(0));
        assert!(!line.pass_by(|| true), "it is being sent");
        assert!(passes(&line).await, "it has been sent");
        assert!(!line.pass_by(|| false), "there was no room for it");
        line.finish();
        assert!(!line.pass_by(|| true), "nothing more is sent");
        let revoked = Outbox::new(BOUNDS);
        assert!(passes(&revoked).await);
        revoked.end(End::Revoked);
        assert!(!revoked.pass_by(|| true));
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

    /// A change of many entries.
    fn parts(count: u32, bytes: usize) -> impl Iterator<Item = (u32, usize)> {
        (0..count).map(move |part| (part, bytes))
    }

    #[tokio::test]
    async fn p18_ones_own_cascade_does_not_cut_one_off() {
        let line = Outbox::new(BOUNDS);
        assert_eq!(line.push_all(parts(1_000, 600), Admission::Own), None);
        assert_eq!(line.push_all(parts(1_000, 600), Admission::Own), None, "and undone");
        for n in 0..24 {
            assert_eq!(line.push(n, 300, Admission::Own), None, "{n}");
        }
        assert_eq!(line.push_all(parts(1_000, 600), Admission::Own), Some(End::Overflow), "not on and on");
    }

    #[tokio::test]
    async fn p19_a_change_of_any_size_is_taken_whole_and_not_one_after_another() {
        let line = Outbox::new(BOUNDS);
        assert_eq!(line.push_all(parts(1_000, 600), Admission::Bound), None);
        assert_eq!(line.push_all(parts(1_000, 600), Admission::Bound), None);
        assert_eq!(line.next().await, Ok(0));
        assert_eq!(line.push_all(parts(2, 600), Admission::Bound), Some(End::Overflow));
        assert_eq!(line.next().await, Err(End::Overflow));

        let line = Outbox::new(BOUNDS);
        for change in 0..100 {
            assert_eq!(line.push_all(parts(5, 600), Admission::Bound), None, "change {change}");
            for part in 0..5 {
                assert_eq!(line.next().await, Ok(part), "whoever reads gets it");
            }
        }
    }

    #[tokio::test]
    async fn p19_what_comes_while_a_large_change_is_sent_counts_by_its_bytes_alone() {
        let line = Outbox::new(BOUNDS);
        assert_eq!(line.push_all(parts(1_000, 600), Admission::Bound), None);
        for n in 0..100 {
            assert_eq!(line.push(n, 10, Admission::Bound), None, "{n}");
        }
        assert_eq!(line.push(0, 0, Admission::Spare), None);
        for part in 0..1_000 {
            assert_eq!(line.next().await, Ok(part));
        }
        // The change is sent, and what has come meanwhile still is more than the bound.
        for n in 0..100 {
            assert_eq!(line.next().await, Ok(n));
            assert_eq!(line.push(100 + n, 10, Admission::Bound), None, "{n}");
        }
        for n in 0..98 {
            assert_eq!(line.next().await, Ok(100 + n));
        }
        assert_eq!(line.push(0, 10, Admission::Bound), None, "the third");
        assert_eq!(line.push(1, 10, Admission::Bound), Some(End::Overflow), "the bound holds again");

        let line = Outbox::new(BOUNDS);
        assert_eq!(line.push_all(parts(1_000, 600), Admission::Bound), None);
        assert_eq!(line.push(0, 1_000, Admission::Bound), None);
        assert_eq!(line.push(0, 1, Admission::Bound), Some(End::Overflow));
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
        assert_eq!(line.push_all(parts(100, 600), Admission::Own), None);
        for n in 0..3 {
            assert_eq!(line.push(n, 300, Admission::Bound), None, "{n}");
        }
        assert_eq!(line.push(3, 1, Admission::Bound), Some(End::Overflow), "their own bounds hold");
    }

    #[tokio::test]
    async fn p19_answers_are_always_let_in_and_count_against_nobody() {
        let line = Outbox::new(BOUNDS);
        for n in 0..100 {
            assert_eq!(line.push(n, 600, Admission::Asked), None);
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
