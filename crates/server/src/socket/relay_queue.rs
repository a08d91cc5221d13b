//! The relay queue: relay events wait here for their turn, so many per second (R8). Of events about the same
//! subject only the latest waits. When too many wait, the oldest is dropped. No error is sent, because a similar
//! event will follow.

use crate::engine::Relay;
use crate::limits::Rule;
use graph::NodeId;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How many events may wait.
const WAITING_MAX: usize = 30;

/// The subject of a relay event. A later event about the same subject replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Presence,
    Camera,
    Drag(NodeId),
}

impl About {
    fn of(relay: &Relay) -> Self {
        match relay {
            Relay::Presence { .. } => About::Presence,
            Relay::Camera { .. } => About::Camera,
            Relay::Drag { node, .. } => About::Drag(*node),
        }
    }
}

/// The relay events of one connection, each with a `T` for its reply. `T` is dropped with the event.
#[derive(Debug)]
pub struct RelayQueue<T> {
    /// `None` where there is no limit.
    rule: Option<Rule>,
    state: Mutex<State<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<(Relay, T)>,
    /// When the latest events were relayed.
    passed: VecDeque<Instant>,
}

impl<T> RelayQueue<T> {
    /// An empty queue.
    pub fn new(rule: Option<Rule>) -> Self {
        let state = State { waiting: VecDeque::new(), passed: VecDeque::new() };
        RelayQueue { rule, state: Mutex::new(state), changed: Notify::new() }
    }

    /// Whether an event may be relayed at once, ahead of waiting events. It then counts as relayed. Returns
    /// what is dropped for it; `None` if the limit is reached.
    pub fn pass_now(&self, relay: &Relay) -> Option<Vec<T>> {
        let mut state = self.lock();
        if let Some(rule) = self.rule {
            if state.wait(rule).is_some() {
                return None;
            }
            state.passed.push_back(Instant::now());
        }
        Some(state.drop_earlier(relay).into_iter().map(|(_, with)| with).collect())
    }

    /// Adds an event and returns what is dropped for it.
    pub fn put(&self, relay: Relay, with: T) -> Vec<T> {
        let mut state = self.lock();
        let mut dropped: Vec<_> = state.drop_earlier(&relay).into_iter().collect();
        if state.waiting.len() >= WAITING_MAX {
            dropped.extend(state.waiting.pop_front());
        }
        state.waiting.push_back((relay, with));
        drop(state);
        self.changed.notify_one();
        dropped.into_iter().map(|(_, with)| with).collect()
    }

    /// The next event, when its time has come.
    pub async fn next(&self) -> (Relay, T) {
        loop {
            let wait = {
                let mut state = self.lock();
                let wait = self.rule.and_then(|rule| state.wait(rule));
                match (wait, state.waiting.is_empty()) {
                    (None, false) => {
                        if let Some(next) = state.waiting.pop_front() {
                            if self.rule.is_some() {
                                state.passed.push_back(Instant::now());
                            }
                            return next;
                        }
                        None
                    }
                    (wait, _) => wait,
                }
            };
            match wait {
                Some(until) => tokio::time::sleep_until(until).await,
                None => self.changed.notified().await,
            }
        }
    }

    /// Drops the waiting events.
    pub fn close(&self) -> Vec<T> {
        std::mem::take(&mut self.lock().waiting).into_iter().map(|(_, with)| with).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// Removes a waiting event about the same subject.
    fn drop_earlier(&mut self, relay: &Relay) -> Option<(Relay, T)> {
        let about = About::of(relay);
        let at = self.waiting.iter().position(|(waiting, _)| About::of(waiting) == about)?;
        self.waiting.remove(at)
    }

    /// The time until which no event may be relayed.
    fn wait(&mut self, rule: Rule) -> Option<Instant> {
        let (now, window) = (Instant::now(), Duration::from_millis(rule.window_ms));
        while self.passed.front().is_some_and(|at| *at + window <= now) {
            self.passed.pop_front();
        }
        if self.passed.len() < rule.count { None } else { self.passed.front().map(|at| *at + window) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn drag(node: u128, x: f64) -> Relay {
        Relay::Drag { node: NodeId(Uuid::from_u128(node)), x, y: 0.0, z: 0.0, end: false }
    }

    fn x(relay: &Relay) -> f64 {
        match relay {
            Relay::Drag { x, .. } => *x,
            _ => f64::NAN,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn r8_thirty_a_second_are_passed_on_and_of_one_node_the_latest() {
        let queue = RelayQueue::new(Some(Rule::per_s(30, 1)));
        let begun = Instant::now();
        for n in 0..30 {
            assert!(queue.put(drag(1, f64::from(n)), n).is_empty());
            assert_eq!(queue.next().await.1, n);
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert!(queue.put(drag(1, 30.0), 30).is_empty());
        assert_eq!(queue.put(drag(1, 31.0), 31), [30]);
        let (relay, n) = queue.next().await;
        assert_eq!((x(&relay), n), (31.0, 31));
        assert!(begun.elapsed() >= Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn p30_what_is_stored_too_is_passed_on_before_what_waits() {
        let queue = RelayQueue::new(Some(Rule::per_s(2, 1)));
        queue.put(drag(1, 0.0), 0);
        queue.put(drag(2, 0.0), 1);
        assert_eq!(
            queue.pass_now(&drag(1, 1.0)),
            Some(vec![0]),
            "an earlier one about the same is overtaken"
        );
        assert_eq!(queue.next().await.1, 1);
        assert_eq!(queue.pass_now(&drag(1, 2.0)), None, "it counts as any other");
    }

    #[tokio::test(start_paused = true)]
    async fn r8_when_too_much_waits_the_oldest_is_dropped() {
        let queue = RelayQueue::new(Some(Rule::per_s(0, 1)));
        for n in 0..30 {
            assert!(queue.put(drag(n, 0.0), n).is_empty());
        }
        assert_eq!(queue.put(drag(30, 0.0), 30), [0]);
        assert_eq!(queue.put(drag(30, 1.0), 31), [30]);
    }

    #[tokio::test]
    async fn r8_without_a_limit_nothing_waits() {
        let queue = RelayQueue::new(None);
        for n in 0..1_000_u128 {
            queue.put(drag(n, 0.0), n);
            assert_eq!(queue.next().await.1, n);
        }
    }
}
