//! The diff of a batch for one user: data for a transport to write, and never more than the user may read.

use crate::batch::{Lineage, Op};
use crate::id::{BatchId, LinkId, NodeId};
use crate::model::{Grant, Level, Link, Node, Rev, Status, User};
use crate::node_fields::text_bytes;
use crate::time::Timestamp;
use crate::view::{SeenLink, SeenNode, Sight};
use std::sync::Arc;

/// A batch, or the passing of due times, as one user sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Diff {
    /// `None` when it is caused by time, or when nothing changed.
    pub batch: Option<BatchId>,
    /// The position in the order of commits after applying it.
    pub rev: Rev,
    pub actor: Option<Arc<User>>,
    pub at: Timestamp,
    /// How the batch relates to an earlier one; for the actor's own answer.
    pub lineage: Lineage,
    /// Applied in order, before `links`.
    pub nodes: Vec<NodeChange>,
    pub links: Vec<LinkChange>,
    pub user: Vec<UserChange>,
    pub access: Vec<AccessChange>,
    /// The number of this part, counted from 1, and the number of parts, when a diff is sent in several.
    pub part: Option<(usize, usize)>,
}

impl Diff {
    /// True when it has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.nodes.len() + self.links.len() + self.user.len() + self.access.len()
    }

    /// Whether it removes something from the receiver's view or lowers their access. Entries about the trash count
    /// too, because access to the trash may end without a further diff.
    pub fn shrinks(&self) -> bool {
        let node = |change: &NodeChange| match change {
            NodeChange::Faded { .. } | NodeChange::Hidden { .. } => true,
            NodeChange::Access { before, after, .. } => after > before,
            NodeChange::Edited { op, .. } => *op == Op::NodeTrash,
            NodeChange::Deleted { .. } => true,
            _ => false,
        };
        let link = |change: &LinkChange| match change {
            LinkChange::Hidden { .. } => true,
            LinkChange::Edited { op, .. } => *op == Op::LinkTrash,
            LinkChange::Deleted { .. } => true,
            LinkChange::Whole { .. } => false,
        };
        // A grant is given only on an active node. When it is changed or taken back, the node may be in the trash.
        let access = |change: &AccessChange| change.op != Op::GrantUpsert;
        self.nodes.iter().any(node) || self.links.iter().any(link) || self.access.iter().any(access)
    }

    /// Its approximate size in bytes when written, precise enough to bound a queue.
    pub fn weight(&self) -> usize {
        let nodes: usize = self.nodes.iter().map(NodeChange::weight).sum();
        let links: usize = self.links.iter().map(LinkChange::weight).sum();
        ENTRY_BYTES + nodes + links + (self.user.len() + self.access.len()) * ENTRY_BYTES
    }

    /// Splits the diff into parts of at most `most` entries, to be applied in order. A small diff is its only part.
    pub fn into_parts(self, most: usize) -> Vec<Diff> {
        if self.len() <= most {
            return vec![self];
        }
        let parts = self.len().div_ceil(most);
        let Diff { batch, rev, actor, at, lineage, nodes, links, user, access, part: _ } = self;
        let (mut nodes, mut links) = (nodes.into_iter(), links.into_iter());
        let (mut user, mut access) = (user.into_iter(), access.into_iter());
        let mut split = Vec::with_capacity(parts);
        for part in 1..=parts {
            let mut diff = Diff {
                batch,
                rev,
                actor: actor.clone(),
                at,
                lineage,
                nodes: nodes.by_ref().take(most).collect(),
                links: Vec::new(),
                user: Vec::new(),
                access: Vec::new(),
                part: Some((part, parts)),
            };
            diff.links = links.by_ref().take(most - diff.len()).collect();
            diff.user = user.by_ref().take(most - diff.len()).collect();
            diff.access = access.by_ref().take(most - diff.len()).collect();
            split.push(diff);
        }
        split
    }
}

/// The approximate size of an entry without its texts and share roots.
const ENTRY_BYTES: usize = 300;
/// The approximate size of an id in a list.
const ID_BYTES: usize = 40;

/// A change to a node in a user's view.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeChange {
    /// The whole node, which the receiver did not hold in full: added, restored, or newly visible.
    Whole { op: Op, seen: SeenNode },
    /// Some fields of a node that the receiver holds and still sees, or held until it went to the trash.
    Edited { op: Op, before: Arc<Node>, after: Arc<Node>, level: Level, roots: Arc<[NodeId]> },
    /// The status of a phantom, the only thing known about it.
    PhantomStatus { id: NodeId, before: Status, after: Status },
    /// The receiver's access to a node that they keep. It includes the publication when its token starts or stops
    /// being shown.
    Access { node: Arc<Node>, before: Level, after: Level, roots: Arc<[NodeId]> },
    /// The node is now only a phantom to the receiver.
    Faded { id: NodeId, status: Status },
    /// The node left the receiver's view.
    Hidden { id: NodeId },
    /// Deleted for good from the trash.
    Deleted { before: SeenNode },
}

impl NodeChange {
    fn weight(&self) -> usize {
        ENTRY_BYTES
            + match self {
                NodeChange::Whole { seen, .. } | NodeChange::Deleted { before: seen } => seen.weight(),
                NodeChange::Edited { before, after, roots, .. } => {
                    text_bytes(before) + text_bytes(after) + roots.len() * ID_BYTES
                }
                NodeChange::Access { roots, .. } => roots.len() * ID_BYTES,
                NodeChange::PhantomStatus { .. } | NodeChange::Faded { .. } | NodeChange::Hidden { .. } => 0,
            }
    }
}

impl SeenNode {
    /// The approximate size of the node in bytes when written.
    pub fn weight(&self) -> usize {
        let roots = match &self.sight {
            Sight::Full { roots, .. } => roots.len(),
            Sight::Phantom => return 0,
        };
        2 * ENTRY_BYTES + text_bytes(&self.node) + roots * ID_BYTES
    }
}

/// A change to a link in a user's view.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkChange {
    /// The whole link, which the receiver did not hold.
    Whole { op: Op, seen: SeenLink },
    /// Some fields of a link the receiver holds, or held until it went to the trash.
    Edited { op: Op, before: Arc<Link>, after: Arc<Link>, roots: Arc<[NodeId]> },
    /// The link left the receiver's view.
    Hidden { id: LinkId },
    /// Deleted for good from the trash.
    Deleted { before: Arc<Link> },
}

impl LinkChange {
    fn weight(&self) -> usize {
        ENTRY_BYTES
            + match self {
                LinkChange::Whole { seen, .. } => seen.roots.len() * ID_BYTES,
                LinkChange::Edited { roots, .. } => roots.len() * ID_BYTES,
                LinkChange::Hidden { .. } | LinkChange::Deleted { .. } => 0,
            }
    }
}

/// A change to an account.
#[derive(Clone, Debug, PartialEq)]
pub enum UserChange {
    /// A user whose nodes the receiver sees has a new username.
    Renamed { before: Arc<User>, after: Arc<User> },
    /// The receiver has embedded a publication (`present`), or no longer has it.
    Embed { user: Arc<User>, node: NodeId, present: bool },
}

/// A change to a grant.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessChange {
    pub op: Op,
    /// The user the grant is for.
    pub grantee: Arc<User>,
    pub before: Option<Arc<Grant>>,
    pub after: Option<Arc<Grant>>,
}
