//! What one reader sees of nodes and links at one moment. It is found when it is asked for, by climbing from the node,
//! and what lies above several nodes is visited once.

use crate::access::{climb, given, sees_link};
use crate::cover::{Roots, common, has_branch_share_in_force, has_share_in_force};
use crate::hash::HashMap;
use crate::id::{NodeId, UserId};
use crate::inherit::{Climb, Numbers};
use crate::model::{Level, Link, Node};
use crate::view::{SeenLink, SeenNode, Sight, held_by, owner_of};
use crate::world::{Graph, World};
use std::rc::Rc;
use std::sync::Arc;

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A user, who sees V(u).
    User(UserId),
    /// A caller with the public token of this node, who sees its publication.
    Anyone(NodeId),
}

impl Reader {
    pub(crate) fn owns(self, node: &Node) -> bool {
        self == Reader::User(node.owner)
    }

    /// Whether shares may give the reader something at a node: those of their own nodes, or those that they hold.
    pub(crate) fn may_be_shared(self, world: &World, node: &Node) -> bool {
        let Reader::User(user) = self else { return true };
        let Some(slot) = world.user(user) else { return false };
        if self.owns(node) { !slot.shared.is_empty() } else { slot.holds_of.contains_key(&node.owner) }
    }

    /// The access that the shares of `root` give the reader, to `root` itself or to its branch. Every share of a node
    /// gives its owner the same.
    pub(crate) fn gets(self, world: &World, root: &Node, itself: bool) -> Option<Level> {
        match self {
            Reader::User(user) if user == root.owner => {
                let is_shared = if itself { has_share_in_force } else { has_branch_share_in_force };
                is_shared(world, root).then_some(Level::Owner)
            }
            Reader::User(user) => given(world, user, root, itself),
            Reader::Anyone(public) => {
                let publication = world.publication_in_force(root).filter(|_| root.id == public)?;
                (itself || publication.branch).then_some(Level::Viewer)
            }
        }
    }
}

/// The reader's access to a node, and the share roots that are shown to them. Nodes under the same roots share one
/// list.
#[derive(Clone, Debug)]
pub(crate) struct Covered {
    pub(crate) level: Level,
    pub(crate) roots: Arc<[NodeId]>,
}

/// The reader's look at the World.
pub(crate) struct Look<'w> {
    world: &'w World,
    reader: Reader,
    /// What was found so far, of nodes that took a climb.
    found: HashMap<NodeId, Option<Covered>>,
    roots: ShareRoots<'w>,
    climb: Climb<'w, Numbers>,
    /// Whether each node is climbed from separately.
    apart: bool,
}

/// Passing roots down costs, at each visited node, one word for every `Numbers::IN_A_WORD` roots. From this many roots
/// on a climb from each node costs less, if there are at most `FEW_NODES` of them.
const MANY_ROOTS: usize = 4096;
const FEW_NODES: usize = Numbers::IN_A_WORD;

impl<'w> Look<'w> {
    /// A look for a reader, at about as many nodes as expected.
    pub(crate) fn new(world: &'w World, reader: Reader, expected: usize) -> Self {
        let roots = match reader {
            Reader::Anyone(_) => 1,
            Reader::User(user) => world.user(user).map_or(0, |slot| {
                slot.shared.len().max(slot.granted.len().saturating_add(slot.embedded.len()))
            }),
        };
        Look {
            world,
            reader,
            found: HashMap::default(),
            roots: ShareRoots::new(world, reader),
            climb: Climb::new(world),
            apart: expected <= FEW_NODES && roots >= MANY_ROOTS,
        }
    }

    /// How the reader sees a node; `None` if they do not.
    pub(crate) fn node(&mut self, id: NodeId) -> Option<SeenNode> {
        let node = self.world.active_node(id)?;
        let sight = match self.covered(node) {
            Some(Covered { level, roots }) => Sight::Full { level, roots },
            None if self.is_phantom(node) => Sight::Phantom,
            None => return None,
        };
        Some(SeenNode { node: Arc::clone(node), owner: owner_of(self.world, node), sight })
    }

    /// Whether the reader sees a node.
    pub(crate) fn sees(&mut self, id: NodeId) -> bool {
        let Some(node) = self.world.active_node(id) else { return false };
        self.covered(node).is_some() || self.is_phantom(node)
    }

    /// How the reader sees an active link; `None` if they do not.
    pub(crate) fn link(&mut self, link: &Arc<Link>) -> Option<SeenLink> {
        let [source, target] =
            [link.source, link.target].map(|id| self.world.active_node(id).and_then(|end| self.covered(end)));
        let visible = match self.reader {
            Reader::User(user) => {
                let level = |end: &Option<Covered>| end.as_ref().map(|end| end.level);
                sees_link(user, link, level(&source), level(&target))
            }
            Reader::Anyone(_) => !link.private && source.is_some() && target.is_some(),
        };
        let roots = match (source, target) {
            (Some(source), Some(target)) => common(&source.roots, &target.roots),
            _ => Arc::default(),
        };
        visible.then(|| SeenLink { link: Arc::clone(link), roots })
    }

    /// Whether a node without access is seen as a phantom.
    fn is_phantom(&mut self, node: &Node) -> bool {
        let Reader::User(user) = self.reader else { return false };
        held_by(self.world, node.id).any(|link| {
            let above = self.world.active_node(link.target);
            let level = above.and_then(|above| self.covered(above)).map(|above| above.level);
            sees_link(user, link, None, level)
        })
    }

    /// The reader's access to an active node; `None` if there is none.
    pub(crate) fn covered(&mut self, node: &'w Arc<Node>) -> Option<Covered> {
        if !self.reader.may_be_shared(self.world, node) {
            return self.roots.unshared(node);
        }
        if let Some(found) = self.found.get(&node.id) {
            return found.clone();
        }
        let over = self.roots_over(node);
        let is_root = self.reader.gets(self.world, node, true).is_some();
        let found = self.roots.covering(node, over, is_root);
        self.found.insert(node.id, found.clone());
        found
    }

    /// The share roots above a node, or at it, that share their branch.
    fn roots_over(&mut self, node: &'w Arc<Node>) -> Roots {
        let Look { world, reader, roots, climb: above, apart, .. } = self;
        let mut number = |root: &Node| reader.gets(world, root, false).map(|_| roots.number(root.id));
        if !*apart {
            return above.reach(node, |root| number(root).map(Numbers::one));
        }
        let mut over = Numbers::default();
        climb(*world, node, None, |root| {
            number(root).into_iter().for_each(|number| over.insert(number));
            true
        });
        (!over.is_empty()).then(|| Rc::new(over))
    }
}

/// The share roots that were met, by number, and what sets of them give the reader.
pub(crate) struct ShareRoots<'w> {
    world: &'w World,
    reader: Reader,
    numbered: Vec<NodeId>,
    number_of: HashMap<NodeId, usize>,
    /// By the branches that cover a node, and the node itself if it is shared.
    known: HashMap<(Roots, Option<NodeId>), Covered>,
    /// What an owner has where nothing is shared.
    own: Covered,
}

impl<'w> ShareRoots<'w> {
    pub(crate) fn new(world: &'w World, reader: Reader) -> Self {
        ShareRoots {
            world,
            reader,
            numbered: Vec::new(),
            number_of: HashMap::default(),
            known: HashMap::default(),
            own: Covered { level: Level::Owner, roots: Arc::default() },
        }
    }

    /// The number of a share root.
    pub(crate) fn number(&mut self, root: NodeId) -> usize {
        *self.number_of.entry(root).or_insert_with(|| {
            self.numbered.push(root);
            self.numbered.len() - 1
        })
    }

    /// What the reader has at an active node that no share covers.
    pub(crate) fn unshared(&self, node: &Node) -> Option<Covered> {
        self.reader.owns(node).then(|| self.own.clone())
    }

    /// What the reader has at an active node, by the branches that cover it, and by its own shares if it `is_root`.
    pub(crate) fn covering(&mut self, node: &Node, over: Roots, is_root: bool) -> Option<Covered> {
        let (world, reader) = (self.world, self.reader);
        // Shares without branch count only at their own node, so a root has an entry of its own.
        let itself = is_root.then_some(node.id);
        if over.is_none() && itself.is_none() {
            return self.unshared(node);
        }
        let ShareRoots { numbered, known, .. } = self;
        let covered = known.entry((over, itself)).or_insert_with_key(|(over, itself)| {
            let numbers = over.iter().flat_map(|numbers| numbers.iter());
            let above = numbers.filter_map(|number| numbered.get(number));
            let mut roots: Vec<NodeId> = above.chain(itself).copied().collect();
            roots.sort_unstable();
            roots.dedup();
            let nodes = roots.iter().filter_map(|root| world.node(*root));
            let levels = nodes.filter_map(|root| reader.gets(world, root, Some(root.id) == *itself));
            Covered { level: levels.min().unwrap_or(Level::Viewer), roots: roots.into() }
        });
        Some(covered.clone())
    }
}
