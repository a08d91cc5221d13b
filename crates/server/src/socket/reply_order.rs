//! The reply order: a reply given without the engine waits for the replies to earlier requests.
//!
//! The engine answers in its own order, the order of commits. A refusal that needs no engine would overtake answers
//! to earlier requests of the same client, so it is held back until those are given.

use std::collections::{BTreeMap, BTreeSet};

/// The place of a request among those of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplySlot(u64);

/// The requests of a connection that have not been answered.
#[derive(Debug)]
pub struct ReplyOrder<T> {
    next: u64,
    open: BTreeSet<ReplySlot>,
    held: BTreeMap<ReplySlot, T>,
}

impl<T> Default for ReplyOrder<T> {
    fn default() -> Self {
        ReplyOrder { next: 0, open: BTreeSet::new(), held: BTreeMap::new() }
    }
}

impl<T> ReplyOrder<T> {
    /// A request begins.
    pub fn begin(&mut self) -> ReplySlot {
        let slot = ReplySlot(self.next);
        self.next += 1;
        self.open.insert(slot);
        slot
    }

    /// The engine has answered a request. Returns the replies that may be sent now, in order.
    pub fn answered(&mut self, slot: ReplySlot, answer: T) -> Vec<T> {
        self.open.remove(&slot);
        let mut due = vec![answer];
        due.extend(self.due());
        due
    }

    /// A request is answered without the engine. Returns the replies that may be sent now, in order.
    pub fn answered_here(&mut self, slot: ReplySlot, answer: T) -> Vec<T> {
        self.open.remove(&slot);
        self.held.insert(slot, answer);
        self.due()
    }

    /// The held replies that no longer wait for an earlier one.
    fn due(&mut self) -> Vec<T> {
        let later = match self.open.first() {
            Some(first) => self.held.split_off(first),
            None => BTreeMap::new(),
        };
        std::mem::replace(&mut self.held, later).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t5_a_refusal_does_not_overtake_what_was_asked_before() {
        let mut order = ReplyOrder::default();
        let [a, b, c, d] = [(); 4].map(|()| order.begin());
        assert!(order.answered_here(b, "b").is_empty());
        assert!(order.answered_here(d, "d").is_empty());
        assert_eq!(order.answered(a, "a"), ["a", "b"]);
        assert_eq!(order.answered(c, "c"), ["c", "d"]);
        let e = order.begin();
        assert_eq!(order.answered_here(e, "e"), ["e"]);
    }

    #[test]
    fn t5_the_engine_answers_in_its_own_order() {
        let mut order = ReplyOrder::default();
        let [a, b] = [(); 2].map(|()| order.begin());
        assert_eq!(order.answered(b, "b"), ["b"]);
        assert_eq!(order.answered(a, "a"), ["a"]);
    }
}
