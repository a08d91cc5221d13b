//! The engine's requests and answers: data, never text.

use super::diff_part::DiffPart;
use super::shared_text::SharedText;
use graph::grants::Grants;
use graph::history_view::HistoryView;
use graph::load::Page;
use graph::model::{Grant, Rev, TokenHash, TokenKind, User};
use graph::trash::TrashPage;
use graph::waiting::{Critical, Ready, Why};
use graph::{Batch, BatchId, NodeId, Operation, Refusal, Root, TokenId, UserId};
use std::collections::HashMap;
use std::sync::Arc;
use store::HistoryPage;

/// One live connection of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// The caller of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user for whom the caller acts: the token's own, or a guest of theirs. By their view and access everything is
    /// answered.
    pub user: UserId,
    /// Whose the token is. Limits count for them.
    pub account: UserId,
    /// The token that the caller presented.
    pub token: TokenId,
    /// The hash of the secret that the caller presented. It changes when the token is rotated.
    pub hash: TokenHash,
    /// Whether it is a program's token or a session.
    pub kind: TokenKind,
    /// Whether it lets the caller see, and nothing else.
    pub reads_only: bool,
}

impl Caller {
    /// The caller with an API token that lets them do what its user may.
    pub fn api(user: UserId, token: TokenId, hash: TokenHash) -> Self {
        Caller { user, account: user, token, hash, kind: TokenKind::Api, reads_only: false }
    }

    /// Whether the token acts as a guest: for a branch, and not for the account.
    pub fn is_guest(self) -> bool {
        self.user != self.account
    }
}

/// Who asks for a change of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The server itself, which has checked who is there or follows a rule.
    Server,
    /// A caller: the user whose account it is, or an administrator.
    Caller(Caller),
}

/// A requested change of accounts.
#[derive(Clone, Debug)]
pub struct Administration {
    /// Who asks.
    pub actor: Actor,
    /// The operation to execute.
    pub operation: Operation,
}

/// A client's own id for a mutation, which makes a retry safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The batchId: the client's id for the batch.
    pub batch: BatchId,
    /// SHA-256 of the operation's name and its canonical payload, without `batchId`.
    pub fingerprint: [u8; 32],
}

/// A requested mutation.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// The caller.
    pub caller: Caller,
    /// The operation to execute.
    pub operation: Operation,
    /// Makes a retry safe; present if the client gave a batchId.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The connection that it came on, if it came over a socket.
    pub connection: Option<ConnectionId>,
    /// The connection that is answered directly and is therefore left out of the broadcast.
    pub origin: Option<ConnectionId>,
    /// The seconds to wait when the caller is over a limit. Only a replay is answered then.
    pub limited: Option<u64>,
    /// The event to relay when the mutation succeeds, before the diff is sent, and the connection it came from.
    pub passed_on: Option<(Relay, ConnectionId)>,
}

/// A requested read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// A page of the visible graph. On a connection, pages from offset 0 on belong to one load.
    Graph { page: PageRequest },
    /// A page of the trash.
    Trash { page: PageRequest },
    /// The caller's account.
    Account,
    /// A page of a branch: by its root, as the caller sees it, or by a public token.
    Branch { root: Root, page: PageRequest },
    /// All that the caller sees at once: the graph, or a branch as [`Read::Branch`] names it.
    Snapshot { root: Option<Root> },
    /// Why a task waits.
    Why { id: NodeId },
    /// What the caller can work on now: at most `limit` tasks of the graph or of a branch.
    Ready { mine: bool, root: Option<Root>, limit: usize },
    /// The longest chain of open tasks in the graph or in a branch: into one task, or into any.
    Critical { id: Option<NodeId>, root: Option<Root> },
    /// Who has access to a node.
    Grants { id: NodeId },
    /// What the caller's connection missed since the given rev.
    Sync { since: Rev },
    /// A page of the history that the caller sees.
    History { scope: RequestedScope, page: PageRequest },
}

/// A requested read of a caller without an account: of the publication with this token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicRead {
    /// The public token.
    pub token: String,
    /// Which page; `None` for all of it at once.
    pub page: Option<PageRequest>,
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items it may have.
    pub limit: usize,
    /// How many items come before it.
    pub offset: usize,
}

/// The scope of a page of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestedScope {
    /// Everything the caller sees.
    Everything,
    /// The batches that the caller made.
    Own,
    /// The batches that a user made. Only the caller's own are allowed.
    User(UserId),
    /// The batches that touched a node's branch.
    Graph(NodeId),
    /// A scope type without its id, or an id without its type.
    Unfit,
}

/// An event that is relayed between connections and not stored.
#[derive(Clone, Debug)]
pub enum Relay {
    /// The node a user is at: `presence:update`, relayed as `presence:state`.
    Presence {
        node: Option<NodeId>,
        /// The client's own fields, a JSON object's members.
        fields: Arc<str>,
    },
    /// A user's view: `camera:update`, relayed as `camera:presence` to the user's other connections.
    Camera { fields: Arc<str> },
    /// A node being dragged: `node:drag`, or `node:dragend` with `end`.
    Drag { node: NodeId, x: f64, y: f64, z: f64, end: bool },
}

/// A relayed event with its sender.
#[derive(Clone, Debug)]
pub struct Relayed {
    /// The sender.
    pub from: Arc<User>,
    /// What is relayed.
    pub relay: Relay,
    /// Its text, once a connection has sent it.
    pub text: SharedText,
}

/// What an account shows its owner.
#[derive(Clone, Debug)]
pub struct Account {
    /// The account itself.
    pub user: Arc<User>,
    /// Grants the user gave, with the grantee.
    pub granted_by: Vec<(Arc<Grant>, Arc<User>)>,
    /// Grants the user was given, with the grantor.
    pub granted_to: Vec<(Arc<Grant>, Arc<User>)>,
    /// Nodes whose publication the user has embedded.
    pub embeds: Vec<NodeId>,
}

/// The engine's answer to one request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A mutation is on disk. It has no entries and no batch when nothing changed.
    Changed {
        /// The first part. Over a socket the other parts follow as events. Over REST there is one part.
        diff: Arc<DiffPart>,
        /// True when it was executed before, under the same batchId.
        replayed: bool,
    },
    Graph {
        page: Page,
        rev: Rev,
    },
    Trash {
        page: TrashPage,
        rev: Rev,
    },
    Account {
        account: Box<Account>,
        rev: Rev,
    },
    /// Like `Graph`. A caller without an account sees no email addresses.
    Branch {
        page: Page,
        rev: Rev,
        anonymous: bool,
    },
    /// Everything at once, in one page. A caller without an account sees no email addresses.
    Snapshot {
        page: Page,
        rev: Rev,
        anonymous: bool,
    },
    History {
        page: Box<PageOfHistory>,
        rev: Rev,
    },
    Why {
        why: Why,
        rev: Rev,
    },
    Ready {
        ready: Ready,
        rev: Rev,
    },
    Critical {
        critical: Critical,
        rev: Rev,
    },
    Grants {
        grants: Grants,
        rev: Rev,
    },
    /// Missed diffs were sent before this answer, or could not be; then the client loads anew.
    Synced {
        rev: Rev,
        recovered: bool,
    },
    /// A change of accounts is on disk. The batch has no entries when nothing changed.
    Administered(Arc<Batch>),
    /// An event was relayed.
    PassedOn,
    Failed(Failure),
}

/// How many ids are about as much to write as an entity.
const IDS_LIKE_AN_ENTITY: usize = 10;

impl Outcome {
    /// How many entities or entries it has, as a measure of how long it takes to write out.
    pub fn entities(&self) -> usize {
        match self {
            Outcome::Changed { diff, .. } => diff.nodes().len() + diff.links().len(),
            Outcome::Graph { page, .. } | Outcome::Branch { page, .. } | Outcome::Snapshot { page, .. } => {
                page.nodes.len() + page.links.len()
            }
            Outcome::Trash { page, .. } => page.nodes.len() + page.links.len(),
            Outcome::Account { account, .. } => account.granted_by.len() + account.granted_to.len(),
            Outcome::History { page, .. } => {
                page.past.batches.iter().map(|past| past.batch.entries.len()).sum()
            }
            // An id is written much faster than an entity.
            Outcome::Why { why, .. } => {
                let chains = why.frontier.iter().map(|end| end.chain.len()).sum::<usize>();
                (why.blockers.len() + chains) / IDS_LIKE_AN_ENTITY
            }
            Outcome::Ready { ready, .. } => ready.tasks.len() / IDS_LIKE_AN_ENTITY,
            Outcome::Critical { critical: Critical { tasks, volume }, .. } => {
                let ids = [tasks, volume].map(|longest| longest.chain.len() + longest.slack.len());
                ids.iter().sum::<usize>() / IDS_LIKE_AN_ENTITY
            }
            Outcome::Grants { grants, .. } => grants.grants.len(),
            Outcome::Synced { .. } | Outcome::Administered(_) | Outcome::PassedOn | Outcome::Failed(_) => 0,
        }
    }
}

/// A page of history with everything needed to write it out.
#[derive(Clone, Debug)]
pub struct PageOfHistory {
    /// Whole batches, latest first. `reader` decides what to show of each.
    pub past: HistoryPage,
    /// What the caller may see of each batch.
    pub reader: Arc<HistoryView>,
    /// The actors of the batches and the grantees of the grants in them.
    pub people: HashMap<UserId, Arc<User>>,
}

/// Why a request failed. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The rules refuse it.
    Refused(Refusal),
    /// Too many requests. The client should retry after this many seconds.
    RateLimited { retry_after_s: u64 },
    /// The server is overloaded or shutting down.
    Unavailable,
    /// The token has been revoked since the request arrived.
    Revoked,
    /// The batch could not be written. No part of it was stored.
    Storage,
    /// An internal error.
    Exception,
}

/// Takes the answer to one request. It is called once, when what the answer reflects is on disk.
pub type OnOutcome = Box<dyn FnOnce(Outcome) + Send>;

/// The sink for what a connection is sent. It never blocks. A full outbox ends its connection.
pub trait ConnectionSink: Send + Sync {
    /// Queues a diff, or what of its parts was not sent otherwise, as `graph:diff`s in this order. They are queued all
    /// or not at all.
    fn diff(&self, parts: &[Arc<DiffPart>]);
    /// Queues a diff that the connection missed and requested.
    fn missed(&self, diff: Arc<DiffPart>);
    /// Queues a `branch:published` event.
    fn published(&self, published: Arc<Published>);
    /// Queues a `settings:view` event: the user's view settings as they are now.
    fn viewed(&self, user: Arc<User>);
    /// Queues a relayed event. It may be dropped, because a similar one will follow.
    fn relay(&self, relayed: Arc<Relayed>);
    /// Ends the connection because its token was revoked.
    fn close(&self);
}

/// A node has become public.
#[derive(Clone, Debug)]
pub struct Published {
    /// The node.
    pub id: NodeId,
    /// Whether its branch is published with it.
    pub branch: bool,
    /// When the publication ends; `None` for never.
    pub due: Option<graph::Timestamp>,
    /// Who published it.
    pub actor: Option<Arc<User>>,
    /// When it was published.
    pub at: graph::Timestamp,
    /// Its text, once a connection has sent it.
    pub text: SharedText,
}
