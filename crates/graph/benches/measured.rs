//! How long the measured operations take. Run it with `make bench-graph`.

#[path = "../tests/supply/mod.rs"]
mod supply;
#[path = "../tests/wide/mod.rs"]
#[allow(dead_code)]
mod wide;

use criterion::{Criterion, criterion_group, criterion_main};
use wide::measured::{MEASURED, Measured};

fn measured(criterion: &mut Criterion) {
    for Measured { name, prepare } in MEASURED {
        let mut work = prepare();
        criterion.bench_function(name, |bencher| bencher.iter(&mut work));
    }
}

criterion_group!(benches, measured);
criterion_main!(benches);
