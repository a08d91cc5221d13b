//! What an ordinary user can create costs at most in proportion. Costs are counted in looks at nodes, links and
//! shares, never in time. They are counted only in debug builds; `make bench-costs` shows the time.

#![cfg(debug_assertions)]

mod supply;
mod wide;

use wide::{CASES, Case};

/// What costs the same however large the hub is.
// Rules: B16, G14, Q15.
const FLAT: &[&str] = &[
    "node:update of a hub with n children",
    "completing a hub of n completed children",
    "completing the last of n blockers of a hub",
    "a page of 10 of a listed publication of n",
    "graph:why of 10 blockers beside n others",
    "graph:critical into one, 10 blockers beside n others",
    "link:add, a hub with n children under a node",
    "link:add, a child under a node with n parents",
];

/// Rule: B13, and what there is to do at all for one engine that serves everybody.
#[test]
fn b13_four_times_as_much_takes_about_four_times_as_many_looks() {
    for Case { name, prepare, .. } in CASES {
        let looks = [50, 200].map(|n| {
            let work = prepare(n);
            let before = graph::effort::looks();
            work();
            graph::effort::looks() - before
        });
        // Quadratic growth would be sixteenfold.
        assert!(looks[1] <= 6 * looks[0], "{name}: {looks:?} looks");
        assert!(!FLAT.contains(name) || looks[1] == looks[0], "{name}: {looks:?} looks");
        println!("{name:<58} {looks:?}");
    }
}
