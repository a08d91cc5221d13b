//! The indexes of history: which batch touched which id, and which batch undid or redid which. All of them follow
//! from the batches.

use super::{integer, natural, remembered, unwritten};
use crate::error::LogError;
use crate::history_page::touched;
use crate::{PastChain, Remembered};
use graph::batch::Lineage;
use graph::model::Rev;
use graph::{Batch, BatchId, Entry};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Row, params};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Every id that a batch's entries touch, once each and sorted.
pub(super) fn ids(entries: &[Entry]) -> BTreeSet<Uuid> {
    entries.iter().flat_map(touched).collect()
}

/// Indexes a batch in the log, after all batches before it.
pub(super) fn note(conn: &Connection, rev: Rev, batch: &Batch) -> SqlResult<()> {
    let by_name = "SELECT rev FROM batches WHERE rev = (SELECT rev FROM names WHERE id = ?1)";
    note_by(conn, rev, batch, by_name)
}

fn note_by(conn: &Connection, rev: Rev, batch: &Batch, rev_by_id: &str) -> SqlResult<()> {
    let rev = rev as i64;
    let mut touch = conn.prepare_cached("INSERT INTO touches (id, rev) VALUES (?1, ?2)")?;
    ids(&batch.entries).into_iter().try_for_each(|id| touch.execute(params![id, rev]).map(drop))?;
    let (undo, root) = match batch.lineage {
        Lineage::Fresh => return Ok(()),
        Lineage::UndoOf(root) => (true, root),
        Lineage::RedoOf(root) => (false, root),
    };
    let root: Option<i64> =
        conn.prepare_cached(rev_by_id)?.query_row([root.0], |row| row.get(0)).optional()?;
    // An undo of a batch that is not kept has no place in a chain.
    let Some(root) = root else { return Ok(()) };
    conn.prepare_cached("INSERT INTO turns (rev, root, undo, id) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![rev, root, undo, batch.id.0])?;
    conn.prepare_cached(
        "INSERT INTO chains (root, held) VALUES (?1, 2) ON CONFLICT DO UPDATE SET held = held + 1",
    )?
    .execute([root])?;
    Ok(())
}

/// Whether any batch in a range of revs may be part of a chain. Usually none is, and then there is nothing to forget.
pub(super) fn has_chains(conn: &Connection, first: i64, last: i64) -> SqlResult<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM turns WHERE rev BETWEEN ?1 AND ?2)
             OR EXISTS (SELECT 1 FROM chains WHERE root BETWEEN ?1 AND ?2)",
    )?
    .query_row([first, last], |row| row.get(0))
}

/// Forgets the place in its chain of a batch that is no longer in the log.
pub(super) fn forget(conn: &Connection, rev: i64) -> SqlResult<()> {
    let root = root_of(conn, rev)?.unwrap_or(rev);
    conn.prepare_cached("UPDATE chains SET held = held - 1 WHERE root = ?1")?.execute([root])?;
    if conn.prepare_cached("DELETE FROM chains WHERE root = ?1 AND held = 0")?.execute([root])? > 0 {
        conn.prepare_cached("DELETE FROM turns WHERE root = ?1")?.execute([root])?;
    }
    Ok(())
}

/// Indexes every batch of a file of version 1, which has an index by id instead of names.
pub(super) fn fill(conn: &Connection) -> Result<(), LogError> {
    let mut statement = conn
        .prepare("SELECT rev, id, actor, at, fingerprint, body FROM batches ORDER BY rev")
        .map_err(unwritten)?;
    let mut found = statement.query([]).map_err(unwritten)?;
    while let Some(row) = found.next().map_err(unwritten)? {
        let Remembered { rev, batch, .. } = remembered(row)?;
        note_by(conn, rev, &batch, "SELECT rev FROM batches WHERE id = ?1").map_err(unwritten)?;
    }
    Ok(())
}

/// The last undo and the last redo of a chain.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChainState {
    pub(super) undo: Option<(Rev, BatchId)>,
    pub(super) redo: Option<(Rev, BatchId)>,
}

impl ChainState {
    /// The last undo and redo of the chain begun by the batch at `root`, up to a rev.
    pub(super) fn of(conn: &Connection, root: Rev, until: Rev) -> Result<ChainState, LogError> {
        // No rev is greater than SQLite's greatest integer.
        let (root, until) = (integer(root)?, i64::try_from(until).unwrap_or(i64::MAX));
        let last = |undo: bool| -> Result<_, LogError> {
            let sql = "SELECT rev, id FROM turns WHERE root = ?1 AND undo = ?2 AND rev <= ?3 ORDER BY rev DESC LIMIT 1";
            let turn = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get(1)?));
            let found = conn
                .prepare_cached(sql)
                .and_then(|mut last| last.query_row(params![root, undo, until], turn).optional());
            found.map_err(unwritten)?.map(|(rev, id)| Ok((natural(rev)?, BatchId(id)))).transpose()
        };
        Ok(ChainState { undo: last(true)?, redo: last(false)? })
    }

    /// Whether the chain is undone.
    pub(super) fn undone(&self) -> bool {
        self.undo.map(|(rev, _)| rev) > self.redo.map(|(rev, _)| rev)
    }

    fn latest(&self, root: BatchId) -> Lineage {
        match (self.undone(), self.redo) {
            (true, _) => Lineage::UndoOf(root),
            (false, Some(_)) => Lineage::RedoOf(root),
            (false, None) => Lineage::Fresh,
        }
    }
}

/// The rev of the batch that began the chain in which the batch at `rev` is an undo or redo.
pub(super) fn root_of(conn: &Connection, rev: i64) -> SqlResult<Option<i64>> {
    conn.prepare_cached("SELECT root FROM turns WHERE rev = ?1")?
        .query_row([rev], |row| row.get(0))
        .optional()
}

/// See [`crate::Past::chain`].
pub(super) fn chain(conn: &Connection, named: Remembered) -> Result<Option<PastChain>, LogError> {
    let lineage = named.batch.lineage;
    let root = match lineage {
        Lineage::Fresh => Some(named),
        Lineage::UndoOf(_) | Lineage::RedoOf(_) => {
            match root_of(conn, integer(named.rev)?).map_err(unwritten)? {
                Some(rev) => super::batch_at(conn, rev)?.map(|(root, _)| root),
                None => None,
            }
        }
    };
    let Some(root) = root else { return Ok(None) };
    let state = ChainState::of(conn, root.rev, Rev::MAX)?;
    let latest = state.latest(root.batch.id);
    let last = match state.undo.max(state.redo) {
        Some((rev, _)) => super::batch_at(conn, integer(rev)?)?.map(|(last, _)| last.batch),
        None => None,
    };
    Ok(Some(PastChain { root, latest, named: lineage, last }))
}
