//! The line of batches: all there is to know. A commit appends to it and writes nothing else, so that what it costs
//! does not depend on what else is stored.

use super::find::{Part, as_stored};
use super::view::View;
use super::{natural, unwritten};
use crate::codec::{self, Decoded};
use crate::error::LogError;
use crate::history_page::Shows;
use crate::{Fingerprint, Proposal, Remembered};
use graph::batch::Lineage;
use graph::model::Rev;
use graph::{Batch, BatchId, Committed, Timestamp, UserId};
use rusqlite::{Connection, Row, ToSql, params};
use std::collections::HashMap;

/// The columns of a batch, for [`remembered`].
macro_rules! batch_columns {
    () => {
        "rev, id, actor, at, fingerprint, body"
    };
}

/// Appends batches, the first of them with the rev that follows the view's head, and returns what is known of them.
///
/// # Errors
/// [`LogError::Duplicate`] if an id is already in the line or occurs twice, [`LogError::Refused`] if a batch cannot
/// be written.
pub(super) fn append(conn: &Connection, view: &View, proposals: &[Proposal]) -> Result<Part, LogError> {
    let mut part = Part::after(view.head());
    let mut named: HashMap<BatchId, i64> = HashMap::with_capacity(proposals.len());
    let mut put = conn
        .prepare_cached(
            "INSERT INTO line (rev, id, actor, at, fingerprint, shows, root, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .map_err(unwritten)?;
    for (rev, Proposal { batch, fingerprint }) in (view.head() + 1..).zip(proposals) {
        let body = codec::encode(batch).map_err(LogError::refused)?;
        if view.rev_of(conn, batch.id)?.is_some() || named.insert(batch.id, rev).is_some() {
            return Err(LogError::Duplicate(batch.id));
        }
        let root = match batch.lineage {
            Lineage::Fresh => None,
            // An undo of a batch that is not kept has no place in a chain.
            Lineage::UndoOf(root) | Lineage::RedoOf(root) => match named.get(&root) {
                Some(root) => Some(*root),
                None => view.rev_of(conn, root)?,
            },
        };
        put.execute(params![
            rev,
            batch.id.0,
            batch.actor.map(|user| user.0),
            batch.at.ms(),
            fingerprint,
            Shows::of(&batch.entries).code(),
            root,
            body,
        ])
        .map_err(unwritten)?;
        part.note(rev, batch, root, body.len() as i64);
    }
    Ok(part.finish())
}

/// The batches after `head`, in order.
pub(super) fn news(conn: &Connection, head: Rev) -> Result<Vec<Committed>, LogError> {
    let sql = concat!("SELECT ", batch_columns!(), " FROM line WHERE rev > ?1 ORDER BY rev");
    let mut statement = conn.prepare_cached(sql).map_err(unwritten)?;
    let mut found = statement.query([as_stored(head)]).map_err(unwritten)?;
    let mut news: Vec<Committed> = Vec::new();
    while let Some(row) = found.next().map_err(unwritten)? {
        let Remembered { rev, batch, .. } = remembered(row)?;
        if rev != head + news.len() as Rev + 1 {
            return Err(LogError::Astray { head, log: last_rev(conn)? });
        }
        news.push(Committed { rev, batch });
    }
    // No batch follows: the caller is at the end of the log, or beyond it.
    if news.is_empty() && last_rev(conn)? < head {
        return Err(LogError::Astray { head, log: last_rev(conn)? });
    }
    Ok(news)
}

/// Calls `with` with each batch after `from` and up to `to`, and with its row.
pub(super) fn each(
    conn: &Connection,
    from: i64,
    to: i64,
    mut with: impl FnMut(&Row<'_>, Result<Remembered, LogError>) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let sql = concat!(
        "SELECT ",
        batch_columns!(),
        ", shows, root, length(body) AS bytes FROM line WHERE rev > ?1 AND rev <= ?2 ORDER BY rev"
    );
    let mut statement = conn.prepare_cached(sql).map_err(unwritten)?;
    let mut found = statement.query([from, to]).map_err(unwritten)?;
    while let Some(row) = found.next().map_err(unwritten)? {
        with(row, remembered(row))?;
    }
    Ok(())
}

/// What is known of a stretch of the line, in parts of a moderate size. A batch that cannot be read is found by its
/// columns alone.
pub(super) fn parts(conn: &Connection, from: i64, to: i64, most: usize) -> Result<Vec<Part>, LogError> {
    let mut parts = Vec::new();
    let mut part = Part::after(from);
    each(conn, from, to, |row, read| {
        let column = |name| row.get::<_, i64>(name).map_err(unwritten);
        let (rev, bytes) = (column("rev")?, column("bytes")?);
        match read {
            Ok(read) => part.note(rev, &read.batch, row.get("root").map_err(unwritten)?, bytes),
            Err(LogError::Corrupt { .. }) => {
                let (id, actor) = (row.get("id").ok(), row.get("actor").ok());
                part.note_unread(rev, id.map(BatchId), actor.map(UserId), column("shows")?, bytes);
            }
            Err(other) => return Err(other),
        }
        if part.finds.len() >= most {
            parts.push(std::mem::replace(&mut part, Part::after(rev)).finish());
        }
        Ok(())
    })?;
    // Whatever is at the end was pruned, or nothing is.
    part.last = to;
    parts.push(part.finish());
    parts.retain(|part| part.first <= part.last);
    Ok(parts)
}

/// The batch at a rev, and its stored size in bytes.
pub(super) fn batch_at(conn: &Connection, rev: i64) -> Result<Option<(Remembered, usize)>, LogError> {
    let sql = concat!("SELECT ", batch_columns!(), " FROM line WHERE rev = ?1");
    one_batch(conn, sql, rev)
}

fn one_batch(conn: &Connection, sql: &str, key: impl ToSql) -> Result<Option<(Remembered, usize)>, LogError> {
    let mut statement = conn.prepare_cached(sql).map_err(unwritten)?;
    let mut found = statement.query([key]).map_err(unwritten)?;
    let Some(row) = found.next().map_err(unwritten)? else { return Ok(None) };
    let bytes = row.get_ref("body").and_then(|body| Ok(body.as_blob()?.len()));
    Ok(Some((remembered(row)?, bytes.unwrap_or(0))))
}

/// The batch in a row that has the columns of `batch_columns!`.
pub(super) fn remembered(row: &Row<'_>) -> Result<Remembered, LogError> {
    let rev = row.get::<_, i64>("rev").map_err(unwritten)?;
    let read = || -> rusqlite::Result<_> {
        let fingerprint: Option<Fingerprint> = row.get("fingerprint")?;
        let body: &[u8] = row.get_ref("body")?.as_blob()?;
        Ok((row.get("id")?, row.get("actor")?, row.get("at")?, fingerprint, body))
    };
    let place = || format!("batch {rev}");
    let (id, actor, at, fingerprint, body) = read().map_err(|error| LogError::corrupt(place(), error))?;
    let Decoded { lineage, guest, entries } =
        codec::decode(body).map_err(|error| LogError::corrupt(place(), error))?;
    let actor = Option::map(actor, UserId);
    let batch = Batch { id: BatchId(id), actor, guest, at: Timestamp::from_ms(at), lineage, entries };
    Ok(Remembered { rev: natural(rev)?, batch, fingerprint })
}

/// The log's head; 0 while it is empty.
pub(super) fn last_rev(conn: &Connection) -> Result<Rev, LogError> {
    let last = conn
        .prepare_cached("SELECT coalesce(max(rev), 0) FROM line")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)));
    natural(last.map_err(unwritten)?)
}

/// When the last batch was made; the epoch in an empty log.
pub(super) fn last_at(conn: &Connection) -> Result<Timestamp, LogError> {
    let sql = "SELECT coalesce((SELECT at FROM line ORDER BY rev DESC LIMIT 1), 0)";
    let at = conn.prepare_cached(sql).and_then(|mut last| last.query_row([], |row| row.get(0)));
    Ok(Timestamp::from_ms(at.map_err(unwritten)?))
}
