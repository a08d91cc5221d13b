//! The one place where the engine reads the time.

use graph::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The current time. A clock before 1970 counts as 1970. For a clock that goes back see [`graph::World::set_clock`].
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is that one place")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A clock that was set by more than this is worth a warning.
const STEP_WARN_MS: i64 = 3_600_000;

/// Reads the clock, and warns at once when it was set by more than an hour.
pub(super) struct ClockWatch {
    last: Timestamp,
    since: Instant,
}

impl ClockWatch {
    /// Compares the clock with the time of the last batch, which may be long ago but must not be in the future.
    pub(super) fn begin(last_batch: Timestamp) -> Self {
        let now = now();
        if step(last_batch, now, Duration::MAX).is_some() {
            warn("the clock is more than an hour behind the last batch", last_batch, now);
        }
        ClockWatch { last: now, since: Instant::now() }
    }

    pub(super) fn read(&mut self) -> Timestamp {
        let now = now();
        if step(self.last, now, self.since.elapsed()).is_some() {
            warn("the clock was set by more than an hour", self.last, now);
        }
        *self = ClockWatch { last: now, since: Instant::now() };
        now
    }
}

fn warn(what: &str, last: Timestamp, now: Timestamp) {
    tracing::warn!(last = last.rfc3339(), now = now.rfc3339(), "{what}");
}

/// By how many milliseconds the clock was set, if by more than an hour. At most `elapsed` has passed since the last look.
fn step(last: Timestamp, now: Timestamp, elapsed: Duration) -> Option<i64> {
    let elapsed_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    let moved = now.ms().saturating_sub(last.ms());
    let step = if moved < 0 { moved } else { moved.saturating_sub(elapsed_ms).max(0) };
    (step.abs() > STEP_WARN_MS).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::step;
    use graph::Timestamp;
    use std::time::Duration;

    // Rules: P33.
    #[test]
    fn p33_a_step_of_more_than_an_hour_is_noticed() {
        let hour = 3_600_000;
        let last = Timestamp::from_ms(1_000 * hour);
        let after =
            |ms: i64, elapsed_ms: u64| step(last, last.plus_ms(ms), Duration::from_millis(elapsed_ms));
        assert_eq!(after(5, 5), None);
        assert_eq!(after(-hour, 5), None);
        assert_eq!(after(-hour - 1, 5), Some(-hour - 1));
        assert_eq!(after(hour + 5, 5), None);
        assert_eq!(after(hour + 6, 5), Some(hour + 1));
        // A server that is started a year later finds nothing wrong.
        assert_eq!(step(last, last.plus_ms(9_000 * hour), Duration::MAX), None);
    }
}
