//! Prunes history user by user. The totals of a user's batches are counted as they are appended, and the oldest
//! batches are found by an index. A user with nothing to prune therefore costs no scan. Pruning reads no batch;
//! what is indexed by id is swept later, see [`super::sweep`].

use super::sweep::Sweep;
use super::{SqliteLog, index, natural, unwritten};
use crate::StopSign;
use crate::error::LogError;
use crate::retention::{DAY_MS, Limits, Pruned, Pruner, Retention};
use graph::Timestamp;
use graph::model::{Plan, User};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, TransactionBehavior, params};
use std::thread;
use std::time::{Duration, Instant};

/// The durations of transactions and pauses.
#[derive(Clone, Copy, Debug)]
pub(super) struct PruneTiming {
    /// How long a transaction may take. It removes at least one batch.
    pub(super) hold: Duration,
    /// The pause after it, which leaves the log to other writers.
    pub(super) pause: Duration,
}

const TIMING: PruneTiming =
    PruneTiming { hold: Duration::from_micros(300), pause: Duration::from_millis(20) };

/// How many batches are prepared for one or more transactions.
const AT_ONCE: usize = 256;

/// How many rows a sweep examines in the time of removing one batch.
const SWEPT_PER_BATCH: usize = 16;

/// A sweep is due when this share of the kept batches has been pruned since the last one: an eighth.
const UNSWEPT_SHARE: i64 = 8;

/// The number of WAL pages at which they are checkpointed: large enough to copy a rewritten page only once and to
/// give the disk pauses, small enough to come before a committing writer has to do it.
const CHECKPOINT_PAGES: i64 = 1_000;

/// A pruner of a SQLite file.
#[derive(Debug)]
pub(super) struct SqlitePruner {
    log: SqliteLog,
    retention: Retention,
    /// The key in `kept` of the next user to check.
    next: Vec<u8>,
    /// The sweep in progress.
    sweep: Option<Sweep>,
    timing: PruneTiming,
    stop: StopSign,
}

impl SqlitePruner {
    pub(super) fn new(log: SqliteLog, retention: Retention) -> Result<Self, LogError> {
        // A batch that comes back after a power cut is pruned again, so there is no need to wait for the disk. The
        // WAL is checkpointed here, whichever process writes to it.
        log.conn
            .execute_batch("PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0")
            .map_err(unwritten)?;
        Ok(SqlitePruner {
            log,
            retention,
            next: Vec::new(),
            sweep: None,
            timing: TIMING,
            stop: StopSign::default(),
        })
    }

    /// A pruner that removes as little as possible per transaction and does not pause.
    #[cfg(test)]
    pub(super) fn in_steps(log: SqliteLog, retention: Retention) -> Result<Self, LogError> {
        let timing = PruneTiming { hold: Duration::ZERO, pause: Duration::ZERO };
        Ok(SqlitePruner { timing, ..SqlitePruner::new(log, retention)? })
    }
}

impl Pruner for SqlitePruner {
    fn heed(&mut self, stop: StopSign) {
        self.stop = stop;
    }

    fn prune_some(&mut self, now: Timestamp, most: usize) -> Result<Pruned, LogError> {
        let mut removed = 0;
        let mut more = self.sweep.is_none() && self.take_what_is_due(now, most, &mut removed)?;
        if !more {
            more = self.sweep_some((most - removed).saturating_mul(SWEPT_PER_BATCH))?;
        }
        let oldest: i64 = self
            .log
            .conn
            .query_row("SELECT coalesce(min(rev), 0) FROM batches", [], |row| row.get(0))
            .map_err(unwritten)?;
        Ok(Pruned { removed, more, oldest: natural(oldest)? })
    }

    fn keep_up(&mut self) -> Result<(), LogError> {
        let pages = |mode| {
            let ask = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
            self.log.conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], ask).map_err(unwritten)
        };
        let (all, in_place) = pages("NOOP")?;
        if all - in_place >= CHECKPOINT_PAGES {
            pages("PASSIVE")?;
        }
        Ok(())
    }
}

impl SqlitePruner {
    /// Goes through the users. True when `most` batches were removed before the end.
    fn take_what_is_due(
        &mut self,
        now: Timestamp,
        most: usize,
        removed: &mut usize,
    ) -> Result<bool, LogError> {
        while let Some(actor) = self.actor_from(&self.next)? {
            let taken = self.prune_actor(&actor, now, most - *removed);
            if let Ok(taken) = &taken {
                *removed += taken;
                if *removed >= most || self.stop.is_set() {
                    self.next = actor;
                    return Ok(true);
                }
            }
            // The next key in order: the same with one more byte. A user whose history cannot be pruned holds up no
            // other user.
            self.next = actor;
            self.next.push(0);
            taken?;
        }
        self.next = Vec::new();
        if sweep_is_due(&self.log.conn).map_err(unwritten)? {
            self.sweep = Some(Sweep::default());
        }
        Ok(false)
    }

    fn actor_from(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LogError> {
        let conn = &self.log.conn;
        conn.prepare_cached("SELECT actor FROM kept WHERE actor >= ?1 ORDER BY actor LIMIT 1")
            .and_then(|mut next| next.query_row([key], |row| row.get(0)).optional())
            .map_err(unwritten)
    }

    fn prune_actor(&mut self, actor: &[u8], now: Timestamp, most: usize) -> Result<usize, LogError> {
        let retained =
            Retained { limits: self.limits(actor)?, keys_kept_ms: self.retention.keys_kept_ms, now };
        let mut removed = 0;
        while removed < most && !self.stop.is_set() {
            // In one snapshot: the counts and the batches must match.
            let reading = self.log.begin(TransactionBehavior::Deferred)?;
            let due = due(&reading, actor, retained, AT_ONCE.min(most - removed)).map_err(unwritten)?;
            drop(reading);
            let mut left = due.as_slice();
            if left.is_empty() {
                break;
            }
            while !left.is_empty() && !self.stop.is_set() {
                let taken = self.take_away(actor, left)?;
                self.pause();
                // Another pruner was faster; look again.
                let Some(taken) = taken else { break };
                removed += taken;
                left = left.get(taken..).unwrap_or_default();
            }
        }
        Ok(removed)
    }

    fn pause(&mut self) {
        // If this fails, a committing writer checkpoints instead, and a direct call reports the error.
        let _ = self.keep_up();
        thread::sleep(self.timing.pause);
    }

    /// The limits by the user's plan. For a user that cannot be read they are the most generous ones.
    fn limits(&self, actor: &[u8]) -> Result<Limits, LogError> {
        let body: Option<String> = self
            .log
            .conn
            .prepare_cached("SELECT body FROM users WHERE id = ?1")
            .and_then(|mut find| find.query_row([actor], |row| row.get(0)).optional())
            .map_err(unwritten)?;
        let user = body.and_then(|body| serde_json::from_str::<User>(&body).ok());
        Ok(self.retention.of(user.map_or(Plan::Pro, |user| user.plan)))
    }

    /// Removes as many of a user's oldest batches as a short transaction can, and returns how many. `None`, with
    /// nothing removed, when they are no longer the oldest: another pruner was faster.
    fn take_away(&self, actor: &[u8], due: &[Due]) -> Result<Option<usize>, LogError> {
        let (Some(first), Some(last)) = (due.first(), due.last()) else { return Ok(Some(0)) };
        let writing = self.log.begin(TransactionBehavior::Immediate)?;
        let started = Instant::now();
        let has_chains = index::has_chains(&writing, first.rev, last.rev).map_err(unwritten)?;
        let (mut removed, mut bytes) = (0, 0_i64);
        for batch in due {
            if removed > 0 && started.elapsed() >= self.timing.hold {
                break;
            }
            // A user's batches are removed from the oldest on, so those that remain are still due.
            if !remove(&writing, batch.rev).map_err(unwritten)? {
                return Ok(None);
            }
            if has_chains {
                index::forget(&writing, batch.rev).map_err(unwritten)?;
            }
            removed += 1;
            bytes = bytes.saturating_add(batch.bytes);
        }
        count(&writing, actor, removed as i64, bytes).map_err(unwritten)?;
        writing.commit().map_err(unwritten)?;
        Ok(Some(removed))
    }

    /// Continues the sweep in progress, over this many rows. True when there are more.
    fn sweep_some(&mut self, rows: usize) -> Result<bool, LogError> {
        let Some(mut sweep) = self.sweep.take() else { return Ok(false) };
        let mut looked_at = 0;
        while looked_at < rows && !self.stop.is_set() {
            let Some(slice) = sweep.slice(&self.log.conn).map_err(unwritten)? else { return Ok(false) };
            looked_at += slice.looked_at;
            let mut dead = slice.dead.as_slice();
            loop {
                if !dead.is_empty() {
                    let writing = self.log.begin(TransactionBehavior::Immediate)?;
                    let swept = slice.sweep(&writing, dead, self.timing.hold).map_err(unwritten)?;
                    writing.commit().map_err(unwritten)?;
                    dead = dead.get(swept..).unwrap_or_default();
                }
                self.pause();
                if dead.is_empty() || self.stop.is_set() {
                    break;
                }
            }
        }
        self.sweep = Some(sweep);
        Ok(true)
    }
}

/// What determines whether a user's batch may stay.
#[derive(Clone, Copy, Debug)]
struct Retained {
    limits: Limits,
    keys_kept_ms: i64,
    now: Timestamp,
}

impl Retained {
    /// Whether a user's oldest batch, made at `at`, is to be removed while the user has this many batches and bytes.
    fn is_over(&self, at: i64, batches: i64, bytes: i64) -> bool {
        let age = self.now.ms().saturating_sub(at);
        let more_than = |held: i64, limit: u64| u64::try_from(held).is_ok_and(|held| held > limit);
        let over = age > i64::from(self.limits.days).saturating_mul(DAY_MS)
            || more_than(batches, self.limits.batches)
            || more_than(bytes, self.limits.bytes);
        over && age > self.keys_kept_ms
    }
}

/// A batch to remove.
#[derive(Clone, Copy, Debug)]
struct Due {
    rev: i64,
    bytes: i64,
}

/// The user's oldest batches to remove, up to the first that stays.
fn due(conn: &Connection, actor: &[u8], retained: Retained, most: usize) -> SqlResult<Vec<Due>> {
    let mut statement = conn.prepare_cached("SELECT batches, bytes FROM kept WHERE actor = ?1")?;
    let kept = statement.query_row([actor], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((mut batches, mut bytes)): Option<(i64, i64)> = kept else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(
        "SELECT rev, at, bytes FROM batches
         WHERE actor IS nullif(?1, x'') AND rev < (SELECT max(rev) FROM batches) ORDER BY rev LIMIT ?2",
    )?;
    let mut found = statement.query(params![actor, i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut due = Vec::new();
    while let Some(row) = found.next()? {
        let (rev, at, size) = (row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?);
        if !retained.is_over(at, batches, bytes) {
            break;
        }
        due.push(Due { rev, bytes: size });
        batches = batches.saturating_sub(1);
        bytes = bytes.saturating_sub(size);
    }
    Ok(due)
}

/// Whether enough batches were pruned since the last sweep for another one to pay off: the names of all of them
/// still exist.
fn sweep_is_due(conn: &Connection) -> SqlResult<bool> {
    let sql = "SELECT (SELECT count(*) FROM names), (SELECT coalesce(sum(batches), 0) FROM kept)";
    let (named, held) =
        conn.prepare_cached(sql)?.query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    let unswept = named.saturating_sub(held);
    Ok(unswept > 0 && unswept.saturating_mul(UNSWEPT_SHARE) >= held)
}

fn remove(conn: &Connection, rev: i64) -> SqlResult<bool> {
    Ok(conn.prepare_cached("DELETE FROM batches WHERE rev = ?1")?.execute([rev])? > 0)
}

fn count(conn: &Connection, actor: &[u8], batches: i64, bytes: i64) -> SqlResult<()> {
    conn.prepare_cached("UPDATE kept SET batches = batches - ?2, bytes = bytes - ?3 WHERE actor = ?1")?
        .execute(params![actor, batches, bytes])?;
    conn.prepare_cached("DELETE FROM kept WHERE actor = ?1 AND batches = 0")?.execute([actor])?;
    Ok(())
}
