//! Taking away what need not be kept, user by user. What a user's batches come to is counted as they are appended, and
//! their oldest are found by index, so nobody's past is gone through to learn that nothing is to be done.

use super::{SqliteLog, batch_at, index, natural, unwritten};
use crate::error::LogError;
use crate::retention::{DAY_MS, Limits, Pruned, Pruner, Retention};
use graph::Timestamp;
use graph::model::{Plan, User};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, TransactionBehavior, params};
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// After how long a transaction comes to its end.
const HOLD: Duration = Duration::from_millis(1);

/// The least pause between two transactions: whoever waits to append asks anew every millisecond.
const PAUSE: Duration = Duration::from_millis(5);

/// Batches prepared for one or more transactions.
const AT_ONCE: usize = 64;

/// Rows taken away between two looks at the watch.
const ROWS: usize = 128;

/// A pruner of a SQLite file.
#[derive(Debug)]
pub(super) struct SqlitePruner {
    log: SqliteLog,
    retention: Retention,
    /// Whom to look at next, among the keys of `kept`.
    next: Vec<u8>,
}

/// A batch to be taken away, and what of it is left to be.
#[derive(Debug)]
struct Doomed {
    rev: i64,
    bytes: i64,
    ids: Vec<Uuid>,
}

impl SqlitePruner {
    pub(super) fn new(log: SqliteLog, retention: Retention) -> Result<Self, LogError> {
        // What was taken away and comes back after a power cut is taken away once more: no need to wait for the disk. And
        // what is written here should be brought to its place here, and not by whoever appends next.
        log.conn
            .execute_batch("PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=250")
            .map_err(unwritten)?;
        Ok(SqlitePruner { log, retention, next: Vec::new() })
    }
}

impl Pruner for SqlitePruner {
    fn prune_some(&mut self, now: Timestamp, most: usize) -> Result<Pruned, LogError> {
        let mut removed = 0;
        let more = loop {
            let Some(actor) = self.actor_from(&self.next)? else {
                self.next = Vec::new();
                break false;
            };
            removed += self.prune_actor(&actor, now, most - removed)?;
            if removed >= most {
                self.next = actor;
                break true;
            }
            // The next key in order: the same with one more byte.
            self.next = actor;
            self.next.push(0);
        };
        let oldest: i64 = self
            .log
            .conn
            .query_row("SELECT coalesce(min(rev), 0) FROM batches", [], |row| row.get(0))
            .map_err(unwritten)?;
        Ok(Pruned { removed, more, oldest: natural(oldest)? })
    }
}

impl SqlitePruner {
    fn actor_from(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LogError> {
        let conn = &self.log.conn;
        conn.prepare_cached("SELECT actor FROM kept WHERE actor >= ?1 ORDER BY actor LIMIT 1")
            .and_then(|mut next| next.query_row([key], |row| row.get(0)).optional())
            .map_err(unwritten)
    }

    fn prune_actor(&self, actor: &[u8], now: Timestamp, most: usize) -> Result<usize, LogError> {
        let conn = &self.log.conn;
        let retained =
            Retained { limits: self.limits(actor)?, keys_kept_ms: self.retention.keys_kept_ms, now };
        let mut removed = 0;
        while removed < most {
            let mut doomed = due(conn, actor, retained, AT_ONCE.min(most - removed)).map_err(unwritten)?;
            if doomed.is_empty() {
                break;
            }
            for batch in &mut doomed {
                let found = batch_at(conn, batch.rev)?;
                batch.ids =
                    found.map_or_else(Vec::new, |it| index::ids(&it.batch.entries).into_iter().collect());
            }
            doomed.reverse();
            while !doomed.is_empty() {
                let started = Instant::now();
                let taken = self.take_away(actor, retained, &mut doomed)?;
                removed += taken.unwrap_or(0);
                thread::sleep(PAUSE.max(4 * started.elapsed()));
                // Somebody else was at it: see anew what there is.
                if taken.is_none() {
                    break;
                }
            }
        }
        Ok(removed)
    }

    fn limits(&self, actor: &[u8]) -> Result<Limits, LogError> {
        let body: Option<String> = self
            .log
            .conn
            .prepare_cached("SELECT body FROM users WHERE id = ?1")
            .and_then(|mut find| find.query_row([actor], |row| row.get(0)).optional())
            .map_err(unwritten)?;
        let read = |body: String| serde_json::from_str::<User>(&body).map(|user| user.plan);
        let plan = body.map(read).transpose().map_err(|error| LogError::corrupt("the users", error))?;
        Ok(self.retention.of(plan.unwrap_or(Plan::Pro)))
    }

    /// Takes away of the doomed, last first, what a short transaction can. `None` when they are not what is due any more.
    fn take_away(
        &self,
        actor: &[u8],
        retained: Retained,
        doomed: &mut Vec<Doomed>,
    ) -> Result<Option<usize>, LogError> {
        let writing = self.log.begin(TransactionBehavior::Immediate)?;
        let started = Instant::now();
        let due = due(&writing, actor, retained, doomed.len()).map_err(unwritten)?;
        if !due.iter().map(|it| it.rev).eq(doomed.iter().rev().map(|it| it.rev)) {
            return Ok(None);
        }
        let (mut removed, mut bytes) = (0, 0);
        while let Some(batch) = doomed.last_mut()
            && started.elapsed() < HOLD
        {
            if !clear(&writing, batch, started).map_err(unwritten)? {
                break;
            }
            remove(&writing, batch.rev).map_err(unwritten)?;
            removed += 1;
            bytes += batch.bytes;
            doomed.pop();
        }
        count(&writing, actor, removed as i64, bytes).map_err(unwritten)?;
        writing.commit().map_err(unwritten)?;
        Ok(Some(removed))
    }
}

/// What decides whether a user's batch may stay.
#[derive(Clone, Copy, Debug)]
struct Retained {
    limits: Limits,
    keys_kept_ms: i64,
    now: Timestamp,
}

impl Retained {
    /// Whether the oldest batch of so many goes.
    fn is_over(&self, at: i64, batches: i64, bytes: i64) -> bool {
        let age = self.now.ms() - at;
        let more_than = |held: i64, limit: u64| u64::try_from(held).is_ok_and(|held| held > limit);
        let over = age > i64::from(self.limits.days) * DAY_MS
            || more_than(batches, self.limits.batches)
            || more_than(bytes, self.limits.bytes);
        over && age > self.keys_kept_ms
    }
}

/// The user's oldest batches that are to go, up to the first that stays.
fn due(conn: &Connection, actor: &[u8], retained: Retained, most: usize) -> SqlResult<Vec<Doomed>> {
    let mut statement = conn.prepare_cached("SELECT batches, bytes FROM kept WHERE actor = ?1")?;
    let kept = statement.query_row([actor], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((mut batches, mut bytes)) = kept else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(
        "SELECT rev, at, bytes FROM batches
         WHERE actor IS nullif(?1, x'') AND rev < (SELECT max(rev) FROM batches) ORDER BY rev LIMIT ?2",
    )?;
    let mut found = statement.query(params![actor, most as i64])?;
    let mut due = Vec::new();
    while let Some(row) = found.next()? {
        let (rev, at, size) = (row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?);
        if !retained.is_over(at, batches, bytes) {
            break;
        }
        due.push(Doomed { rev, bytes: size, ids: Vec::new() });
        batches -= 1;
        bytes -= size;
    }
    Ok(due)
}

/// Takes away what may be many rows; says whether it came to the end. The batch itself goes last, so that whatever ends
/// this, it can be done again.
fn clear(conn: &Connection, batch: &mut Doomed, started: Instant) -> SqlResult<bool> {
    let mut untouch = conn.prepare_cached("DELETE FROM touches WHERE id = ?1 AND rev = ?2")?;
    let mut forget =
        conn.prepare_cached("DELETE FROM gone WHERE id IN (SELECT id FROM gone WHERE rev = ?1 LIMIT ?2)")?;
    loop {
        let rest = batch.ids.split_off(batch.ids.len().saturating_sub(ROWS));
        let cleared = rest.len();
        rest.into_iter().try_for_each(|id| untouch.execute(params![id, batch.rev]).map(drop))?;
        let forgotten = forget.execute(params![batch.rev, ROWS as i64])?;
        if cleared < ROWS && forgotten < ROWS {
            return Ok(true);
        }
        if started.elapsed() >= HOLD {
            return Ok(false);
        }
    }
}

fn remove(conn: &Connection, rev: i64) -> SqlResult<()> {
    conn.prepare_cached("DELETE FROM batches WHERE rev = ?1")?.execute([rev])?;
    index::forget(conn, rev)
}

fn count(conn: &Connection, actor: &[u8], batches: i64, bytes: i64) -> SqlResult<()> {
    conn.prepare_cached("UPDATE kept SET batches = batches - ?2, bytes = bytes - ?3 WHERE actor = ?1")?
        .execute(params![actor, batches, bytes])?;
    conn.prepare_cached("DELETE FROM kept WHERE actor = ?1 AND batches = 0")?.execute([actor])?;
    Ok(())
}
