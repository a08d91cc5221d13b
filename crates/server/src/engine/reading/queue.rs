//! Waiting reads, fairly: each caller has a queue of their own, and these take turns. A caller has one read under
//! way at a time, so that heavy reads of one wait behind each other and not before others' light ones.

use graph::UserId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum Turn {
    /// A user, over all their connections and over REST.
    User(UserId),
    /// All callers without an account.
    Anyone,
}

/// What a reader does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Work<T> {
    /// Takes up what waits in the feed.
    CatchUp,
    /// Begins a read, whose turn has come.
    Begin(Turn, T),
    /// Carries out a read that has begun.
    Read(Turn, T),
}

/// What becomes of a read that is put into the queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admitted<T> {
    /// It begins at once: nothing waits.
    Begins(T),
    /// It waits for its turn.
    Waits,
    /// There is no room for it.
    Full(T),
}

/// How much a [`ReadQueue`] holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueBounds {
    /// How many reads may wait.
    pub(super) waiting_max: usize,
    /// How many reads of one caller may wait.
    pub(super) waiting_of_one_max: usize,
    /// How many reads may be under way: begun and not done.
    pub(super) under_way_max: usize,
}

/// A bounded queue of reads.
pub(super) struct ReadQueue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    bounds: QueueBounds,
}

struct State<T> {
    /// The waiting reads of each caller who has any or has one under way.
    callers: HashMap<Turn, VecDeque<T>>,
    /// The callers with waiting reads and none under way, in order of their turns.
    turns: VecDeque<Turn>,
    /// The reads that have begun and that no reader has taken yet.
    begun: VecDeque<(Turn, T)>,
    waiting: usize,
    under_way: usize,
    is_behind: bool,
    is_closed: bool,
}

impl<T> ReadQueue<T> {
    /// An empty queue.
    pub(super) fn new(bounds: QueueBounds) -> Self {
        let state = State {
            callers: HashMap::new(),
            turns: VecDeque::new(),
            begun: VecDeque::new(),
            waiting: 0,
            under_way: 0,
            is_behind: false,
            is_closed: false,
        };
        ReadQueue { state: Mutex::new(state), changed: Condvar::new(), bounds }
    }

    /// Admits a read. One that begins at once is then passed to [`ReadQueue::begun`].
    pub(super) fn admit(&self, turn: Turn, read: T) -> Admitted<T> {
        let mut state = self.lock();
        let of_one = state.callers.get(&turn).map(VecDeque::len);
        let is_full = of_one.is_some_and(|of_one| of_one >= self.bounds.waiting_of_one_max);
        if state.is_closed || state.waiting >= self.bounds.waiting_max || is_full {
            return Admitted::Full(read);
        }
        state.callers.entry(turn).or_default();
        if of_one.is_none() && state.waiting == 0 && state.under_way < self.bounds.under_way_max {
            state.under_way += 1;
            return Admitted::Begins(read);
        }
        state.callers.entry(turn).or_default().push_back(read);
        state.waiting += 1;
        if of_one.is_none() {
            state.turns.push_back(turn);
        }
        drop(state);
        self.changed.notify_one();
        Admitted::Waits
    }

    /// How many reads wait, and how many are under way.
    pub(super) fn load(&self) -> (usize, usize) {
        let state = self.lock();
        (state.waiting, state.under_way)
    }

    /// A read has begun: the next reader takes it.
    pub(super) fn begun(&self, turn: Turn, read: T) {
        self.lock().begun.push_back((turn, read));
        self.changed.notify_one();
    }

    /// Asks for the feed to be taken up.
    pub(super) fn wake(&self) {
        self.lock().is_behind = true;
        self.changed.notify_one();
    }

    /// What to do next; waits for it. `None` once the queue is closed and everything in it is done.
    pub(super) fn next(&self) -> Option<Work<T>> {
        let mut state = self.lock();
        loop {
            if let Some((turn, read)) = state.begun.pop_front() {
                return Some(Work::Read(turn, read));
            }
            if state.under_way < self.bounds.under_way_max
                && let Some((turn, read)) = state.take_turn()
            {
                return Some(Work::Begin(turn, read));
            }
            if std::mem::take(&mut state.is_behind) {
                return Some(Work::CatchUp);
            }
            if state.is_closed && state.is_idle() {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A read that had begun is over: another begins, in time also one of its caller.
    pub(super) fn done(&self, turn: Turn) {
        let mut state = self.lock();
        state.under_way -= 1;
        match state.callers.get(&turn) {
            Some(waiting) if !waiting.is_empty() => state.turns.push_back(turn),
            _ => drop(state.callers.remove(&turn)),
        }
        let is_over = state.is_closed && state.is_idle();
        drop(state);
        match is_over {
            true => self.changed.notify_all(),
            false => self.changed.notify_one(),
        }
    }

    /// Lets no further reads in. Those that wait are still carried out.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Whether no read waits and none is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.lock().is_idle()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn take_turn(&mut self) -> Option<(Turn, T)> {
        let turn = self.turns.pop_front()?;
        let read = self.callers.get_mut(&turn)?.pop_front()?;
        self.waiting -= 1;
        self.under_way += 1;
        Some((turn, read))
    }

    fn is_idle(&self) -> bool {
        self.waiting == 0 && self.under_way == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn user(n: u128) -> Turn {
        Turn::User(UserId(Uuid::from_u128(n)))
    }

    fn queue(waiting_max: usize, waiting_of_one_max: usize, under_way_max: usize) -> ReadQueue<u32> {
        ReadQueue::new(QueueBounds { waiting_max, waiting_of_one_max, under_way_max })
    }

    #[test]
    fn r16_callers_take_turns_and_each_has_one_read_under_way() {
        let queue = queue(100, 50, 2);
        assert_eq!(queue.admit(user(1), 0), Admitted::Begins(0));
        assert_eq!(queue.admit(user(1), 1), Admitted::Waits);
        assert_eq!(queue.admit(user(1), 2), Admitted::Waits);
        assert_eq!(queue.admit(user(2), 10), Admitted::Waits, "others wait before them");
        assert_eq!(queue.admit(Turn::Anyone, 20), Admitted::Waits);
        // The second read of the first user waits until their first is over.
        assert_eq!(queue.next(), Some(Work::Begin(user(2), 10)));
        queue.begun(user(1), 0);
        assert_eq!(queue.next(), Some(Work::Read(user(1), 0)));
        queue.wake();
        assert_eq!(queue.next(), Some(Work::CatchUp), "two are under way");
        queue.done(user(1));
        assert_eq!(queue.next(), Some(Work::Begin(Turn::Anyone, 20)));
        queue.done(user(2));
        assert_eq!(queue.next(), Some(Work::Begin(user(1), 1)));
        queue.close();
        queue.done(user(1));
        assert_eq!(queue.next(), Some(Work::Begin(user(1), 2)), "what waits is still carried out");
        queue.done(user(1));
        assert!(!queue.is_idle());
        queue.done(Turn::Anyone);
        assert_eq!(queue.next(), None);
    }

    #[test]
    fn r16_the_queue_is_bounded_for_each_caller_and_for_all() {
        let queue = queue(5, 3, 1);
        assert_eq!(queue.admit(user(9), 9), Admitted::Begins(9));
        for n in 0..3 {
            assert_eq!(queue.admit(user(1), n), Admitted::Waits);
        }
        assert_eq!(queue.admit(user(1), 3), Admitted::Full(3), "no more of one");
        assert_eq!(queue.admit(user(2), 4), Admitted::Waits);
        assert_eq!(queue.admit(user(3), 5), Admitted::Waits);
        assert_eq!(queue.admit(user(4), 6), Admitted::Full(6), "no more of all");
        queue.done(user(9));
        assert_eq!(queue.next(), Some(Work::Begin(user(1), 0)));
        assert_eq!(queue.admit(user(4), 7), Admitted::Waits);
        queue.close();
        assert_eq!(queue.admit(user(5), 8), Admitted::Full(8));
    }
}
