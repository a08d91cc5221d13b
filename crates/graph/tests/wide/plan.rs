//! What is asked about waiting and about access.

use super::*;
use graph::load::visible;
use graph::waiting::{self, Waiting};

/// Ten blockers in a chain, beside n other nodes under one hub.
fn few_among(n: usize) -> (World, usize) {
    let mut made = Made::new();
    made.hub(n);
    let chain = made.chain(11);
    (made.world(), chain[0])
}

pub(super) fn why_of_few(n: usize) -> Work {
    let (world, at) = few_among(n);
    Box::new(move || {
        let why = waiting::why(&world, user(ALICE), node(at)).unwrap();
        assert_eq!((why.blockers.len(), why.frontier.len()), (10, 1));
        std::mem::forget((world, why));
    })
}

pub(super) fn critical_of_few(n: usize) -> Work {
    let (world, at) = few_among(n);
    Box::new(move || {
        let open = Waiting::below(&world, user(ALICE), node(at)).unwrap();
        assert_eq!(waiting::critical(&open, Some(node(at))).unwrap().tasks.length, 11);
        std::mem::forget((world, open));
    })
}

/// Each node of the chain is shared with somebody, and has a second blocker of its own.
pub(super) fn why_of_shared(n: usize) -> Work {
    let (mut made, chain) = shared_chain(n);
    for at in &chain {
        let other = made.node(ALICE);
        made.link(other, *at);
    }
    let world = made.world();
    Box::new(move || {
        let why = waiting::why(&world, user(BOB), node(chain[0])).unwrap();
        assert_eq!(why.blockers.len(), 2 * n - 1);
        std::mem::forget((world, why));
    })
}

pub(super) fn plan_of_own(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.hub(n);
    for pair in (hub + 1..=hub + n).collect::<Vec<_>>().windows(2) {
        made.link(pair[1], pair[0]);
    }
    let world = made.world();
    Box::new(move || {
        let who = &world.user(user(ALICE)).unwrap().user;
        let open = Waiting::in_page(&visible(&world, user(ALICE)), who);
        assert_eq!(waiting::ready(&open, false, 10).tasks[0].holds, n as u64);
        assert_eq!(waiting::critical(&open, None).unwrap().tasks.length, n as u64 + 1);
        std::mem::forget((world, open));
    })
}

pub(super) fn grants_at_depth(n: usize) -> Work {
    let (mut made, chain) = shared_chain(n);
    made.grant(chain[n - 1], EVE, Level::Viewer, false);
    let world = made.world();
    Box::new(move || {
        let grants = graph::grants::grants(&world, user(ALICE), node(chain[n - 1])).unwrap();
        assert_eq!(grants.grants.len(), n + 1);
        std::mem::forget((world, grants));
    })
}
