//! The fields that operations take, and those that cannot be set.

use super::rules::*;
use super::{Field, Kind, Need};
use graph::Reason;

pub(super) const fn required(name: &'static str, kind: Kind, missing: Reason, invalid: Reason) -> Field {
    Field { name, kind, need: Need::Required(missing), invalid }
}

pub(super) const fn optional(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    invalid: Reason,
) -> Field {
    Field { name, kind, need: Need::Optional { default }, invalid }
}

pub(super) const BATCH_ID: Field = optional("batchId", Kind::Request, "", Reason::InvalidBatchId);
pub(super) const NEW_ID: Field = optional("id", Kind::NewId, "", Reason::InvalidId);
pub(super) const NODE_ID: Field = required("id", Kind::Id, Reason::MissingId, Reason::InvalidNodeId);
pub(super) const LINK_ID: Field = required("id", Kind::Id, Reason::MissingId, Reason::InvalidLinkId);
pub(super) const BRANCH_ID: Field = required("id", Kind::Branch, Reason::MissingId, Reason::InvalidNodeId);
pub(super) const TARGET: Field = optional("target", Kind::Id, "", Reason::InvalidTargetId);
pub(super) const IDS: Field = optional("ids", Kind::Ids, "", Reason::InvalidIds);
pub(super) const VERSION: Field = optional("version", Kind::Version, "", Reason::InvalidVersion);
pub(super) const EMAIL: Field = required("email", Kind::Email, Reason::MissingEmail, Reason::InvalidEmail);
pub(super) const LEVEL: Field = optional("level", Kind::Level, "3", Reason::InvalidLevel);
pub(super) const DUE: Field = optional("due", Kind::Due, "null", Reason::InvalidDue);
pub(super) const BRANCH: Field = optional("branch", Kind::Boolean, "true", Reason::InvalidBranchValue);
pub(super) const SHOWING: Field =
    required("showing", Kind::Boolean, Reason::InvalidShowing, Reason::InvalidShowing);
pub(super) const USERNAME: Field =
    required("username", Kind::Username, Reason::InvalidUsername, Reason::InvalidUsername);
pub(super) const ROOT: Field = required("root", Kind::Branch, Reason::MissingId, Reason::InvalidNodeId);
pub(super) const SINCE: Field = required("since", Kind::Version, Reason::InvalidSince, Reason::InvalidSince);
pub(super) const PAST_BATCH: Field =
    required("batchId", Kind::Id, Reason::MissingBatchId, Reason::InvalidBatchId);
pub(super) const NEW_BATCH_ID: Field = optional("newBatchId", Kind::Request, "", Reason::InvalidBatchId);
pub(super) const SCOPE_TYPE: Field = optional("scopeType", Kind::ScopeType, "", Reason::InvalidScope);
pub(super) const SCOPE_ID: Field = optional("scopeId", Kind::Id, "", Reason::InvalidScope);
pub(super) const PAGE_LIMIT: Field =
    optional("limit", Kind::Count { least: 1, most: PAGE_LIMIT_MOST }, "100", Reason::InvalidLimit);
pub(super) const GRAPH_LIMIT: Field =
    optional("limit", Kind::Count { least: 1, most: GRAPH_LIMIT_MOST }, "1000", Reason::InvalidLimit);
pub(super) const OFFSET: Field =
    optional("offset", Kind::Count { least: 0, most: i64::MAX }, "0", Reason::InvalidOffset);

pub(super) const LINK_FIELDS: &[Field] = &[
    optional("type", Kind::LinkType, "0", Reason::InvalidLinkType),
    optional("private", Kind::Boolean, "false", Reason::InvalidLinkPrivate),
];

/// What a node shows of itself that nobody sets; besides every `owner…`.
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

/// What a link shows of itself that nobody sets; besides every `owner…`. That `source` and `target` cannot be changed
/// matters to link:update alone: where they are taken, they are no strangers.
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
