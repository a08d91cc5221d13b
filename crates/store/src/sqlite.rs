//! The log in one SQLite file, the default storage. It runs in WAL mode with `synchronous=FULL`: a batch is on disk
//! when `transact` returns, and readers never wait for the writer.
//!
//! A commit appends to the line of batches, and nothing else. What follows from the line – entities, and by what ids
//! batches are found – is kept in memory for the tail of the line, and is folded into tables in the background.

mod check;
mod entities;
mod expired;
mod filter;
mod find;
mod fold;
mod line;
mod load;
mod merge;
mod migrate;
mod page_reader;
mod prune;
mod runs;
mod schema;
mod tail;
#[cfg(test)]
mod tests;
mod view;

use crate::codec;
use crate::error::LogError;
use crate::{
    Abandon, Decide, HistoryReader, LoadScope, Log, Past, PastChain, Proposal, Pruner, Remembered, Retention,
    StopSign,
};
use graph::model::Rev;
use graph::world::Due;
use graph::{BatchId, Committed, Subject, Timestamp, TokenId, World};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tail::Tail;
use view::View;

/// From this version on SQLite is free of a fault that could damage a file: one connection resets the WAL while
/// another commits.
const SQLITE_NEEDED: (i32, &str) = (3_051_003, "3.51.3");

/// How long another process may hold the log before a call gives up.
const BUSY: Duration = Duration::from_secs(5);

/// How long a checkpoint waits for readers of the pages it would replace.
const CHECKPOINT_BUSY: Duration = Duration::from_millis(500);

/// A log in one SQLite file.
#[derive(Debug)]
pub struct SqliteLog {
    conn: Connection,
    /// SQLite's counter of commits by other connections, as last seen by this log.
    seen: i64,
    tail: Arc<Tail>,
}

impl SqliteLog {
    /// Opens the log in the file at `path`. A missing file is created, and an older one is migrated.
    ///
    /// # Errors
    /// [`LogError::OldSqlite`], [`LogError::NewerSchema`] and [`LogError::Foreign`] as documented there;
    /// [`LogError::Corrupt`] when the file is not a database; [`LogError::Refused`] when it cannot be opened or
    /// written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        if rusqlite::version_number() < SQLITE_NEEDED.0 {
            return Err(LogError::OldSqlite { found: rusqlite::version().into(), needed: SQLITE_NEEDED.1 });
        }
        let mut conn = Connection::open(path).map_err(unwritten)?;
        wait_up_to(&mut conn, BUSY).map_err(unwritten)?;
        conn.set_prepared_statement_cache_capacity(64);
        schema::prepare(&conn, BUSY)?;
        let seen = data_version(&conn).map_err(unwritten)?;
        Ok(SqliteLog { conn, seen, tail: Arc::default() })
    }

    /// Reads the whole file and returns one sentence per problem; empty when there is none. It checks the file as a
    /// file, every batch, every index of batches, and every entity as far as a kept batch determines it. It takes
    /// as long as reading every batch, and sees one state of the log.
    ///
    /// # Errors
    /// [`LogError::Refused`] when the file cannot be read.
    pub fn check(&self) -> Result<Vec<String>, LogError> {
        let (reading, view) = self.read()?;
        check::problems(&reading, &view)
    }

    /// Another log on the same file, which shares what is known of the tail.
    fn again(&self) -> Result<SqliteLog, LogError> {
        let path = self.conn.path().ok_or_else(|| LogError::refused("the log has no file"))?;
        Ok(SqliteLog { tail: Arc::clone(&self.tail), ..SqliteLog::open(path)? })
    }

    /// Opens a transaction for reading, with its view.
    fn read(&self) -> Result<(Transaction<'_>, View), LogError> {
        let known = self.tail.known();
        let reading = self.begin(TransactionBehavior::Deferred)?;
        let view = View::of(&reading, &self.tail, known)?;
        Ok((reading, view))
    }

    fn begin(&self, behavior: TransactionBehavior) -> Result<Transaction<'_>, LogError> {
        self.settle()?;
        Transaction::new_unchecked(&self.conn, behavior).map_err(unwritten)
    }

    /// A failed rollback would leave its transaction open and make every later one fail.
    fn settle(&self) -> Result<(), LogError> {
        if !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK").map_err(unwritten)?;
        }
        Ok(())
    }

    /// Opens the write transaction, with the given `synchronous` setting for its commit. The setting can only
    /// change while no transaction is open. It is set anew each time, so that a relaxed setting cannot outlive its
    /// purpose.
    fn begin_writing(&self, synchronous: &str) -> Result<Transaction<'_>, LogError> {
        self.settle()?;
        self.conn.execute_batch(synchronous).map_err(unwritten)?;
        Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate).map_err(unwritten)
    }

    /// [`Log::transact`], with access to the transaction for the deciding closure.
    fn write<D>(&mut self, head: Rev, decide: D) -> Result<Rev, LogError>
    where
        D: FnOnce(&[Committed], &Reader<'_>) -> Result<Vec<Proposal>, Abandon>,
    {
        self.fold_if_late();
        let writing = self.begin_writing("PRAGMA synchronous=FULL")?;
        let seen = data_version(&writing).map_err(unwritten)?;
        let view = View::of(&writing, &self.tail, self.tail.known())?;
        let news = line::news(&writing, head)?;
        let proposals =
            decide(&news, &Reader { conn: &writing, view: &view }).map_err(|Abandon| LogError::Abandoned)?;
        still_open(&writing)?;
        let head = head + news.len() as Rev;
        let rev = head + proposals.len() as Rev;
        if let Some(first) = proposals.first() {
            expired::note(&writing, &view, first.batch.at)?;
            expired::forget(&writing, &proposals).map_err(unwritten)?;
            let part = line::append(&writing, &view, &proposals)?;
            still_open(&writing)?;
            writing.commit().map_err(uncommitted)?;
            self.tail.tell(view.with(part));
        } else {
            drop(writing);
        }
        self.seen = seen;
        Ok(rev)
    }

    /// Folds if nobody else does, so that the tail does not grow without end. A failure harms no commit.
    fn fold_if_late(&self) {
        if !fold::is_late(&self.tail.known()) {
            return;
        }
        if let Ok((reading, view)) = self.read() {
            drop(reading);
            let (hold, stop) = (Duration::from_secs(1), StopSign::default());
            let background = fold::Background { log: self, hold, stop: &stop, pause: &|| () };
            let _ = background.fold(&view);
        }
    }
}

/// History as one transaction sees it.
struct Reader<'a> {
    conn: &'a Connection,
    view: &'a View,
}

impl Past for Reader<'_> {
    fn batch(&self, id: BatchId) -> Result<Option<Remembered>, LogError> {
        match self.view.rev_of(self.conn, id)? {
            Some(rev) => Ok(line::batch_at(self.conn, rev)?.map(|(batch, _)| batch)),
            None => Ok(None),
        }
    }

    fn chain(&self, id: BatchId) -> Result<Option<PastChain>, LogError> {
        match self.batch(id)? {
            Some(named) => self.view.chain(self.conn, named),
            None => Ok(None),
        }
    }
}

impl Log for SqliteLog {
    fn load(&mut self, scope: LoadScope) -> Result<World, LogError> {
        let (reading, view) = self.read()?;
        let seen = data_version(&reading).map_err(unwritten)?;
        let world = load::load(&reading, &view, scope)?;
        drop(reading);
        self.seen = seen;
        Ok(world)
    }

    fn changed(&mut self) -> Result<bool, LogError> {
        Ok(data_version(&self.conn).map_err(unwritten)? != self.seen)
    }

    fn transact(&mut self, head: Rev, decide: &mut Decide<'_>) -> Result<Rev, LogError> {
        self.write(head, |news, past| decide(news, past))
    }

    fn since(&mut self, head: Rev) -> Result<Vec<Committed>, LogError> {
        let reading = self.begin(TransactionBehavior::Deferred)?;
        let seen = data_version(&reading).map_err(unwritten)?;
        let news = line::news(&reading, head)?;
        drop(reading);
        self.seen = seen;
        Ok(news)
    }

    fn past(&self) -> &dyn Past {
        self
    }

    fn open_past(&self) -> Result<Box<dyn Past + Send>, LogError> {
        let log = self.again()?;
        log.conn.execute_batch("PRAGMA query_only=1").map_err(unwritten)?;
        Ok(Box::new(log))
    }

    fn history(&self) -> Result<Box<dyn HistoryReader>, LogError> {
        Ok(Box::new(page_reader::SqliteHistoryReader::new(self.again()?)?))
    }

    fn pruner(&self, retention: Retention) -> Result<Box<dyn Pruner>, LogError> {
        Ok(Box::new(prune::SqlitePruner::new(self.again()?, retention)?))
    }

    fn checkpoint(&mut self) -> Result<(), LogError> {
        self.settle()?;
        wait_up_to(&mut self.conn, CHECKPOINT_BUSY).map_err(unwritten)?;
        let done = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        wait_up_to(&mut self.conn, BUSY).and(done).map_err(unwritten)
    }

    fn note_expired(&mut self, expired: &[(Due, Timestamp)]) -> Result<(), LogError> {
        let writing = self.begin_writing("PRAGMA synchronous=FULL")?;
        expired::note_all(&writing, expired).map_err(unwritten)?;
        writing.commit().map_err(unwritten)
    }

    fn touch_tokens(&mut self, used: &[(TokenId, Timestamp)]) -> Result<(), LogError> {
        let writing = self.begin_writing("PRAGMA synchronous=NORMAL")?;
        entities::touch_tokens(&writing, used).map_err(unwritten)?;
        // Even an unknown outcome is harmless here, because nothing is acknowledged.
        writing.commit().map_err(unwritten)
    }

    fn tokens_last_used(&mut self) -> Result<HashMap<TokenId, Timestamp>, LogError> {
        let (reading, view) = self.read()?;
        let mut used = entities::tokens_last_used(&reading).map_err(unwritten)?;
        // Whether the token is there still, or was made since the last fold.
        let left = entities::left(&reading, view.mark(), view.head(), |entry| match &entry.subject {
            Subject::Token(change) => Ok(Some(change.after.is_some())),
            _ => Ok(None),
        })?;
        let mut find = reading.prepare_cached("SELECT 1 FROM tokens WHERE id = ?1").map_err(unwritten)?;
        let unknown = used.keys().copied().collect::<Vec<_>>().into_iter().filter_map(|token| {
            match left.entities.get(&codec::EntityKey::Token(token)) {
                Some(is_there) => (!is_there).then_some(Ok(token)),
                None => find.exists([token.0]).map(|found| (!found).then_some(token)).transpose(),
            }
        });
        for token in unknown.collect::<rusqlite::Result<Vec<_>>>().map_err(unwritten)? {
            used.remove(&token);
        }
        Ok(used)
    }
}

impl Past for SqliteLog {
    fn batch(&self, id: BatchId) -> Result<Option<Remembered>, LogError> {
        let (reading, view) = self.read()?;
        Reader { conn: &reading, view: &view }.batch(id)
    }

    fn chain(&self, id: BatchId) -> Result<Option<PastChain>, LogError> {
        let (reading, view) = self.read()?;
        Reader { conn: &reading, view: &view }.chain(id)
    }
}

/// On a full disk, an I/O error or a lack of memory SQLite rolls back the whole transaction, in any statement, reads
/// included. Each later statement would then be committed on its own.
fn still_open(writing: &Transaction<'_>) -> Result<(), LogError> {
    match writing.is_autocommit() {
        true => Err(LogError::refused("the transaction was rolled back by an error")),
        false => Ok(()),
    }
}

fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

fn natural(rev: i64) -> Result<Rev, LogError> {
    Rev::try_from(rev).map_err(|error| LogError::corrupt(format!("rev {rev}"), error))
}

/// Waits for other writers, at most a millisecond at a time. SQLite's own waiting grows longer each time, and among
/// writers that commit back to back the longest sleeper would never have its turn. The first retries come even
/// sooner, because the pruner holds the lock very briefly.
fn wait_up_to(conn: &mut Connection, limit: Duration) -> rusqlite::Result<()> {
    let mut since = Instant::now();
    conn.busy_handler(Some(move |tries: i32| {
        if tries == 0 {
            since = Instant::now();
        }
        std::thread::sleep(Duration::from_micros(if tries < 20 { 50 } else { 1_000 }));
        since.elapsed() < limit
    }))
}

/// An error before any commit: nothing was written.
fn unwritten(error: rusqlite::Error) -> LogError {
    use rusqlite::Error;
    let damaged =
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
            || matches!(
                error,
                Error::FromSqlConversionFailure(..)
                    | Error::InvalidColumnType(..)
                    | Error::IntegralValueOutOfRange(..)
                    | Error::Utf8Error(..)
            );
    if damaged { LogError::corrupt("the log's file", error) } else { LogError::refused(error) }
}

/// An error of the commit itself. Nothing was written only if SQLite gave up before the commit's last page was in
/// the WAL: on a full disk, or on a lock of another connection. After an I/O error the commit may or may not be on
/// disk.
fn uncommitted(error: rusqlite::Error) -> LogError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => LogError::refused(error),
        _ => LogError::Unknown(error.into()),
    }
}
