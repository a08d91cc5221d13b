//! Wide and deep worlds, and operations on them, to measure costs with or without a clock.

#![allow(clippy::unwrap_used)]

use crate::supply::Supply;
use graph::hash::{HashMap, HashSet};
use graph::load::Load;
use graph::model::{Embed, Grant, Level, Link, LinkType, Node, Plan, Publication, Status, User};
use graph::ops::{AccessAdd, Chain, LinkAdd, NodeUpdate, UndoKind, undo_or_redo};
use graph::published::PublishedList;
use graph::world::Counts;
use graph::{
    Batch, BatchId, Entity, LinkId, NodeFields, NodeId, Operation, Projection, Timestamp, UserId, World,
    decide,
};
use std::sync::Arc;
use uuid::Uuid;

pub mod measured;
mod plan;

/// What a case measures, once its World exists.
pub type Work = Box<dyn FnOnce()>;

pub struct Case {
    pub name: &'static str,
    /// The size of the smallest World, measured by the clock.
    #[allow(dead_code)]
    pub n: usize,
    pub prepare: fn(usize) -> Work,
}

pub const CASES: &[Case] = &[
    Case { name: "trash:page of a trashed chain of n", n: 500, prepare: page_of_trashed_chain },
    Case { name: "n nodes that lead to one hub are reopened", n: 500, prepare: reopen_many_under_one },
    Case { name: "node:restore of a hub with n children", n: 500, prepare: restore_hub },
    Case { name: "node:restore of a hub, children and parents", n: 500, prepare: restore_crossing },
    Case { name: "node:restore, every other link would close a cycle", n: 250, prepare: restore_cycles },
    Case { name: "trash:page, n trashed links at one hub", n: 500, prepare: page_of_trashed_links },
    Case { name: "trash:purge, n trashed links at one hub, by name", n: 250, prepare: purge_links },
    Case { name: "trash:purge of a trashed chain of n, viewer connected", n: 250, prepare: purge_chain },
    Case { name: "node:trash of a hub, owner shares something", n: 500, prepare: trash_hub },
    Case { name: "node:trash of a hub with n parents", n: 250, prepare: trash_under_many },
    Case { name: "node:update under n share roots in a row", n: 200, prepare: edit_under_roots },
    Case { name: "node:trash of a hub of n under n share roots", n: 100, prepare: trash_hub_under_roots },
    Case { name: "replay of a purged chain of n", n: 250, prepare: replay_purge },
    Case { name: "replay of node:trash of a hub, by an editor", n: 250, prepare: replay_trash },
    Case { name: "deleting a hub of n for good", n: 1000, prepare: delete_hub },
    Case { name: "trash:purge of n links, the hub stays", n: 1000, prepare: purge_at_hub },
    Case { name: "link:add, source with n targets", n: 1000, prepare: link_from_wide },
    Case { name: "link:add, source with n targets of others", n: 1000, prepare: link_from_wide_to_others },
    Case { name: "node:update of a hub with n children", n: 1000, prepare: edit_hub },
    Case { name: "completing a hub of n completed children", n: 1000, prepare: complete_hub },
    Case { name: "reopening the end of a completed chain of n", n: 1000, prepare: reopen_end },
    Case { name: "completing the last of n blockers of a hub", n: 1000, prepare: complete_last },
    Case { name: "link:add, a hub with n children under a node", n: 1000, prepare: link_hub_under },
    Case { name: "link:add, a child under a node with n parents", n: 1000, prepare: link_under_wide },
    Case { name: "graph:apply of n edits of a hub with n children", n: 200, prepare: apply_at_hub },
    Case { name: "node:duplicate of a hub with n children", n: 250, prepare: duplicate_hub },
    Case { name: "node:update of a child of a shared hub of n", n: 1000, prepare: edit_child },
    Case { name: "access:delete, n viewers connected, depth n", n: 100, prepare: revoke_among_many },
    Case { name: "access, user with n grants of somebody else's", n: 1000, prepare: level_with_grants },
    Case { name: "check of a hub of n", n: 500, prepare: check_hub },
    Case { name: "graph:get limit 1, chain of n, each node shared", n: 100, prepare: first_page_of_shared },
    Case { name: "node:update at the end of such a chain", n: 100, prepare: edit_end_of_shared },
    Case { name: "trash:page of such a chain in the trash", n: 100, prepare: page_of_shared },
    Case { name: "who sees a batch of n entries, at depth n", n: 250, prepare: sees_batch },
    Case { name: "history, chain of n, each node shared", n: 250, prepare: reader_of_shared },
    Case { name: "history:undo of node:trash, children and parents", n: 250, prepare: undo_trash },
    Case { name: "access:add of a branch of n, with a second link each", n: 500, prepare: grant_branch },
    Case { name: "a chain of n is reopened, viewer connected", n: 500, prepare: reopen_chain },
    Case { name: "node:unpublish of a branch of n, n have embedded it", n: 250, prepare: unpublish },
    Case { name: "n grants in a row run out at once", n: 100, prepare: run_out },
    Case { name: "settings:username, n nodes in a row shared", n: 250, prepare: rename },
    Case { name: "removing a user with a chain of n, viewer connected", n: 250, prepare: remove_chain },
    Case { name: "removing a user with n links at a hub of others", n: 250, prepare: remove_links_elsewhere },
    Case { name: "removing a user with n grants, and n given", n: 250, prepare: remove_grants },
    Case { name: "a page of 10 of a listed publication of n", n: 1000, prepare: page_of_published },
    Case { name: "loading n nodes and 2n links", n: 50_000, prepare: load },
    Case { name: "graph:get in pages, n own nodes and 2n links", n: 25_000, prepare: pages_of_own },
    Case { name: "graph:get in pages, n nodes under some shares", n: 25_000, prepare: pages_of_shared },
    Case { name: "everything seen, n own nodes and 2n links", n: 25_000, prepare: all_of_own },
    Case { name: "everything seen, n own nodes under some shares", n: 25_000, prepare: all_of_sharer },
    Case { name: "everything seen, n nodes under some shares", n: 25_000, prepare: all_of_shared },
    Case { name: "branch:get of a public branch of n, in pages", n: 25_000, prepare: pages_of_publication },
    Case { name: "graph:why of 10 blockers beside n others", n: 1000, prepare: plan::why_of_few },
    Case {
        name: "graph:critical into one, 10 blockers beside n others",
        n: 1000,
        prepare: plan::critical_of_few,
    },
    Case { name: "graph:why of a chain of n, each node shared", n: 250, prepare: plan::why_of_shared },
    Case {
        name: "graph:ready and graph:critical of n nodes and 2n links",
        n: 25_000,
        prepare: plan::plan_of_own,
    },
    Case { name: "node:grants at depth n, each node shared", n: 100, prepare: plan::grants_at_depth },
];

pub const ALICE: u128 = 1;
pub const BOB: u128 = 2;
/// A connected user who is not affected.
const EVE: u128 = 3;

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn node(n: usize) -> NodeId {
    NodeId(Uuid::from_u128(spread(0x1_0000_0000 + n as u128)))
}

fn link(n: usize) -> LinkId {
    LinkId(Uuid::from_u128(spread(0x2_0000_0000 + n as u128)))
}

/// Ids come in no order, like random ones.
fn spread(n: u128) -> u128 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
}

/// A World under construction. Nodes are numbered from 0.
#[derive(Default)]
pub struct Made {
    people: usize,
    nodes: Vec<Node>,
    links: Vec<Link>,
    grants: Vec<Grant>,
    embeds: Vec<Embed>,
}

impl Made {
    fn new() -> Self {
        Made { people: 10, ..Made::default() }
    }

    fn node(&mut self, owner: u128) -> usize {
        let at = self.nodes.len();
        let seq = (at + self.links.len()) as u64;
        let made = Node::new(node(at), user(owner), BatchId(Uuid::nil()), Timestamp::from_ms(1_000), seq);
        self.nodes.push(made);
        at
    }

    fn link(&mut self, source: usize, target: usize) -> usize {
        let at = self.links.len();
        self.links.push(Link {
            id: link(at),
            owner: self.nodes[target].owner,
            source: node(source),
            target: node(target),
            kind: LinkType::Primary,
            private: false,
            was_blocker: false,
            in_trash: false,
            cascade: false,
            version: 1,
            created: Timestamp::from_ms(1_000),
            edited: Timestamp::from_ms(1_000),
            seq: (at + self.nodes.len()) as u64,
            last_batch: BatchId(Uuid::nil()),
        });
        at
    }

    /// A chain of alice's new nodes, the uppermost first.
    fn chain(&mut self, n: usize) -> Vec<usize> {
        let nodes: Vec<usize> = (0..n).map(|_| self.node(ALICE)).collect();
        for pair in nodes.windows(2) {
            self.link(pair[1], pair[0]);
        }
        nodes
    }

    /// A node of alice's with n children.
    fn hub(&mut self, n: usize) -> usize {
        let hub = self.node(ALICE);
        for _ in 0..n {
            let child = self.node(ALICE);
            self.link(child, hub);
        }
        hub
    }

    fn grant(&mut self, at: usize, to: u128, level: Level, branch: bool) {
        self.grants.push(Grant {
            node: node(at),
            user: user(to),
            level,
            branch,
            due: None,
            showing: true,
            granted_by: self.nodes[at].owner,
            version: 1,
        });
    }

    fn trash(&mut self, nodes: impl IntoIterator<Item = usize>) {
        let gone: HashSet<NodeId> = nodes.into_iter().map(node).collect();
        self.nodes.iter_mut().filter(|node| gone.contains(&node.id)).for_each(|node| node.in_trash = true);
        for link in &mut self.links {
            if gone.contains(&link.source) || gone.contains(&link.target) {
                (link.in_trash, link.cascade) = (true, true);
            }
        }
    }

    fn trash_link(&mut self, at: usize) {
        self.links[at].in_trash = true;
    }

    /// The World, with every held node Blocked.
    fn world(mut self) -> World {
        let places: HashMap<NodeId, usize> =
            self.nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
        let mut above: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for link in self.links.iter().filter(|link| !link.in_trash) {
            above[places[&link.source]].push(places[&link.target]);
        }
        let mut open: Vec<usize> =
            (0..self.nodes.len()).filter(|at| self.nodes[*at].status != Status::Completed).collect();
        let mut held: HashSet<usize> = HashSet::default();
        while let Some(at) = open.pop() {
            for target in &above[at] {
                if held.insert(*target) {
                    self.nodes[*target].status = Status::Blocked;
                    open.push(*target);
                }
            }
        }
        for link in self.links.iter_mut().filter(|link| !link.in_trash) {
            let open = self.nodes[places[&link.source]].status != Status::Completed;
            link.was_blocker = open;
        }
        World::load(self.entities(), 0, Counts::default())
    }

    fn entities(self) -> Vec<Entity> {
        let people = (0..self.people as u128).map(|n| {
            let name = format!("user{n}");
            let email = format!("{name}@example.org");
            let created = Timestamp::from_ms(1_000);
            Entity::User(Arc::new(User::new(user(n), name, email, Plan::Pro, created)))
        });
        people
            .chain(self.nodes.into_iter().map(|it| Entity::Node(Arc::new(it))))
            .chain(self.links.into_iter().map(|it| Entity::Link(Arc::new(it))))
            .chain(self.grants.into_iter().map(|it| Entity::Grant(Arc::new(it))))
            .chain(self.embeds.into_iter().map(Entity::Embed))
            .collect()
    }
}

const NEW_BATCH: BatchId = BatchId(Uuid::from_u128(77));

fn decided(world: &World, caller: u128, operation: &Operation) -> Batch {
    decide(world, Some(user(caller)), operation, NEW_BATCH, &mut Supply::new(0)).unwrap()
}

/// The whole cost of a mutation: deciding, projecting, applying and sending.
fn mutation(mut world: World, caller: u128, operation: Operation, viewers: Vec<u128>) -> Work {
    let viewers: HashSet<UserId> = viewers.into_iter().chain([caller]).map(user).collect();
    Box::new(move || {
        let batch = decided(&world, caller, &operation);
        let projection = Projection::before(&world, &batch, &viewers);
        world.apply(&batch);
        let told = projection.after(&world);
        assert!(!batch.entries.is_empty() && !told.is_empty());
        // Dropping a World is not measured.
        std::mem::forget((world, batch, told));
    })
}

fn edit(at: usize) -> Operation {
    let fields = Box::new(NodeFields { title: Some("other".to_owned()), ..NodeFields::default() });
    Operation::NodeUpdate(NodeUpdate { id: node(at), fields, version: None })
}

fn page_of_trash(world: World, who: u128, expected: usize) -> Work {
    Box::new(move || {
        let page = graph::trash::trash_page(&world, user(who), usize::MAX, 0);
        assert_eq!(page.nodes.len() + page.links.len(), expected);
        std::mem::forget((world, page));
    })
}

fn page_of_trashed_chain(n: usize) -> Work {
    let mut made = Made::new();
    let chain = made.chain(n);
    made.grant(chain[0], BOB, Level::Admin, true);
    made.trash(chain);
    page_of_trash(made.world(), BOB, 2 * n - 1)
}

/// They are reopened one after the other, and each leads to the hub too.
fn reopen_many_under_one(n: usize) -> Work {
    let mut made = Made::new();
    // As many children of the hub stay completed: visiting them would be wasted.
    let hub = made.hub(n);
    let chain = made.chain(n);
    for at in &chain {
        made.link(*at, hub);
    }
    made.nodes.iter_mut().for_each(|node| node.status = Status::Completed);
    let fields = Box::new(NodeFields { status: Some(Status::Available), ..NodeFields::default() });
    let reopen = Operation::NodeUpdate(NodeUpdate { id: node(chain[n - 1]), fields, version: None });
    mutation(made.world(), ALICE, reopen, vec![])
}

fn restore_hub(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.hub(n);
    made.trash([hub]);
    mutation(made.world(), ALICE, Operation::NodeRestore { id: node(hub) }, vec![])
}

/// A hub with n parents and n children. Below the children is a chain of n, and above the parents another.
fn crossing(n: usize) -> (Made, usize) {
    let mut made = Made::new();
    let hub = made.hub(n);
    let (below, above) = (made.chain(n), made.chain(n));
    for at in 0..n {
        let parent = made.node(ALICE);
        made.link(hub, parent);
        made.link(parent, above[n - 1]);
        made.link(below[0], hub + 1 + at);
    }
    (made, hub)
}

fn restore_crossing(n: usize) -> Work {
    let (mut made, hub) = crossing(n);
    made.trash([hub]);
    mutation(made.world(), ALICE, Operation::NodeRestore { id: node(hub) }, vec![])
}

/// Parents and children in turn; meanwhile every other parent has come below all the children.
fn restore_cycles(n: usize) -> Work {
    let mut made = Made::new();
    let (hub, bottom) = (made.node(ALICE), made.chain(n));
    for at in 0..n {
        let (child, parent) = (made.node(ALICE), made.node(ALICE));
        made.link(child, hub);
        made.link(hub, parent);
        made.link(bottom[0], child);
        if at % 2 == 1 {
            made.link(parent, bottom[n - 1]);
        }
    }
    made.trash([hub]);
    mutation(made.world(), ALICE, Operation::NodeRestore { id: node(hub) }, vec![])
}

/// Links of bob's to a hub of alice's that he sees from far above.
fn trashed_links(n: usize) -> (World, Vec<usize>) {
    let mut made = Made::new();
    let chain = made.chain(n);
    made.grant(chain[0], BOB, Level::Editor, true);
    let mut links = Vec::new();
    for _ in 0..n {
        let child = made.node(BOB);
        let at = made.link(child, chain[n - 1]);
        made.links[at].owner = user(BOB);
        made.trash_link(at);
        links.push(at);
    }
    (made.world(), links)
}

fn page_of_trashed_links(n: usize) -> Work {
    page_of_trash(trashed_links(n).0, BOB, n)
}

fn purge_links(n: usize) -> Work {
    let (world, links) = trashed_links(n);
    let ids = Some(links.into_iter().map(|at| link(at).0).collect());
    mutation(world, BOB, Operation::TrashPurge { ids }, vec![ALICE])
}

fn purge_chain(n: usize) -> Work {
    let mut made = Made::new();
    let chain = made.chain(n);
    made.grant(chain[0], BOB, Level::Admin, true);
    made.trash(chain);
    mutation(made.world(), ALICE, Operation::TrashPurge { ids: None }, vec![BOB, EVE])
}

/// All that it costs when the operator removes a user.
fn removal(mut world: World, who: u128, viewers: Vec<u128>) -> Work {
    let viewers: HashSet<UserId> = viewers.into_iter().map(user).collect();
    Box::new(move || {
        let operation = Operation::UserRemove { user: user(who) };
        let batch = decide(&world, None, &operation, NEW_BATCH, &mut Supply::new(0)).unwrap();
        let projection = Projection::before(&world, &batch, &viewers);
        world.apply(&batch);
        let told = projection.after(&world);
        assert!(!batch.entries.is_empty() && !told.is_empty());
        std::mem::forget((world, batch, told));
    })
}

fn remove_chain(n: usize) -> Work {
    let mut made = Made::new();
    let chain = made.chain(n);
    made.grant(chain[0], BOB, Level::Admin, true);
    removal(made.world(), ALICE, vec![BOB, EVE])
}

fn remove_links_elsewhere(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.node(ALICE);
    for _ in 0..n {
        let other = made.node(ALICE);
        made.link(other, hub);
        let link = made.links.last_mut().unwrap();
        link.owner = user(BOB);
        link.private = true;
    }
    removal(made.world(), BOB, vec![ALICE])
}

fn remove_grants(n: usize) -> Work {
    let mut made = Made::new();
    for _ in 0..n {
        let (hers, his) = (made.node(ALICE), made.node(BOB));
        made.grant(hers, BOB, Level::Admin, true);
        made.grant(his, ALICE, Level::Viewer, true);
    }
    removal(made.world(), BOB, vec![ALICE, EVE])
}

fn trash_hub(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.hub(n);
    let elsewhere = made.node(ALICE);
    made.grant(elsewhere, BOB, Level::Viewer, true);
    mutation(made.world(), ALICE, Operation::NodeTrash { id: node(hub), branch: false }, vec![BOB])
}

fn trash_under_many(n: usize) -> Work {
    let mut made = Made::new();
    let (chain, hub) = (made.chain(n), made.node(ALICE));
    for _ in 0..n {
        let parent = made.node(ALICE);
        made.link(hub, parent);
        made.link(parent, chain[n - 1]);
    }
    let elsewhere = made.node(ALICE);
    made.grant(elsewhere, BOB, Level::Viewer, true);
    mutation(made.world(), ALICE, Operation::NodeTrash { id: node(hub), branch: false }, vec![BOB])
}

/// A chain in which each node of the upper half is shared with bob, with its branch.
fn under_roots(n: usize) -> (Made, Vec<usize>) {
    let mut made = Made::new();
    let chain = made.chain(2 * n);
    for at in &chain[..n] {
        made.grant(*at, BOB, Level::Viewer, true);
    }
    (made, chain)
}

fn edit_under_roots(n: usize) -> Work {
    let (made, chain) = under_roots(n);
    mutation(made.world(), ALICE, edit(chain[2 * n - 1]), vec![BOB])
}

fn trash_hub_under_roots(n: usize) -> Work {
    let (mut made, chain) = under_roots(n);
    let hub = made.hub(n);
    made.link(hub, chain[2 * n - 1]);
    mutation(made.world(), ALICE, Operation::NodeTrash { id: node(hub), branch: false }, vec![BOB])
}

fn replayed(mut world: World, caller: u128, operation: &Operation) -> Work {
    let batch = decided(&world, caller, operation);
    world.apply(&batch);
    let entries = batch.entries.len();
    Box::new(move || {
        let diff = graph::replay::replay(&world, &batch, world.rev(), user(caller));
        assert_eq!(diff.len(), entries);
        std::mem::forget((world, batch, diff));
    })
}

fn replay_purge(n: usize) -> Work {
    let mut made = Made::new();
    let chain = made.chain(n);
    made.trash(chain);
    replayed(made.world(), ALICE, &Operation::TrashPurge { ids: None })
}

fn replay_trash(n: usize) -> Work {
    let mut made = Made::new();
    let (chain, hub) = (made.chain(n), made.hub(n));
    made.link(hub, chain[n - 1]);
    made.grant(chain[0], BOB, Level::Editor, true);
    replayed(made.world(), BOB, &Operation::NodeTrash { id: node(hub), branch: false })
}

fn delete_hub(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.hub(n);
    made.trash([hub]);
    mutation(made.world(), ALICE, Operation::NodeDelete { id: node(hub) }, vec![])
}

fn purge_at_hub(n: usize) -> Work {
    let mut made = Made::new();
    made.hub(n);
    (0..n).for_each(|at| made.trash_link(at));
    mutation(made.world(), ALICE, Operation::TrashPurge { ids: None }, vec![])
}

fn link_from_wide(n: usize) -> Work {
    let mut made = Made::new();
    let source = made.node(ALICE);
    for _ in 0..n {
        let target = made.node(ALICE);
        made.link(source, target);
    }
    let target = made.node(ALICE);
    let (source, target) = (node(source), node(target));
    let add =
        Operation::LinkAdd(LinkAdd { id: None, source, target, kind: LinkType::Primary, private: false });
    mutation(made.world(), ALICE, add, vec![BOB])
}

fn link_from_wide_to_others(n: usize) -> Work {
    let mut made = Made::new();
    let source = made.node(BOB);
    for _ in 0..n {
        let target = made.node(ALICE);
        made.link(source, target);
    }
    let target = made.node(ALICE);
    made.grant(target, BOB, Level::Editor, true);
    let (source, target) = (node(source), node(target));
    let add =
        Operation::LinkAdd(LinkAdd { id: None, source, target, kind: LinkType::Primary, private: false });
    mutation(made.world(), BOB, add, vec![ALICE])
}

fn edit_hub(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.hub(n);
    mutation(made.world(), ALICE, edit(hub), vec![BOB])
}

fn set_status(at: usize, status: Status) -> Operation {
    let fields = Box::new(NodeFields { status: Some(status), ..NodeFields::default() });
    Operation::NodeUpdate(NodeUpdate { id: node(at), fields, version: None })
}

/// Its children were completed long ago, and no link to it is marked.
fn complete_hub(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.hub(n);
    (1..=n).for_each(|child| made.nodes[hub + child].status = Status::Completed);
    mutation(made.world(), ALICE, set_status(hub, Status::Completed), vec![BOB])
}

fn reopen_end(n: usize) -> Work {
    let mut made = Made::new();
    let chain = made.chain(n);
    made.nodes.iter_mut().for_each(|node| node.status = Status::Completed);
    mutation(made.world(), ALICE, set_status(chain[n - 1], Status::Available), vec![])
}

/// All other children are completed.
fn complete_last(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.hub(n);
    (1..n).for_each(|child| made.nodes[hub + child].status = Status::Completed);
    mutation(made.world(), ALICE, set_status(hub + n, Status::Completed), vec![BOB])
}

fn linked(made: Made, source: usize, target: usize) -> Work {
    let (source, target) = (node(source), node(target));
    let add =
        Operation::LinkAdd(LinkAdd { id: None, source, target, kind: LinkType::Primary, private: false });
    mutation(made.world(), ALICE, add, vec![BOB])
}

fn link_hub_under(n: usize) -> Work {
    let mut made = Made::new();
    let (hub, parents) = (made.hub(n), made.chain(3));
    linked(made, hub, parents[2])
}

fn link_under_wide(n: usize) -> Work {
    let mut made = Made::new();
    // Something holds it already, so its status stays.
    let (wide, children) = (made.hub(1), made.chain(3));
    for _ in 0..n {
        let parent = made.node(ALICE);
        made.link(wide, parent);
    }
    linked(made, children[0], wide)
}

fn apply_at_hub(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.hub(n);
    let mut world = made.world();
    let move_to = |x: usize| {
        let fields = Box::new(NodeFields { x: Some(1.0 + x as f64), ..NodeFields::default() });
        Operation::NodeUpdate(NodeUpdate { id: node(hub), fields, version: None })
    };
    let operations: Vec<Operation> = (0..n).map(move_to).collect();
    Box::new(move || {
        let ids = &mut Supply::new(0);
        let batch = graph::ops::apply(&mut world, user(ALICE), &operations, NEW_BATCH, ids, || true).unwrap();
        assert_eq!(batch.entries.len(), n);
        std::mem::forget((world, batch));
    })
}

fn duplicate_hub(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.hub(n);
    let asked = graph::ops::NodeDuplicate { id: node(hub), branch: true, target: None, names: None };
    mutation(made.world(), ALICE, Operation::NodeDuplicate(asked), vec![BOB])
}

fn edit_child(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.hub(n);
    made.grant(hub, BOB, Level::Viewer, true);
    mutation(made.world(), ALICE, edit(hub + 1), vec![BOB])
}

fn revoke_among_many(n: usize) -> Work {
    let mut made = Made::new();
    made.people += n;
    let chain = made.chain(n);
    let elsewhere = made.node(ALICE);
    for who in 0..n as u128 {
        made.grant(elsewhere, 10 + who, Level::Viewer, true);
    }
    made.grant(chain[n - 1], BOB, Level::Viewer, true);
    let revoke = Operation::AccessDelete { id: node(chain[n - 1]), email: format!("user{BOB}@example.org") };
    mutation(made.world(), ALICE, revoke, (0..n as u128).map(|who| 10 + who).chain([BOB]).collect())
}

fn level_with_grants(n: usize) -> Work {
    let mut made = Made::new();
    for _ in 0..n {
        let at = made.node(EVE);
        made.grant(at, BOB, Level::Viewer, true);
    }
    let at = made.node(ALICE);
    let world = made.world();
    Box::new(move || {
        for _ in 0..1_000 {
            assert_eq!(graph::access::level(&world, user(BOB), node(at)), None);
        }
        std::mem::forget(world);
    })
}

fn check_hub(n: usize) -> Work {
    let mut made = Made::new();
    made.hub(n);
    let world = made.world();
    Box::new(move || {
        assert_eq!(graph::check::problems(&world), Vec::<String>::new());
        std::mem::forget(world);
    })
}

fn shared_chain(n: usize) -> (Made, Vec<usize>) {
    let mut made = Made::new();
    let chain = made.chain(n);
    for at in &chain {
        made.grant(*at, BOB, Level::Admin, true);
    }
    (made, chain)
}

fn first_page_of_shared(n: usize) -> Work {
    let world = shared_chain(n).0.world();
    Box::new(move || {
        let page = Load::begin(&world, user(BOB)).next(&world, 1);
        assert_eq!(page.nodes.len(), 1);
        std::mem::forget((world, page));
    })
}

fn edit_end_of_shared(n: usize) -> Work {
    let (made, chain) = shared_chain(n);
    mutation(made.world(), ALICE, edit(chain[n - 1]), vec![BOB])
}

fn page_of_shared(n: usize) -> Work {
    let (mut made, chain) = shared_chain(n);
    made.trash(chain);
    page_of_trash(made.world(), BOB, 2 * n - 1)
}

/// Another user's batch on nodes that the viewer does not see, although they see other nodes of the same owner.
fn sees_batch(n: usize) -> Work {
    let mut made = Made::new();
    let (chain, hub) = (made.chain(n), made.hub(n));
    made.link(hub, chain[n - 1]);
    let elsewhere = made.node(ALICE);
    made.grant(elsewhere, BOB, Level::Viewer, true);
    let mut world = made.world();
    let batch = decided(&world, ALICE, &Operation::NodeTrash { id: node(hub), branch: false });
    world.apply(&batch);
    Box::new(move || {
        assert!(!graph::history_view::sees_batch(&world, user(BOB), &batch));
        std::mem::forget((world, batch));
    })
}

fn reader_of_shared(n: usize) -> Work {
    let (made, chain) = shared_chain(n);
    let world = made.world();
    Box::new(move || {
        let reader = graph::history_view::HistoryView::of(&world, user(BOB));
        assert_eq!(reader.runs.len(), chain.len());
        std::mem::forget((world, reader));
    })
}

fn undo_trash(n: usize) -> Work {
    let (made, hub) = crossing(n);
    let mut world = made.world();
    let root = decided(&world, ALICE, &Operation::NodeTrash { id: node(hub), branch: false });
    world.apply(&root);
    let chain = Chain { root, undone: false, names_undo: false, latest: None };
    Box::new(move || {
        let batch = undo_or_redo(&world, user(ALICE), &chain, UndoKind::Undo, NEW_BATCH, &mut Supply::new(0))
            .unwrap();
        // The node and its links, and the parents that are held again.
        assert_eq!(batch.entries.len(), 1 + 3 * n);
        std::mem::forget((world, batch));
    })
}

fn grant_branch(n: usize) -> Work {
    let mut made = Made::new();
    let chain = made.chain(n);
    for at in 2..n {
        let second = made.link(chain[at], chain[at / 2]);
        made.links[second].kind = LinkType::Secondary;
    }
    let (id, email, level) = (node(chain[0]), "user2@example.org".to_owned(), Level::Viewer);
    let grant = AccessAdd { id, email, level, branch: true, due: None };
    mutation(made.world(), ALICE, Operation::AccessAdd(grant), vec![BOB])
}

fn reopen_chain(n: usize) -> Work {
    let mut made = Made::new();
    let chain = made.chain(n);
    made.nodes.iter_mut().for_each(|node| node.status = Status::Completed);
    made.grant(chain[0], BOB, Level::Viewer, true);
    let fields = Box::new(NodeFields { status: Some(Status::Available), ..NodeFields::default() });
    let reopen = NodeUpdate { id: node(chain[n - 1]), fields, version: None };
    mutation(made.world(), ALICE, Operation::NodeUpdate(reopen), vec![BOB])
}

fn unpublish(n: usize) -> Work {
    let mut made = Made::new();
    made.people += n;
    let chain = made.chain(n);
    made.nodes[chain[0]].publication = public();
    for who in 0..n as u128 {
        made.embeds.push(Embed { user: user(10 + who), node: node(chain[0]) });
    }
    // One of them is connected. Sending a branch costs in proportion to both.
    mutation(made.world(), ALICE, Operation::NodeUnpublish { id: node(chain[0]) }, vec![10])
}

fn run_out(n: usize) -> Work {
    let (mut made, _) = shared_chain(n);
    // Only nodes: for n nodes below n roots there would be n lists of n.
    for grant in &mut made.grants {
        (grant.due, grant.branch) = (Some(Timestamp::from_ms(1_000)), false);
    }
    let mut world = made.world();
    Box::new(move || {
        let now = Timestamp::from_ms(2_000);
        let (dues, viewers) = (world.due_by(now), HashSet::from_iter([user(BOB)]));
        let projection = Projection::before_due(&world, &dues, &viewers);
        world.advance(now);
        let told = projection.after(&world);
        assert_eq!(told.len(), 1);
        std::mem::forget((world, told));
    })
}

fn rename(n: usize) -> Work {
    let (mut made, _) = shared_chain(n);
    // None of them is shown.
    made.grants.iter_mut().for_each(|grant| grant.showing = false);
    let rename = Operation::SettingsUsername { username: "other".to_owned() };
    mutation(made.world(), ALICE, rename, vec![BOB])
}

fn public() -> Option<Box<Publication>> {
    Some(Box::new(Publication { token: "t".to_owned(), branch: true, due: None }))
}

fn page_of_published(n: usize) -> Work {
    let mut made = Made::new();
    let hub = made.hub(n);
    made.nodes[hub].publication = public();
    let world = made.world();
    let list = PublishedList::of(&world, node(hub)).unwrap();
    Box::new(move || {
        let page = list.page(&world, 10, 20);
        assert_eq!((page.nodes.len(), page.links.len(), page.has_more), (10, 10, true));
        std::mem::forget(world);
    })
}

/// A tree of n nodes of alice's in which each node leads to the one before it too: 2n links.
fn tree(n: usize) -> Made {
    let mut made = Made::new();
    for at in 0..n {
        made.node(ALICE);
        if at > 1 {
            made.link(at, at / 2);
            made.link(at, at - 1);
        }
    }
    made
}

/// The same, with some parts of it shared: among them nearly the whole.
fn shared_tree(n: usize) -> Made {
    let mut made = tree(n);
    for at in 1..=40 {
        made.grant(at, BOB, Level::Editor, true);
    }
    made
}

fn pages(made: Made, who: u128, nodes: usize) -> Work {
    let world = made.world();
    Box::new(move || {
        let mut load = Load::begin(&world, user(who));
        let (mut seen, mut more) = (0, true);
        while more {
            let page = load.next(&world, 5_000);
            (seen, more) = (seen + page.nodes.len(), page.has_more);
            std::mem::forget(page);
        }
        assert_eq!(seen, nodes);
        std::mem::forget((world, load));
    })
}

fn pages_of_own(n: usize) -> Work {
    pages(tree(n), ALICE, n)
}

fn pages_of_shared(n: usize) -> Work {
    pages(shared_tree(n), BOB, n - 1)
}

fn all(made: Made, who: u128, nodes: usize) -> Work {
    let world = made.world();
    Box::new(move || {
        let page = graph::load::visible(&world, user(who));
        assert_eq!(page.nodes.len(), nodes);
        std::mem::forget((world, page));
    })
}

fn all_of_own(n: usize) -> Work {
    all(tree(n), ALICE, n)
}

fn all_of_sharer(n: usize) -> Work {
    all(shared_tree(n), ALICE, n)
}

fn all_of_shared(n: usize) -> Work {
    all(shared_tree(n), BOB, n - 1)
}

fn pages_of_publication(n: usize) -> Work {
    let mut made = tree(n);
    made.nodes[1].publication = public();
    let world = made.world();
    Box::new(move || {
        let mut load = Load::of_publication(&world, node(1));
        let (mut seen, mut more) = (0, true);
        while more {
            let page = load.next(&world, 5_000);
            (seen, more) = (seen + page.nodes.len(), page.has_more);
            std::mem::forget(page);
        }
        assert_eq!(seen, n - 1);
        std::mem::forget((world, load));
    })
}

fn load(n: usize) -> Work {
    let mut made = tree(n);
    // One publication, so that its reader shares something.
    made.nodes[0].publication =
        Some(Box::new(Publication { token: "t".to_owned(), branch: true, due: None }));
    let entities = made.entities();
    Box::new(move || std::mem::forget(World::load(entities, 0, Counts { nodes: n, links: 2 * n })))
}
