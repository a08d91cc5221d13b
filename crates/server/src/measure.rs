//! Figures of the running server: counts, levels and spreads. To note something takes a few atomic additions: no lock
//! and no allocation. Their names and labels are given where they are shown, in the room `observe`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Counts one more.
    pub fn one(&self) {
        self.add(1);
    }

    /// Counts so many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many there are.
#[derive(Debug, Default)]
pub struct Level(AtomicU64);

impl Level {
    /// There are so many now.
    pub fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }

    /// How many there were when it was set last.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The upper ends of the buckets for times, in microseconds.
const TIMES_US: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000,
];
/// The upper ends of the buckets for sizes.
const SIZES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/// How many buckets there may be, with the one that has no end.
const BUCKETS: usize = 16;

/// How values spread: how many there were of each size.
#[derive(Debug)]
pub struct Spread {
    ends: &'static [u64],
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
}

/// What a spread was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spreading {
    /// The upper end of each bucket but the last, and how many were in it.
    pub buckets: Vec<(u64, u64)>,
    /// How many were larger than that.
    pub larger: u64,
    /// All values together.
    pub sum: u64,
}

impl Spread {
    /// Of times, in microseconds.
    pub fn of_times() -> Self {
        Spread::new(TIMES_US)
    }

    /// Of sizes.
    pub fn of_sizes() -> Self {
        Spread::new(SIZES)
    }

    fn new(ends: &'static [u64]) -> Self {
        Spread { ends, buckets: [const { AtomicU64::new(0) }; BUCKETS], sum: AtomicU64::new(0) }
    }

    /// Notes a time.
    pub fn note_time(&self, time: Duration) {
        self.note(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Notes a value.
    pub fn note(&self, value: u64) {
        let at = self.ends.partition_point(|end| *end < value);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
            self.sum.fetch_add(value, Ordering::Relaxed);
        }
    }

    /// What it is now.
    pub fn get(&self) -> Spreading {
        let count = |bucket: &AtomicU64| bucket.load(Ordering::Relaxed);
        let buckets = self.ends.iter().zip(&self.buckets).map(|(end, bucket)| (*end, count(bucket)));
        let larger = self.buckets.get(self.ends.len()).map_or(0, count);
        Spreading { buckets: buckets.collect(), larger, sum: self.sum.load(Ordering::Relaxed) }
    }
}

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Rest,
    Socket,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was done.
    Ok,
    /// It was refused, with this code.
    Refused(&'static str),
    /// The server could not do it, with this code.
    Failed(&'static str),
}

impl Ended {
    const NAMES: [&str; 3] = ["ok", "refused", "failed"];

    fn at(self) -> usize {
        match self {
            Ended::Ok => 0,
            Ended::Refused(_) => 1,
            Ended::Failed(_) => 2,
        }
    }
}

/// What stands for whatever is not in the tables: requests may name anything, and the tables never grow.
const OTHER: &str = "other";

type Ends = [Count; 3];

/// Counts of requests. The names of operations and of codes are known from the start; others count as one.
#[derive(Debug)]
pub struct Requests {
    operations: HashMap<&'static str, [Ends; 2]>,
    codes: HashMap<&'static str, Count>,
    times: [Spread; 2],
}

/// One of the counts of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub operation: &'static str,
    pub transport: &'static str,
    pub outcome: &'static str,
    pub count: u64,
}

impl Transport {
    /// Both.
    pub const ALL: [Transport; 2] = [Transport::Rest, Transport::Socket];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Rest => "rest",
            Transport::Socket => "socket",
        }
    }

    fn at(self) -> usize {
        match self {
            Transport::Rest => 0,
            Transport::Socket => 1,
        }
    }
}

impl Requests {
    /// Nothing was requested yet.
    pub fn new(
        operations: impl IntoIterator<Item = &'static str>,
        codes: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let operations = operations.into_iter().chain([OTHER]);
        Requests {
            operations: operations.map(|name| (name, Default::default())).collect(),
            codes: codes.into_iter().chain([OTHER]).map(|code| (code, Count::default())).collect(),
            times: [Spread::of_times(), Spread::of_times()],
        }
    }

    /// The name under which an operation is counted.
    pub fn name(&self, operation: &str) -> &'static str {
        self.operations.get_key_value(operation).map_or(OTHER, |(name, _)| name)
    }

    /// Counts a request.
    pub fn note(&self, operation: &str, transport: Transport, ended: Ended, time: Duration) {
        let ends = self.operations.get(operation).or_else(|| self.operations.get(OTHER));
        let count = ends.and_then(|ends| ends.get(transport.at())?.get(ended.at()));
        count.into_iter().for_each(Count::one);
        if let Ended::Refused(code) | Ended::Failed(code) = ended {
            self.codes.get(code).or_else(|| self.codes.get(OTHER)).into_iter().for_each(Count::one);
        }
        self.times.get(transport.at()).into_iter().for_each(|times| times.note_time(time));
    }

    /// The counts that are not 0, by name.
    pub fn counted(&self) -> Vec<Counted> {
        let mut counted = Vec::new();
        for (operation, ends) in &self.operations {
            for (transport, ends) in Transport::ALL.iter().zip(ends) {
                for (outcome, count) in Ended::NAMES.iter().zip(ends) {
                    let count = count.get();
                    counted.push(Counted { operation, transport: transport.name(), outcome, count });
                }
            }
        }
        counted.retain(|counted| counted.count > 0);
        counted.sort_unstable_by_key(|counted| (counted.operation, counted.transport, counted.outcome));
        counted
    }

    /// How often each code was given, if it was, by name.
    pub fn refused(&self) -> Vec<(&'static str, u64)> {
        let mut codes: Vec<_> = self.codes.iter().map(|(code, count)| (*code, count.get())).collect();
        codes.retain(|(_, count)| *count > 0);
        codes.sort_unstable();
        codes
    }

    /// How long requests over a transport took.
    pub fn times(&self, transport: Transport) -> Option<Spreading> {
        self.times.get(transport.at()).map(Spread::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rule: M6.
    #[test]
    fn m6_what_requests_name_does_not_let_the_counts_grow() {
        let requests = Requests::new(["node:add"], ["invalid_id"]);
        let time = Duration::from_micros(7);
        requests.note("node:add", Transport::Rest, Ended::Ok, time);
        for at in 0..10_000 {
            requests.note(&format!("node:{at}"), Transport::Socket, Ended::Refused("nobody_knows"), time);
        }
        let counted = requests.counted();
        let [added, other] = counted.as_slice() else { panic!("{counted:?}") };
        assert_eq!(
            (added.operation, added.transport, added.outcome, added.count),
            ("node:add", "rest", "ok", 1)
        );
        assert_eq!((other.operation, other.outcome, other.count), ("other", "refused", 10_000));
        assert_eq!(requests.refused(), [("other", 10_000)]);
        assert_eq!(requests.name("node:1"), "other");
    }

    // Rule: M5.
    #[test]
    fn m5_a_value_is_in_the_first_bucket_that_holds_it() {
        let spread = Spread::of_times();
        for us in [0, 100, 101, 5_000_000, 5_000_001, u64::MAX / 2] {
            spread.note(us);
        }
        let got = spread.get();
        assert_eq!(got.buckets.iter().map(|(_, count)| *count).collect::<Vec<_>>()[..2], [2, 1]);
        assert_eq!((got.buckets.last(), got.larger), (Some(&(5_000_000, 1)), 2));
        assert_eq!(got.sum, 100 + 101 + 5_000_000 + 5_000_001 + u64::MAX / 2);
        assert!(TIMES_US.len() < BUCKETS && SIZES.len() < BUCKETS);
    }
}
