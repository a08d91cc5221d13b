//! The domain of SynapTask: the task graph, access to it, changes to it, and blocking.
//!
//! Every function depends on its arguments alone: no IO, no clock, no randomness, no threads. Time and new ids come
//! in. Decided batches and per-user views go out.

#![warn(missing_docs)]

pub mod access;
mod affected;
pub mod audience;
pub mod batch;
pub mod blockers;
pub mod blocking;
pub mod check;
pub mod cover;
pub mod diff;
pub mod draft;
pub mod effort;
mod entries;
pub mod field_rules;
pub mod grants;
pub mod hash;
pub mod history_view;
pub mod id;
mod inherit;
pub mod load;
mod look;
pub mod model;
mod moment;
pub mod node_fields;
mod off_graph;
pub mod ops;
pub mod projection;
pub mod published;
pub mod refusal;
pub mod replay;
pub mod time;
pub mod tokens;
pub mod trash;
pub mod view;
mod viewer_classes;
mod visible;
pub mod waiting;
pub mod world;

pub use audience::Audience;
pub use batch::{Batch, Committed, Entry, Op, Subject};
pub use diff::Diff;
pub use id::{BatchId, IdSupply, KeyId, LinkId, NodeId, TokenId, UserId};
pub use node_fields::{NODE_FIELDS, NodeFields};
pub use ops::{Operation, Root, decide};
pub use projection::{Projection, SharedDiff};
pub use refusal::{Class, Reason, Refusal};
pub use time::Timestamp;
pub use world::{Entity, Graph, World};
