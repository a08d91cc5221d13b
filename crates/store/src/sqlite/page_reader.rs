//! Reads pages of history. A page is searched in two ways of about equal cost. First the latest batches are scanned
//! one by one, which is enough for a reader who sees much. When the scan has cost as much as looking up everything
//! the reader sees in an index, the index is used, and only the batches it names are examined.
//!
//! A batch is read only if its columns cannot tell whether it belongs to the page, or when it is put there. A
//! search runs in legs, each in its own transaction: however deep a page is, the WAL is not held for long. Batches
//! appended meanwhile are later than the page, and batches pruned meanwhile are the oldest, so a search continues
//! where it was.

use super::find::as_stored;
use super::line::batch_at;
use super::view::{self, ChainState, View};
use super::{SqliteLog, entities, natural, unwritten};
use crate::codec::{self, EntityKey};
use crate::error::LogError;
use crate::history_page::{
    HistoryPage, HistoryQuery, HistoryReader, HistoryScope, PAGE_BYTES_MAX, PastBatch, Shows,
};
use crate::{Remembered, StopSign};
use graph::batch::{Lineage, Subject};
use graph::history_view::HistoryView;
use graph::model::{Node, Rev};
use graph::{NodeId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Row, TransactionBehavior};
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Reading one batch costs about as much as looking up this many ids in the index.
const IDS_PER_BATCH: usize = 4;

/// A reader who sees more than this many nodes and links sees much: finding out what takes long, and a scan is
/// likely to fill a page.
const MANY: usize = 2_048;

/// How many batches of one user are fetched at once.
const AT_ONCE: usize = 256;

/// How long a search keeps its transaction before it takes a new one.
const LEG: Duration = Duration::from_millis(10);

/// A reader of history in a SQLite file.
#[derive(Debug)]
pub(super) struct SqliteHistoryReader {
    log: SqliteLog,
    leg: Duration,
    many: usize,
    stop: StopSign,
}

impl SqliteHistoryReader {
    pub(super) fn new(log: SqliteLog) -> Result<Self, LogError> {
        log.conn.execute_batch("PRAGMA query_only=1").map_err(unwritten)?;
        Ok(SqliteHistoryReader { log, leg: LEG, many: MANY, stop: StopSign::default() })
    }

    /// A reader that releases its transaction after every step, and to whom even a little is much.
    #[cfg(test)]
    pub(super) fn in_steps(log: SqliteLog) -> Self {
        SqliteHistoryReader { log, leg: Duration::ZERO, many: 8, stop: StopSign::default() }
    }
}

impl HistoryReader for SqliteHistoryReader {
    fn heed(&mut self, stop: StopSign) {
        self.stop = stop;
    }

    fn page_before(&mut self, query: &HistoryQuery, before: Rev) -> Result<HistoryPage, LogError> {
        let mut search = PageSearch::new(query, before, self.many);
        while search.progress != Progress::Over {
            if self.stop.is_set() {
                return Err(LogError::Stopped);
            }
            if search.progress == Progress::FindingSources {
                search.find_sources();
                continue;
            }
            let (reading, view) = self.log.read()?;
            search.go_on(Leg { conn: &reading, view: &view }, self.leg)?;
        }
        Ok(search.page)
    }

    fn rev_by(&mut self, at: Timestamp) -> Result<Rev, LogError> {
        // A clock may have been set back, so a later batch may have an earlier time: all of them are looked at.
        let reading = self.log.begin(TransactionBehavior::Deferred)?;
        let sql = "SELECT rev FROM line WHERE at <= ?1 ORDER BY rev DESC LIMIT 1";
        let last = reading.query_row(sql, [at.ms()], |row| row.get(0)).optional().map_err(unwritten)?;
        natural(last.unwrap_or(0))
    }

    fn titles(&mut self, nodes: &HashSet<NodeId>) -> Result<HashMap<NodeId, String>, LogError> {
        let (reading, view) = self.log.read()?;
        let left = entities::left(&reading, view.mark(), view.head(), |entry| {
            let Subject::Node(change) = &entry.subject else { return Ok(None) };
            let is_asked = change.latest().is_some_and(|node| nodes.contains(&node.id));
            Ok(is_asked.then(|| change.after.as_ref().map(|node| node.title.clone())))
        })?;
        let mut titles = HashMap::new();
        let mut others = nodes.clone();
        for (key, title) in left.entities {
            if let EntityKey::Node(id) = key {
                others.remove(&id);
                titles.extend(title.map(|title| (id, title)));
            }
        }
        // Nodes are stored by their order of creation, so finding one takes a scan. Few ever ask for titles.
        let mut statement = reading.prepare_cached("SELECT id, body FROM nodes").map_err(unwritten)?;
        let mut found = statement.query([]).map_err(unwritten)?;
        while let (false, Some(row)) = (others.is_empty(), found.next().map_err(unwritten)?) {
            let id = NodeId(row.get(0).map_err(unwritten)?);
            if others.remove(&id) {
                let body = row.get_ref(1).and_then(|body| Ok(body.as_blob()?)).map_err(unwritten)?;
                let node: Node = codec::decode_entity(body)
                    .map_err(|error| LogError::corrupt(format!("node {id}"), error))?;
                titles.insert(id, node.title);
            }
        }
        Ok(titles)
    }
}

/// What a leg of a search reads.
#[derive(Clone, Copy)]
struct Leg<'a> {
    conn: &'a Connection,
    view: &'a View,
}

/// By what batches are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum BatchSource {
    Touching(Uuid),
    By(UserId),
}

/// Whether a scan is as good as any index for the query.
fn is_scanned(query: &HistoryQuery) -> bool {
    match query.scope {
        HistoryScope::Everything => query.reader.sees_everything(),
        HistoryScope::By(_) => true,
        HistoryScope::Touching(_) => false,
    }
}

/// The sources that together contain every batch of the query, and others; `None` if it takes too long to find them
/// out before a scan has been tried.
fn few_sources(query: &HistoryQuery, many: usize) -> Option<Vec<BatchSource>> {
    match (query.reader.whole_within(many), &query.scope) {
        (Some(reader), _) => Some(sources(query, &reader)),
        (None, HistoryScope::Touching(ids)) if ids.len() <= many => {
            Some(in_order(ids.iter().copied().map(BatchSource::Touching).collect()))
        }
        (None, _) => None,
    }
}

/// The same, however long it takes.
fn sources(query: &HistoryQuery, reader: &HistoryView) -> Vec<BatchSource> {
    let seen = || {
        let runs = reader.runs.iter().map(|id| id.0).filter(|id| !reader.sees.contains(id));
        reader.sees.iter().copied().chain(runs).chain([reader.user.0])
    };
    let sources = match &query.scope {
        HistoryScope::Everything | HistoryScope::By(_) => {
            seen().map(BatchSource::Touching).chain([BatchSource::By(reader.user)]).collect()
        }
        HistoryScope::Touching(ids)
            if reader.everything || ids.len() <= reader.sees.len() + reader.runs.len() =>
        {
            ids.iter().copied().map(BatchSource::Touching).collect()
        }
        HistoryScope::Touching(_) => seen().map(BatchSource::Touching).collect(),
    };
    in_order(sources)
}

/// In the order of the index: neighbours share a page.
fn in_order(mut sources: Vec<BatchSource>) -> Vec<BatchSource> {
    sources.sort_unstable();
    sources
}

/// The progress of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Scanning batches one by one, at most this many more.
    Scanning { left: usize },
    /// Finding out what the reader sees, after a first scan.
    FindingSources,
    /// Finding each source's last batch before the end of the scan; this many sources are done.
    Gathering { asked: usize },
    /// Merging the batches of all sources.
    Merging,
    /// Finished: the content of the page is known, and whether there is more.
    Over,
}

struct PageSearch<'a> {
    query: &'a HistoryQuery,
    /// Many are found out when a first scan of so many batches does not suffice.
    sources: Option<Vec<BatchSource>>,
    progress: Progress,
    first_scan: usize,
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
    fn new(query: &'a HistoryQuery, before: Rev, many: usize) -> Self {
        let sources = if is_scanned(query) { None } else { few_sources(query, many) };
        let most = match &sources {
            _ if is_scanned(query) => usize::MAX,
            Some(sources) => sources.len() / IDS_PER_BATCH,
            None => many / IDS_PER_BATCH,
        };
        // No rev is greater than SQLite's greatest integer.
        let before = i64::try_from(before.min(query.until.saturating_add(1))).unwrap_or(i64::MAX);
        PageSearch {
            query,
            sources,
            progress: Progress::Scanning { left: most },
            first_scan: most,
            before,
            latest: BinaryHeap::new(),
            by: Vec::new(),
            left_out: 0,
            bytes: 0,
            page: HistoryPage::default(),
        }
    }

    /// Searches until the search is finished or the leg is over.
    fn go_on(&mut self, leg: Leg<'_>, time: Duration) -> Result<(), LogError> {
        let end = Instant::now() + time;
        loop {
            match self.progress {
                Progress::Scanning { left } => self.scan(leg, left, end)?,
                Progress::Gathering { asked } => self.gather(leg, asked)?,
                Progress::Merging => self.merge(leg)?,
                Progress::FindingSources | Progress::Over => return Ok(()),
            }
            if Instant::now() >= end {
                return Ok(());
            }
        }
    }

    /// Scans up to `left` batches, latest first. Batches of one user are scanned by what finds them by their actor.
    fn scan(&mut self, leg: Leg<'_>, mut left: usize, end: Instant) -> Result<(), LogError> {
        if let HistoryScope::By(user) = self.query.scope {
            return self.scan_by(leg, user, end);
        }
        let mut statement = leg
            .conn
            .prepare_cached("SELECT rev, actor, shows FROM line WHERE rev < ?1 ORDER BY rev DESC")
            .map_err(unwritten)?;
        let mut found = statement.query([self.before]).map_err(unwritten)?;
        while left > 0 {
            let Some(row) = found.next().map_err(unwritten)? else {
                self.progress = Progress::Over;
                return Ok(());
            };
            let (rev, label) = Label::read(row).map_err(unwritten)?;
            (self.before, left) = (rev, left - 1);
            self.progress = Progress::Scanning { left };
            self.offer(leg, rev, label)?;
            if self.progress == Progress::Over || Instant::now() >= end {
                return Ok(());
            }
        }
        self.progress = match self.sources {
            Some(_) => Progress::Gathering { asked: 0 },
            None => Progress::FindingSources,
        };
        Ok(())
    }

    /// Finds out the sources, however many, and goes on scanning until the scan has cost as much as looking them up
    /// would. This may take long, so it is done outside the transactions.
    fn find_sources(&mut self) {
        let sources = sources(self.query, &self.query.reader.whole());
        let left = (sources.len() / IDS_PER_BATCH).saturating_sub(self.first_scan);
        self.sources = Some(sources);
        self.progress = if left > 0 { Progress::Scanning { left } } else { Progress::Gathering { asked: 0 } };
    }

    /// Scans the batches of one user, all of them.
    fn scan_by(&mut self, leg: Leg<'_>, user: UserId, end: Instant) -> Result<(), LogError> {
        while self.progress != Progress::Over {
            let last = leg.view.last_by(leg.conn, user, self.before, AT_ONCE).map_err(unwritten)?;
            if last.is_empty() {
                self.progress = Progress::Over;
            }
            for (rev, shows) in last {
                self.before = rev;
                self.offer(leg, rev, Label::new(Some(user), shows))?;
                if self.progress == Progress::Over || Instant::now() >= end {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn gather(&mut self, leg: Leg<'_>, asked: usize) -> Result<(), LogError> {
        match self.sources.as_ref().and_then(|sources| sources.get(asked)).copied() {
            Some(source) => {
                self.ask(leg, source, self.before)?;
                self.progress = Progress::Gathering { asked: asked + 1 };
            }
            None => self.progress = Progress::Merging,
        }
        Ok(())
    }

    fn merge(&mut self, leg: Leg<'_>) -> Result<(), LogError> {
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
                None => leg
                    .conn
                    .prepare_cached("SELECT rev, actor, shows FROM line WHERE rev = ?1")
                    .and_then(|mut find| find.query_row([rev], Label::read).optional())
                    .map_err(unwritten)?
                    .map(|(_, label)| label),
            };
            if let Some(label) = label {
                self.offer(leg, rev, label)?;
            }
        }
        self.ask(leg, source, rev)
    }

    /// Finds a source's last batch before a rev. It may be one that is no longer kept.
    fn ask(&mut self, leg: Leg<'_>, source: BatchSource, before: i64) -> Result<(), LogError> {
        let rev = match source {
            BatchSource::Touching(id) => leg.view.last_touch(leg.conn, id, before).map_err(unwritten)?,
            BatchSource::By(user) => {
                if self.by.is_empty() {
                    self.by = leg.view.last_by(leg.conn, user, before, AT_ONCE).map_err(unwritten)?;
                    self.by.reverse();
                }
                self.by.last().map(|(rev, _)| *rev)
            }
        };
        self.latest.extend(rev.map(|rev| (rev, source)));
        Ok(())
    }

    /// Puts a batch on the page if it belongs there. The search is finished once it is known whether more follows
    /// the page.
    fn offer(&mut self, leg: Leg<'_>, rev: i64, label: Label) -> Result<(), LogError> {
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
        let Some((found, bytes)) = batch_at(leg.conn, rev)? else { return Ok(()) };
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
        let batch = self.with_chain_state(leg, found)?;
        self.page.batches.push(batch);
        Ok(())
    }

    fn end_with_more(&mut self) -> Result<(), LogError> {
        self.page.has_more = true;
        self.progress = Progress::Over;
        Ok(())
    }

    fn with_chain_state(&self, leg: Leg<'_>, found: Remembered) -> Result<PastBatch, LogError> {
        let Remembered { rev, batch, .. } = found;
        let is_root = batch.lineage == Lineage::Fresh;
        let root = match batch.lineage {
            Lineage::Fresh => Some(rev),
            _ => view::root_of(leg.conn, as_stored(rev)).map_err(unwritten)?.map(natural).transpose()?,
        };
        let chain =
            root.map(|root| ChainState::of(leg.conn, leg.view, root, self.query.until)).transpose()?;
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
