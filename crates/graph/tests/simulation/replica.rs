//! A client that holds the graph by the rules of the live view, and nothing else.

use crate::model::Model;
use crate::model::view::{Seen, SeenNode};
use graph::batch::Op;
use graph::diff::{Diff, LinkChange, NodeChange, UserChange};
use graph::load::{Load, Page, visible};
use graph::model::{Level, Link, LinkType, Node};
use graph::view::{self, Sight};
use graph::{LinkId, NodeId, Timestamp, UserId, World, each_node_field};
use std::collections::{BTreeMap, BTreeSet};

/// The node's fields as sent. Fields that are never sent have their defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldNode {
    node: Node,
    access: Level,
    owner_name: String,
    owner_email: String,
    public_token: Option<String>,
    public_branch: Option<bool>,
    public_due: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    Full(Box<HeldNode>),
    Phantom(u8),
}

#[derive(Clone, Debug, PartialEq)]
pub struct HeldLink {
    source: NodeId,
    target: NodeId,
    kind: LinkType,
    private: bool,
    was_blocker: bool,
    version: u64,
    created: Timestamp,
    edited: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    pub nodes: BTreeMap<NodeId, Held>,
    pub links: BTreeMap<LinkId, HeldLink>,
}

/// One user's client: its data, and the load in progress.
#[derive(Clone)]
pub struct Replica {
    pub user: UserId,
    pub graph: Graph,
    load: Option<(Load, BTreeSet<NodeId>)>,
}

impl Replica {
    pub fn new(user: UserId) -> Self {
        Replica { user, graph: Graph::default(), load: None }
    }

    pub fn is_loading(&self) -> bool {
        self.load.is_some()
    }

    pub fn begin_load(&mut self, world: &World) {
        self.graph = Graph::default();
        self.load = Some((Load::begin(world, self.user), BTreeSet::new()));
    }

    /// Applies the next page of a load. A page overwrites.
    pub fn page(&mut self, world: &World, limit: usize) -> Result<(), String> {
        let Some((load, sent)) = &mut self.load else { return Ok(()) };
        let page = load.next(world, limit);
        for seen in &page.nodes {
            if !sent.insert(seen.node.id) {
                return Err(format!("a load sends {} twice", seen.node.id));
            }
        }
        if page.nodes.len() < limit && page.has_more {
            return Err("a page is not full, but not the last".to_owned());
        }
        let done = !page.has_more;
        self.take(&page)?;
        if done {
            self.load = None;
        }
        Ok(())
    }

    fn take(&mut self, page: &Page) -> Result<(), String> {
        for seen in &page.nodes {
            self.graph.nodes.insert(seen.node.id, held_node(seen));
        }
        for seen in &page.links {
            for end in [seen.link.source, seen.link.target] {
                if !self.graph.nodes.contains_key(&end) {
                    return Err(format!("a page brings {} without its end {end}", seen.link.id));
                }
            }
            self.graph.links.insert(seen.link.id, held_link(&seen.link));
        }
        Ok(())
    }

    /// Applies a diff entry by entry.
    pub fn apply(&mut self, diff: &Diff) -> Result<(), String> {
        for change in &diff.nodes {
            self.apply_node(change)?;
        }
        for change in &diff.links {
            self.apply_link(change)?;
        }
        for change in &diff.user {
            if let UserChange::Renamed { before, after } = change {
                for held in self.graph.nodes.values_mut() {
                    if let Held::Full(held) = held
                        && held.owner_email == before.email
                    {
                        held.owner_email.clone_from(&after.email);
                        held.owner_name.clone_from(&after.username);
                    }
                }
            }
        }
        Ok(())
    }

    // Rules: P5, W5, P13.
    fn apply_node(&mut self, change: &NodeChange) -> Result<(), String> {
        let nodes = &mut self.graph.nodes;
        match change {
            NodeChange::Whole { op: Op::NodeAdd | Op::NodeRestore | Op::NodeShow, seen } => {
                nodes.insert(seen.node.id, held_node(seen));
            }
            NodeChange::Whole { op: Op::NodeAccess, seen } => {
                if let Some(held) = nodes.get_mut(&seen.node.id) {
                    *held = held_node(seen);
                }
            }
            NodeChange::Whole { op, .. } => return Err(format!("a whole node by {op:?}")),
            NodeChange::Edited { op: Op::NodeTrash, after, .. } => {
                nodes.remove(&after.id);
            }
            NodeChange::Edited { before, after, level, .. } => match nodes.get_mut(&after.id) {
                Some(Held::Full(held)) => {
                    if held.node.version + 1 != after.version {
                        return Err(format!(
                            "{} goes from {} to {}",
                            after.id, held.node.version, after.version
                        ));
                    }
                    edit(held, before, after, *level);
                }
                Some(Held::Phantom(_)) => return Err(format!("an edit of the phantom {}", after.id)),
                None => {}
            },
            NodeChange::PhantomStatus { id, after, .. } => match nodes.get_mut(id) {
                Some(Held::Phantom(status)) => *status = after.number(),
                Some(Held::Full(_)) => return Err(format!("{id} is no phantom")),
                None => {}
            },
            NodeChange::Access { node, after, .. } => match nodes.get_mut(&node.id) {
                Some(Held::Full(held)) => {
                    let shown = |level: Level| level <= Level::Admin;
                    if shown(held.access) != shown(*after) {
                        let token = node.publication.as_ref().map(|publication| publication.token.clone());
                        held.public_token = token.filter(|_| shown(*after));
                    }
                    held.access = *after;
                }
                Some(Held::Phantom(_)) => return Err(format!("access to the phantom {}", node.id)),
                None => {}
            },
            NodeChange::Faded { id, status } => {
                if let Some(held) = nodes.get_mut(id) {
                    *held = Held::Phantom(status.number());
                }
            }
            NodeChange::Hidden { id } => {
                nodes.remove(id);
            }
            NodeChange::Deleted { before } => {
                nodes.remove(&before.node.id);
            }
        }
        Ok(())
    }

    fn apply_link(&mut self, change: &LinkChange) -> Result<(), String> {
        let links = &mut self.graph.links;
        match change {
            LinkChange::Whole { op: Op::LinkAdd | Op::LinkRestore | Op::LinkShow, seen } => {
                links.insert(seen.link.id, held_link(&seen.link));
            }
            LinkChange::Whole { op, .. } => return Err(format!("a whole link by {op:?}")),
            LinkChange::Edited { op: Op::LinkTrash, after, .. } => {
                links.remove(&after.id);
            }
            LinkChange::Edited { before, after, .. } => {
                if let Some(held) = links.get_mut(&after.id) {
                    if held.version + 1 != after.version {
                        return Err(format!("{} goes from {} to {}", after.id, held.version, after.version));
                    }
                    edit_link(held, before, after);
                }
            }
            LinkChange::Hidden { id } => {
                links.remove(id);
            }
            LinkChange::Deleted { before } => {
                links.remove(&before.id);
            }
        }
        Ok(())
    }
}

/// Without the fields of a node that are never sent in the graph.
fn bare(node: &Node) -> Node {
    let mut bare =
        Node::new(node.id, UserId(uuid::Uuid::nil()), graph::BatchId(uuid::Uuid::nil()), node.created, 0);
    macro_rules! copy {
        ($($field:ident)*) => { $(bare.$field.clone_from(&node.$field);)* };
    }
    each_node_field!(copy);
    bare.version = node.version;
    bare.edited = node.edited;
    bare
}

fn held_node(seen: &view::SeenNode) -> Held {
    let Sight::Full { level, .. } = seen.sight else { return Held::Phantom(seen.node.status.number()) };
    let owner = seen.owner.as_ref();
    let publication = seen.node.publication.as_ref();
    Held::Full(Box::new(HeldNode {
        node: bare(&seen.node),
        access: level,
        owner_name: owner.map(|owner| owner.username.clone()).unwrap_or_default(),
        owner_email: owner.map(|owner| owner.email.clone()).unwrap_or_default(),
        public_token: publication
            .filter(|_| level <= Level::Admin)
            .map(|publication| publication.token.clone()),
        public_branch: publication.map(|publication| publication.branch),
        public_due: publication.and_then(|publication| publication.due),
    }))
}

fn held_link(link: &Link) -> HeldLink {
    HeldLink {
        source: link.source,
        target: link.target,
        kind: link.kind,
        private: link.private,
        was_blocker: link.was_blocker,
        version: link.version,
        created: link.created,
        edited: link.edited,
    }
}

/// Sets only what an entry changed.
fn edit(held: &mut HeldNode, before: &Node, after: &Node, level: Level) {
    let node = &mut held.node;
    macro_rules! changed {
        ($($field:ident)*) => {$(
            if before.$field != after.$field {
                node.$field = after.$field.clone();
            }
        )*};
    }
    each_node_field!(changed);
    node.version = after.version;
    node.edited = after.edited;
    let (old, new) = (before.publication.as_deref(), after.publication.as_deref());
    if old.map(|publication| &publication.token) != new.map(|publication| &publication.token) {
        let token = new.map(|publication| publication.token.clone());
        held.public_token = token.filter(|_| level <= Level::Admin);
    }
    if old.map(|publication| publication.branch) != new.map(|publication| publication.branch) {
        held.public_branch = new.map(|publication| publication.branch);
    }
    if old.and_then(|publication| publication.due) != new.and_then(|publication| publication.due) {
        held.public_due = new.and_then(|publication| publication.due);
    }
}

fn edit_link(held: &mut HeldLink, before: &Link, after: &Link) {
    macro_rules! changed {
        ($($field:ident)*) => {$(
            if before.$field != after.$field {
                held.$field = after.$field;
            }
        )*};
    }
    changed!(source target kind private was_blocker);
    held.version = after.version;
    held.edited = after.edited;
}

/// What a client should hold, by the model.
pub fn expected(model: &Model, seen: &Seen) -> Graph {
    let mut graph = Graph::default();
    for (id, node) in &seen.nodes {
        let held = match node {
            SeenNode::Phantom { status } => Held::Phantom(*status),
            SeenNode::Full { node, access, .. } => {
                let owner = &model.users[&node.owner];
                let publication = node.publication.as_ref();
                Held::Full(Box::new(HeldNode {
                    node: bare(node),
                    access: *access,
                    owner_name: owner.username.clone(),
                    owner_email: owner.email.clone(),
                    public_token: publication
                        .map(|publication| publication.token.clone())
                        .filter(|token| !token.is_empty()),
                    public_branch: publication.map(|publication| publication.branch),
                    public_due: publication.and_then(|publication| publication.due),
                }))
            }
        };
        graph.nodes.insert(*id, held);
    }
    for (id, (link, _)) in &seen.links {
        graph.links.insert(*id, held_link(link));
    }
    graph
}

/// A fresh load, with its share roots, against the model.
// Rules: V7, V8, V9, G1.
pub fn check_load(world: &World, user: UserId, seen: &Seen, want: &Graph) -> Result<(), String> {
    let page = visible(world, user);
    let mut fresh = Replica::new(user);
    fresh.take(&page)?;
    same(&fresh.graph, want)?;
    for node in &page.nodes {
        if let (Sight::Full { roots, .. }, Some(SeenNode::Full { share_roots, .. })) =
            (&node.sight, seen.nodes.get(&node.node.id))
            && !roots.iter().eq(share_roots.iter())
        {
            return Err(format!("share roots of {}: {roots:?}, not {share_roots:?}", node.node.id));
        }
    }
    for link in &page.links {
        let share_roots = &seen.links[&link.link.id].1;
        if !link.roots.iter().eq(share_roots.iter()) {
            return Err(format!("share roots of {}: {:?}, not {share_roots:?}", link.link.id, link.roots));
        }
    }
    let order: Vec<_> = page.nodes.iter().map(|seen| (seen.node.created, seen.node.seq)).collect();
    if order.is_sorted() { Ok(()) } else { Err("the load is not by order of creation".to_owned()) }
}

pub fn same(got: &Graph, want: &Graph) -> Result<(), String> {
    super::differ("node", &got.nodes, &want.nodes)?;
    super::differ("link", &got.links, &want.links)
}
