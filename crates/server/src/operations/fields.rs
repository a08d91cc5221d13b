//! The fields that operations take, and those that cannot be set.

use super::input::{Defaulted, Field, Input, Optional, Required, nullable, optional, required};
use super::kinds::{Batch, Boolean, Branch, Count, Due, Email, GrantLevel, Id, Ids, NewId, ScopeType};
use super::kinds::{ScopedBy, TypeOfLink, Username, WholeNumber};
use super::rules::*;
use crate::engine::protocol::{PageRequest, RequestedScope};
use crate::wire::payload::Json;
use graph::{LinkId, NodeId, Reason, Refusal, UserId};
use uuid::Uuid;

/// The client's own id for a mutation.
pub(super) const BATCH_ID: Optional<Batch> = nullable("batchId", Batch::New, Reason::InvalidBatchId);
/// The same, for operations where `batchId` names another batch.
pub(super) const NEW_BATCH_ID: Optional<Batch> = nullable("newBatchId", Batch::New, Reason::InvalidBatchId);
pub(super) const PAST_BATCH: Required<Batch> =
    required("batchId", Batch::Existing, Reason::MissingBatchId, Reason::InvalidBatchId);

pub(super) const NEW_NODE: Optional<NewId<NodeId>> = nullable("id", NewId(NodeId), Reason::InvalidId);
pub(super) const NEW_LINK: Optional<NewId<LinkId>> = nullable("id", NewId(LinkId), Reason::InvalidId);
pub(super) const NODE_ID: Required<Id<NodeId>> =
    required("id", Id(NodeId), Reason::MissingId, Reason::InvalidNodeId);
pub(super) const LINK_ID: Required<Id<LinkId>> =
    required("id", Id(LinkId), Reason::MissingId, Reason::InvalidLinkId);
pub(super) const BRANCH_ID: Required<Branch> =
    required("id", Branch, Reason::MissingId, Reason::InvalidNodeId);
pub(super) const ROOT: Required<Branch> = required("root", Branch, Reason::MissingId, Reason::InvalidNodeId);
pub(super) const TARGET: Optional<Id<NodeId>> = nullable("target", Id(NodeId), Reason::InvalidTargetId);
pub(super) const LINK_SOURCE: Required<Id<NodeId>> = end("source");
pub(super) const LINK_TARGET: Required<Id<NodeId>> = end("target");
/// Null is not the same as absence, which purges everything.
pub(super) const IDS: Optional<Ids> = optional("ids", Ids, Reason::InvalidIds);
pub(super) const PRESENCE_NODE: Optional<Id<NodeId>> = nullable("nodeId", Id(NodeId), Reason::InvalidNodeId);

const fn end(name: &'static str) -> Required<Id<NodeId>> {
    required(name, Id(NodeId), Reason::InvalidSourceTargetId, Reason::InvalidSourceTargetId)
}

pub(super) const VERSION: Optional<WholeNumber> = nullable("version", WholeNumber, Reason::InvalidVersion);
pub(super) const SINCE: Required<WholeNumber> =
    required("since", WholeNumber, Reason::InvalidSince, Reason::InvalidSince);

pub(super) const LINK_TYPE: Optional<TypeOfLink> = optional("type", TypeOfLink, Reason::InvalidLinkType);
pub(super) const LINK_PRIVATE: Optional<Boolean> = optional("private", Boolean, Reason::InvalidLinkPrivate);

pub(super) const EMAIL: Required<Email> =
    required("email", Email, Reason::MissingEmail, Reason::InvalidEmail);
pub(super) const LEVEL: Optional<GrantLevel> = optional("level", GrantLevel, Reason::InvalidLevel);
pub(super) const BRANCH: Optional<Boolean> = optional("branch", Boolean, Reason::InvalidBranchValue);
pub(super) const DUE: Optional<Due> = nullable("due", Due, Reason::InvalidDue);
pub(super) const SHOWING: Required<Boolean> =
    required("showing", Boolean, Reason::InvalidShowing, Reason::InvalidShowing);
pub(super) const USERNAME: Required<Username> =
    required("username", Username, Reason::InvalidUsername, Reason::InvalidUsername);

/// A page by `limit` and `offset`.
pub(super) struct PageInput {
    limit: Defaulted<Count, usize>,
    offset: Defaulted<Count, usize>,
}

const fn pages(most: i64, default: usize) -> PageInput {
    let offset = Count { least: 0, most: i64::MAX };
    PageInput {
        limit: optional("limit", Count { least: 1, most }, Reason::InvalidLimit).or(default),
        offset: optional("offset", offset, Reason::InvalidOffset).or(0),
    }
}

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

    fn read(&self, payload: &Json) -> Result<PageRequest, Refusal> {
        Ok(PageRequest { limit: self.limit.read(payload)?, offset: self.offset.read(payload)? })
    }
}

/// The scope of history, by `scopeType` and `scopeId`.
pub(super) struct ScopeInput;

const SCOPE_TYPE: Optional<ScopeType> = nullable("scopeType", ScopeType, Reason::InvalidScope);
const SCOPE_ID: Optional<Id<Uuid>> = nullable("scopeId", Id(|id| id), Reason::InvalidScope);

impl Input for ScopeInput {
    type Value = RequestedScope;

    fn describe(&self, fields: &mut Vec<Field>) {
        SCOPE_TYPE.describe(fields);
        SCOPE_ID.describe(fields);
    }

    fn read(&self, payload: &Json) -> Result<RequestedScope, Refusal> {
        Ok(match (SCOPE_TYPE.read(payload)?, SCOPE_ID.read(payload)?) {
            (None, None) => RequestedScope::Everything,
            (Some(ScopedBy::Graph), Some(id)) => RequestedScope::Graph(NodeId(id)),
            (Some(ScopedBy::User), Some(id)) => RequestedScope::User(UserId(id)),
            (Some(ScopedBy::User), None) => RequestedScope::Own,
            // A scope that does not fit its type.
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
