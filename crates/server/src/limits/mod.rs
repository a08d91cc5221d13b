//! Rate limits: a sliding window per caller and limit, in bounded memory.

mod load_quota;
mod named;

pub use load_quota::LoadQuota;
pub use named::*;

use graph::UserId;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// At most `count` in any `window_ms` milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub count: usize,
    pub window_ms: u64,
}

impl Rule {
    /// At most `count` in this many seconds.
    pub const fn per_s(count: usize, window_s: u64) -> Self {
        Rule { count, window_ms: window_s * 1000 }
    }
}

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// A user, over all their tokens and connections.
    User(UserId),
    /// An address, for requests before the user is known.
    Address(IpAddr),
}

impl Who {
    /// The address to count. An IPv6 site has a /64, so its addresses are counted as one.
    pub fn address(address: IpAddr) -> Self {
        Who::Address(match address.to_canonical() {
            IpAddr::V6(six) => {
                let [a, b, c, d, ..] = six.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
            four @ IpAddr::V4(_) => four,
        })
    }
}

/// Something that was counted. It is given back when it turns out not to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    at_ms: u64,
}

/// Over the limit; nothing was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// How long until there is room, in whole seconds and at least one.
    pub retry_after_s: u64,
}

/// What is counted: a limit by its name and, where one limit applies to several things separately, which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct What {
    pub limit: &'static str,
    pub of: &'static str,
}

impl From<&'static str> for What {
    fn from(limit: &'static str) -> Self {
        What { limit, of: "" }
    }
}

type CountKey = (Who, What);

/// The most keys that are kept. Beyond it new keys are not counted, so that memory stays bounded.
const KEYS_MAX: usize = 200_000;
/// How many keys are examined, and forgotten if idle, for each new one. It is more than one, so that idle keys are
/// forgotten faster than new ones arrive.
const EXAMINED_PER_KEY: usize = 4;

/// Recent events by key.
#[derive(Debug)]
pub struct Limiter {
    epoch: Instant,
    windows: Mutex<Windows>,
}

#[derive(Debug, Default)]
struct Windows {
    by_key: HashMap<CountKey, Window>,
    /// Every key of `by_key` once, the least recently examined first.
    in_turn: VecDeque<CountKey>,
    /// How many keys were ever examined.
    #[cfg(test)]
    examined: usize,
}

#[derive(Debug)]
struct Window {
    rule: Rule,
    /// The times of the events, the earliest first.
    at_ms: VecDeque<u64>,
}

impl Window {
    fn forget_before(&mut self, now_ms: u64) {
        while self.at_ms.front().is_some_and(|at| at.saturating_add(self.rule.window_ms) <= now_ms) {
            self.at_ms.pop_front();
        }
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Limiter { epoch: Instant::now(), windows: Mutex::default() }
    }
}

impl Limiter {
    /// Counts one event, unless it exceeds the rule.
    ///
    /// # Errors
    /// [`Over`], with the time to wait.
    pub fn count(&self, who: Who, what: What, rule: Rule) -> Result<Counted, Over> {
        self.count_at(who, what, rule, self.now_ms())
    }

    /// Takes back what was counted.
    pub fn give_back(&self, who: Who, what: What, counted: Counted) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.by_key.get_mut(&(who, what))
            && let Some(place) = window.at_ms.iter().rposition(|at| *at == counted.at_ms)
        {
            window.at_ms.remove(place);
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn count_at(&self, who: Who, what: What, rule: Rule, now_ms: u64) -> Result<Counted, Over> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = Counted { at_ms: now_ms };
        if !windows.by_key.contains_key(&(who, what)) {
            if !windows.make_room(now_ms) {
                return Ok(counted);
            }
            windows.in_turn.push_back((who, what));
        }
        let window =
            windows.by_key.entry((who, what)).or_insert_with(|| Window { rule, at_ms: VecDeque::new() });
        window.rule = rule;
        window.forget_before(now_ms);
        if window.at_ms.len() < rule.count {
            window.at_ms.push_back(now_ms);
            return Ok(counted);
        }
        let free_ms = window.at_ms.front().map_or(rule.window_ms, |at| at + rule.window_ms - now_ms);
        Err(Over { retry_after_s: free_ms.div_ceil(1000).max(1) })
    }
}

impl Windows {
    /// Forgets a few idle keys; false when there is still no room for another.
    fn make_room(&mut self, now_ms: u64) -> bool {
        for _ in 0..EXAMINED_PER_KEY {
            let Some(key) = self.in_turn.pop_front() else { break };
            #[cfg(test)]
            {
                self.examined += 1;
            }
            let is_idle = self.by_key.get_mut(&key).is_none_or(|window| {
                window.forget_before(now_ms);
                window.at_ms.is_empty()
            });
            if is_idle {
                self.by_key.remove(&key);
            } else {
                self.in_turn.push_back(key);
            }
        }
        self.by_key.len() < KEYS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const RULE: Rule = Rule::per_s(3, 10);

    fn user(n: u128) -> Who {
        Who::User(UserId(Uuid::from_u128(n)))
    }

    #[test]
    fn r6_a_window_slides() {
        let limiter = Limiter::default();
        let check = |now_ms, want: Result<(), u64>| {
            let got = limiter.count_at(user(1), "graph:get".into(), RULE, now_ms);
            assert_eq!(got.map(|_| ()).map_err(|over| over.retry_after_s), want, "at {now_ms}");
        };
        check(0, Ok(()));
        check(4_000, Ok(()));
        check(4_000, Ok(()));
        check(9_999, Err(1));
        check(10_000, Ok(()));
        check(10_001, Err(4));
        check(14_000, Ok(()));
        check(14_000, Ok(()));
        check(14_000, Err(6));
    }

    #[test]
    fn r1_users_and_rows_are_counted_apart() {
        let limiter = Limiter::default();
        for who in [user(1), user(2), Who::address(IpAddr::from([127, 0, 0, 1]))] {
            for what in ["node:add", "node:update"] {
                for _ in 0..3 {
                    assert!(limiter.count_at(who, what.into(), RULE, 0).is_ok());
                }
                assert!(limiter.count_at(who, what.into(), RULE, 0).is_err());
            }
        }
    }

    #[test]
    fn r2_a_replay_is_given_back() {
        let limiter = Limiter::default();
        for at in 0..3 {
            assert!(limiter.count_at(user(1), "node:add".into(), RULE, at).is_ok());
        }
        limiter.give_back(user(1), "node:add".into(), Counted { at_ms: 1 });
        assert!(limiter.count_at(user(1), "node:add".into(), RULE, 5).is_ok());
        assert!(limiter.count_at(user(1), "node:add".into(), RULE, 6).is_err());
    }

    #[test]
    fn r6_idle_keys_are_forgotten() {
        let limiter = Limiter::default();
        for n in 0..10_000 {
            assert!(
                limiter.count_at(user(n), "node:add".into(), RULE, u64::try_from(n).unwrap() * 1000).is_ok()
            );
        }
        let kept = limiter.windows.lock().unwrap().by_key.len();
        // Ten are not idle; the others go as they are examined.
        assert!(kept <= 20, "{kept}");
    }

    #[test]
    fn r13_a_new_key_costs_the_same_however_many_there_are() {
        let limiter = Limiter::default();
        let count = |n, now_ms| limiter.count_at(user(n), "node:add".into(), RULE, now_ms);
        let full = u128::try_from(KEYS_MAX).unwrap();
        for n in 0..full {
            assert!(count(n, 0).is_ok());
        }
        let examined = limiter.windows.lock().unwrap().examined;
        for n in full..full + 1_000 {
            assert!(count(n, 1).is_ok());
        }
        let windows = limiter.windows.lock().unwrap();
        assert!(windows.examined - examined <= 1_000 * EXAMINED_PER_KEY, "{}", windows.examined - examined);
        assert_eq!(windows.by_key.len(), KEYS_MAX);
        drop(windows);
        // Once the others are idle, there is room again: the fourth of a new key is over its rule.
        for _ in 0..3 {
            assert!(count(full, 20_000).is_ok());
        }
        assert!(count(full, 20_000).is_err());
    }

    #[test]
    fn r5_a_site_of_ipv6_counts_as_one_address() {
        let [a, b, c] =
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|text| Who::address(text.parse().unwrap()));
        assert_eq!(a, b);
        assert_ne!(a, c);
        assert_eq!(
            Who::address("::ffff:10.0.0.1".parse().unwrap()),
            Who::Address(IpAddr::from([10, 0, 0, 1]))
        );
    }
}
