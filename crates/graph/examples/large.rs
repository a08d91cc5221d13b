//! What a large World costs: the memory of a node with its two links, the time of a load, of an edit of a hub beside
//! that of a leaf, and of a cascade along a chain, per node. Times are those of the processor.
//!
//! Run it with `make bench-large`. It prints a table and is not a test.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/supply/mod.rs"]
mod supply;

use cpu_time::ThreadTime;
use graph::model::{Link, Node, Plan, Status, User};
use graph::ops::NodeUpdate;
use graph::world::Counts;
use graph::{
    Batch, BatchId, Entity, LinkId, NodeFields, NodeId, Operation, Projection, Timestamp, UserId, World,
    decide,
};
use std::sync::Arc;
use std::time::Duration;
use supply::Supply;
use uuid::Uuid;

const USER: UserId = UserId(Uuid::from_u128(1));
const BATCH: BatchId = BatchId(Uuid::from_u128(77));

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let cases: [(&str, fn()); 3] = [("memory", memory), ("hub", hub), ("cascade", cascade)];
    for (name, case) in cases {
        if name.contains(&wanted) {
            case();
        }
    }
}

/// Ids come in no order, like random ones.
fn id(n: u64) -> Uuid {
    Uuid::from_u128(u128::from(n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835))
}

fn node_id(n: u64) -> NodeId {
    NodeId(id(2 * n))
}

fn user() -> Entity {
    let (id, created) = (USER, Timestamp::from_ms(1));
    let (username, email) = ("alice".to_owned(), "alice@example.org".to_owned());
    Entity::User(Arc::new(User::new(id, username, email, Plan::Pro, created)))
}

fn node(n: u64, status: Status) -> Entity {
    // They are loaded in another order than that of their creation.
    let seq = n.wrapping_mul(0x9E37_79B1) & u64::from(u32::MAX);
    let mut node = Node::new(node_id(n), USER, BATCH, Timestamp::from_ms(1_000), seq);
    node.title = format!("Task number {n}");
    (node.x, node.y, node.status) = (n as f64, 0.5, status);
    Entity::Node(Arc::new(node))
}

fn link(n: u64, source: u64, target: u64, was_blocker: bool) -> Entity {
    let at = Timestamp::from_ms(1_000);
    let (link, ends) = (LinkId(id(2 * n + 1)), (node_id(source), node_id(target)));
    let new = Link::new(link, USER, ends, BATCH, at, (1 << 40) + n);
    Entity::Link(Arc::new(Link { was_blocker, ..new }))
}

/// The resident memory of this process, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn memory() {
    let nodes: u64 = std::env::args().nth(2).map_or(1_000_000, |text| text.parse().unwrap());
    let count = usize::try_from(nodes).unwrap();
    let before = resident();
    let status = |n| if n == 0 { Status::Available } else { Status::Blocked };
    let links = (1..nodes).flat_map(|n| [(2 * n, n - 1, n), (2 * n + 1, n / 2, n)]);
    let links = links.map(|(at, source, target)| link(at, source, target, true));
    let entities: Vec<Entity> =
        std::iter::once(user()).chain((0..nodes).map(|n| node(n, status(n)))).chain(links).collect();
    let stored = resident() - before - entities.capacity() * size_of::<Entity>();
    let started = ThreadTime::now();
    let world = World::load(entities, 0, Counts { nodes: count, links: 2 * count });
    let loading = started.elapsed();
    let one = resident() - before;
    let started = ThreadTime::now();
    let other = world.clone();
    let cloning = started.elapsed();
    let two = resident() - before;
    println!("{count} nodes and {} links", world.links().count());
    println!("entities           {:>8} bytes a node", stored / count);
    println!("one World          {:>8} bytes a node, loaded in {loading:.2?}", one / count);
    println!("and a clone of it  {:>8} bytes a node, cloned in {cloning:.2?}", two / count);
    std::mem::forget((world, other));
}

fn decided(world: &World, operation: &Operation) -> Batch {
    decide(world, Some(USER), operation, BATCH, &mut Supply::new(0)).unwrap()
}

fn drag(n: u64, x: f64) -> Operation {
    let fields = Box::new(NodeFields { x: Some(x), ..NodeFields::default() });
    Operation::NodeUpdate(NodeUpdate { id: node_id(n), fields, version: None })
}

/// Drags the hub of many children, and a leaf, in turn.
fn hub() {
    const CHILDREN: u64 = 100_000;
    let status = |n| if n == 0 { Status::Blocked } else { Status::Available };
    let nodes = (0..=CHILDREN).map(|n| node(n, status(n)));
    let links = (1..=CHILDREN).map(|n| link(n, n, 0, true));
    let mut world = World::load(std::iter::once(user()).chain(nodes).chain(links), 0, Counts::default());
    let viewers = [USER].into_iter().collect();
    let mut took = [[Duration::MAX; 3]; 2];
    for round in 0..100 {
        for (at, took) in took.iter_mut().enumerate() {
            let operation = drag(at as u64 * 7, f64::from(round) + 0.25);
            let started = ThreadTime::now();
            let batch = decided(&world, &operation);
            let decided = started.elapsed();
            let projection = Projection::before(&world, &batch, &viewers);
            let looked = started.elapsed();
            world.apply(&batch);
            let applied = started.elapsed();
            let told = projection.after(&world);
            let all = started.elapsed();
            assert_eq!((batch.entries.len(), told.len()), (1, 1));
            let steps = [decided, applied - looked, all - decided - (applied - looked)];
            took.iter_mut().zip(steps).for_each(|(least, step)| *least = step.min(*least));
        }
    }
    println!("an edit of             {:>10} {:>10} {:>10}", "decide", "apply", "project");
    for (name, [decide, apply, project]) in ["a hub of 100,000", "a leaf"].into_iter().zip(took) {
        println!("{name:<22} {decide:>10.1?} {apply:>10.1?} {project:>10.1?}");
    }
}

/// Completes the end of a chain and reopens it.
fn cascade() {
    println!("a cascade of           {:>16} {:>16}   (each node)", "decide", "apply");
    for nodes in [1_000_u64, 10_000, 100_000] {
        let entities = std::iter::once(user())
            .chain((0..nodes).map(|n| node(n, Status::Completed)))
            .chain((1..nodes).map(|n| link(n, n - 1, n, false)));
        let mut world = World::load(entities, 0, Counts::default());
        let set = |status| {
            let fields = Box::new(NodeFields { status: Some(status), ..NodeFields::default() });
            Operation::NodeUpdate(NodeUpdate { id: node_id(0), fields, version: None })
        };
        let mut took = [Duration::MAX; 2];
        let mut entries = 0;
        for _ in 0..4 {
            let started = ThreadTime::now();
            let batch = decided(&world, &set(Status::Available));
            let deciding = started.elapsed();
            let started = ThreadTime::now();
            world.apply(&batch);
            let steps = [deciding, started.elapsed()];
            took.iter_mut().zip(steps).for_each(|(least, step)| *least = step.min(*least));
            entries = batch.entries.len();
            world.revert(&batch);
        }
        let each = |took: Duration| took.as_nanos() / u128::from(nodes);
        println!(
            "{nodes:>7} nodes          {:>13} ns {:>13} ns   {entries} entries, reopened",
            each(took[0]),
            each(took[1])
        );
    }
}
