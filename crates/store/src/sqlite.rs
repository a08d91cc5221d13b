//! The log in one SQLite file, the default storage. It runs in WAL mode with `synchronous=FULL`: a batch is on disk
//! when `transact` returns, and readers never wait for the writer.

mod check;
mod expired;
mod index;
mod load;
mod page_reader;
mod prune;
mod rows;
mod schema;
mod sweep;
#[cfg(test)]
mod tests;

use crate::codec;
use crate::error::LogError;
use crate::{
    Abandon, Decide, Fingerprint, HistoryReader, LoadScope, Log, Past, PastChain, Proposal, Pruner,
    Remembered, Retention,
};
use graph::model::Rev;
use graph::world::Due;
use graph::{Batch, BatchId, Committed, Timestamp, TokenId, UserId, World};
use rusqlite::{Connection, ErrorCode, Row, ToSql, Transaction, TransactionBehavior};
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

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
        Ok(SqliteLog { conn, seen })
    }

    /// Reads the whole file and returns one sentence per problem; empty when there is none. It checks the file as a
    /// file, every batch, every index of batches, and every entity as far as a kept batch determines it. It takes
    /// as long as reading every batch, and sees one state of the log.
    ///
    /// # Errors
    /// [`LogError::Refused`] when the file cannot be read.
    pub fn check(&self) -> Result<Vec<String>, LogError> {
        let reading = self.begin(TransactionBehavior::Deferred)?;
        check::problems(&reading)
    }

    /// Another log on the same file.
    fn again(&self) -> Result<SqliteLog, LogError> {
        let path = self.conn.path().ok_or_else(|| LogError::refused("the log has no file"))?;
        SqliteLog::open(path)
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

    /// [`Log::transact`], with access to this log for the deciding closure.
    fn write<D>(&mut self, head: Rev, decide: D) -> Result<Rev, LogError>
    where
        D: FnOnce(&[Committed], &SqliteLog) -> Result<Vec<Proposal>, Abandon>,
    {
        let writing = self.begin_writing("PRAGMA synchronous=FULL")?;
        let seen = data_version(&writing).map_err(unwritten)?;
        let news = self.news(head)?;
        let proposals = decide(&news, self).map_err(|Abandon| LogError::Abandoned)?;
        still_open(&writing)?;
        let head = head + news.len() as Rev;
        let rev = head + proposals.len() as Rev;
        if !proposals.is_empty() {
            self.append(head + 1, &proposals)?;
            still_open(&writing)?;
            writing.commit().map_err(uncommitted)?;
        } else {
            drop(writing);
        }
        self.seen = seen;
        Ok(rev)
    }

    /// The batches after `head`, within the open transaction.
    fn news(&self, head: Rev) -> Result<Vec<Committed>, LogError> {
        let from = integer(head)?;
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT rev, id, actor, at, fingerprint, body FROM batches WHERE rev > ?1 ORDER BY rev",
            )
            .map_err(unwritten)?;
        let mut found = statement.query([from]).map_err(unwritten)?;
        let mut news: Vec<Committed> = Vec::new();
        while let Some(row) = found.next().map_err(unwritten)? {
            let Remembered { rev, batch, .. } = remembered(row)?;
            if rev != head + news.len() as Rev + 1 {
                return Err(LogError::Astray { head, log: last_rev(&self.conn)? });
            }
            news.push(Committed { rev, batch });
        }
        // No batch follows: the caller is at the end of the log, or beyond it.
        if news.is_empty() && last_rev(&self.conn)? < head {
            return Err(LogError::Astray { head, log: last_rev(&self.conn)? });
        }
        Ok(news)
    }

    fn append(&self, first: Rev, proposals: &[Proposal]) -> Result<(), LogError> {
        if let Some(proposal) = proposals.first() {
            expired::note(&self.conn, proposal.batch.at).map_err(unwritten)?;
            expired::forget(&self.conn, proposals).map_err(unwritten)?;
        }
        let mut rows = Vec::new();
        for (rev, proposal) in (first..).zip(proposals) {
            let batch = &proposal.batch;
            let encoded = codec::encode(batch).map_err(LogError::refused)?;
            if !rows::put_batch(&self.conn, rev, proposal, &encoded.body).map_err(unwritten)? {
                return Err(LogError::Duplicate(batch.id));
            }
            rows.extend(encoded.rows.into_iter().map(|row| (rev, row)));
        }
        rows::put_entities(&self.conn, &rows).map_err(unwritten)
    }
}

impl Log for SqliteLog {
    fn load(&mut self, scope: LoadScope) -> Result<World, LogError> {
        let reading = self.begin(TransactionBehavior::Deferred)?;
        let seen = data_version(&reading).map_err(unwritten)?;
        let world = load::load(&reading, scope)?;
        drop(reading);
        self.seen = seen;
        Ok(world)
    }

    fn changed(&mut self) -> Result<bool, LogError> {
        Ok(data_version(&self.conn).map_err(unwritten)? != self.seen)
    }

    fn transact(&mut self, head: Rev, decide: &mut Decide<'_>) -> Result<Rev, LogError> {
        self.write(head, |news, log| decide(news, log))
    }

    fn since(&mut self, head: Rev) -> Result<Vec<Committed>, LogError> {
        let reading = self.begin(TransactionBehavior::Deferred)?;
        let seen = data_version(&reading).map_err(unwritten)?;
        let news = self.news(head)?;
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
        rows::touch_tokens(&writing, used).map_err(unwritten)?;
        // Even an unknown outcome is harmless here, because nothing is acknowledged.
        writing.commit().map_err(unwritten)
    }

    fn tokens_last_used(&mut self) -> Result<HashMap<TokenId, Timestamp>, LogError> {
        rows::tokens_last_used(&self.conn).map_err(unwritten)
    }
}

impl Past for SqliteLog {
    fn batch(&self, id: BatchId) -> Result<Option<Remembered>, LogError> {
        let sql = "SELECT rev, id, actor, at, fingerprint, body FROM batches
                   WHERE rev = (SELECT rev FROM names WHERE id = ?1)";
        Ok(one_batch(&self.conn, sql, id.0)?.map(|(batch, _)| batch))
    }

    fn chain(&self, id: BatchId) -> Result<Option<PastChain>, LogError> {
        match self.batch(id)? {
            Some(named) => index::chain(&self.conn, named),
            None => Ok(None),
        }
    }
}

/// The batch at a rev, and its stored size in bytes.
fn batch_at(conn: &Connection, rev: i64) -> Result<Option<(Remembered, usize)>, LogError> {
    one_batch(conn, "SELECT rev, id, actor, at, fingerprint, body FROM batches WHERE rev = ?1", rev)
}

fn one_batch(conn: &Connection, sql: &str, key: impl ToSql) -> Result<Option<(Remembered, usize)>, LogError> {
    let mut statement = conn.prepare_cached(sql).map_err(unwritten)?;
    let mut found = statement.query([key]).map_err(unwritten)?;
    let Some(row) = found.next().map_err(unwritten)? else { return Ok(None) };
    let bytes = row.get_ref("body").and_then(|body| Ok(body.as_str()?.len()));
    Ok(Some((remembered(row)?, bytes.unwrap_or(0))))
}

fn remembered(row: &Row<'_>) -> Result<Remembered, LogError> {
    let rev = row.get::<_, i64>("rev").map_err(unwritten)?;
    let read = || -> rusqlite::Result<_> {
        let fingerprint: Option<Fingerprint> = row.get("fingerprint")?;
        let body: &str = row.get_ref("body")?.as_str()?;
        Ok((row.get("id")?, row.get("actor")?, row.get("at")?, fingerprint, body))
    };
    let place = || format!("batch {rev}");
    let (id, actor, at, fingerprint, body) = read().map_err(|error| LogError::corrupt(place(), error))?;
    let (lineage, entries) = codec::decode(body).map_err(|error| LogError::corrupt(place(), error))?;
    let actor = Option::map(actor, UserId);
    let batch = Batch { id: BatchId(id), actor, at: Timestamp::from_ms(at), lineage, entries };
    Ok(Remembered { rev: natural(rev)?, batch, fingerprint })
}

/// On a full disk, an I/O error or a lack of memory SQLite rolls back the whole transaction, in any statement, reads
/// included. Each later statement would then be committed on its own.
fn still_open(writing: &Transaction<'_>) -> Result<(), LogError> {
    match writing.is_autocommit() {
        true => Err(LogError::refused("the transaction was rolled back by an error")),
        false => Ok(()),
    }
}

/// The log's head; 0 while it is empty.
fn last_rev(conn: &Connection) -> Result<Rev, LogError> {
    let last = conn
        .prepare_cached("SELECT coalesce(max(rev), 0) FROM batches")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)));
    natural(last.map_err(unwritten)?)
}

fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

fn natural(rev: i64) -> Result<Rev, LogError> {
    Rev::try_from(rev).map_err(|error| LogError::corrupt(format!("rev {rev}"), error))
}

fn integer(rev: Rev) -> Result<i64, LogError> {
    i64::try_from(rev).map_err(LogError::refused)
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
