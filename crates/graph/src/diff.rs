//! The diff of a batch for one user: data for a transport to write, and never more than the user may read.

use crate::batch::{Lineage, Op};
use crate::id::{BatchId, LinkId, NodeId};
use crate::model::{Grant, Level, Link, Node, Rev, Status, User};
use crate::time::Timestamp;
use crate::view::{SeenLink, SeenNode};
use std::sync::Arc;
use uuid::Uuid;

/// A batch, or the passing of due times, as one user sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Diff {
    /// `None` when it is caused by time, or when nothing changed.
    pub batch: Option<BatchId>,
    /// The position in the order of commits after applying it.
    pub rev: Rev,
    /// Who acted; `None` when time brought it about.
    pub actor: Option<Arc<User>>,
    /// When it was decided, in milliseconds; of due times, when they passed.
    pub at: Timestamp,
    /// How the batch relates to an earlier one; for the actor's own answer.
    pub lineage: Lineage,
    /// Applied in order, before `links`.
    pub nodes: Vec<NodeChange>,
    /// Applied in order, after `nodes`.
    pub links: Vec<LinkChange>,
    /// Changes to accounts, and the receiver's embeds.
    pub user: Vec<UserChange>,
    /// Changes to the receiver's own grants, and to grants on nodes they have access ≤ 1 to.
    pub access: Vec<AccessChange>,
    /// What the batch copied and the copies, by id: for the actor's own answer.
    pub copies: Vec<(Uuid, Uuid)>,
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
}

/// A change to a node in a user's view.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeChange {
    /// The whole node, which the receiver did not hold in full: added, restored, or newly visible.
    Whole {
        /// What brought it.
        op: Op,
        /// As the receiver sees it.
        seen: SeenNode,
    },
    /// Some fields of a node that the receiver holds and still sees, or held until it went to the trash.
    Edited {
        /// What was done.
        op: Op,
        /// Before the entry.
        before: Arc<Node>,
        /// After the entry.
        after: Arc<Node>,
        /// The receiver's access, which decides what of it is written.
        level: Level,
        /// The share roots that cover it for the receiver.
        roots: Arc<[NodeId]>,
    },
    /// The status of a phantom, the only thing known about it.
    PhantomStatus {
        /// The phantom.
        id: NodeId,
        /// Its status before the entry.
        before: Status,
        /// Its status after the entry.
        after: Status,
    },
    /// The receiver's access to a node that they keep. It includes the publication when its token starts or stops
    /// being shown.
    Access {
        /// The node as it was before the batch, whose entries follow.
        node: Arc<Node>,
        /// The access before.
        before: Level,
        /// The access after.
        after: Level,
        /// The share roots that cover it for the receiver.
        roots: Arc<[NodeId]>,
    },
    /// The node is now only a phantom to the receiver.
    Faded {
        /// The node.
        id: NodeId,
        /// All that is still shown of it.
        status: Status,
    },
    /// The node left the receiver's view.
    Hidden {
        /// What is no longer seen.
        id: NodeId,
    },
    /// Deleted for good from the trash.
    Deleted {
        /// As it last was.
        before: SeenNode,
    },
}

/// A change to a link in a user's view.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkChange {
    /// The whole link, which the receiver did not hold.
    Whole {
        /// What brought it.
        op: Op,
        /// As the receiver sees it.
        seen: SeenLink,
    },
    /// Some fields of a link the receiver holds, or held until it went to the trash.
    Edited {
        /// What was done.
        op: Op,
        /// Before the entry.
        before: Arc<Link>,
        /// After the entry.
        after: Arc<Link>,
        /// The share roots that cover it for the receiver.
        roots: Arc<[NodeId]>,
    },
    /// The link left the receiver's view.
    Hidden {
        /// What is no longer seen.
        id: LinkId,
    },
    /// Deleted for good from the trash.
    Deleted {
        /// As it last was.
        before: Arc<Link>,
    },
}

/// A change to an account.
#[derive(Clone, Debug, PartialEq)]
pub enum UserChange {
    /// The receiver, or a user whose nodes they see, has a new username or email.
    Renamed {
        /// The account before.
        before: Arc<User>,
        /// The account after.
        after: Arc<User>,
    },
    /// The receiver has embedded a publication (`present`), or no longer has it.
    Embed {
        /// The receiver.
        user: Arc<User>,
        /// The published node.
        node: NodeId,
        /// Whether they have it now.
        present: bool,
    },
}

/// A change to a grant.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessChange {
    /// GRANT_UPSERT, GRANT_UPDATE or GRANT_DELETE.
    pub op: Op,
    /// The user the grant is for.
    pub grantee: Arc<User>,
    /// The grant before; `None` when it is new.
    pub before: Option<Arc<Grant>>,
    /// The grant after; `None` when it ended.
    pub after: Option<Arc<Grant>>,
}
