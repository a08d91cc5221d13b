//! How batches and entities are stored: as MessagePack, after a byte that tells the version.
//!
//! An entity is a map of its fields, see [`entity`]. An entry stores the whole entity after the change, and of the
//! entity before it only the fields that differ. A change is thus stored about once rather than twice, and an entry
//! can be read without any other data:
//!
//! | | `after` | `was` |
//! |---|---|---|
//! | added | whole | – |
//! | changed | whole | the fields that differ, as they were |
//! | deleted | – | whole |
//!
//! `synaptask history --json` shows batches as text.

#[cfg(test)]
pub(crate) mod arbitrary;
mod entity;
pub(crate) mod json;
#[cfg(test)]
mod tests;

pub(crate) use entity::Stored;

use graph::batch::{Change, Lineage};
use graph::model::Node;
use graph::node_fields;
use graph::{Batch, BatchId, Entry, KeyId, LinkId, NodeId, Op, Subject, TokenId, UserId};
use serde::Deserialize;
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

/// The first byte of a body. A body of an earlier version begins with the brace of a JSON object.
const VERSION: u8 = 1;
const JSON: u8 = b'{';

/// Set in the number of an entry's kind if the entry is derived.
const DERIVED: u8 = 0x80;

/// Why a batch cannot be encoded, or stored data cannot be decoded.
#[derive(Debug, Error)]
pub(crate) enum CodecError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Read(#[from] rmp_serde::decode::Error),
    #[error(transparent)]
    Write(#[from] rmp_serde::encode::Error),
    #[error(transparent)]
    Head(#[from] rmp::encode::ValueWriteError),
    #[error("node {0} has a number that is not finite")]
    NotFinite(NodeId),
    #[error("an entity is not a JSON object")]
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests write JSON"))]
    NotAnObject,
    #[error("an entity has no id")]
    NoId,
    #[error("{0} is not the number of a kind of entity")]
    NoKind(u8),
    #[error("it begins with {0:?}, which no version of SynapTask writes")]
    NoVersion(Option<u8>),
}

/// The key of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum EntityKey {
    User(UserId),
    Node(NodeId),
    Link(LinkId),
    Grant(NodeId, UserId),
    Embed(UserId, NodeId),
    Token(TokenId),
    Key(KeyId),
}

impl EntityKey {
    /// The number of the entity's table. Users come first and nodes next: all others refer to them.
    pub(crate) fn table(&self) -> u8 {
        match self {
            EntityKey::User(_) => 0,
            EntityKey::Node(_) => 1,
            EntityKey::Link(_) => 2,
            EntityKey::Grant(..) => 3,
            EntityKey::Embed(..) => 4,
            EntityKey::Token(_) => 5,
            EntityKey::Key(_) => 6,
        }
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    /// Of an undo or redo, whether it is an undo, and the batch that began its chain.
    turn: Option<(bool, BatchId)>,
    #[serde(borrow)]
    entries: Vec<EntryIn<'a>>,
    /// The guest as which the actor's token acted. It is left out where there is none.
    #[serde(default)]
    guest: Option<UserId>,
}

/// What a batch has besides its columns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) lineage: Lineage,
    pub(crate) guest: Option<UserId>,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct EntryIn<'a> {
    kind: u8,
    op: Op,
    copy_of: Option<Uuid>,
    #[serde(borrow)]
    after: Option<&'a [u8]>,
    #[serde(borrow)]
    was: Option<&'a [u8]>,
}

/// Encodes what a batch has besides its columns.
pub(crate) fn encode(batch: &Batch) -> Result<Vec<u8>, CodecError> {
    // Most batches are one small entry.
    let mut body = Vec::with_capacity(64 + 256 * batch.entries.len());
    body.push(VERSION);
    rmp::encode::write_array_len(&mut body, if batch.guest.is_some() { 3 } else { 2 })?;
    let turn = match batch.lineage {
        Lineage::Fresh => None,
        Lineage::UndoOf(root) => Some((true, root)),
        Lineage::RedoOf(root) => Some((false, root)),
    };
    rmp_serde::encode::write(&mut body, &turn)?;
    rmp::encode::write_array_len(&mut body, u32::try_from(batch.entries.len()).unwrap_or(u32::MAX))?;
    let mut written = Vec::new();
    for entry in &batch.entries {
        write_entry(entry, &mut body, &mut written)?;
    }
    if let Some(guest) = batch.guest {
        rmp_serde::encode::write(&mut body, &guest)?;
    }
    Ok(body)
}

/// Decodes a body that [`encode`] or an earlier version wrote.
pub(crate) fn decode(body: &[u8]) -> Result<Decoded, CodecError> {
    match body.split_first() {
        Some((&VERSION, body)) => {
            let body: Body<'_> = rmp_serde::from_slice(body)?;
            let lineage = match body.turn {
                None => Lineage::Fresh,
                Some((true, root)) => Lineage::UndoOf(root),
                Some((false, root)) => Lineage::RedoOf(root),
            };
            let entries = body.entries.iter().map(read_entry).collect::<Result<_, _>>()?;
            Ok(Decoded { lineage, guest: body.guest, entries })
        }
        Some((&JSON, _)) => json::decode(body),
        first => Err(CodecError::NoVersion(first.map(|(first, _)| *first))),
    }
}

/// Encodes an entity for a row of its own.
pub(crate) fn encode_entity<T: Stored>(entity: &T) -> Result<Vec<u8>, CodecError> {
    let mut row = Vec::with_capacity(192);
    entity::write(entity, None, &mut row)?;
    Ok(row)
}

/// Decodes a row that [`encode_entity`] wrote.
pub(crate) fn decode_entity<T: Stored>(row: &[u8]) -> Result<T, CodecError> {
    entity::read(row, None)
}

/// The key of an entry's entity; `None` for an entry that names no entity.
pub(crate) fn key(entry: &Entry) -> Option<EntityKey> {
    match &entry.subject {
        Subject::Node(change) => change.latest().map(|node| EntityKey::Node(node.id)),
        Subject::Link(change) => change.latest().map(|link| EntityKey::Link(link.id)),
        Subject::Grant(change) => change.latest().map(|grant| EntityKey::Grant(grant.node, grant.user)),
        Subject::Embed(change) => change.latest().map(|embed| EntityKey::Embed(embed.user, embed.node)),
        Subject::User(change) => change.latest().map(|user| EntityKey::User(user.id)),
        Subject::Token(change) => change.latest().map(|token| EntityKey::Token(token.id)),
        Subject::Key(change) => change.latest().map(|key| EntityKey::Key(key.id)),
    }
}

/// An entry is an array: the number of its kind, its operation, what it copies, `after` and `was`.
fn write_entry(entry: &Entry, body: &mut Vec<u8>, written: &mut Vec<u8>) -> Result<(), CodecError> {
    let kind = match &entry.subject {
        Subject::Node(_) => 0,
        Subject::Link(_) => 1,
        Subject::Grant(_) => 2,
        Subject::Embed(_) => 3,
        Subject::User(_) => 4,
        Subject::Token(_) => 5,
        Subject::Key(_) => 6,
    };
    rmp::encode::write_array_len(body, 5)?;
    rmp_serde::encode::write(body, &(kind | if entry.derived { DERIVED } else { 0 }))?;
    rmp_serde::encode::write(body, &entry.op)?;
    rmp_serde::encode::write(body, &entry.copy_of)?;
    match &entry.subject {
        Subject::Node(change) => {
            change.after.iter().chain(&change.before).try_for_each(storable)?;
            write_change(change.before.as_deref(), change.after.as_deref(), body, written)
        }
        Subject::Link(change) => {
            write_change(change.before.as_deref(), change.after.as_deref(), body, written)
        }
        Subject::Grant(change) => {
            write_change(change.before.as_deref(), change.after.as_deref(), body, written)
        }
        Subject::Embed(change) => write_change(change.before.as_ref(), change.after.as_ref(), body, written),
        Subject::User(change) => {
            write_change(change.before.as_deref(), change.after.as_deref(), body, written)
        }
        Subject::Token(change) => {
            write_change(change.before.as_deref(), change.after.as_deref(), body, written)
        }
        Subject::Key(change) => {
            write_change(change.before.as_deref(), change.after.as_deref(), body, written)
        }
    }
}

/// No answer to a client could hold infinity.
fn storable(node: &Arc<Node>) -> Result<(), CodecError> {
    if node_fields::is_writable(node) { Ok(()) } else { Err(CodecError::NotFinite(node.id)) }
}

fn write_change<T: Stored>(
    before: Option<&T>,
    after: Option<&T>,
    body: &mut Vec<u8>,
    written: &mut Vec<u8>,
) -> Result<(), CodecError> {
    for (entity, base) in [(after, None), (before, after)] {
        match entity {
            Some(entity) => {
                written.clear();
                entity::write(entity, base, written)?;
                rmp::encode::write_bin(body, written)?;
            }
            None => rmp_serde::encode::write(body, &())?,
        }
    }
    Ok(())
}

fn read_entry(entry: &EntryIn<'_>) -> Result<Entry, CodecError> {
    let subject = match entry.kind & !DERIVED {
        0 => Subject::Node(shared(read_change(entry)?)),
        1 => Subject::Link(shared(read_change(entry)?)),
        2 => Subject::Grant(shared(read_change(entry)?)),
        3 => Subject::Embed(read_change(entry)?),
        4 => Subject::User(shared(read_change(entry)?)),
        5 => Subject::Token(shared(read_change(entry)?)),
        6 => Subject::Key(shared(read_change(entry)?)),
        other => return Err(CodecError::NoKind(other)),
    };
    Ok(Entry { op: entry.op, derived: entry.kind & DERIVED != 0, subject, copy_of: entry.copy_of })
}

fn read_change<T: Stored>(entry: &EntryIn<'_>) -> Result<Change<T>, CodecError> {
    let after = entry.after.map(|row| entity::read(row, None)).transpose()?;
    let before = entry.was.map(|row| entity::read(row, after.as_ref())).transpose()?;
    Ok(Change { before, after })
}

fn shared<T>(change: Change<T>) -> Change<Arc<T>> {
    Change { before: change.before.map(Arc::new), after: change.after.map(Arc::new) }
}
