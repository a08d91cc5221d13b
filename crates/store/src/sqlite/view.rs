//! A view of the log for the time of one transaction: the tables as the transaction sees them, and in memory what is
//! known of the batches after the mark, up to which the tables are folded.

use super::find::{Part, Way, as_stored};
use super::line;
use super::runs::{Run, Runs};
use super::tail::{Known, PART_FINDS_MAX, Tail};
use super::{natural, unwritten};
use crate::error::LogError;
use crate::{PastChain, Remembered};
use graph::batch::Lineage;
use graph::model::Rev;
use graph::{BatchId, UserId};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Row, params};
use std::sync::Arc;
use uuid::Uuid;

/// What a transaction sees.
#[derive(Clone, Debug)]
pub(super) struct View {
    known: Known,
}

impl View {
    /// The view of a transaction that has read nothing before `known` was taken from the tail, or that excludes
    /// other writers.
    pub(super) fn of(conn: &Connection, tail: &Tail, known: Known) -> Result<View, LogError> {
        let (mark, epoch, head): (i64, i64, i64) = conn
            .prepare_cached("SELECT mark, epoch, (SELECT coalesce(max(rev), 0) FROM line) FROM folded")
            .and_then(|mut find| find.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))))
            .map_err(unwritten)?;
        // The file may have been replaced by an earlier copy.
        let mut known = if known.mark > mark || known.head > head { Known::default() } else { known };
        let is_news = known.mark != mark || known.head != head || known.runs.epoch != epoch;
        if is_news {
            if known.runs.epoch != epoch {
                known.runs = Arc::new(Runs::load(conn, epoch, &known.runs).map_err(unwritten)?);
            }
            known.drop_folded(mark);
            if known.head < head {
                let parts = line::parts(conn, known.head, head, PART_FINDS_MAX / 2)?;
                parts.into_iter().for_each(|part| known.push(part));
            }
            tail.tell(known.clone());
        }
        Ok(View { known })
    }

    /// The tail of the line.
    pub(super) fn tail(&self) -> &Known {
        &self.known
    }

    /// The rev up to which the tables are folded.
    pub(super) fn mark(&self) -> i64 {
        self.known.mark
    }

    /// The rev of the last batch; 0 in an empty log.
    pub(super) fn head(&self) -> i64 {
        self.known.head
    }

    /// What is known of the batches after the mark.
    pub(super) fn parts(&self) -> &[Arc<Part>] {
        &self.known.parts
    }

    /// The runs of the batches up to the mark.
    pub(super) fn runs(&self) -> &[Run] {
        &self.known.runs.all
    }

    /// The tail with one more part, once that is committed.
    pub(super) fn with(mut self, part: Part) -> Known {
        self.known.push(part);
        self.known
    }

    /// The rev of the kept batch with that id.
    pub(super) fn rev_of(&self, conn: &Connection, id: BatchId) -> Result<Option<i64>, LogError> {
        for part in self.parts().iter().rev() {
            if let Some(find) = part.by_id(Way::Name, id.0).last() {
                return Ok(Some(find.rev));
            }
        }
        for run in self.runs().iter().rev().filter(|run| run.filter.may_have(id.0)) {
            // An id can be used again once its batch was pruned.
            let kept = conn
                .prepare_cached(
                    "SELECT finds.rev FROM finds JOIN line ON line.rev = finds.rev
                     WHERE run = ?1 AND way = 0 AND finds.id = ?2 ORDER BY finds.rev DESC LIMIT 1",
                )
                .and_then(|mut find| find.query_row(params![run.run, id.0], |row| row.get(0)).optional())
                .map_err(unwritten)?;
            if kept.is_some() {
                return Ok(kept);
            }
        }
        Ok(None)
    }

    /// The rev of the last batch before `before` that touches an id. The batch may no longer be kept.
    pub(super) fn last_touch(&self, conn: &Connection, id: Uuid, before: i64) -> SqlResult<Option<i64>> {
        for part in self.parts().iter().rev().filter(|part| part.first < before) {
            if let Some(find) = part.by_id(Way::Touch, id).iter().rfind(|find| find.rev < before) {
                return Ok(Some(find.rev));
            }
        }
        for run in self.runs().iter().rev().filter(|run| run.first < before && run.filter.may_have(id)) {
            let last = conn
                .prepare_cached(
                    "SELECT rev FROM finds WHERE run = ?1 AND way = 1 AND id = ?2 AND rev < ?3
                     ORDER BY rev DESC LIMIT 1",
                )?
                .query_row(params![run.run, id, before], |row| row.get(0))
                .optional()?;
            if last.is_some() {
                return Ok(last);
            }
        }
        Ok(None)
    }

    /// Whether a kept batch touches an id.
    pub(super) fn is_touched(&self, conn: &Connection, id: Uuid) -> SqlResult<bool> {
        if self.parts().iter().any(|part| !part.by_id(Way::Touch, id).is_empty()) {
            return Ok(true);
        }
        for run in self.runs().iter().filter(|run| run.filter.may_have(id)) {
            let sql = "SELECT EXISTS (SELECT 1 FROM finds JOIN line ON line.rev = finds.rev
                       WHERE run = ?1 AND way = 1 AND finds.id = ?2)";
            if conn.prepare_cached(sql)?.query_row(params![run.run, id], |row| row.get(0))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The latest batches of a user before a rev, at least one if there is any, with what they show; latest first.
    /// A batch may no longer be kept.
    pub(super) fn last_by(
        &self,
        conn: &Connection,
        user: UserId,
        before: i64,
        most: usize,
    ) -> SqlResult<Vec<(i64, i64)>> {
        for part in self.parts().iter().rev().filter(|part| part.first < before) {
            let theirs = part.by_id(Way::By, user.0).iter().rev().filter(|find| find.rev < before);
            let last: Vec<_> = theirs.map(|find| (find.rev, find.shows)).take(most).collect();
            if !last.is_empty() {
                return Ok(last);
            }
        }
        for run in self.runs().iter().rev().filter(|run| run.first < before) {
            let mut statement = conn.prepare_cached(
                "SELECT rev, shows FROM finds WHERE run = ?1 AND way = 2 AND id = ?2 AND rev < ?3
                 ORDER BY rev DESC LIMIT ?4",
            )?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let found = statement
                .query_map(params![run.run, user.0, before, most], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let last = found.collect::<SqlResult<Vec<_>>>()?;
            if !last.is_empty() {
                return Ok(last);
            }
        }
        Ok(Vec::new())
    }

    /// See [`crate::Past::chain`].
    pub(super) fn chain(&self, conn: &Connection, named: Remembered) -> Result<Option<PastChain>, LogError> {
        let lineage = named.batch.lineage;
        let root = match lineage {
            Lineage::Fresh => Some(named),
            Lineage::UndoOf(_) | Lineage::RedoOf(_) => {
                match root_of(conn, as_stored(named.rev)).map_err(unwritten)? {
                    Some(rev) => line::batch_at(conn, rev)?.map(|(root, _)| root),
                    None => None,
                }
            }
        };
        let Some(root) = root else { return Ok(None) };
        let state = ChainState::of(conn, self, root.rev, Rev::MAX)?;
        let latest = state.latest(root.batch.id);
        let last = match state.undo.max(state.redo) {
            Some((rev, _)) => line::batch_at(conn, as_stored(rev))?.map(|(last, _)| last.batch),
            None => None,
        };
        Ok(Some(PastChain { root, latest, named: lineage, last }))
    }
}

/// The rev of the batch that began the chain in which the batch at `rev` is an undo or redo.
pub(super) fn root_of(conn: &Connection, rev: i64) -> SqlResult<Option<i64>> {
    let found = conn
        .prepare_cached("SELECT root FROM line WHERE rev = ?1")?
        .query_row([rev], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// The last undo and the last redo of a chain.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChainState {
    pub(super) undo: Option<(Rev, BatchId)>,
    pub(super) redo: Option<(Rev, BatchId)>,
}

impl ChainState {
    /// The last undo and redo of the chain begun by the batch at `root`, up to a rev.
    pub(super) fn of(conn: &Connection, view: &View, root: Rev, until: Rev) -> Result<ChainState, LogError> {
        let (root, until) = (as_stored(root), as_stored(until));
        let last = |undo: bool| -> Result<_, LogError> {
            let in_tail = view.parts().iter().rev().find_map(|part| part.last_turn(root, undo, until));
            if let Some(turn) = in_tail {
                return Ok(Some((natural(turn.rev)?, turn.id)));
            }
            let sql = "SELECT rev, id FROM turns WHERE root = ?1 AND undo = ?2 AND rev <= ?3 ORDER BY rev DESC LIMIT 1";
            let turn = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get(1)?));
            // A fold under way may have brought later ones already.
            let until = until.min(view.mark());
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
