//! What is computed for many together equals what is computed for each alone: random small worlds with many cycles.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use fixture::{Fixture, link, node, user};
use graph::cover::{Cover, Placements, accessible, covers, standings};
use graph::hash::HashSet;
use graph::{Audience, Graph, NodeId, UserId, access};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const NODES: usize = 9;

fn name(at: usize) -> String {
    format!("n{at}")
}

/// Nodes of two users, secondary links anywhere between them, shares of all kinds; then some nodes are trashed.
fn world() -> impl Strategy<Value = String> {
    let owners = proptest::collection::vec(prop_oneof![3 => Just("alice"), 1 => Just("carol")], NODES);
    let ends = (0..NODES, 0..NODES).prop_filter("two nodes", |(a, b)| a != b);
    let links = proptest::collection::vec((ends, proptest::bool::weighted(0.1)), 0..16);
    let grants = proptest::collection::vec((0..NODES, 1..=3, any::<bool>(), 0..8), 0..6);
    let public = proptest::option::of((0..NODES, any::<bool>(), any::<bool>()));
    let trashed = proptest::collection::vec(0..NODES, 0..4);
    (owners, links, grants, public, trashed).prop_map(|(owners, links, grants, public, trashed)| {
        let mut text = String::new();
        for (at, owner) in owners.iter().enumerate() {
            text += &format!("{owner} owns {}\n", name(at));
        }
        let mut places = HashSet::default();
        for ((a, b), private) in links {
            if places.insert((a.min(b), a.max(b))) {
                let private = if private { "private" } else { "" };
                text += &format!("{} ~> {} {private}\n", name(a), name(b));
            }
        }
        let mut granted = HashSet::default();
        for (at, level, branch, hidden) in grants {
            if granted.insert(at) {
                let (branch, hidden) =
                    (if branch { "+" } else { "" }, if hidden == 0 { "hidden" } else { "" });
                text += &format!("bob {level} {}{branch} {hidden}\n", name(at));
            }
        }
        if let Some((at, branch, embedded)) = public {
            text += &format!("public {}{}\n", name(at), if branch { "+" } else { "" });
            if embedded {
                text += &format!("bob embeds {}\n", name(at));
            }
        }
        for at in trashed.into_iter().collect::<BTreeSet<_>>() {
            text += &format!("{}: trash {}\n", owners[at], name(at));
        }
        text
    })
}

fn all() -> impl Iterator<Item = NodeId> {
    (0..NODES).map(|at| node(&name(at)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    // Rules: A1, A5, A7, A11, V7.
    #[test]
    fn a7_many_nodes_are_covered_as_each_is(text in world()) {
        let world = &Fixture::new(&text).world;
        let people = ["alice", "bob", "carol", "dora"].map(user);
        let everyone: HashSet<UserId> = people.into_iter().collect();
        let audience = Audience::from(&everyone);
        let (covered, standing) = (covers(world, all(), audience), standings(world, all(), audience));
        for one in people {
            let placed = Placements::of(world, one, all());
            let (reached, own) = (accessible(world, one), covers(world, all(), Audience::One(one)));
            for id in all() {
                let (level, placement) = (access::level(world, one, id), access::placement(world, one, id));
                prop_assert_eq!(placed.level(id), placement);
                prop_assert_eq!(standing[&id].level(one), placement);
                prop_assert_eq!(reached.get(&id).copied(), level);
                prop_assert_eq!(covered.get(&id).and_then(|cover| cover.level(one)), level);
                // For a single node the roots are found in another way.
                let alone = covers(world, [id], audience);
                let roots = |cover: Option<&Arc<Cover>>| cover.map(|cover| cover.roots_for(one));
                prop_assert_eq!(roots(covered.get(&id)), roots(alone.get(&id)));
                prop_assert_eq!(roots(own.get(&id)), roots(alone.get(&id)));
            }
        }
    }

    // The links that return with a node are those that would return if each were judged alone, the oldest first.
    #[test]
    fn b11_links_come_back_as_if_one_by_one(
        sides in proptest::collection::vec(0..3, NODES),
        links in proptest::collection::vec((0..NODES, 0..NODES), 0..20),
    ) {
        let mut text = format!("alice owns z {}\n", (0..NODES).map(name).collect::<Vec<_>>().join(" "));
        let mut gone: Vec<(String, String)> = Vec::new();
        for (at, side) in sides.iter().enumerate().filter(|(_, side)| **side > 0) {
            let (a, b) = if *side == 1 { (name(at), "z".to_owned()) } else { ("z".to_owned(), name(at)) };
            text += &format!("{a} -> {b}\n");
            gone.push((a, b));
        }
        let mut fixture = Fixture::new(&text);
        fixture.run("alice: trash z").unwrap();
        let mut above: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (a, b) in links {
            if fixture.run(&format!("alice: link {} {}", name(a), name(b))).is_ok() {
                above.entry(name(a)).or_default().insert(name(b));
            }
        }
        fixture.run("alice: restore z").unwrap();
        for (source, target) in gone {
            let (mut reached, mut waiting) = (BTreeSet::new(), vec![target.clone()]);
            while let Some(at) = waiting.pop() {
                if reached.insert(at.clone()) {
                    waiting.extend(above.get(&at).into_iter().flatten().cloned());
                }
            }
            let closes = reached.contains(&source);
            let id = link(&format!("{source}>{target}"));
            prop_assert_eq!(fixture.world.link(id).unwrap().in_trash, closes, "{} -> {}", source, target);
            if !closes {
                above.entry(source).or_default().insert(target);
            }
        }
    }
}
