//! The entities: users, nodes, links, grants, embeds, tokens and keys, as they are stored. [`crate::view`] defines how
//! a user sees them.

mod account;

pub use account::{
    AccountState, Identity, Key, KeyHash, KeyPurpose, PasswordHash, Plan, Token, TokenHash, TokenKind,
    TokenScope, User, ViewSettings,
};

use crate::id::{BatchId, LinkId, NodeId, UserId};
use crate::node_field_table;
use crate::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

/// The position of a batch in the one order of commits. The first batch is 1.
pub type Rev = u64;

/// What a user may do with a node, the highest privilege first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Level {
    /// Owns it: may also delete it for good.
    Owner,
    /// May also grant and publish it.
    Admin,
    /// May also edit, trash and restore it.
    Editor,
    /// May see it.
    Viewer,
}

impl Level {
    /// The number on the wire: 0 owner, 1 admin, 2 editor, 3 viewer.
    pub fn number(self) -> u8 {
        match self {
            Level::Owner => 0,
            Level::Admin => 1,
            Level::Editor => 2,
            Level::Viewer => 3,
        }
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> u8 {
        level.number()
    }
}

impl TryFrom<u8> for Level {
    type Error = &'static str;
    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            0 => Ok(Level::Owner),
            1 => Ok(Level::Admin),
            2 => Ok(Level::Editor),
            3 => Ok(Level::Viewer),
            _ => Err("a level is 0, 1, 2 or 3"),
        }
    }
}

/// The progress of a task. `Blocked` is derived from what the task depends on and never set by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Status {
    /// Ready to start.
    Available,
    /// Being worked on.
    InProgress,
    /// Waits for at least one task that is not completed.
    Blocked,
    /// Done.
    Completed,
}

impl Status {
    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Status::Available => 0,
            Status::InProgress => 1,
            Status::Blocked => 2,
            Status::Completed => 3,
        }
    }
}

impl From<Status> for u8 {
    fn from(status: Status) -> u8 {
        status.number()
    }
}

impl TryFrom<u8> for Status {
    type Error = &'static str;
    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            0 => Ok(Status::Available),
            1 => Ok(Status::InProgress),
            2 => Ok(Status::Blocked),
            3 => Ok(Status::Completed),
            _ => Err("a status is 0, 1, 2 or 3"),
        }
    }
}

/// Whether a link blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum LinkType {
    /// The source blocks the target until it is completed.
    Primary,
    /// A plain reference.
    Secondary,
}

impl LinkType {
    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            LinkType::Primary => 0,
            LinkType::Secondary => 1,
        }
    }
}

impl From<LinkType> for u8 {
    fn from(kind: LinkType) -> u8 {
        kind.number()
    }
}

impl TryFrom<u8> for LinkType {
    type Error = &'static str;
    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            0 => Ok(LinkType::Primary),
            1 => Ok(LinkType::Secondary),
            _ => Err("a link's type is 0 or 1"),
        }
    }
}

/// A public node: anyone with the token may read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// URL-safe, at least 128 random bits.
    pub token: String,
    /// Whether the node's branch is public with it.
    pub branch: bool,
    /// When it ends; `None` for never.
    pub due: Option<Timestamp>,
}

macro_rules! define_node {
    ($(
        $(#[$doc:meta])*
        $field:ident: $type:ty = $default:expr => $declared:tt
    )*) => {
        /// A task, card, document or idea. [`crate::node_fields`] declares the fields that users set.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(from = "StoredNode")]
        pub struct Node {
            /// Never changes; never used again while history remembers it.
            pub id: NodeId,
            /// Who owns it: access 0.
            pub owner: UserId,
            $($(#[$doc])* pub $field: $type,)*
            /// The status when the node is no longer held: Available or InProgress. It matters only while the node is
            /// Blocked.
            pub resume: Status,
            /// Set while the node is public, in force or not.
            pub publication: Option<Box<Publication>>,
            /// Whether it is in the trash.
            pub in_trash: bool,
            /// 1 at creation; +1 for every entry that changes the node.
            pub version: u64,
            /// When its batch was decided, in milliseconds.
            pub created: Timestamp,
            /// When the batch that last changed it was decided, in milliseconds.
            pub edited: Timestamp,
            /// The order of creation over all nodes and links. It breaks ties of `created`.
            pub seq: u64,
            /// The batch that last changed the node.
            pub last_batch: BatchId,
        }

        impl Node {
            /// A node with every field at its default.
            pub fn new(id: NodeId, owner: UserId, batch: BatchId, now: Timestamp, seq: u64) -> Self {
                Node {
                    id,
                    owner,
                    $($field: $default,)*
                    resume: Status::Available,
                    publication: None,
                    in_trash: false,
                    version: 1,
                    created: now,
                    edited: now,
                    seq,
                    last_batch: batch,
                }
            }
        }

        /// A node as read from a log. A field that was declared after the node was written is missing and has its
        /// default.
        #[derive(Deserialize)]
        struct StoredNode {
            id: NodeId,
            owner: UserId,
            $(#[serde(default)] $field: Stored<$type>,)*
            resume: Status,
            publication: Option<Box<Publication>>,
            in_trash: bool,
            version: u64,
            created: Timestamp,
            edited: Timestamp,
            seq: u64,
            last_batch: BatchId,
        }

        impl From<StoredNode> for Node {
            fn from(stored: StoredNode) -> Node {
                Node {
                    id: stored.id,
                    owner: stored.owner,
                    $($field: stored.$field.0.unwrap_or_else(|| $default),)*
                    resume: stored.resume,
                    publication: stored.publication,
                    in_trash: stored.in_trash,
                    version: stored.version,
                    created: stored.created,
                    edited: stored.edited,
                    seq: stored.seq,
                    last_batch: stored.last_batch,
                }
            }
        }
    };
}
node_field_table!([define_node]);

/// A field as read from a log; `None` if it is missing. A null is a value and must fit the field's type.
struct Stored<T>(Option<T>);

impl<T> Default for Stored<T> {
    fn default() -> Self {
        Stored(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Stored<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(|value| Stored(Some(value)))
    }
}

/// A dependency from `source` (the child, the blocker) to `target` (the parent, the task that waits).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Never changes; never used again while history remembers it.
    pub id: LinkId,
    /// The user who made it.
    pub owner: UserId,
    /// The child: what blocks.
    pub source: NodeId,
    /// The parent: what waits.
    pub target: NodeId,
    /// Whether it blocks.
    pub kind: LinkType,
    /// Seen only by its owner and, while primary and active, by the target's owner.
    pub private: bool,
    /// True once this primary link has held its target, and then until the link is secondary or its target is
    /// completed.
    pub was_blocker: bool,
    /// Whether it is in the trash.
    pub in_trash: bool,
    /// In the trash because one of its ends went there, not in its own right.
    pub cascade: bool,
    /// 1 at creation, +1 at every entry that changes the link.
    pub version: u64,
    /// When its batch was decided, in milliseconds.
    pub created: Timestamp,
    /// When the batch that last changed it was decided, in milliseconds.
    pub edited: Timestamp,
    /// The order of creation over all nodes and links; breaks ties of `created`.
    pub seq: u64,
    /// The batch that last changed the link.
    pub last_batch: BatchId,
}

impl Link {
    /// A public primary link from the first node to the second.
    pub fn new(
        id: LinkId,
        owner: UserId,
        (source, target): (NodeId, NodeId),
        batch: BatchId,
        now: Timestamp,
        seq: u64,
    ) -> Self {
        Link {
            id,
            owner,
            source,
            target,
            kind: LinkType::Primary,
            private: false,
            was_blocker: false,
            in_trash: false,
            cascade: false,
            version: 1,
            created: now,
            edited: now,
            seq,
            last_batch: batch,
        }
    }

    /// The opposite end to `end`.
    pub fn other(&self, end: NodeId) -> NodeId {
        if self.source == end { self.target } else { self.source }
    }

    /// True for a link of type primary, be it active or in the trash.
    pub fn is_primary(&self) -> bool {
        self.kind == LinkType::Primary
    }
}

/// Access to a node, given to one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// What it gives access to.
    pub node: NodeId,
    /// Whom it gives access: the grantee.
    pub user: UserId,
    /// How much: Admin, Editor or Viewer.
    pub level: Level,
    /// Whether the node's branch is granted with it.
    pub branch: bool,
    /// When it ends; `None` for never.
    pub due: Option<Timestamp>,
    /// False if the grantee has hidden it, or if their plan has no room for it.
    pub showing: bool,
    /// Who gave it last.
    pub granted_by: UserId,
    /// 1 when given, +1 at every change.
    pub version: u64,
}

/// A publication that a user has added to their graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embed {
    /// Who embedded it.
    pub user: UserId,
    /// The published node.
    pub node: NodeId,
}
