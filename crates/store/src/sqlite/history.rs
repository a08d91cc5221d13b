//! Pages of the past. A page is searched in two ways that cost about the same: first the latest batches are gone through
//! one by one, which is all it takes for a reader who sees much. When that has cost as much as asking an index for
//! everything the reader sees would, the index is asked, and only batches that touch something of it are looked at.

use super::{SqliteLog, batch_at, index, integer, last_rev, natural, remembered, unwritten};
use crate::Remembered;
use crate::error::LogError;
use crate::history::{History, HistoryPage, HistoryQuery, HistoryScope, PastBatch};
use graph::batch::Lineage;
use graph::model::Rev;
use graph::{NodeId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::ops::ControlFlow::{Break, Continue};
use uuid::Uuid;

/// Reading one batch costs about as much as asking the index for so many ids.
const IDS_PER_BATCH: usize = 4;

/// A reader of history in a SQLite file.
#[derive(Debug)]
pub(super) struct SqliteHistory {
    log: SqliteLog,
}

impl SqliteHistory {
    pub(super) fn new(log: SqliteLog) -> Result<Self, LogError> {
        log.conn.execute_batch("PRAGMA query_only=1").map_err(unwritten)?;
        Ok(SqliteHistory { log })
    }
}

impl History for SqliteHistory {
    fn page(&mut self, query: &HistoryQuery) -> Result<HistoryPage, LogError> {
        let reading = self.log.begin(TransactionBehavior::Deferred)?;
        let mut search = Search { conn: &reading, query, left_out: 0, page: HistoryPage::default() };
        search.run()?;
        Ok(search.page)
    }

    fn rev_by(&mut self, at: Timestamp) -> Result<Rev, LogError> {
        let reading = self.log.begin(TransactionBehavior::Deferred)?;
        // Times grow with revs, so a few looks are enough; revs that were taken away stand for the next one.
        let mut next = reading
            .prepare_cached("SELECT rev, at FROM batches WHERE rev >= ?1 ORDER BY rev LIMIT 1")
            .map_err(unwritten)?;
        let (mut before, mut after) = (0, integer(last_rev(&reading)?)? + 1);
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            let found: Option<(i64, i64)> = next
                .query_row([middle], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
                .map_err(unwritten)?;
            match found {
                Some((rev, time)) if time <= at.ms() => before = rev,
                _ => after = middle,
            }
        }
        natural(before)
    }

    fn titles(&mut self, nodes: &HashSet<NodeId>) -> Result<HashMap<NodeId, String>, LogError> {
        let reading = self.log.begin(TransactionBehavior::Deferred)?;
        let mut find =
            reading.prepare_cached("SELECT body ->> 'title' FROM nodes WHERE id = ?1").map_err(unwritten)?;
        let mut titles = HashMap::new();
        for id in nodes {
            let title: Option<String> =
                find.query_row([id.0], |row| row.get(0)).optional().map_err(unwritten)?;
            titles.extend(title.map(|title| (*id, title)));
        }
        Ok(titles)
    }
}

/// What has batches of its own in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Touching(Uuid),
    By(UserId),
}

/// The sources that every batch asked for is in, and others too; `None` where there are no better ones than all batches.
fn sources(query: &HistoryQuery) -> Option<Vec<Source>> {
    let reader = &query.reader;
    let seen = || {
        let runs = reader.runs.iter().map(|id| id.0).filter(|id| !reader.sees.contains(id));
        reader.sees.iter().copied().chain(runs).chain([reader.user.0])
    };
    Some(match &query.scope {
        HistoryScope::Everything if reader.everything => return None,
        HistoryScope::By(user) => vec![Source::By(*user)],
        HistoryScope::Everything => seen().map(Source::Touching).chain([Source::By(reader.user)]).collect(),
        HistoryScope::Touching(ids)
            if reader.everything || ids.len() <= reader.sees.len() + reader.runs.len() =>
        {
            ids.iter().copied().map(Source::Touching).collect()
        }
        HistoryScope::Touching(_) => seen().map(Source::Touching).collect(),
    })
}

struct Search<'a> {
    conn: &'a Connection,
    query: &'a HistoryQuery,
    left_out: usize,
    page: HistoryPage,
}

impl Search<'_> {
    fn run(&mut self) -> Result<(), LogError> {
        // Beyond what SQLite can count there is no batch.
        let until = i64::try_from(self.query.until).unwrap_or(i64::MAX);
        let Some(mut sources) = sources(self.query) else {
            return self.scan(until, usize::MAX).map(drop);
        };
        // In the order of the index: neighbours there share a page.
        sources.sort_unstable();
        if let Continue(scanned_to) = self.scan(until, sources.len() / IDS_PER_BATCH)? {
            self.merge(&sources, scanned_to)?;
        }
        Ok(())
    }

    /// Goes through up to `most` batches, latest first. Breaks when the search is over, or says before which rev it is not.
    fn scan(&mut self, until: i64, most: usize) -> Result<ControlFlow<(), i64>, LogError> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT rev, id, actor, at, fingerprint, body FROM batches WHERE rev <= ?1 ORDER BY rev DESC",
            )
            .map_err(unwritten)?;
        let mut found = statement.query([until]).map_err(unwritten)?;
        let mut before = until.saturating_add(1);
        for _ in 0..most {
            let Some(row) = found.next().map_err(unwritten)? else { return Ok(Break(())) };
            let batch = remembered(row)?;
            before = integer(batch.rev)?;
            if self.offer(batch)?.is_break() {
                return Ok(Break(()));
            }
        }
        Ok(Continue(before))
    }

    /// Goes through the batches of all sources together, latest first.
    fn merge(&mut self, sources: &[Source], before: i64) -> Result<(), LogError> {
        let mut latest = BinaryHeap::with_capacity(sources.len());
        for source in sources {
            latest.extend(self.latest(*source, before)?.map(|rev| (rev, *source)));
        }
        let mut looked_at = before;
        while let Some((rev, source)) = latest.pop() {
            if rev != looked_at {
                looked_at = rev;
                if let Some(batch) = batch_at(self.conn, rev)?
                    && self.offer(batch)?.is_break()
                {
                    return Ok(());
                }
            }
            latest.extend(self.latest(source, rev)?.map(|rev| (rev, source)));
        }
        Ok(())
    }

    /// The last batch of a source before a rev.
    fn latest(&self, source: Source, before: i64) -> Result<Option<i64>, LogError> {
        let (sql, id) = match source {
            Source::Touching(id) => {
                ("SELECT rev FROM touches WHERE id = ?1 AND rev < ?2 ORDER BY rev DESC LIMIT 1", id)
            }
            Source::By(user) => {
                ("SELECT rev FROM batches WHERE actor = ?1 AND rev < ?2 ORDER BY rev DESC LIMIT 1", user.0)
            }
        };
        self.conn
            .prepare_cached(sql)
            .and_then(|mut last| last.query_row((id, before), |row| row.get(0)).optional())
            .map_err(unwritten)
    }

    /// Takes a batch onto the page if it belongs there; breaks when it is known what there is beyond the page.
    fn offer(&mut self, found: Remembered) -> Result<ControlFlow<()>, LogError> {
        if !self.query.wants(&found.batch) {
            return Ok(Continue(()));
        }
        if self.left_out < self.query.offset {
            self.left_out += 1;
            return Ok(Continue(()));
        }
        if self.page.batches.len() == self.query.limit {
            self.page.has_more = true;
            return Ok(Break(()));
        }
        let batch = self.with_turns(found)?;
        self.page.batches.push(batch);
        Ok(Continue(()))
    }

    fn with_turns(&self, found: Remembered) -> Result<PastBatch, LogError> {
        let Remembered { rev, batch, .. } = found;
        let is_root = batch.lineage == Lineage::Fresh;
        let root = match batch.lineage {
            Lineage::Fresh => Some(rev),
            _ => index::root_of(self.conn, integer(rev)?).map_err(unwritten)?.map(natural).transpose()?,
        };
        let turns = root.map(|root| index::Turns::of(self.conn, root, self.query.until)).transpose()?;
        let turns = turns.unwrap_or_default();
        let (undone_by, redone_by) = match is_root {
            true => (turns.undo.map(|(_, id)| id), turns.redo.map(|(_, id)| id)),
            false => (None, None),
        };
        Ok(PastBatch { rev, batch, undone: turns.undone(), undone_by, redone_by })
    }
}
