//! The inbox: events that a connection has received and not yet handled, in the order of arrival.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// At this fill the client is made to wait.
const HIGH: Fill = Fill { entries: 256, bytes: 1 << 20 };
/// At this fill the client may send again.
const LOW: Fill = Fill { entries: 64, bytes: 1 << 18 };
/// Beyond this fill events are refused. It leaves room for what was already on its way when the client was held.
const FULL: Fill = Fill { entries: 8_192, bytes: 8 << 20 };

#[derive(Clone, Copy, Debug)]
struct Fill {
    entries: usize,
    bytes: usize,
}

/// An event as it arrived.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// `["name",payload]`, not parsed yet.
    pub text: String,
    /// The id of the ack that the client asked for.
    pub ack: Option<i64>,
    /// Whether it came with binary attachments, which no operation supports.
    pub has_attachments: bool,
}

/// What happened to an event that arrived.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrived {
    Taken,
    /// Accepted, and the client should be made to wait.
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

    /// Whether the inbox is empty enough for the client to send again.
    pub fn has_room(&self) -> bool {
        !self.lock().reaches(LOW)
    }

    /// Accepts no more events and drops those inside.
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
