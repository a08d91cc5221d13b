//! The data of a client that follows the rules of the live view (P5), and nothing else.

use super::Told;
use graph::diff::{LinkChange, NodeChange, UserChange};
use graph::load::Page;
use graph::model::{Level, Link, Node, Status, User};
use graph::view::{SeenNode, Sight};
use graph::{LinkId, NodeId, Op};
use std::collections::BTreeMap;
use std::sync::Arc;
use synaptask::engine::{DiffPart, Outcome};

/// A node as a client holds it.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    Full { node: Arc<Node>, owner: Option<Arc<User>>, level: Level },
    Phantom(Status),
}

impl Held {
    fn of(seen: &SeenNode) -> Self {
        match seen.sight {
            Sight::Full { level, .. } => {
                Held::Full { node: Arc::clone(&seen.node), owner: seen.owner.clone(), level }
            }
            Sight::Phantom => Held::Phantom(seen.node.status),
        }
    }
}

/// A client's copy of the graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replica {
    pub nodes: BTreeMap<NodeId, Held>,
    pub links: BTreeMap<LinkId, Arc<Link>>,
    /// All pages have arrived: from now on every change must be about an entity held.
    loaded: bool,
}

impl Replica {
    pub fn of(page: &Page) -> Self {
        let mut replica = Replica::default();
        replica.page(page);
        replica
    }

    /// Applies the messages of a connection in order, and compares where a fresh load is among them.
    pub fn follow(&mut self, told: Vec<Told>) {
        for told in told {
            match told {
                Told::Diff(diff) | Told::Answer(Outcome::Changed { diff, replayed: false }) => {
                    self.diff(&diff);
                }
                Told::Answer(Outcome::Graph { page, .. }) => self.page(&page),
                Told::Fresh(fresh) if self.loaded => self.must_equal(&Replica::of(&fresh)),
                Told::Closed => panic!("the connection was closed"),
                _ => {}
            }
        }
    }

    /// Compares with another, and names only the differences.
    pub fn must_equal(&self, other: &Replica) {
        let differs = |id: &&NodeId| self.nodes.get(id) != other.nodes.get(id);
        let differing: Vec<_> = self.nodes.keys().chain(other.nodes.keys()).filter(differs).collect();
        for id in &differing {
            eprintln!("{id}\n  held  {:?}\n  fresh {:?}", self.nodes.get(id), other.nodes.get(id));
        }
        let differs = |id: &&LinkId| self.links.get(id) != other.links.get(id);
        let links: Vec<_> = self.links.keys().chain(other.links.keys()).filter(differs).collect();
        for id in &links {
            eprintln!("{id}\n  held  {:?}\n  fresh {:?}", self.links.get(id), other.links.get(id));
        }
        assert!(differing.is_empty() && links.is_empty(), "what is held is not what a fresh load brings");
    }

    /// A page overwrites.
    pub fn page(&mut self, page: &Page) {
        self.nodes.extend(page.nodes.iter().map(|seen| (seen.node.id, Held::of(seen))));
        self.links.extend(page.links.iter().map(|seen| (seen.link.id, Arc::clone(&seen.link))));
        self.loaded |= !page.has_more;
    }

    pub fn diff(&mut self, diff: &DiffPart) {
        for change in diff.nodes() {
            self.node(change);
        }
        for change in diff.links() {
            self.link(change);
        }
        for change in diff.user() {
            let UserChange::Renamed { after, .. } = change else { continue };
            for held in self.nodes.values_mut() {
                if let Held::Full { node, owner, .. } = held
                    && node.owner == after.id
                {
                    *owner = Some(Arc::clone(after));
                }
            }
        }
    }

    fn node(&mut self, change: &NodeChange) {
        match change {
            NodeChange::Whole { op: Op::NodeAccess, seen } => {
                if let Some(held) = self.held(seen.node.id) {
                    assert!(matches!(held, Held::Phantom(_)), "turned full, but was not a phantom: {seen:?}");
                    *held = Held::of(seen);
                }
            }
            NodeChange::Whole { seen, .. } => {
                let was = self.nodes.insert(seen.node.id, Held::of(seen));
                assert!(was.is_none(), "shown, but held already: {seen:?}");
            }
            NodeChange::Edited { op: Op::NodeTrash, after, .. } => {
                self.held(after.id);
                self.nodes.remove(&after.id);
            }
            NodeChange::Edited { before, after, level: told, .. } => match self.held(after.id) {
                Some(Held::Full { node, level, .. }) => {
                    assert_eq!(node, before, "told of a change to something else than what is held");
                    assert_eq!(told, level, "told with other access than is held");
                    *node = Arc::clone(after);
                }
                Some(Held::Phantom(_)) => panic!("told of a phantom's news: {change:?}"),
                None => {}
            },
            NodeChange::PhantomStatus { id, before, after } => match self.held(*id) {
                Some(Held::Phantom(status)) => {
                    assert_eq!(status, before);
                    *status = *after;
                }
                Some(Held::Full { .. }) => panic!("told as of a phantom: {change:?}"),
                None => {}
            },
            NodeChange::Access { node: of, before, after, .. } => match self.held(of.id) {
                Some(Held::Full { level, .. }) => {
                    assert_eq!(level, before);
                    *level = *after;
                }
                Some(Held::Phantom(_)) => panic!("told as of a full node: {change:?}"),
                None => {}
            },
            NodeChange::Faded { id, status } => {
                if let Some(held) = self.held(*id) {
                    *held = Held::Phantom(*status);
                }
            }
            NodeChange::Hidden { id } => {
                self.held(*id);
                self.nodes.remove(id);
            }
            NodeChange::Deleted { before } => {
                let was = self.nodes.remove(&before.node.id);
                assert!(was.is_none(), "deleted for good, but was not in the trash: {was:?}");
            }
        }
    }

    /// The held state of a node in a diff. Once everything is loaded, the node must be held (P2).
    fn held(&mut self, id: NodeId) -> Option<&mut Held> {
        let held = self.nodes.get_mut(&id);
        assert!(held.is_some() || !self.loaded, "told of a node that is not held: {id}");
        held
    }

    fn link(&mut self, change: &LinkChange) {
        match change {
            LinkChange::Whole { seen, .. } => {
                let was = self.links.insert(seen.link.id, Arc::clone(&seen.link));
                assert!(was.is_none(), "shown, but held already: {seen:?}");
            }
            LinkChange::Edited { op, before, after, .. } => {
                let held = self.links.get_mut(&after.id);
                assert!(held.is_some() || !self.loaded, "told of a link that is not held: {change:?}");
                if let Some(held) = held {
                    assert_eq!(held, before, "told of a change to something else than what is held");
                    *held = Arc::clone(after);
                    if *op == Op::LinkTrash {
                        self.links.remove(&after.id);
                    }
                }
            }
            LinkChange::Hidden { id } => {
                let was = self.links.remove(id);
                assert!(was.is_some() || !self.loaded, "told of a link that is not held: {id}");
            }
            LinkChange::Deleted { before } => {
                let was = self.links.remove(&before.id);
                assert!(was.is_none(), "deleted for good, but was not in the trash: {was:?}");
            }
        }
    }
}
