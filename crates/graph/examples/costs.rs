//! How costs grow with what an ordinary user can create: each case at n, 2n and 4n, and how many times longer 4n
//! takes than n. Linear growth stays near 4; quadratic growth is near 16.
//!
//! Run it with `make bench-costs`. It prints a table and is not a test. `tests/costs.rs` tests growth without a
//! clock.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/supply/mod.rs"]
mod supply;
#[path = "../tests/wide/mod.rs"]
mod wide;

use std::time::{Duration, Instant};
use wide::{CASES, Case};

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!("{:<58} {:>6} {:>10} {:>10} {:>10} {:>6}", "", "n", "n", "2n", "4n", "4n/n");
    for Case { name, n, prepare } in CASES.iter().filter(|case| case.name.contains(&wanted)) {
        let [one, two, four] = [*n, 2 * n, 4 * n].map(|n| took(*prepare, n));
        let growth = four.as_secs_f64() / one.as_secs_f64();
        println!("{name:<58} {n:>6} {one:>10.1?} {two:>10.1?} {four:>10.1?} {growth:>6.1}");
    }
}

/// The least time of several tries, because the machine does other things too.
fn took(prepare: fn(usize) -> wide::Work, n: usize) -> Duration {
    let began = Instant::now();
    let mut least = Duration::MAX;
    for tried in 0..20 {
        if tried > 2 && began.elapsed() > Duration::from_secs(2) {
            break;
        }
        let work = prepare(n);
        let started = Instant::now();
        work();
        least = least.min(started.elapsed());
    }
    least
}
