//! The fields that operations take, and those that cannot be set.

use super::input::{Changes, Defaulted, Field, Input, Optional, Required, nullable, optional, required};
use super::kinds::{
    Batch, Boolean, Branch, Camera, CopyIds, Count, Due, Email, GrantLevel, Id, Ids, KeyText, NewId,
    Password, PlanOf, ScopeType,
};
use super::kinds::{ScopedBy, TypeOfLink, Username, WholeNumber};
use super::rules::*;
use super::several::Operations;
use crate::engine::protocol::{PageRequest, RequestedScope};
use crate::wire::payload::Json;
use crate::wire::{PayloadFault, PayloadRefusal};
use graph::ops::{AccountOperation, ViewSet};
use graph::{KeyId, LinkId, NodeId, Reason, TokenId, UserId};
use uuid::Uuid;

/// The client's own id for a mutation.
pub(super) const BATCH_ID: Optional<Batch> = nullable("batchId", Batch::New, PayloadFault::InvalidBatchId).about("The client's own id for the change. Sent again, the change is not made again and answers what it answered.");
/// The same, for operations where `batchId` names another batch.
pub(super) const NEW_BATCH_ID: Optional<Batch> =
    nullable("newBatchId", Batch::New, PayloadFault::InvalidBatchId)
        .about("The client's own id for the change, where batchId names another batch.");
pub(super) const PAST_BATCH: Required<Batch> =
    required("batchId", Batch::Existing, PayloadFault::MissingBatchId, PayloadFault::InvalidBatchId)
        .about("The batch that this is about.");

pub(super) const NEW_NODE: Optional<NewId<NodeId>> =
    nullable("id", NewId(NodeId), PayloadFault::InvalidId).about("The client's own id for the new node.");
pub(super) const NEW_LINK: Optional<NewId<LinkId>> =
    nullable("id", NewId(LinkId), PayloadFault::InvalidId).about("The client's own id for the new link.");
pub(super) const NODE_ID: Required<Id<NodeId>> =
    required("id", Id(NodeId), PayloadFault::MissingId, PayloadFault::InvalidNodeId).about("The node.");
pub(super) const LINK_ID: Required<Id<LinkId>> =
    required("id", Id(LinkId), PayloadFault::MissingId, PayloadFault::InvalidLinkId).about("The link.");
pub(super) const BRANCH_ID: Required<Branch> =
    required("id", Branch, PayloadFault::MissingId, PayloadFault::InvalidNodeId)
        .about("The root of the publication, or its public token.");
pub(super) const ROOT: Required<Branch> =
    required("root", Branch, PayloadFault::MissingId, PayloadFault::InvalidNodeId)
        .about("The root of the branch, or a public token.");
/// The branch to which a read is limited.
pub(super) const ROOT_ONLY: Optional<Branch> = optional("root", Branch, PayloadFault::InvalidNodeId)
    .about("The root of the branch that is read, or a public token. Left out, it is the whole graph.");
/// The task to which a read is limited.
pub(super) const INTO: Optional<Id<NodeId>> = nullable("id", Id(NodeId), PayloadFault::InvalidNodeId)
    .about("The task that the chains lead to. Left out, any task.");
pub(super) const TARGET: Optional<Id<NodeId>> = nullable("target", Id(NodeId), PayloadFault::InvalidTargetId)
    .about("A node that is to depend on the new one.");
pub(super) const LINK_SOURCE: Required<Id<NodeId>> = end("source", "The node that comes first.");
pub(super) const LINK_TARGET: Required<Id<NodeId>> = end("target", "The node that waits for it.");
/// Null is not the same as absence, which purges everything.
pub(super) const IDS: Optional<Ids> = optional("ids", Ids, PayloadFault::InvalidIds)
    .about("What to delete. Left out, it is everything in the trash.");
pub(super) const COPY_IDS: Optional<CopyIds> = nullable("ids", CopyIds, PayloadFault::InvalidCopyIds)
    .about("The client's own ids for the copies, by the ids of what is copied.");
pub(super) const OPERATIONS: Required<Operations> =
    required("operations", Operations, PayloadFault::InvalidOperations, PayloadFault::InvalidOperations)
        .about("The operations, in order.");
pub(super) const PRESENCE_NODE: Optional<Id<NodeId>> =
    nullable("nodeId", Id(NodeId), PayloadFault::InvalidNodeId).about("The node at which the user is.");

const fn end(name: &'static str, about: &'static str) -> Required<Id<NodeId>> {
    required(name, Id(NodeId), PayloadFault::InvalidSourceTargetId, PayloadFault::InvalidSourceTargetId)
        .about(about)
}

pub(super) const VERSION: Optional<WholeNumber> =
    nullable("version", WholeNumber, PayloadFault::InvalidVersion)
        .about("The version that the caller knows. If the node has another, the change is refused.");
pub(super) const SINCE: Required<WholeNumber> =
    required("since", WholeNumber, PayloadFault::InvalidSince, PayloadFault::InvalidSince)
        .about("The rev of the last diff, page or ack that was received.");

pub(super) const LINK_TYPE: Optional<TypeOfLink> =
    optional("type", TypeOfLink, PayloadFault::InvalidLinkType)
        .about("The link's type: 0 primary, 1 secondary.");
pub(super) const LINK_PRIVATE: Optional<Boolean> =
    optional("private", Boolean, PayloadFault::InvalidLinkPrivate)
        .about("Whether the link is seen by its owner alone.");

pub(super) const EMAIL: Required<Email> =
    required("email", Email, PayloadFault::MissingEmail, PayloadFault::Domain(Reason::InvalidEmail))
        .about("The email of the user.");
/// Null is anyone.
pub(super) const EMAIL_IF_ANY: Optional<Email> =
    nullable("email", Email, PayloadFault::Domain(Reason::InvalidEmail)).about("Who may use it.");
pub(super) const PASSWORD: Required<Password> = password("password", "The password.");
pub(super) const OLD_PASSWORD: Required<Password> = password("old", "The password so far.");
pub(super) const NEW_PASSWORD: Required<Password> = password("new", "The new password.");
pub(super) const KEY: Required<KeyText> =
    required("key", KeyText, PayloadFault::MissingKey, PayloadFault::MalformedKey)
        .about("The key, from the link.");
pub(super) const INVITE: Optional<KeyText> =
    nullable("invite", KeyText, PayloadFault::MalformedKey).about("The key of an invitation, from its link.");
pub(super) const INVITE_ID: Required<Id<KeyId>> =
    required("id", Id(KeyId), PayloadFault::MissingId, PayloadFault::InvalidId).about("The invitation.");

const fn password(name: &'static str, about: &'static str) -> Required<Password> {
    required(name, Password, PayloadFault::InvalidPassword, PayloadFault::InvalidPassword).about(about)
}

pub(super) const LEVEL: Optional<GrantLevel> = optional("level", GrantLevel, PayloadFault::InvalidLevel)
    .about("The access: 1 admin, 2 editor, 3 viewer.");
pub(super) const BRANCH: Optional<Boolean> = optional("branch", Boolean, PayloadFault::InvalidBranchValue)
    .about("Whether the node's whole branch is meant.");
pub(super) const DUE: Optional<Due> =
    nullable("due", Due, PayloadFault::Domain(Reason::InvalidDue)).about("When it ends. Null for never.");
pub(super) const SHOWING: Required<Boolean> =
    required("showing", Boolean, PayloadFault::InvalidShowing, PayloadFault::InvalidShowing)
        .about("Whether the grant shows in the graph of the caller.");
pub(super) const MINE: Optional<Boolean> =
    optional("mine", Boolean, PayloadFault::InvalidMine).about("Whether only tasks of the caller are meant.");
pub(super) const USERNAME: Required<Username> = required(
    "username",
    Username,
    PayloadFault::Domain(Reason::InvalidUsername),
    PayloadFault::Domain(Reason::InvalidUsername),
)
.about("The username.");

/// The session that ends; without it all others do.
pub(super) const SESSION_ID: Optional<Id<TokenId>> =
    nullable("id", Id(TokenId), PayloadFault::InvalidId).about("The session. Without it, all others end.");
/// An account's own password; an account may have none.
pub(super) const OWN_PASSWORD: Optional<Password> =
    nullable("password", Password, PayloadFault::InvalidPassword)
        .about("The account's password, if it has one.");
pub(super) const USER_ID: Required<Id<UserId>> =
    required("id", Id(UserId), PayloadFault::MissingId, PayloadFault::InvalidId).about("The account.");
pub(super) const PLAN: Optional<PlanOf> =
    optional("plan", PlanOf, PayloadFault::InvalidPlan).about("What the account may use.");
pub(super) const ADMIN: Optional<Boolean> = optional("admin", Boolean, PayloadFault::InvalidAdmin)
    .about("Whether the user administers the installation.");
pub(super) const CAMERA: Optional<Camera> =
    optional("cameraPosition", Camera, PayloadFault::Domain(Reason::InvalidView))
        .about("From where the user looks at the graph. Null for nowhere.");
pub(super) const SHOW_ALL_CARDS: Optional<Boolean> =
    optional("showAllCards", Boolean, PayloadFault::Domain(Reason::InvalidView))
        .about("Whether all cards are shown.");

/// View settings that a user changes.
pub(super) struct ViewInput;

impl Input for ViewInput {
    type Value = Box<AccountOperation>;

    fn describe(&self, fields: &mut Vec<Field>) {
        Changes(CAMERA.clearable()).describe(fields);
        Changes(SHOW_ALL_CARDS).describe(fields);
    }

    fn read(&self, payload: &Json) -> Result<Self::Value, PayloadRefusal> {
        let camera_position = CAMERA.clearable().read(payload)?;
        let show_all_cards = SHOW_ALL_CARDS.read(payload)?;
        Ok(Box::new(AccountOperation::ViewSet(ViewSet { camera_position, show_all_cards })))
    }
}

/// A page by `limit` and `offset`.
pub(super) struct PageInput {
    limit: Defaulted<Count, usize>,
    offset: Defaulted<Count, usize>,
}

const fn limit(most: i64, default: usize) -> Defaulted<Count, usize> {
    optional("limit", Count { least: 1, most }, PayloadFault::InvalidLimit)
        .about("How many at most.")
        .or(default)
}

const fn pages(most: i64, default: usize) -> PageInput {
    let offset = Count { least: 0, most: i64::MAX };
    PageInput {
        limit: limit(most, default),
        offset: optional("offset", offset, PayloadFault::InvalidOffset).about("How many to skip.").or(0),
    }
}

/// How many tasks an answer may have.
pub(super) const TASKS: Defaulted<Count, usize> = limit(PAGE_LIMIT_MOST, 100);
/// A page of the trash or of history.
pub(super) const PAGE: PageInput = pages(PAGE_LIMIT_MOST, 100);
/// A page of the graph or of a branch.
pub(super) const GRAPH_PAGE: PageInput = pages(GRAPH_LIMIT_MOST, 1_000);

impl Input for PageInput {
    type Value = PageRequest;

    fn describe(&self, fields: &mut Vec<Field>) {
        self.limit.describe(fields);
        self.offset.describe(fields);
    }

    fn read(&self, payload: &Json) -> Result<PageRequest, PayloadRefusal> {
        Ok(PageRequest { limit: self.limit.read(payload)?, offset: self.offset.read(payload)? })
    }
}

/// The scope of history, by `scopeType` and `scopeId`.
pub(super) struct ScopeInput;

const SCOPE_TYPE: Optional<ScopeType> =
    nullable("scopeType", ScopeType, PayloadFault::Domain(Reason::InvalidScope))
        .about("Whose history: of a USER or of a branch of the GRAPH.");
const SCOPE_ID: Optional<Id<Uuid>> =
    nullable("scopeId", Id(|id| id), PayloadFault::Domain(Reason::InvalidScope))
        .about("The user or the root of the branch.");

impl Input for ScopeInput {
    type Value = RequestedScope;

    fn describe(&self, fields: &mut Vec<Field>) {
        SCOPE_TYPE.describe(fields);
        SCOPE_ID.describe(fields);
    }

    fn read(&self, payload: &Json) -> Result<RequestedScope, PayloadRefusal> {
        Ok(match (SCOPE_TYPE.read(payload)?, SCOPE_ID.read(payload)?) {
            (None, None) => RequestedScope::Everything,
            (Some(ScopedBy::Graph), Some(id)) => RequestedScope::Graph(NodeId(id)),
            (Some(ScopedBy::User), Some(id)) => RequestedScope::User(UserId(id)),
            (Some(ScopedBy::User), None) => RequestedScope::Own,
            // A type without its id, or an id without its type.
            (Some(ScopedBy::Graph), None) | (None, Some(_)) => RequestedScope::Unfit,
        })
    }
}

/// The read-only fields of a node, besides every `owner…`.
pub(super) const NODE_READ_ONLY: &[&str] = &[
    "type",
    "createdTime",
    "lastEditedTime",
    "publicToken",
    "publicDue",
    "publicBranch",
    "inTrash",
    "lastBatchID",
    "access",
    "shareRoots",
    "version",
];

/// The read-only fields of a link, besides every `owner…`. `source` and `target` are read-only only in link:update;
/// where they are taken, they are not unknown fields.
pub(super) const LINK_READ_ONLY: &[&str] = &[
    "source",
    "target",
    "wasBlocker",
    "createdTime",
    "lastEditedTime",
    "inTrash",
    "lastBatchID",
    "shareRoots",
    "version",
];
