//! Writes batches and entities into their tables.

use super::{Proposal, index};
use crate::codec::{EntityKey, EntityRow};
use crate::history_page::Shows;
use graph::model::Rev;
use graph::{BatchId, Timestamp, TokenId};
use rusqlite::{Connection, Result, params};
use std::collections::HashMap;

/// Appends one batch to the log; false, with nothing written, when the log already has one of that id.
pub(super) fn put_batch(conn: &Connection, rev: Rev, proposal: &Proposal, body: &str) -> Result<bool> {
    let batch = &proposal.batch;
    if !put_name(conn, batch.id, rev)? {
        return Ok(false);
    }
    conn.prepare_cached(
        "INSERT INTO batches (rev, id, actor, at, fingerprint, bytes, shows, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        rev as i64,
        batch.id.0,
        batch.actor.map(|user| user.0),
        batch.at.ms(),
        proposal.fingerprint,
        body.len() as i64,
        Shows::of(&batch.entries).code(),
        body,
    ])?;
    let actor = batch.actor.map_or_else(Vec::new, |user| user.0.into_bytes().to_vec());
    conn.prepare_cached(
        "INSERT INTO kept (actor, batches, bytes) VALUES (?1, 1, ?2)
         ON CONFLICT DO UPDATE SET batches = batches + 1, bytes = bytes + excluded.bytes",
    )?
    .execute(params![actor, body.len() as i64])?;
    index::note(conn, rev, batch)?;
    Ok(true)
}

/// Stores a batch's id; false when a kept batch has it.
fn put_name(conn: &Connection, id: BatchId, rev: Rev) -> Result<bool> {
    let named = conn
        .prepare_cached(
            "INSERT INTO names (id, rev) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET rev = excluded.rev
             WHERE NOT EXISTS (SELECT 1 FROM batches WHERE batches.rev = names.rev)",
        )?
        .execute(params![id.0, rev as i64])?;
    Ok(named > 0)
}

/// Updates the entities' tables by the rows, in order. An entity that occurs several times is written once.
pub(super) fn put_entities(conn: &Connection, rows: &[(Rev, EntityRow)]) -> Result<()> {
    let last: HashMap<EntityKey, usize> = rows.iter().enumerate().map(|(i, (_, row))| (row.key, i)).collect();
    for (i, (rev, row)) in rows.iter().enumerate() {
        if row.after.is_none() {
            note_gone(conn, row.key, *rev)?;
        }
        if last.get(&row.key) == Some(&i) {
            match &row.after {
                Some(body) => put(conn, row.key, body.get())?,
                None => remove(conn, row.key)?,
            }
        }
    }
    Ok(())
}

fn put(conn: &Connection, key: EntityKey, body: &str) -> Result<()> {
    match key {
        EntityKey::Node(id) => conn.prepare_cached(PUT_NODE)?.execute(params![id.0, body]),
        EntityKey::Link(id) => conn.prepare_cached(PUT_LINK)?.execute(params![id.0, body]),
        EntityKey::User(id) => conn.prepare_cached(PUT_USER)?.execute(params![id.0, body]),
        EntityKey::Token(id) => conn.prepare_cached(PUT_TOKEN)?.execute(params![id.0, body]),
        EntityKey::Grant(node, user) => {
            conn.prepare_cached(PUT_GRANT)?.execute(params![node.0, user.0, body])
        }
        EntityKey::Embed(user, node) => conn.prepare_cached(PUT_EMBED)?.execute(params![user.0, node.0]),
    }?;
    Ok(())
}

const PUT_NODE: &str =
    "INSERT INTO nodes (id, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body";
const PUT_LINK: &str =
    "INSERT INTO links (id, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body";
const PUT_USER: &str =
    "INSERT INTO users (id, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body";
const PUT_TOKEN: &str =
    "INSERT INTO tokens (id, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body";
const PUT_GRANT: &str = "INSERT INTO grants (node, user, body) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET body = excluded.body";
const PUT_EMBED: &str = "INSERT INTO embeds (user, node) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

fn remove(conn: &Connection, key: EntityKey) -> Result<()> {
    let remove = |sql, id| conn.prepare_cached(sql)?.execute([id]);
    let remove_pair = |sql, one, other| conn.prepare_cached(sql)?.execute([one, other]);
    match key {
        EntityKey::Node(id) => remove("DELETE FROM nodes WHERE id = ?1", id.0),
        EntityKey::Link(id) => remove("DELETE FROM links WHERE id = ?1", id.0),
        EntityKey::User(id) => remove("DELETE FROM users WHERE id = ?1", id.0),
        EntityKey::Token(id) => remove("DELETE FROM tokens WHERE id = ?1", id.0),
        EntityKey::Grant(node, user) => {
            remove_pair("DELETE FROM grants WHERE node = ?1 AND user = ?2", node.0, user.0)
        }
        EntityKey::Embed(user, node) => {
            remove_pair("DELETE FROM embeds WHERE user = ?1 AND node = ?2", user.0, node.0)
        }
    }?;
    Ok(())
}

/// The ids of deleted nodes and links are remembered, so that a client cannot reuse one.
fn note_gone(conn: &Connection, key: EntityKey, rev: Rev) -> Result<()> {
    let id = match key {
        EntityKey::Node(id) => id.0,
        EntityKey::Link(id) => id.0,
        EntityKey::Grant(..) | EntityKey::Embed(..) | EntityKey::User(_) | EntityKey::Token(_) => {
            return Ok(());
        }
    };
    conn.prepare_cached(
        "INSERT INTO gone (id, rev) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET rev = excluded.rev",
    )?
    .execute(params![id, rev as i64])?;
    Ok(())
}

/// Stores when tokens were last used.
pub(super) fn touch_tokens(conn: &Connection, used: &[(TokenId, Timestamp)]) -> Result<()> {
    let mut touch =
        conn.prepare_cached("UPDATE tokens SET last_used = max(coalesce(last_used, 0), ?2) WHERE id = ?1")?;
    used.iter().try_for_each(|(token, at)| touch.execute(params![token.0, at.ms()]).map(drop))
}

/// When tokens were last used.
pub(super) fn tokens_last_used(conn: &Connection) -> Result<HashMap<TokenId, Timestamp>> {
    conn.prepare_cached("SELECT id, last_used FROM tokens WHERE last_used IS NOT NULL")?
        .query_map([], |row| Ok((TokenId(row.get(0)?), Timestamp::from_ms(row.get(1)?))))?
        .collect()
}
