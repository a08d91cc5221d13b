//! Latencies in microseconds, in a histogram of three significant digits.

use crate::measurement::Values;
use hdrhistogram::Histogram;
use std::time::Duration;

/// Longer latencies count as this one. Nothing that is measured should take longer.
const LONGEST_US: u64 = 120_000_000;

/// A histogram of latencies.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// An empty histogram.
    pub fn new() -> anyhow::Result<Latencies> {
        Ok(Latencies(Histogram::new_with_bounds(1, LONGEST_US, 3)?))
    }

    /// Counts one latency.
    pub fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US).max(1));
    }

    /// Counts the latencies of another histogram too.
    pub fn merge(&mut self, other: &Latencies) -> anyhow::Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    /// How many latencies were counted.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The latency, in microseconds, that the given share of all latencies does not exceed.
    pub fn quantile_us(&self, share: f64) -> f64 {
        self.0.value_at_quantile(share) as f64
    }

    /// The usual quantiles, as `p50_us`, `p90_us`, `p99_us`, `p999_us` and `max_us`.
    pub fn quantiles(&self) -> Values {
        let quantile = |name: &str, share| (name.to_owned(), self.quantile_us(share));
        Values::from([
            quantile("p50_us", 0.5),
            quantile("p90_us", 0.9),
            quantile("p99_us", 0.99),
            quantile("p999_us", 0.999),
            ("max_us".to_owned(), self.0.max() as f64),
        ])
    }
}
