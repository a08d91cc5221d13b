//! The tables of entities: what the line leads to up to the mark, and while a fold is under way in part beyond it.
//! Whatever a batch after the mark says of an entity stands above its row. So it does not matter how far a fold has
//! come.

use super::{line, unwritten};
use crate::codec::{self, CodecError, EntityKey};
use crate::error::LogError;
use graph::model::{Grant, Node};
use graph::{Entry, Subject, Timestamp, TokenId};
use rusqlite::{Connection, Result as SqlResult, params};
use std::collections::HashMap;
use uuid::Uuid;

/// What a stretch of the line leaves.
pub(super) struct Left<T> {
    /// Of each entity, the last that is said of it.
    pub(super) entities: HashMap<EntityKey, T>,
    /// The ids of nodes and links deleted for good, and by which batch, in order.
    pub(super) gone: Vec<(i64, Uuid)>,
}

/// What the batches after `from` and up to `to` leave of the entities that `keep` keeps.
///
/// # Errors
/// [`LogError::Corrupt`] if one of the batches cannot be read.
pub(super) fn left<T>(
    conn: &Connection,
    from: i64,
    to: i64,
    mut keep: impl FnMut(&Entry) -> Result<Option<T>, CodecError>,
) -> Result<Left<T>, LogError> {
    let mut left = Left { entities: HashMap::new(), gone: Vec::new() };
    line::each(conn, from, to, |row, read| {
        let rev: i64 = row.get("rev").map_err(unwritten)?;
        for entry in &read?.batch.entries {
            let Some(key) = codec::key(entry) else { continue };
            left.gone.extend(deleted(entry).map(|id| (rev, id)));
            let kept = keep(entry).map_err(|error| LogError::corrupt(format!("batch {rev}"), error))?;
            left.entities.extend(kept.map(|kept| (key, kept)));
        }
        Ok(())
    })?;
    Ok(left)
}

/// The id of the node or link that an entry deletes for good. It is remembered, so that a client cannot reuse it.
pub(super) fn deleted(entry: &Entry) -> Option<Uuid> {
    match &entry.subject {
        Subject::Node(change) if change.after.is_none() => change.latest().map(|node| node.id.0),
        Subject::Link(change) if change.after.is_none() => change.latest().map(|link| link.id.0),
        _ => None,
    }
}

/// The row that an entity has after an entry.
#[derive(Clone, Debug)]
pub(super) struct EntityRow {
    /// Of a node or link, its number in the order of creation, by which it is stored; otherwise 0.
    pub(super) seq: i64,
    /// When the grant, or the node's publication, ends.
    pub(super) due: Option<i64>,
    /// `None` when it was deleted.
    pub(super) body: Option<Vec<u8>>,
}

impl EntityRow {
    /// `None` for an entry that names no entity.
    pub(super) fn of(entry: &Entry) -> Result<Option<EntityRow>, CodecError> {
        fn row<T: codec::Stored>(
            of: Option<&T>,
            after: Option<&T>,
            seq: impl Fn(&T) -> u64,
            due: impl Fn(&T) -> Option<Timestamp>,
        ) -> Result<Option<EntityRow>, CodecError> {
            let Some(of) = of else { return Ok(None) };
            let body = after.map(codec::encode_entity).transpose()?;
            let due = after.and_then(due).map(Timestamp::ms);
            Ok(Some(EntityRow { seq: seq(of).cast_signed(), due, body }))
        }
        match &entry.subject {
            Subject::Node(change) => {
                row(change.latest().map(|it| &**it), change.after.as_deref(), |node| node.seq, public_due)
            }
            Subject::Link(change) => {
                row(change.latest().map(|it| &**it), change.after.as_deref(), |link| link.seq, |_| None)
            }
            Subject::Grant(change) => row(
                change.latest().map(|it| &**it),
                change.after.as_deref(),
                |_| 0,
                |grant: &Grant| grant.due,
            ),
            Subject::Embed(change) => row(change.latest(), change.after.as_ref(), |_| 0, |_| None),
            Subject::User(change) => {
                row(change.latest().map(|it| &**it), change.after.as_deref(), |_| 0, |_| None)
            }
            Subject::Token(change) => {
                row(change.latest().map(|it| &**it), change.after.as_deref(), |_| 0, |_| None)
            }
            Subject::Key(change) => {
                row(change.latest().map(|it| &**it), change.after.as_deref(), |_| 0, |_| None)
            }
        }
    }
}

pub(super) fn public_due(node: &Node) -> Option<Timestamp> {
    node.publication.as_deref().and_then(|publication| publication.due)
}

/// Makes an entity's row as it is to be.
pub(super) fn put(conn: &Connection, key: EntityKey, row: &EntityRow) -> SqlResult<()> {
    let EntityRow { seq, due, body } = row;
    match (key, body) {
        (EntityKey::Node(id), Some(body)) => conn
            .prepare_cached(
                "INSERT INTO nodes (seq, id, due, body) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET due = excluded.due, body = excluded.body",
            )?
            .execute(params![seq, id.0, due, body]),
        (EntityKey::Node(id), None) => {
            conn.prepare_cached("DELETE FROM nodes WHERE seq = ?1 AND id = ?2")?.execute(params![seq, id.0])
        }
        (EntityKey::Link(id), Some(body)) => conn
            .prepare_cached(
                "INSERT INTO links (seq, id, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET body = excluded.body",
            )?
            .execute(params![seq, id.0, body]),
        (EntityKey::Link(id), None) => {
            conn.prepare_cached("DELETE FROM links WHERE seq = ?1 AND id = ?2")?.execute(params![seq, id.0])
        }
        (EntityKey::Grant(node, user), Some(body)) => conn
            .prepare_cached(
                "INSERT INTO grants (node, user, due, body) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET due = excluded.due, body = excluded.body",
            )?
            .execute(params![node.0, user.0, due, body]),
        (EntityKey::Grant(node, user), None) => {
            conn.prepare_cached("DELETE FROM grants WHERE node = ?1 AND user = ?2")?.execute([node.0, user.0])
        }
        (EntityKey::Embed(user, node), Some(_)) => conn
            .prepare_cached("INSERT INTO embeds (user, node) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute([user.0, node.0]),
        (EntityKey::Embed(user, node), None) => {
            conn.prepare_cached("DELETE FROM embeds WHERE user = ?1 AND node = ?2")?.execute([user.0, node.0])
        }
        (EntityKey::User(id), Some(body)) => conn
            .prepare_cached(
                "INSERT INTO users (id, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body",
            )?
            .execute(params![id.0, body]),
        (EntityKey::User(id), None) => {
            conn.prepare_cached("DELETE FROM users WHERE id = ?1")?.execute([id.0])
        }
        (EntityKey::Token(id), Some(body)) => conn
            .prepare_cached(
                "INSERT INTO tokens (id, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body",
            )?
            .execute(params![id.0, body]),
        (EntityKey::Token(id), None) => {
            conn.prepare_cached("DELETE FROM used WHERE token = ?1")?.execute([id.0])?;
            conn.prepare_cached("DELETE FROM tokens WHERE id = ?1")?.execute([id.0])
        }
        (EntityKey::Key(id), Some(body)) => conn
            .prepare_cached(
                "INSERT INTO keys (id, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body",
            )?
            .execute(params![id.0, body]),
        (EntityKey::Key(id), None) => {
            conn.prepare_cached("DELETE FROM keys WHERE id = ?1")?.execute([id.0])
        }
    }?;
    Ok(())
}

pub(super) fn put_gone(conn: &Connection, rev: i64, id: Uuid) -> SqlResult<()> {
    conn.prepare_cached("INSERT OR IGNORE INTO gone (rev, id) VALUES (?1, ?2)")?.execute(params![rev, id])?;
    Ok(())
}

/// Stores when tokens were last used.
pub(super) fn touch_tokens(conn: &Connection, used: &[(TokenId, Timestamp)]) -> SqlResult<()> {
    let mut touch = conn.prepare_cached(
        "INSERT INTO used (token, at) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
    )?;
    used.iter().try_for_each(|(token, at)| touch.execute(params![token.0, at.ms()]).map(drop))
}

/// When tokens were last used, those included that are there no more.
pub(super) fn tokens_last_used(conn: &Connection) -> SqlResult<HashMap<TokenId, Timestamp>> {
    conn.prepare_cached("SELECT token, at FROM used")?
        .query_map([], |row| Ok((TokenId(row.get(0)?), Timestamp::from_ms(row.get(1)?))))?
        .collect()
}
