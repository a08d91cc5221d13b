//! The load quota of one connection: later pages of a load do not count against limits (R2).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long after each page the next page of a load does not count (G4).
const KEPT: Duration = Duration::from_secs(60);

/// The loads in progress, by event.
#[derive(Debug, Default)]
pub struct LoadQuota {
    by_event: Mutex<HashMap<&'static str, Progress>>,
}

/// The position of a load.
#[derive(Clone, Copy, Debug)]
struct Progress {
    /// The offset of the next page that has not been requested.
    next: usize,
    at: Instant,
}

impl LoadQuota {
    /// Notes that a load begins with a page of so many nodes.
    pub fn begin(&self, event: &'static str, limit: usize) {
        self.lock().insert(event, Progress { next: limit, at: Instant::now() });
    }

    /// Whether a page continues a load in progress. It need not wait for the answer to the previous page.
    pub fn goes_on(&self, event: &'static str, offset: usize, limit: usize) -> bool {
        let mut loads = self.lock();
        let load = loads.get_mut(event).filter(|load| load.next == offset && load.at.elapsed() < KEPT);
        if let Some(load) = load {
            *load = Progress { next: offset.saturating_add(limit), at: Instant::now() };
            return true;
        }
        false
    }

    /// Notes that the last page of a load has been sent.
    pub fn end(&self, event: &str) {
        self.lock().remove(event);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Progress>> {
        self.by_event.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn r2_pages_go_on_with_a_load_in_turn_for_a_minute_each() {
        let loads = LoadQuota::default();
        assert!(!loads.goes_on("graph:get", 100, 100), "no load is under way");
        loads.begin("graph:get", 100);
        assert!(loads.goes_on("graph:get", 100, 50));
        assert!(!loads.goes_on("graph:get", 100, 50), "a page goes on once");
        assert!(!loads.goes_on("graph:get", 0, 50));
        assert!(!loads.goes_on("branch:get", 150, 50), "another event, another load");
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(loads.goes_on("graph:get", 150, 1));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(!loads.goes_on("graph:get", 151, 1), "it has waited too long");
        loads.begin("graph:get", 1);
        loads.end("graph:get");
        assert!(!loads.goes_on("graph:get", 1, 1));
    }
}
