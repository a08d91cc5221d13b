//! The entities: users, nodes, links, grants, embeds, tokens and keys, as they are stored. [`crate::view`] defines how
//! a user sees them.

use crate::id::{BatchId, KeyId, LinkId, NodeId, TokenId, UserId};
use crate::node_field_table;
use crate::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

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

/// What an account may use; see [`crate::ops`] for what each plan permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// No API tokens and no sharing; at most three grants shown.
    Basic,
    /// API tokens.
    Plus,
    /// Everything. The default of a self-hosted user.
    Pro,
}

impl Plan {
    /// The plan's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Plan::Basic => "basic",
            Plan::Plus => "plus",
            Plan::Pro => "pro",
        }
    }
}

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountState {
    /// It can be used.
    #[default]
    Active,
    /// Its tokens are refused as if they were revoked. Everything else about it stays as it is.
    Disabled,
    /// Only a name is left of it, for the history and the links that others keep.
    Removed,
}

/// A password as it is stored: a hash with its parameters and its salt, in the PHC string format. The domain only
/// compares it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// A hash, as text in the PHC string format.
    pub fn from_phc(text: String) -> Self {
        PasswordHash(text)
    }

    /// The text, to check a password against it.
    pub fn phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Who a user is at an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The provider's name in the settings when the identity was added.
    pub provider: String,
    /// The provider's issuer: its address, which names it everywhere.
    pub issuer: String,
    /// The user's id at the issuer. It never changes.
    pub subject: String,
    /// When it was added, in milliseconds.
    pub since: Timestamp,
}

/// How a user's client shows the graph. The server only keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewSettings {
    /// Where the user looks from: a JSON object, as text. `None` if it was never set.
    #[serde(default)]
    pub camera_position: Option<String>,
    /// Whether all cards are shown.
    #[serde(default)]
    pub show_all_cards: bool,
}

/// A user with an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Never changes.
    pub id: UserId,
    /// Unique without regard to case, 3–32 of `A-Za-z0-9_.-`.
    pub username: String,
    /// Unique, compared without regard to case. A removed account and a guest have their username here, which is not
    /// an email address.
    pub email: String,
    /// What the account may use.
    pub plan: Plan,
    /// When the account was added, in milliseconds.
    pub created: Timestamp,
    /// Whether the account can be used. Accounts that were stored without this field can.
    #[serde(default)]
    pub state: AccountState,
    /// Whether the user administers the installation: its accounts and invitations.
    #[serde(default)]
    pub admin: bool,
    /// `None` for an account that signs in otherwise, or not at all.
    #[serde(default)]
    pub password: Option<PasswordHash>,
    /// Who the user is at identity providers. No two users have the same issuer and subject.
    #[serde(default)]
    pub identities: Vec<Identity>,
    /// How the user's client shows the graph.
    #[serde(default)]
    pub view: ViewSettings,
    /// When the account goes for good: its owner has closed it. Until then it cannot be used, but opened again.
    #[serde(default)]
    pub closing: Option<Timestamp>,
    /// Of the guest as which a branch token acts, the token's owner. A guest has no name, no email and no credentials
    /// of its own, and one grant at most. `None` for everyone else.
    #[serde(default)]
    pub guest_of: Option<UserId>,
}

impl User {
    /// An account that can be used, and has nothing but what every account has.
    pub fn new(id: UserId, username: String, email: String, plan: Plan, created: Timestamp) -> Self {
        User {
            id,
            username,
            email,
            plan,
            created,
            state: AccountState::Active,
            admin: false,
            password: None,
            identities: Vec::new(),
            view: ViewSettings::default(),
            closing: None,
            guest_of: None,
        }
    }

    /// Whether the account was removed.
    pub fn is_removed(&self) -> bool {
        self.state == AccountState::Removed
    }

    /// Whether this is the guest as which a branch token acts, and not a person.
    pub fn is_guest(&self) -> bool {
        self.guest_of.is_some()
    }

    /// Whether the account can be used: it is neither disabled, removed nor closed.
    pub fn is_active(&self) -> bool {
        self.state == AccountState::Active && self.closing.is_none()
    }

    /// Whether it is found by its email. A removed account and a guest have none.
    pub fn has_email(&self) -> bool {
        !self.is_removed() && !self.is_guest()
    }
}

/// The SHA-256 of a token's secret, the only thing stored of the secret.
pub type TokenHash = [u8; 32];

/// What a token is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// A program's: an API token, which the user's plan must include.
    #[default]
    Api,
    /// A browser's: a session, whatever the plan. It ends when it was not used for some time.
    Session,
}

/// What a token lets its holder see and do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// What its user may.
    #[default]
    All,
    /// What its user may see.
    Read,
    /// What a grant on one branch lets its grantee see and do.
    Branch {
        /// The root of the branch.
        node: NodeId,
        /// The level of the grant: Admin, Editor or Viewer.
        level: Level,
        /// The grantee: a guest of the token's user, for whom the holder acts.
        guest: UserId,
    },
}

impl TokenScope {
    /// The guest as which a branch token acts.
    pub fn guest(self) -> Option<UserId> {
        match self {
            TokenScope::Branch { guest, .. } => Some(guest),
            TokenScope::All | TokenScope::Read => None,
        }
    }
}

/// A token: of a program, or of a browser's session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Names the token where its secret must not appear.
    pub id: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// At most 80 Unicode scalar values, none of them a control character. A session has none.
    pub name: String,
    /// The hash of its secret.
    pub hash: TokenHash,
    /// When it was made, in milliseconds.
    pub created: Timestamp,
    /// What it is for.
    #[serde(default)]
    pub kind: TokenKind,
    /// When it ends; `None` for never. A session ends besides when it was not used for some time.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// What it lets its holder see and do.
    #[serde(default)]
    pub scope: TokenScope,
    /// Of a session, how the browser called itself: at most 200 characters.
    #[serde(default)]
    pub agent: Option<String>,
}

impl Token {
    /// An API token that never ends and lets its holder do what its user may.
    pub fn api(id: TokenId, user: UserId, name: String, hash: TokenHash, created: Timestamp) -> Self {
        Token {
            id,
            user,
            name,
            hash,
            created,
            kind: TokenKind::Api,
            expires: None,
            scope: TokenScope::All,
            agent: None,
        }
    }

    /// Whether it is a session.
    pub fn is_session(&self) -> bool {
        self.kind == TokenKind::Session
    }

    /// The user for whom its holder acts: its own, or a guest of its own.
    pub fn acts_for(&self) -> UserId {
        match self.scope {
            TokenScope::Branch { guest, .. } => guest,
            TokenScope::All | TokenScope::Read => self.user,
        }
    }

    /// Whether it has ended by that time.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The SHA-256 of a key's secret, the only thing stored of the secret.
pub type KeyHash = [u8; 32];

/// What a key permits, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyPurpose {
    /// To make the first account of an installation, an administrator's.
    Setup,
    /// To make an account.
    Invite {
        /// The only email that it is for; `None` for any.
        email: Option<String>,
        /// Who invites; `None` for the command line.
        by: Option<UserId>,
    },
    /// To give an account another password.
    Reset {
        /// Whose account.
        user: UserId,
    },
    /// To give an account this email: who has the key reads what is sent there.
    Email {
        /// Whose account.
        user: UserId,
        /// The new email.
        email: String,
    },
}

impl KeyPurpose {
    /// The user with whom it goes: whose account it is for, or who invites.
    pub fn user(&self) -> Option<UserId> {
        match self {
            KeyPurpose::Setup => None,
            KeyPurpose::Invite { by, .. } => *by,
            KeyPurpose::Reset { user } | KeyPurpose::Email { user, .. } => Some(*user),
        }
    }
}

/// A key: a secret in a link, which works once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Names the key where its secret must not appear.
    pub id: KeyId,
    /// The hash of its secret.
    pub hash: KeyHash,
    /// What it permits.
    pub purpose: KeyPurpose,
    /// When it was made, in milliseconds.
    pub created: Timestamp,
    /// When it ends, in milliseconds.
    pub expires: Timestamp,
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
