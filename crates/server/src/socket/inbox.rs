//! The inbox: what a connection has received and not yet asked, in the order of its arrival.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// From here on the client is made to wait.
const HIGH: Fill = Fill { entries: 256, bytes: 1 << 20 };
/// From here on it is listened to again.
const LOW: Fill = Fill { entries: 64, bytes: 1 << 18 };
/// More than this is refused: a client can still send what was already on its way when it was made to wait.
const FULL: Fill = Fill { entries: 8_192, bytes: 8 << 20 };

#[derive(Clone, Copy, Debug)]
struct Fill {
    entries: usize,
    bytes: usize,
}

/// One event as it arrived.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// `["name",payload]`, not read yet.
    pub text: String,
    /// The ack that the client asked for.
    pub ack: Option<i64>,
    /// Whether binary attachments came with it, which nothing here takes.
    pub has_attachments: bool,
}

/// What became of an event that arrived.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrived {
    Taken,
    /// Taken, and the client should be made to wait.
    TakenButHold,
    /// There is no room.
    Refused(Event),
}

/// A bounded queue that is filled without waiting.
#[derive(Debug, Default)]
pub struct Inbox {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    bytes: usize,
    closed: bool,
}

impl State {
    fn reaches(&self, fill: Fill) -> bool {
        self.events.len() >= fill.entries || self.bytes >= fill.bytes
    }
}

impl Inbox {
    /// Puts an event at the end.
    pub fn put(&self, event: Event) -> Arrived {
        let mut state = self.lock();
        if state.closed || state.reaches(FULL) {
            return Arrived::Refused(event);
        }
        state.bytes += event.text.len();
        state.events.push_back(event);
        let arrived = if state.reaches(HIGH) { Arrived::TakenButHold } else { Arrived::Taken };
        drop(state);
        self.changed.notify_one();
        arrived
    }

    /// The next event, and whether the client may send again; `None` when the inbox is closed.
    pub async fn next(&self) -> Option<(Event, bool)> {
        loop {
            {
                let mut state = self.lock();
                if state.closed {
                    return None;
                }
                if let Some(event) = state.events.pop_front() {
                    state.bytes -= event.text.len();
                    return Some((event, !state.reaches(LOW)));
                }
            }
            self.changed.notified().await;
        }
    }

    /// Whether so little is in it that the client may send again.
    pub fn has_room(&self) -> bool {
        !self.lock().reaches(LOW)
    }

    /// Takes nothing more, and forgets what is in it.
    pub fn close(&self) {
        *self.lock() = State { closed: true, ..State::default() };
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: String) -> Event {
        Event { text, ack: None, has_attachments: false }
    }

    #[tokio::test]
    async fn d2_events_leave_in_the_order_they_came() {
        let inbox = Inbox::default();
        for n in 0..100 {
            assert_eq!(inbox.put(event(n.to_string())), Arrived::Taken);
        }
        for n in 0..100 {
            assert_eq!(inbox.next().await, Some((event(n.to_string()), n >= 36)), "{n}");
        }
        assert!(inbox.has_room());
        inbox.close();
        assert_eq!(inbox.next().await, None);
        assert!(matches!(inbox.put(event(String::new())), Arrived::Refused(_)));
    }

    #[test]
    fn p19_a_client_that_does_not_wait_is_refused() {
        let inbox = Inbox::default();
        let arrived: Vec<Arrived> = (0..FULL.entries + 1).map(|_| inbox.put(event("x".into()))).collect();
        assert_eq!(arrived.iter().filter(|a| **a == Arrived::Taken).count(), HIGH.entries - 1);
        assert!(matches!(arrived.last(), Some(Arrived::Refused(_))) && !inbox.has_room());
        let large = Inbox::default();
        assert_eq!(large.put(event("x".repeat(HIGH.bytes))), Arrived::TakenButHold);
    }
}
