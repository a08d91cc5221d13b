//! Reads pages of history. A page is searched in two ways of about equal cost. First the latest batches are scanned
//! one by one, which is enough for a reader who sees much. When the scan has cost as much as looking up everything
//! the reader sees in an index, the index is used, and only the batches it names are examined.
//!
//! A batch is read only if its columns cannot tell whether it belongs to the page, or when it is put there. A
//! search runs in legs, each in its own transaction: however deep a page is, the WAL is not held for long. Batches
//! appended meanwhile are later than the page, and batches pruned meanwhile are the oldest, so a search continues
//! where it was.

use super::{SqliteLog, batch_at, index, integer, natural, unwritten};
use crate::error::LogError;
use crate::history_page::{
    HistoryPage, HistoryQuery, HistoryReader, HistoryScope, PAGE_BYTES_MAX, PastBatch, Shows,
};
use crate::{Remembered, StopSign};
use graph::batch::Lineage;
use graph::model::Rev;
use graph::{NodeId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Row, TransactionBehavior, params};
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Reading one batch costs about as much as looking up this many ids in the index.
const IDS_PER_BATCH: usize = 4;

/// How many batches of one user are fetched at once.
const AT_ONCE: i64 = 256;

/// How long a search keeps its transaction before it takes a new one.
const LEG: Duration = Duration::from_millis(10);

/// A reader of history in a SQLite file.
#[derive(Debug)]
pub(super) struct SqliteHistoryReader {
    log: SqliteLog,
    leg: Duration,
    stop: StopSign,
}

impl SqliteHistoryReader {
    pub(super) fn new(log: SqliteLog) -> Result<Self, LogError> {
        log.conn.execute_batch("PRAGMA query_only=1").map_err(unwritten)?;
        Ok(SqliteHistoryReader { log, leg: LEG, stop: StopSign::default() })
    }

    /// A reader that releases its transaction after every step.
    #[cfg(test)]
    pub(super) fn in_steps(log: SqliteLog) -> Self {
        SqliteHistoryReader { log, leg: Duration::ZERO, stop: StopSign::default() }
    }
}

impl HistoryReader for SqliteHistoryReader {
    fn heed(&mut self, stop: StopSign) {
        self.stop = stop;
    }

    fn page_before(&mut self, query: &HistoryQuery, before: Rev) -> Result<HistoryPage, LogError> {
        let mut search = PageSearch::new(query, before);
        while search.progress != Progress::Over {
            if self.stop.is_set() {
                return Err(LogError::Stopped);
            }
            let reading = self.log.begin(TransactionBehavior::Deferred)?;
            search.go_on(&reading, self.leg)?;
        }
        Ok(search.page)
    }

    fn rev_by(&mut self, at: Timestamp) -> Result<Rev, LogError> {
        // A clock may have been set back, so a later batch may have an earlier time: all of them are looked at.
        let reading = self.log.begin(TransactionBehavior::Deferred)?;
        let sql = "SELECT rev FROM batches WHERE at <= ?1 ORDER BY rev DESC LIMIT 1";
        let last = reading.query_row(sql, [at.ms()], |row| row.get(0)).optional().map_err(unwritten)?;
        natural(last.unwrap_or(0))
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

/// Something that has batches in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum BatchSource {
    Touching(Uuid),
    By(UserId),
}

/// The sources that together contain every batch of the query, and others; `None` where a scan is as good.
fn sources(query: &HistoryQuery) -> Option<Vec<BatchSource>> {
    let reader = &query.reader;
    let seen = || {
        let runs = reader.runs.iter().map(|id| id.0).filter(|id| !reader.sees.contains(id));
        reader.sees.iter().copied().chain(runs).chain([reader.user.0])
    };
    let mut sources: Vec<BatchSource> = match &query.scope {
        HistoryScope::Everything if reader.everything => return None,
        HistoryScope::By(_) => return None,
        HistoryScope::Everything => {
            seen().map(BatchSource::Touching).chain([BatchSource::By(reader.user)]).collect()
        }
        HistoryScope::Touching(ids)
            if reader.everything || ids.len() <= reader.sees.len() + reader.runs.len() =>
        {
            ids.iter().copied().map(BatchSource::Touching).collect()
        }
        HistoryScope::Touching(_) => seen().map(BatchSource::Touching).collect(),
    };
    // In the order of the index: neighbours share a page.
    sources.sort_unstable();
    Some(sources)
}

/// The progress of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Scanning batches one by one, at most this many more.
    Scanning { left: usize },
    /// Finding each source's last batch before the end of the scan; this many sources are done.
    Gathering { asked: usize },
    /// Merging the batches of all sources.
    Merging,
    /// Finished: the content of the page is known, and whether there is more.
    Over,
}

struct PageSearch<'a> {
    query: &'a HistoryQuery,
    sources: Option<Vec<BatchSource>>,
    progress: Progress,
    /// Everything from this rev on has been examined.
    before: i64,
    /// Each source's last batch that has not been examined.
    latest: BinaryHeap<(i64, BatchSource)>,
    /// For a source that is a user: its next batches with what they show, in ascending order, so that the latest is
    /// popped first.
    by: Vec<(i64, i64)>,
    left_out: usize,
    bytes: usize,
    page: HistoryPage,
}

impl<'a> PageSearch<'a> {
    fn new(query: &'a HistoryQuery, before: Rev) -> Self {
        let sources = sources(query);
        let most = sources.as_ref().map_or(usize::MAX, |sources| sources.len() / IDS_PER_BATCH);
        // No rev is greater than SQLite's greatest integer.
        let before = i64::try_from(before.min(query.until.saturating_add(1))).unwrap_or(i64::MAX);
        PageSearch {
            query,
            sources,
            progress: Progress::Scanning { left: most },
            before,
            latest: BinaryHeap::new(),
            by: Vec::new(),
            left_out: 0,
            bytes: 0,
            page: HistoryPage::default(),
        }
    }

    /// Searches until the search is finished or the leg is over.
    fn go_on(&mut self, conn: &Connection, leg: Duration) -> Result<(), LogError> {
        let end = Instant::now() + leg;
        loop {
            match self.progress {
                Progress::Scanning { left } => self.scan(conn, left, end)?,
                Progress::Gathering { asked } => self.gather(conn, asked)?,
                Progress::Merging => self.merge(conn)?,
                Progress::Over => return Ok(()),
            }
            if Instant::now() >= end {
                return Ok(());
            }
        }
    }

    /// Scans up to `left` batches, latest first. Batches of one user are scanned through the index that has them
    /// together.
    fn scan(&mut self, conn: &Connection, mut left: usize, end: Instant) -> Result<(), LogError> {
        let (sql, by) = match self.query.scope {
            HistoryScope::By(user) => (
                "SELECT rev, actor, shows FROM batches INDEXED BY batches_by_actor
                 WHERE actor = ?2 AND rev < ?1 ORDER BY rev DESC",
                Some(user.0),
            ),
            _ => (
                "SELECT rev, actor, shows FROM batches
                 WHERE rev < ?1 AND ?2 IS NULL ORDER BY rev DESC",
                None,
            ),
        };
        let mut statement = conn.prepare_cached(sql).map_err(unwritten)?;
        let mut found = statement.query(params![self.before, by]).map_err(unwritten)?;
        while left > 0 {
            let Some(row) = found.next().map_err(unwritten)? else {
                self.progress = Progress::Over;
                return Ok(());
            };
            let (rev, label) = Label::read(row).map_err(unwritten)?;
            (self.before, left) = (rev, left - 1);
            self.progress = Progress::Scanning { left };
            self.offer(conn, rev, label)?;
            if self.progress == Progress::Over || Instant::now() >= end {
                return Ok(());
            }
        }
        self.progress = Progress::Gathering { asked: 0 };
        Ok(())
    }

    fn gather(&mut self, conn: &Connection, asked: usize) -> Result<(), LogError> {
        match self.sources.as_ref().and_then(|sources| sources.get(asked)).copied() {
            Some(source) => {
                self.ask(conn, source, self.before)?;
                self.progress = Progress::Gathering { asked: asked + 1 };
            }
            None => self.progress = Progress::Merging,
        }
        Ok(())
    }

    fn merge(&mut self, conn: &Connection) -> Result<(), LogError> {
        let Some((rev, source)) = self.latest.pop() else {
            self.progress = Progress::Over;
            return Ok(());
        };
        // For a user, it is known what a batch shows before the batch is looked up.
        let by = match source {
            BatchSource::By(user) => self.by.pop().map(|(_, shows)| Label::new(Some(user), shows)),
            BatchSource::Touching(_) => None,
        };
        // Several sources may have the same batch.
        if rev < self.before {
            self.before = rev;
            let label = match by {
                Some(label) => Some(label),
                None => conn
                    .prepare_cached("SELECT rev, actor, shows FROM batches WHERE rev = ?1")
                    .and_then(|mut find| find.query_row([rev], Label::read).optional())
                    .map_err(unwritten)?
                    .map(|(_, label)| label),
            };
            if let Some(label) = label {
                self.offer(conn, rev, label)?;
            }
        }
        self.ask(conn, source, rev)
    }

    /// Finds a source's last batch before a rev. It may be one that is no longer kept.
    fn ask(&mut self, conn: &Connection, source: BatchSource, before: i64) -> Result<(), LogError> {
        let rev = match source {
            BatchSource::Touching(id) => conn
                .prepare_cached(
                    "SELECT rev FROM touches WHERE id = ?1 AND rev < ?2 ORDER BY rev DESC LIMIT 1",
                )
                .and_then(|mut last| last.query_row(params![id, before], |row| row.get(0)).optional())
                .map_err(unwritten)?,
            BatchSource::By(user) => {
                if self.by.is_empty() {
                    self.by = last_by(conn, user, before).map_err(unwritten)?;
                }
                self.by.last().map(|(rev, _)| *rev)
            }
        };
        self.latest.extend(rev.map(|rev| (rev, source)));
        Ok(())
    }

    /// Puts a batch on the page if it belongs there. The search is finished once it is known whether more follows
    /// the page.
    fn offer(&mut self, conn: &Connection, rev: i64, label: Label) -> Result<(), LogError> {
        let settled = label.shows.and_then(|shows| self.query.settles(label.actor, shows));
        let is_left_out = self.left_out < self.query.offset;
        let is_full = self.page.batches.len() >= self.query.limit;
        match settled {
            Some(false) => return Ok(()),
            Some(true) if is_left_out => {
                self.left_out += 1;
                return Ok(());
            }
            Some(true) if is_full => return self.end_with_more(),
            _ => {}
        }
        let Some((found, bytes)) = batch_at(conn, rev)? else { return Ok(()) };
        if settled.is_none() && !self.query.wants(&found.batch) {
            return Ok(());
        }
        if is_left_out {
            self.left_out += 1;
            return Ok(());
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if is_full || (self.bytes > PAGE_BYTES_MAX && !self.page.batches.is_empty()) {
            return self.end_with_more();
        }
        let batch = self.with_chain_state(conn, found)?;
        self.page.batches.push(batch);
        Ok(())
    }

    fn end_with_more(&mut self) -> Result<(), LogError> {
        self.page.has_more = true;
        self.progress = Progress::Over;
        Ok(())
    }

    fn with_chain_state(&self, conn: &Connection, found: Remembered) -> Result<PastBatch, LogError> {
        let Remembered { rev, batch, .. } = found;
        let is_root = batch.lineage == Lineage::Fresh;
        let root = match batch.lineage {
            Lineage::Fresh => Some(rev),
            _ => index::root_of(conn, integer(rev)?).map_err(unwritten)?.map(natural).transpose()?,
        };
        let chain = root.map(|root| index::ChainState::of(conn, root, self.query.until)).transpose()?;
        let chain = chain.unwrap_or_default();
        let (undone_by, redone_by) = match is_root {
            true => (chain.undo.map(|(_, id)| id), chain.redo.map(|(_, id)| id)),
            false => (None, None),
        };
        Ok(PastBatch { rev, batch, undone: chain.undone(), undone_by, redone_by })
    }
}

/// What a batch's columns say about it.
#[derive(Clone, Copy, Debug)]
struct Label {
    actor: Option<UserId>,
    shows: Option<Shows>,
}

impl Label {
    fn new(actor: Option<UserId>, shows: i64) -> Label {
        Label { actor, shows: Shows::from_code(shows) }
    }

    fn read(row: &Row<'_>) -> SqlResult<(i64, Label)> {
        let actor: Option<Uuid> = row.get(1)?;
        Ok((row.get(0)?, Label::new(actor.map(UserId), row.get(2)?)))
    }
}

/// The latest batches of a user before a rev, with what they show, in ascending order.
fn last_by(conn: &Connection, user: UserId, before: i64) -> SqlResult<Vec<(i64, i64)>> {
    let mut statement = conn.prepare_cached(
        "SELECT rev, shows FROM batches INDEXED BY batches_by_actor
         WHERE actor = ?1 AND rev < ?2 ORDER BY rev DESC LIMIT ?3",
    )?;
    let found =
        statement.query_map(params![user.0, before, AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut last = found.collect::<SqlResult<Vec<_>>>()?;
    last.reverse();
    Ok(last)
}
