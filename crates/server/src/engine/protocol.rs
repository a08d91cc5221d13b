//! What the transports ask of the engine, and what it answers: data, never text.

use graph::diff::Diff;
use graph::history_view::HistoryView;
use graph::load::Page;
use graph::model::{Grant, Rev, TokenHash, User};
use graph::trash::TrashPage;
use graph::{BatchId, NodeId, Operation, Refusal, Root, TokenId, UserId};
use std::collections::HashMap;
use std::sync::Arc;
use store::HistoryPage;

/// One live connection of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Who a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// The API token they presented.
    pub token: TokenId,
    /// What is kept of the secret they presented it by: another once the token is rotated.
    pub hash: TokenHash,
}

/// A client's own name for a mutation, which makes a retry safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The batchId: the client's name for the batch.
    pub batch: BatchId,
    /// SHA-256 of the operation's name and its payload in canonical form, `batchId` left out.
    pub fingerprint: [u8; 32],
}

/// A mutation asked for.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// Who asks.
    pub caller: Caller,
    /// What is to be done.
    pub operation: Operation,
    /// What makes a retry safe, if the client gave a batchId.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The connection that is answered directly and so is left out of the broadcast.
    pub origin: Option<ConnectionId>,
    /// Set when the caller is over their limit, in seconds to wait: only a replay is answered then.
    pub limited: Option<u64>,
    /// What is passed on when it is done, before anybody is told, and the connection it came on.
    pub passed_on: Option<(Relay, ConnectionId)>,
}

/// A read asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// A page of the visible graph. On a connection, pages from offset 0 on belong to one load.
    Graph { page: PageRequest },
    /// A page of the trash.
    Trash { page: PageRequest },
    /// The caller's account.
    Account,
    /// A page of a branch: by its root as the caller sees it, or of a publication by its public token.
    Branch { root: Root, page: PageRequest },
    /// What the caller's connection missed since the given rev.
    Sync { since: Rev },
    /// A page of history, as far as the caller sees it.
    History { scope: RequestedScope, page: PageRequest },
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items it may have.
    pub limit: usize,
    /// How many items come before it.
    pub offset: usize,
}

/// Which part of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestedScope {
    /// All of it.
    Everything,
    /// What the caller did.
    Own,
    /// What a user did: the caller too, for nobody else's is shown so.
    User(UserId),
    /// What touched a node's branch.
    Graph(NodeId),
    /// A type without what it takes, or the other way round.
    Unfit,
}

/// Something passed on between those connected and stored nowhere.
#[derive(Clone, Debug)]
pub enum Relay {
    /// Where someone is: `presence:update`, sent on as `presence:state`.
    Presence {
        node: Option<NodeId>,
        /// The client's own fields, a JSON object's members.
        fields: Arc<str>,
    },
    /// Where someone looks: `camera:update`, sent on as `camera:presence` to their other connections.
    Camera { fields: Arc<str> },
    /// A node under someone's pointer: `node:drag`; with `end`, `node:dragend`.
    Drag { node: NodeId, x: f64, y: f64, z: f64, end: bool },
}

/// A relayed event with who it comes from.
#[derive(Clone, Debug)]
pub struct Relayed {
    /// The sender.
    pub from: Arc<User>,
    /// What is relayed.
    pub relay: Relay,
}

/// What an account shows its owner.
#[derive(Clone, Debug)]
pub struct Account {
    /// The account itself.
    pub user: Arc<User>,
    /// Grants the user gave, with the grantee.
    pub granted_by: Vec<(Arc<Grant>, Arc<User>)>,
    /// Grants the user was given, with who gave them.
    pub granted_to: Vec<(Arc<Grant>, Arc<User>)>,
    /// Nodes whose publication the user has embedded.
    pub embeds: Vec<NodeId>,
}

/// The engine's answer to one request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A mutation is on disk. Without entries, and without a batch, when there was nothing to change.
    Changed {
        /// The first part; over a socket the others follow as events, over REST there is one part.
        diff: Arc<Diff>,
        /// True when it was done before, under the same batchId.
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
    /// Like `Graph`; a caller without an account is not shown email addresses.
    Branch {
        page: Page,
        rev: Rev,
        anonymous: bool,
    },
    History {
        page: Box<PageOfHistory>,
        rev: Rev,
    },
    /// What was missed has been sent before this, or could not be: then the client loads anew.
    Synced {
        rev: Rev,
        recovered: bool,
    },
    /// An event was passed on.
    PassedOn,
    Failed(Failure),
}

/// A page of history with all that is needed to write it out.
#[derive(Clone, Debug)]
pub struct PageOfHistory {
    /// Latest first, whole: what to show of each is the reader's to say.
    pub past: HistoryPage,
    /// What the caller may see of each batch.
    pub reader: Arc<HistoryView>,
    /// Who made the batches, and whom the grants in them are for.
    pub people: HashMap<UserId, Arc<User>>,
}

/// Why a request failed; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The rules refuse it.
    Refused(Refusal),
    /// Too many requests; try again after so many seconds.
    RateLimited { retry_after_s: u64 },
    /// The server has too much to do, or is shutting down.
    Unavailable,
    /// The token it came with has been revoked meanwhile.
    Revoked,
    /// The batch could not be written; nothing of it was.
    Storage,
    /// A fault of the server.
    Exception,
}

/// Takes the answer to one request, once: called when what it reflects is on disk.
pub type OnOutcome = Box<dyn FnOnce(Outcome) + Send>;

/// Where the engine puts what a connection is to be sent. It never blocks: a line that is full ends its connection.
pub trait ConnectionSink: Send {
    /// Queues a diff as `graph:diff`.
    fn diff(&self, diff: Arc<Diff>);
    /// Queues a diff that the connection asked for, having missed it.
    fn missed(&self, diff: Arc<Diff>);
    /// Queues a `branch:published` event.
    fn published(&self, published: Arc<Published>);
    /// Queues a relayed event. It may be dropped: another like it will come.
    fn relay(&self, relayed: Arc<Relayed>);
    /// Ends the connection: its token was revoked.
    fn close(&self);
}

/// A node has become public.
#[derive(Clone, Debug)]
pub struct Published {
    /// The node.
    pub id: NodeId,
    /// Whether its branch is published with it.
    pub branch: bool,
    /// When the publication ends; never if `None`.
    pub due: Option<graph::Timestamp>,
    /// Who published it.
    pub actor: Option<Arc<User>>,
    /// When it was published.
    pub at: graph::Timestamp,
}
