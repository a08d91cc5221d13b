//! What is watched on every change of the domain: by the clock (`benches/measured.rs`), in allocations
//! (`tests/allocations.rs`) and in instructions (`tools/instructions`). Each can be done over and over.

use super::*;

/// One of them.
#[allow(dead_code)]
pub struct Measured {
    pub name: &'static str,
    pub prepare: fn() -> Box<dyn FnMut()>,
}

#[allow(dead_code)]
pub const MEASURED: &[Measured] = &[
    Measured { name: "decide node:add under a node", prepare: || decide_again(child_of_a_hub(10)) },
    Measured { name: "decide a drag of a leaf", prepare: || decide_again(drag_of_a_leaf()) },
    Measured { name: "decide a drag of a hub of 10,000", prepare: || decide_again(drag_of_a_hub()) },
    Measured { name: "decide the reopening of a chain of 1,000", prepare: || decide_again(reopening()) },
    Measured { name: "decide graph:apply of 100 drags", prepare: || decide_again(drags()) },
    Measured { name: "apply and revert a drag of a leaf", prepare: || apply_again(drag_of_a_leaf()) },
    Measured {
        name: "apply and revert the reopening of a chain of 1,000",
        prepare: || apply_again(reopening()),
    },
    Measured { name: "project a drag of a leaf", prepare: || project_again(drag_of_a_leaf()) },
    Measured { name: "project a drag of a hub of 10,000", prepare: || project_again(drag_of_a_hub()) },
    Measured { name: "project an edit that 500 see", prepare: || project_again(edit_that_500_see()) },
    Measured { name: "project the reopening of a chain of 1,000", prepare: || project_again(reopening()) },
    Measured { name: "V(u) of 1,000 nodes and 2,000 links", prepare: see_again },
    Measured { name: "load 5,000 nodes and 10,000 links", prepare: load_again },
];

/// An operation of alice's on a World.
struct Mutation {
    world: World,
    operation: Operation,
    viewers: HashSet<UserId>,
}

impl Mutation {
    fn decide(&mut self) -> Batch {
        match &self.operation {
            Operation::GraphApply { operations } => {
                let ids = &mut Supply::new(0);
                graph::ops::apply(&mut self.world, user(ALICE), operations, NEW_BATCH, ids, || true).unwrap()
            }
            operation => decided(&self.world, ALICE, operation),
        }
    }
}

fn of_alice(world: World, operation: Operation) -> Mutation {
    Mutation { world, operation, viewers: HashSet::from_iter([user(ALICE)]) }
}

fn drag(at: usize, x: f64) -> Operation {
    let fields = Box::new(NodeFields { x: Some(x), ..NodeFields::default() });
    Operation::NodeUpdate(NodeUpdate { id: node(at), fields, version: None })
}

fn child_of_a_hub(children: usize) -> Mutation {
    let mut made = Made::new();
    let hub = made.hub(children);
    let add = graph::ops::NodeAdd { target: Some(node(hub)), ..graph::ops::NodeAdd::default() };
    of_alice(made.world(), Operation::NodeAdd(add))
}

fn drag_of_a_leaf() -> Mutation {
    let mut made = Made::new();
    made.hub(10);
    of_alice(made.world(), drag(1, 7.0))
}

fn drag_of_a_hub() -> Mutation {
    let mut made = Made::new();
    let hub = made.hub(10_000);
    of_alice(made.world(), drag(hub, 7.0))
}

fn reopening() -> Mutation {
    let mut made = Made::new();
    let chain = made.chain(1_000);
    made.nodes.iter_mut().for_each(|node| node.status = Status::Completed);
    of_alice(made.world(), set_status(chain[999], Status::Available))
}

fn drags() -> Mutation {
    let mut made = Made::new();
    made.hub(200);
    let operations = (0..100).map(|at| drag(at, 7.0)).collect();
    of_alice(made.world(), Operation::GraphApply { operations })
}

fn edit_that_500_see() -> Mutation {
    let mut made = Made::new();
    made.people += 500;
    let hub = made.hub(10);
    (0..500).for_each(|who| made.grant(hub, 10 + who, Level::Viewer, true));
    let viewers = (0..500).map(|who| 10 + who).chain([ALICE]).map(user).collect();
    Mutation { world: made.world(), operation: edit(hub + 1), viewers }
}

fn decide_again(mut mutation: Mutation) -> Box<dyn FnMut()> {
    Box::new(move || assert!(!mutation.decide().entries.is_empty()))
}

fn apply_again(mut mutation: Mutation) -> Box<dyn FnMut()> {
    let batch = mutation.decide();
    Box::new(move || {
        mutation.world.apply(&batch);
        mutation.world.revert(&batch);
    })
}

fn project_again(mut mutation: Mutation) -> Box<dyn FnMut()> {
    let batch = mutation.decide();
    Box::new(move || {
        let projection = Projection::before(&mutation.world, &batch, &mutation.viewers);
        mutation.world.apply(&batch);
        assert!(!projection.after(&mutation.world).is_empty());
        mutation.world.revert(&batch);
    })
}

/// Nodes that each have two links to others, and one share.
fn linked_twice(nodes: usize) -> Made {
    let mut made = Made::new();
    for at in 0..nodes {
        made.node(ALICE);
        if at > 1 {
            made.link(at, at / 2);
            made.link(at, at - 1);
        }
    }
    made.nodes[0].publication = public();
    made
}

fn see_again() -> Box<dyn FnMut()> {
    let world = linked_twice(1_000).world();
    Box::new(move || assert_eq!(graph::load::visible(&world, user(ALICE)).nodes.len(), 1_000))
}

fn load_again() -> Box<dyn FnMut()> {
    let entities = linked_twice(5_000).entities();
    let counts = Counts { nodes: 5_000, links: 10_000 };
    Box::new(move || {
        let world = World::load(entities.iter().cloned(), 0, counts);
        assert_eq!(world.next_seq(), 14_996);
    })
}
