//! Taking away what need not be kept, user by user. What a user's batches come to is counted as they are appended, and
//! their oldest are found by index, so nobody's past is gone through to learn that nothing is to be done. No batch is read
//! for it: what is found of it by id is swept later, see [`super::sweep`].

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

/// How transactions and pauses alternate.
#[derive(Clone, Copy, Debug)]
pub(super) struct PruneTiming {
    /// After how long a transaction comes to its end; one batch it takes away in any case.
    pub(super) hold: Duration,
    /// The pause after it, in which others have the log to themselves.
    pub(super) pause: Duration,
}

const TIMING: PruneTiming =
    PruneTiming { hold: Duration::from_micros(300), pause: Duration::from_millis(20) };

/// Batches prepared for one or more transactions.
const AT_ONCE: usize = 256;

/// Rows that a sweep looks at in the time in which one batch is taken away.
const SWEPT_PER_BATCH: usize = 16;

/// A sweep is due when so much of what is held has been taken away since the last one: an eighth.
const UNSWEPT_SHARE: i64 = 8;

/// At how many pages of WAL they are brought to their place: so many that pages written again and again are copied once,
/// and the disk is not always at it, and so few that it is done before whoever commits has to.
const CHECKPOINT_PAGES: i64 = 1_000;

/// A pruner of a SQLite file.
#[derive(Debug)]
pub(super) struct SqlitePruner {
    log: SqliteLog,
    retention: Retention,
    /// Whom to look at next, among the keys of `kept`.
    next: Vec<u8>,
    /// The sweep that is under way.
    sweep: Option<Sweep>,
    timing: PruneTiming,
    stop: StopSign,
}

impl SqlitePruner {
    pub(super) fn new(log: SqliteLog, retention: Retention) -> Result<Self, LogError> {
        // What was taken away and comes back after a power cut is taken away once more: no need to wait for the disk. And
        // the WAL is looked after here whoever writes, not only when this one does.
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

    /// One that takes away in each transaction the least that it may, and does not pause.
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
    /// Goes through the users; true when `most` have been taken away before the end.
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
            // The next key in order: the same with one more byte. Whoever's past cannot be taken away keeps nobody else's.
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
            // At one moment: what is counted and what is there must fit each other.
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
                // Somebody else was at it: see anew what there is.
                let Some(taken) = taken else { break };
                removed += taken;
                left = left.get(taken..).unwrap_or_default();
            }
        }
        Ok(removed)
    }

    fn pause(&mut self) {
        // Where this fails whoever commits does it, and whoever asks for it by itself is told.
        let _ = self.keep_up();
        thread::sleep(self.timing.pause);
    }

    /// By the user's plan. Of one that cannot be read as little is taken away as of anybody.
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

    /// Takes away of a user's oldest batches what a short transaction can, and says how many. `None`, with nothing taken
    /// away, when they are not the user's oldest any more: another pruner was faster.
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
            // A user's batches go from the oldest on: what is still there is still due.
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

    /// Goes on with the sweep that is under way, through so many rows; true when there are more.
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
        let age = self.now.ms().saturating_sub(at);
        let more_than = |held: i64, limit: u64| u64::try_from(held).is_ok_and(|held| held > limit);
        let over = age > i64::from(self.limits.days).saturating_mul(DAY_MS)
            || more_than(batches, self.limits.batches)
            || more_than(bytes, self.limits.bytes);
        over && age > self.keys_kept_ms
    }
}

/// A batch that is to go.
#[derive(Clone, Copy, Debug)]
struct Due {
    rev: i64,
    bytes: i64,
}

/// The user's oldest batches that are to go, up to the first that stays.
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

/// Whether so many batches were taken away since the last sweep that another is worth its while: the names of all that
/// went are still there.
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
