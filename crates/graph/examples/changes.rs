//! What large changes of view cost, per node: looking before, looking after and making the diffs, for a grant of a
//! branch, its revocation, and a cascade along a chain. Each node has two links.
//!
//! Run it with `cargo run --release -p graph --example changes`. It prints a table and is not a test.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/supply/mod.rs"]
mod supply;

use graph::hash::HashSet;
use graph::model::{Level, Link, LinkType, Node, Plan, Status, User};
use graph::ops::{AccessAdd, NodeUpdate};
use graph::world::Counts;
use graph::{
    BatchId, Entity, LinkId, NodeFields, NodeId, Operation, Projection, Timestamp, UserId, World, decide,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use supply::Supply;
use uuid::Uuid;

const ALICE: u64 = 1;
const BOB: u64 = 2;

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!(
        "{:<10} {:>8} {:>12} {:>12} {:>12} {:>12}   (each node)",
        "", "nodes", "decide", "before", "apply", "after"
    );
    for nodes in [1_000, 10_000, 100_000] {
        for (name, prepare) in [("grant", branch as fn(u64) -> World), ("cascade", chain)] {
            if format!("{name} {nodes}").contains(&wanted) {
                measure(name, nodes, prepare(nodes));
            }
        }
    }
}

fn measure(name: &str, nodes: u64, mut world: World) {
    let viewers: HashSet<UserId> = [ALICE, BOB].map(user_id).into_iter().collect();
    let operations: Vec<(&str, Operation)> = match name {
        "grant" => {
            let (id, email) = (node_id(0), "user2@example.org".to_owned());
            let level = Level::Viewer;
            let grant = AccessAdd { id, email: email.clone(), level, branch: true, due: None };
            vec![("grant", Operation::AccessAdd(grant)), ("revoke", Operation::AccessDelete { id, email })]
        }
        _ => {
            let fields = Box::new(NodeFields { status: Some(Status::Available), ..NodeFields::default() });
            let reopen = NodeUpdate { id: node_id(0), fields, version: None };
            vec![("cascade", Operation::NodeUpdate(reopen))]
        }
    };
    let mut took = [[Duration::MAX; 4]; 2];
    let mut entries = [0; 2];
    let mut supply = Supply::new(0);
    for round in 0..4_u128 {
        for (nth, (_, operation)) in operations.iter().enumerate() {
            let id = BatchId(Uuid::from_u128(round * 2 + nth as u128 + 1));
            let mut last = Instant::now();
            let mut step = || {
                let now = Instant::now();
                now - std::mem::replace(&mut last, now)
            };
            let batch = decide(&world, Some(user_id(ALICE)), operation, id, &mut supply).unwrap();
            let decided = step();
            entries[nth] = batch.entries.len();
            let projection = Projection::before(&world, &batch, &viewers);
            let before = step();
            world.apply(&batch);
            let applied = step();
            let told = projection.after(&world);
            let steps = [decided, before, applied, step()];
            assert!(!told.is_empty());
            if name == "cascade" {
                world.revert(&batch);
            }
            took[nth].iter_mut().zip(steps).for_each(|(least, step)| *least = step.min(*least));
        }
    }
    for (((name, _), took), entries) in operations.iter().zip(took).zip(entries) {
        let each = took.map(|took| took / u32::try_from(nodes).unwrap());
        println!(
            "{name:<10} {nodes:>8} {:>12.2?} {:>12.2?} {:>12.2?} {:>12.2?}   {entries} entries",
            each[0], each[1], each[2], each[3]
        );
    }
}

/// Ids come in no order, like random ones.
fn id(n: u64) -> Uuid {
    Uuid::from_u128(u128::from(n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835))
}

fn user_id(n: u64) -> UserId {
    UserId(Uuid::from_u128(n.into()))
}

fn node_id(n: u64) -> NodeId {
    NodeId(id(2 * n))
}

fn users() -> impl Iterator<Item = Entity> {
    [ALICE, BOB].into_iter().map(|n| {
        Entity::User(Arc::new(User::new(
            user_id(n),
            format!("user{n}"),
            format!("user{n}@example.org"),
            Plan::Pro,
            Timestamp::from_ms(1),
        )))
    })
}

fn node(n: u64, status: Status) -> Entity {
    let batch = BatchId(Uuid::nil());
    let mut node = Node::new(node_id(n), user_id(ALICE), batch, Timestamp::from_ms(1_000), n);
    node.title = format!("Task number {n}");
    (node.x, node.y, node.status) = (n as f64, 0.5, status);
    Entity::Node(Arc::new(node))
}

fn link(n: u64, source: u64, target: u64, kind: LinkType, was_blocker: bool) -> Entity {
    let at = Timestamp::from_ms(1_000);
    let (link, ends) = (LinkId(id(2 * n + 1)), (node_id(source), node_id(target)));
    let new = Link::new(link, user_id(ALICE), ends, BatchId(Uuid::nil()), at, (1 << 40) + n);
    Entity::Link(Arc::new(Link { kind, was_blocker, ..new }))
}

fn load(entities: impl Iterator<Item = Entity>) -> World {
    World::load(users().chain(entities), 0, Counts::default())
}

/// A tree under one node, and a second link from each node to an older one.
fn branch(nodes: u64) -> World {
    let leaf = |n| 4 * n + 1 >= nodes;
    let all = (0..nodes).map(|n| node(n, if leaf(n) { Status::Available } else { Status::Blocked }));
    let links = (1..nodes).flat_map(|n| {
        [
            link(2 * n, n, (n - 1) / 4, LinkType::Primary, true),
            link(2 * n + 1, n, n / 2, LinkType::Secondary, true),
        ]
    });
    load(all.chain(links))
}

/// A chain in which each node holds the next one, and a second link from each node to an older one.
fn chain(nodes: u64) -> World {
    let all = (0..nodes).map(|n| node(n, Status::Completed));
    let links = (1..nodes).flat_map(|n| {
        [
            link(2 * n, n - 1, n, LinkType::Primary, false),
            link(2 * n + 1, n, n / 2, LinkType::Secondary, false),
        ]
    });
    load(all.chain(links))
}
