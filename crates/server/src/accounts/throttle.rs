//! Attempts to sign in, by email: after so many failures in a row one more is admitted now and then, wherever the
//! attempts come from. An email that no account has is counted in the same way, so that the answer tells nothing.

use crate::limits::{Over, Rule};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The most emails whose failures are remembered. Beyond it the one whose last attempt is the longest ago is
/// forgotten. Failures cost a computation of a hash each, so it takes longer to have one forgotten than to wait.
const EMAILS_MAX: usize = 100_000;

/// An email, as it is counted.
type Key = [u8; 32];

/// The failures in a row, by email.
#[derive(Debug)]
pub(super) struct Throttle {
    epoch: Instant,
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    by_email: HashMap<Key, InARow>,
    /// By the time of the last attempt and its number, which tells those of one millisecond apart.
    by_time: BTreeMap<(u64, u64), Key>,
    attempts: u64,
}

/// The failures in a row of one email. An attempt that is under way counts as one.
#[derive(Clone, Copy, Debug)]
struct InARow {
    count: usize,
    last: (u64, u64),
}

/// An admitted attempt. It counts as a failure until it is known to be none.
#[derive(Debug)]
#[must_use]
pub(super) struct Attempt(Option<Key>);

impl Default for Throttle {
    fn default() -> Self {
        Throttle { epoch: Instant::now(), failures: Mutex::default() }
    }
}

impl Throttle {
    /// Admits an attempt: at most `rule.count` failures in a row, and then one in each `rule.window_ms`. Without a rule
    /// everything is admitted.
    ///
    /// # Errors
    /// [`Over`], with the time to wait. Such an attempt does not count.
    pub(super) fn admit(&self, email: &str, rule: Option<Rule>) -> Result<Attempt, Over> {
        let Some(rule) = rule else { return Ok(Attempt(None)) };
        let now_ms = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).admit(key(email), rule, now_ms)
    }

    /// The attempt succeeded: the failures before it are forgotten.
    pub(super) fn succeeded(&self, attempt: Attempt) {
        if let Some(key) = attempt.0 {
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).forget(&key);
        }
    }

    /// The attempt was not made.
    pub(super) fn give_back(&self, attempt: Attempt) {
        let Some(key) = attempt.0 else { return };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.by_email.get_mut(&key) {
            Some(row) if row.count > 1 => row.count -= 1,
            _ => failures.forget(&key),
        }
    }
}

impl Failures {
    fn admit(&mut self, key: Key, rule: Rule, now_ms: u64) -> Result<Attempt, Over> {
        let before = self.by_email.get(&key).copied();
        if let Some(InARow { count, last: (last_ms, _) }) = before
            && count >= rule.count
        {
            let free_ms = (last_ms + rule.window_ms).saturating_sub(now_ms);
            if free_ms > 0 {
                return Err(Over { retry_after_s: free_ms.div_ceil(1000) });
            }
        }
        match before {
            Some(row) => drop(self.by_time.remove(&row.last)),
            None if self.by_email.len() >= EMAILS_MAX => {
                if let Some((_, oldest)) = self.by_time.pop_first() {
                    self.by_email.remove(&oldest);
                }
            }
            None => {}
        }
        self.attempts += 1;
        let row = InARow { count: before.map_or(0, |row| row.count) + 1, last: (now_ms, self.attempts) };
        self.by_time.insert(row.last, key);
        self.by_email.insert(key, row);
        Ok(Attempt(Some(key)))
    }

    fn forget(&mut self, key: &Key) {
        if let Some(row) = self.by_email.remove(key) {
            self.by_time.remove(&row.last);
        }
    }
}

/// Emails are the same without regard to case. A hash of them takes the same room, however long they are.
fn key(email: &str) -> Key {
    Sha256::digest(email.to_lowercase().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule::per_s(3, 60);

    fn admit(failures: &mut Failures, email: &str, now_ms: u64) -> Result<(), u64> {
        failures.admit(key(email), RULE, now_ms).map(drop).map_err(|over| over.retry_after_s)
    }

    #[test]
    fn k9_after_so_many_failures_in_a_row_one_more_is_admitted_now_and_then() {
        let mut failures = Failures::default();
        for _ in 0..3 {
            assert_eq!(admit(&mut failures, "olha@example.com", 0), Ok(()));
        }
        assert_eq!(admit(&mut failures, "OLHA@example.com", 1), Err(60));
        assert_eq!(admit(&mut failures, "petro@example.com", 1), Ok(()));
        assert_eq!(admit(&mut failures, "olha@example.com", 59_001), Err(1));
        assert_eq!(admit(&mut failures, "olha@example.com", 60_000), Ok(()));
        assert_eq!(admit(&mut failures, "olha@example.com", 60_001), Err(60));
        assert_eq!(admit(&mut failures, "olha@example.com", 120_000), Ok(()));
        failures.forget(&key("olha@example.com"));
        for now_ms in 120_001..120_004 {
            assert_eq!(admit(&mut failures, "olha@example.com", now_ms), Ok(()));
        }
    }

    #[test]
    fn k9_an_attempt_that_was_not_made_does_not_count() {
        let throttle = Throttle::default();
        for _ in 0..10 {
            let attempt = throttle.admit("olha@example.com", Some(RULE)).unwrap();
            throttle.give_back(attempt);
        }
        assert!(throttle.failures.lock().unwrap().by_email.is_empty());
        for _ in 0..3 {
            let _failed = throttle.admit("olha@example.com", Some(RULE)).unwrap();
        }
        assert!(throttle.admit("olha@example.com", Some(RULE)).is_err());
        assert!(throttle.admit("olha@example.com", None).is_ok());
    }

    #[test]
    fn k9_what_is_remembered_is_bounded_and_the_longest_unused_goes_first() {
        let mut failures = Failures::default();
        let email = |n: usize| format!("user{n}@example.com");
        for n in 0..EMAILS_MAX {
            assert_eq!(admit(&mut failures, &email(n), 0), Ok(()));
        }
        assert_eq!(admit(&mut failures, &email(0), 1), Ok(()));
        for n in EMAILS_MAX..EMAILS_MAX + 500 {
            assert_eq!(admit(&mut failures, &email(n), 2), Ok(()));
        }
        assert_eq!(failures.by_email.len(), EMAILS_MAX);
        assert_eq!(failures.by_time.len(), EMAILS_MAX);
        assert!(failures.by_email.contains_key(&key(&email(0))));
        assert!(!failures.by_email.contains_key(&key(&email(1))));
    }
}
