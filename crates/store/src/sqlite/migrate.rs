//! Brings over what older files hold. Each step runs in the one transaction of its migration: whenever the process
//! ends, the file is as it was, or migrated. Rows are brought over one by one, so the memory needed is small, and
//! the pages that do not fit into it go to the WAL.

use super::entities::public_due;
use super::find::{Find, INSTALLATION, Turn, Way, ids, put_turn};
use super::runs::RunWriter;
use super::{natural, unwritten};
use crate::codec::{self, Stored};
use crate::error::LogError;
use graph::batch::Lineage;
use graph::model::{Grant, Link, Node, Token, User};
use graph::{BatchId, Timestamp};
use rusqlite::{Connection, Params, Row, params};
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Indexes every batch of a file of version 1, which has an index by id instead of names.
pub(super) fn fill_second(conn: &Connection) -> Result<(), LogError> {
    each(conn, "SELECT rev, id, body FROM batches ORDER BY rev", [], |row| {
        let (rev, id) = (row.get(0).map_err(unwritten)?, BatchId(row.get(1).map_err(unwritten)?));
        let body = row.get_ref(2).and_then(|body| Ok(body.as_bytes()?)).map_err(unwritten)?;
        let codec::Decoded { lineage, entries, .. } =
            codec::decode(body).map_err(|error| LogError::corrupt(format!("batch {rev}"), error))?;
        ids(&entries).into_iter().try_for_each(|id| {
            execute(conn, "INSERT INTO touches (id, rev) VALUES (?1, ?2)", params![id, rev])
        })?;
        let (undo, root) = match lineage {
            Lineage::Fresh => return Ok(()),
            Lineage::UndoOf(root) => (true, root),
            Lineage::RedoOf(root) => (false, root),
        };
        let by_id = "SELECT rev FROM batches WHERE id = ?1";
        each(conn, by_id, [root.0], |row| {
            let root = row.get(0).map_err(unwritten)?;
            put_turn(conn, &Turn { root, undo, rev, id }).map_err(unwritten)?;
            execute(
                conn,
                "INSERT INTO chains (root, held) VALUES (?1, 2) ON CONFLICT DO UPDATE SET held = held + 1",
                [root],
            )
        })
    })
}

/// Brings over everything of a file of version 4. Its batches stay as they were written, so they need not even be
/// readable; entities are written anew.
pub(super) fn fill_fifth(conn: &Connection) -> Result<(), LogError> {
    let sql = "INSERT INTO line SELECT rev, id, actor, at, fingerprint, shows,
                   (SELECT root FROM turns WHERE turns.rev = batches.rev), CAST(body AS BLOB)
               FROM batches ORDER BY rev";
    execute(conn, sql, [])?;
    execute(conn, "INSERT INTO used SELECT id, last_used FROM tokens_4 WHERE last_used IS NOT NULL", [])?;
    execute(conn, "INSERT INTO gone SELECT rev, id FROM gone_4 ORDER BY rev, id", [])?;
    bring_over(conn, "users", "ORDER BY id", |conn, user: &User, body| {
        execute(conn, "INSERT INTO users VALUES (?1, ?2)", params![user.id.0, body])
    })?;
    bring_over(conn, "nodes", "ORDER BY body ->> 'seq'", |conn, node: &Node, body| {
        let (seq, due) = (node.seq.cast_signed(), public_due(node).map(Timestamp::ms));
        execute(conn, "INSERT INTO nodes VALUES (?1, ?2, ?3, ?4)", params![seq, node.id.0, due, body])
    })?;
    bring_over(conn, "links", "ORDER BY body ->> 'seq'", |conn, link: &Link, body| {
        let seq = link.seq.cast_signed();
        execute(conn, "INSERT INTO links VALUES (?1, ?2, ?3)", params![seq, link.id.0, body])
    })?;
    bring_over(conn, "grants", "ORDER BY node, user", |conn, grant: &Grant, body| {
        let (node, user, due) = (grant.node.0, grant.user.0, grant.due.map(Timestamp::ms));
        execute(conn, "INSERT INTO grants VALUES (?1, ?2, ?3, ?4)", params![node, user, due, body])
    })?;
    bring_over(conn, "tokens", "ORDER BY id", |conn, token: &Token, body| {
        execute(conn, "INSERT INTO tokens VALUES (?1, ?2)", params![token.id.0, body])
    })?;
    make_run(conn)?;
    conn.execute_batch(
        "DROP TABLE users_4; DROP TABLE nodes_4; DROP TABLE links_4; DROP TABLE grants_4; DROP TABLE tokens_4;
         DROP TABLE gone_4; DROP TABLE kept_4; DROP TABLE names; DROP TABLE touches; DROP TABLE batches;",
    )
    .map_err(unwritten)
}

/// Makes one run of all that batches were found by.
fn make_run(conn: &Connection) -> Result<(), LogError> {
    const RUN: i64 = 1;
    let read = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(unwritten);
    let last = read("SELECT coalesce(max(rev), 0) FROM batches")?;
    if last == 0 {
        return Ok(());
    }
    let finds = read("SELECT (SELECT count(*) FROM names) + (SELECT count(*) FROM touches)")?;
    let mut writer = RunWriter::new(RUN, natural(finds)? as usize);
    let kept = "rev IN (SELECT rev FROM batches)";
    let tables = [
        (Way::Name, format!("SELECT id, rev, 0 FROM names WHERE {kept} ORDER BY id")),
        (Way::Touch, format!("SELECT id, rev, 0 FROM touches WHERE {kept} ORDER BY id, rev")),
        (Way::By, "SELECT actor, rev, shows FROM batches ORDER BY actor, rev".to_owned()),
    ];
    for (way, sql) in tables {
        each(conn, &sql, [], |row| {
            // An actor that cannot be read is one that nobody asks for.
            let id: Option<Uuid> = row.get(0).unwrap_or_default();
            let (rev, shows) = row.get(1).and_then(|rev| Ok((rev, row.get(2)?))).map_err(unwritten)?;
            let find = Find { way, id: id.unwrap_or(INSTALLATION), rev, shows };
            writer.put(conn, &find).map_err(unwritten)
        })?;
    }
    execute(
        conn,
        "INSERT INTO kept SELECT ?1, CASE WHEN length(actor) = 16 THEN actor ELSE zeroblob(16) END, sum(batches), sum(bytes)
         FROM kept_4 GROUP BY 2",
        [RUN],
    )?;
    let batches = read("SELECT count(*) FROM batches")?;
    writer.list(conn, 1, last, batches).map_err(unwritten)?;
    execute(conn, "UPDATE folded SET mark = ?1, epoch = 1, run = ?2", [last, RUN])
}

/// Writes each entity of a table anew.
fn bring_over<T: Stored + DeserializeOwned>(
    conn: &Connection,
    table: &str,
    order: &str,
    mut put: impl FnMut(&Connection, &T, &[u8]) -> Result<(), LogError>,
) -> Result<(), LogError> {
    each(conn, &format!("SELECT body FROM {table}_4 {order}"), [], |row| {
        let text = row.get_ref(0).and_then(|body| Ok(body.as_bytes()?)).map_err(unwritten)?;
        let damaged = |error: &dyn std::fmt::Display| {
            let start: String = String::from_utf8_lossy(text).chars().take(60).collect();
            LogError::corrupt(format!("{table} with {start}…"), error)
        };
        let entity: T = serde_json::from_slice(text).map_err(|error| damaged(&error))?;
        let body = codec::encode_entity(&entity).map_err(|error| damaged(&error))?;
        put(conn, &entity, &body)
    })
}

fn each(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    mut with: impl FnMut(&Row<'_>) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let mut statement = conn.prepare_cached(sql).map_err(unwritten)?;
    let mut found = statement.query(params).map_err(unwritten)?;
    while let Some(row) = found.next().map_err(unwritten)? {
        with(row)?;
    }
    Ok(())
}

fn execute(conn: &Connection, sql: &str, params: impl Params) -> Result<(), LogError> {
    conn.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map(drop).map_err(unwritten)
}
