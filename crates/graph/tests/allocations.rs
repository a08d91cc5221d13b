//! How often the measured operations allocate. The counts are exact, so a clone or a list too many turns this red.

#![allow(clippy::unwrap_used)]

mod supply;
#[allow(dead_code)]
mod wide;

use wide::measured::{MEASURED, Measured};

/// At most so many allocations, by the names of [`MEASURED`].
const MOST: &[(&str, u64)] = &[
    ("decide node:add under a node", 14),
    ("decide a drag of a leaf", 6),
    ("decide a drag of a hub of 10,000", 6),
    ("decide the reopening of a chain of 1,000", 3_070),
    ("decide graph:apply of 100 drags", 513),
    ("apply and revert a drag of a leaf", 0),
    ("apply and revert the reopening of a chain of 1,000", 0),
    ("project a drag of a leaf", 38),
    ("project a drag of a hub of 10,000", 38),
    ("project an edit that 500 see", 632),
    ("project the reopening of a chain of 1,000", 116),
    ("V(u) of 1,000 nodes and 2,000 links", 40),
    ("load 5,000 nodes and 10,000 links", 5_503),
];

#[test]
fn the_measured_operations_allocate_no_more_than_before() {
    let mut problems = Vec::new();
    for Measured { name, prepare } in MEASURED {
        let mut work = prepare();
        work();
        let count = allocation_counter::measure(work).count_total;
        match MOST.iter().find(|(of, _)| of == name) {
            Some((_, most)) if count <= *most => {}
            most => problems.push(format!("{name}: {count}, at most {:?}", most.map(|(_, most)| most))),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
