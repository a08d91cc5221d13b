//! Prunes history user by user, and does all other work in the background: folding, merging runs, checkpoints.
//!
//! The totals of a user's batches are counted as they are folded, and the oldest batches are found by actor. A user
//! with nothing to prune therefore costs no scan. Pruning reads no batch. What is found by id is left to be removed
//! later, many rows of a page at once, see [`super::merge`]. Only what was folded is pruned.

use super::find::{Kept, Size, Way};
use super::fold::{self, Background, Pace};
use super::merge::{self, Mergeable};
use super::runs::Run;
use super::view::View;
use super::{SqliteLog, natural, still_open, unwritten};
use crate::error::LogError;
use crate::retention::{DAY_MS, Limits, Pruned, Pruner, Retention, Upkeep};
use crate::{StopSign, codec};
use graph::model::{Plan, User};
use graph::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, TransactionBehavior, params};
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The pace of pruning.
const PRUNE_PACE: Pace = Pace { hold: Duration::from_micros(300), pause: Duration::from_millis(20) };

/// The pace of folding and merging, which must keep up with commits.
const FOLD_PACE: Pace = Pace { hold: Duration::from_millis(1), pause: Duration::from_millis(4) };

/// How many batches are prepared for one or more transactions.
const AT_ONCE: usize = 256;

/// How many ids that were deleted for good are examined at once.
const GONE_AT_ONCE: i64 = 256;

/// The number of WAL pages at which they are checkpointed: large enough to copy a rewritten page only once and to
/// give the disk pauses, small enough to come before a committing writer has to do it.
const CHECKPOINT_PAGES: i64 = 1_000;

/// A pruner of a SQLite file.
#[derive(Debug)]
pub(super) struct SqlitePruner {
    log: SqliteLog,
    retention: Retention,
    /// The next user to check.
    next: Uuid,
    /// Whether users were checked to the end, and what was left of pruned batches is being removed.
    sweeping: bool,
    prune_pace: Pace,
    fold_pace: Pace,
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
            next: Uuid::nil(),
            sweeping: false,
            prune_pace: PRUNE_PACE,
            fold_pace: FOLD_PACE,
            stop: StopSign::default(),
        })
    }

    /// A pruner that does as little as possible per transaction and does not pause.
    #[cfg(test)]
    pub(super) fn in_steps(log: SqliteLog, retention: Retention) -> Result<Self, LogError> {
        let pace = Pace { hold: Duration::ZERO, pause: Duration::ZERO };
        Ok(SqlitePruner { prune_pace: pace, fold_pace: pace, ..SqlitePruner::new(log, retention)? })
    }
}

impl Pruner for SqlitePruner {
    fn heed(&mut self, stop: StopSign) {
        self.stop = stop;
    }

    fn prune_some(&mut self, now: Timestamp, most: usize) -> Result<Pruned, LogError> {
        let mut removed = 0;
        let mut more = !self.sweeping && self.take_what_is_due(now, most, &mut removed)?;
        if !more {
            self.sweeping = true;
            more = !self.sweep()?;
            self.sweeping = more;
        }
        let oldest: i64 = self
            .log
            .conn
            .query_row("SELECT coalesce(min(rev), 0) FROM line", [], |row| row.get(0))
            .map_err(unwritten)?;
        Ok(Pruned { removed, more, oldest: natural(oldest)? })
    }

    fn keep_up(&mut self) -> Result<Upkeep, LogError> {
        checkpoint(&self.log)?;
        let (reading, view) = self.log.read()?;
        let runs = Mergeable::all(&reading).map_err(unwritten)?;
        drop(reading);
        let tail = u64::try_from(view.head() - view.mark()).unwrap_or_default();
        let mut upkeep = Upkeep { tail, ..Upkeep::default() };
        if fold::is_due(view.tail()) {
            upkeep.folded = self.in_background(|background| background.fold(&view))?;
        } else if let Some(due) = merge::due(&runs) {
            self.in_background(|background| background.merge(due))?;
            upkeep.merged = true;
        }
        Ok(upkeep)
    }
}

/// Copies what is in the WAL to its place, if there is much of it.
fn checkpoint(log: &SqliteLog) -> Result<(), LogError> {
    let pages = |mode| {
        let ask = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        log.conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], ask).map_err(unwritten)
    };
    let (all, in_place) = pages("NOOP")?;
    if all - in_place >= CHECKPOINT_PAGES {
        pages("PASSIVE")?;
    }
    Ok(())
}

fn pause(log: &SqliteLog, pace: Pace) {
    // If this fails, a committing writer checkpoints instead, and a direct call reports the error.
    let _ = checkpoint(log);
    thread::sleep(pace.pause);
}

impl SqlitePruner {
    fn in_background<T>(&self, work: impl FnOnce(&Background<'_>) -> T) -> T {
        let (log, stop) = (&self.log, &self.stop);
        work(&Background { log, hold: self.fold_pace.hold, stop, pause: &|| pause(log, self.fold_pace) })
    }

    /// Goes through the users. True when it did not come to the end.
    fn take_what_is_due(
        &mut self,
        now: Timestamp,
        most: usize,
        removed: &mut usize,
    ) -> Result<bool, LogError> {
        let totals = self.totals()?;
        let mut failure = None;
        for (actor, total) in totals.range(self.next..) {
            // A user whose history cannot be pruned holds up no other user.
            self.next = *actor;
            match self.prune_actor(*actor, *total, now, most - *removed) {
                Ok(taken) => *removed += taken,
                Err(error) => failure = Some(error),
            }
            if *removed >= most || self.stop.is_set() {
                return Ok(true);
            }
        }
        self.next = Uuid::nil();
        failure.map_or(Ok(false), Err)
    }

    /// What each actor's batches come to.
    fn totals(&self) -> Result<BTreeMap<Uuid, Kept>, LogError> {
        let (reading, view) = self.log.read()?;
        let mut statement = reading
            .prepare_cached("SELECT actor, kept.batches, bytes FROM kept JOIN runs ON runs.run = kept.run")
            .map_err(unwritten)?;
        let mut found = statement.query([]).map_err(unwritten)?;
        let mut totals: BTreeMap<Uuid, Kept> = BTreeMap::new();
        while let Some(row) = found.next().map_err(unwritten)? {
            let read = || Ok((row.get(0)?, Kept { batches: row.get(1)?, bytes: row.get(2)? }));
            let (actor, kept) = read().map_err(unwritten)?;
            totals.entry(actor).or_default().add(kept);
        }
        for Size { actor, bytes, .. } in view.parts().iter().flat_map(|part| &part.sizes) {
            totals.entry(*actor).or_default().add(Kept { batches: 1, bytes: *bytes });
        }
        Ok(totals)
    }

    /// Prunes one user, whose batches came to `total` not long ago.
    fn prune_actor(
        &mut self,
        actor: Uuid,
        total: Kept,
        now: Timestamp,
        most: usize,
    ) -> Result<usize, LogError> {
        let (mut removed, mut supposed) = (0, Some(total));
        while removed < most && !self.stop.is_set() {
            // In one snapshot: the counts and the batches must match.
            let (reading, view) = self.log.read()?;
            let limits = self.retention.of(plan(&reading, &view, actor)?);
            let retained = Retained { limits, keys_kept_ms: self.retention.keys_kept_ms, now };
            // Counting takes longer than seeing that a user has nothing to prune, as most have.
            let is_supposed = supposed.is_some();
            let held = match supposed.take() {
                Some(supposed) => supposed,
                None => held(&reading, &view, actor).map_err(unwritten)?,
            };
            let at_once = AT_ONCE.min(most - removed);
            let due = due(&reading, &view, actor, held, retained, at_once).map_err(unwritten)?;
            drop(reading);
            if is_supposed && (due.run.is_some() || due.in_tail) {
                continue;
            }
            if due.in_tail {
                // Only what was folded can be pruned. If another is folding, there will be another time.
                if self.in_background(|background| background.fold(&view))? {
                    continue;
                }
                break;
            }
            let Some(run) = due.run else { break };
            let mut left = due.batches.as_slice();
            while !left.is_empty() && !self.stop.is_set() {
                let taken = self.take_away(actor, run, left)?;
                pause(&self.log, self.prune_pace);
                // Look again.
                let Some(taken) = taken else { break };
                removed += taken;
                left = left.get(taken..).unwrap_or_default();
            }
        }
        Ok(removed)
    }

    /// Removes as many of a user's oldest batches as a short transaction can, and returns how many. `None`, with
    /// nothing removed, when they are no longer the oldest – another pruner was faster – or another process is
    /// folding or merging.
    fn take_away(&self, actor: Uuid, run: i64, due: &[Due]) -> Result<Option<usize>, LogError> {
        let (Some(first), Some(last)) = (due.first(), due.last()) else { return Ok(Some(0)) };
        let writing = self.log.begin(TransactionBehavior::Immediate)?;
        // Another process may be merging the run.
        if fold::read_claim(&writing).map_err(unwritten)?.is_live {
            return Ok(None);
        }
        let started = Instant::now();
        let has_turns = has_turns(&writing, first.rev, last.rev).map_err(unwritten)?;
        let (mut removed, mut bytes) = (0, 0_i64);
        for batch in due {
            if removed > 0 && started.elapsed() >= self.prune_pace.hold {
                break;
            }
            // A user's batches are removed from the oldest on, so those that remain are still due. By then another
            // process may have merged the run.
            if !remove(&writing, run, actor, batch.rev).map_err(unwritten)? {
                return Ok(None);
            }
            if has_turns {
                forget_turns(&writing, batch.rev).map_err(unwritten)?;
            }
            removed += 1;
            bytes = bytes.saturating_add(batch.bytes);
        }
        count(&writing, run, actor, removed as i64, bytes).map_err(unwritten)?;
        still_open(&writing)?;
        writing.commit().map_err(unwritten)?;
        Ok(Some(removed))
    }

    /// Removes what is left of pruned batches where there is much of it. False when it did not come to the end.
    fn sweep(&mut self) -> Result<bool, LogError> {
        let mut swept = false;
        loop {
            let runs = Mergeable::all(&self.log.conn).map_err(unwritten)?;
            let Some(stale) = merge::stale(&runs) else { break };
            if !self.in_background(|background| background.merge(&[*stale]))? {
                return Ok(false);
            }
            swept = true;
        }
        if swept { self.forget_gone() } else { Ok(true) }
    }

    /// Forgets the ids deleted for good that no kept batch touches: neither the one that deleted it nor an earlier
    /// one, of any user.
    fn forget_gone(&self) -> Result<bool, LogError> {
        let mut at = (0_i64, Uuid::nil());
        loop {
            let (reading, view) = self.log.read()?;
            let gone: Vec<(i64, Uuid)> = reading
                .prepare_cached(
                    "SELECT rev, id FROM gone WHERE (rev, id) > (?1, ?2) ORDER BY rev, id LIMIT ?3",
                )
                .and_then(|mut find| {
                    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
                    find.query_map(params![at.0, at.1, GONE_AT_ONCE], row)?.collect()
                })
                .map_err(unwritten)?;
            let Some(last) = gone.last() else { return Ok(true) };
            at = *last;
            let mut dead = Vec::new();
            for (rev, id) in gone {
                if rev <= view.mark() && !view.is_touched(&reading, id).map_err(unwritten)? {
                    dead.push((rev, id));
                }
            }
            drop(reading);
            if !dead.is_empty() {
                // Ids are not used again, so nothing can have touched them meanwhile.
                let writing = self.log.begin(TransactionBehavior::Immediate)?;
                for (rev, id) in dead {
                    let sql = "DELETE FROM gone WHERE rev = ?1 AND id = ?2";
                    let forgotten =
                        writing.prepare_cached(sql).and_then(|mut it| it.execute(params![rev, id]));
                    forgotten.map_err(unwritten)?;
                }
                still_open(&writing)?;
                writing.commit().map_err(unwritten)?;
            }
            if self.stop.is_set() {
                return Ok(false);
            }
            pause(&self.log, self.prune_pace);
        }
    }
}

/// The plan that an actor's batches are kept by. For a user that cannot be read it is the most generous one.
fn plan(conn: &Connection, view: &View, actor: Uuid) -> Result<Plan, LogError> {
    let mut plans = view.parts().iter().rev().flat_map(|part| part.plans.iter().rev());
    if let Some((.., plan)) = plans.find(|(_, user, _)| *user == UserId(actor)) {
        return Ok(*plan);
    }
    let body: Option<Vec<u8>> = conn
        .prepare_cached("SELECT body FROM users WHERE id = ?1")
        .and_then(|mut find| find.query_row([actor], |row| row.get(0)).optional())
        .map_err(unwritten)?;
    let user = body.and_then(|body| codec::decode_entity::<User>(&body).ok());
    Ok(user.map_or(Plan::Pro, |user| user.plan))
}

/// What determines whether a user's batch may stay.
#[derive(Clone, Copy, Debug)]
struct Retained {
    limits: Limits,
    keys_kept_ms: i64,
    now: Timestamp,
}

impl Retained {
    /// Whether a user's oldest batch, made at `at`, is to be removed while the user has all of these.
    fn is_over(&self, at: i64, held: Kept) -> bool {
        let age = self.now.ms().saturating_sub(at);
        let more_than = |held: i64, limit: u64| u64::try_from(held).is_ok_and(|held| held > limit);
        let over = age > i64::from(self.limits.days).saturating_mul(DAY_MS)
            || more_than(held.batches, self.limits.batches)
            || more_than(held.bytes, self.limits.bytes);
        over && age > self.keys_kept_ms
    }
}

/// A batch to remove.
#[derive(Clone, Copy, Debug)]
struct Due {
    rev: i64,
    bytes: i64,
}

/// The user's oldest batches to remove, up to the first that stays, or as far as they are in one run.
#[derive(Debug, Default)]
struct AllDue {
    /// The run that they are in.
    run: Option<i64>,
    batches: Vec<Due>,
    /// Whether there are none in a run, but the oldest batch in the tail is to be removed.
    in_tail: bool,
}

fn due(
    conn: &Connection,
    view: &View,
    actor: Uuid,
    mut held: Kept,
    retained: Retained,
    most: usize,
) -> SqlResult<AllDue> {
    let mut all = AllDue::default();
    let mut statement = conn.prepare_cached(
        "SELECT line.rev, line.at, length(line.body) FROM finds JOIN line ON line.rev = finds.rev
         WHERE run = ?1 AND way = 2 AND finds.id = ?2 AND line.rev < ?3 ORDER BY finds.rev LIMIT ?4",
    )?;
    for Run { run, .. } in view.runs() {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut found = statement.query(params![run, actor, view.head(), most])?;
        while let Some(row) = found.next()? {
            let (rev, at, bytes) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if !retained.is_over(at, held) {
                return Ok(all);
            }
            all.run = Some(*run);
            all.batches.push(Due { rev, bytes });
            held.add(Kept { batches: -1, bytes: -bytes });
        }
        if all.run.is_some() {
            return Ok(all);
        }
    }
    let mut in_tail = view.parts().iter().flat_map(|part| part.by_id(Way::By, actor));
    if let Some(first) = in_tail.find(|find| find.rev < view.head()) {
        let at = "SELECT at FROM line WHERE rev = ?1";
        let at: i64 = conn.prepare_cached(at)?.query_row([first.rev], |row| row.get(0))?;
        all.in_tail = retained.is_over(at, held);
    }
    Ok(all)
}

/// What an actor's batches come to.
fn held(conn: &Connection, view: &View, actor: Uuid) -> SqlResult<Kept> {
    let mut held = Kept::default();
    let mut statement =
        conn.prepare_cached("SELECT batches, bytes FROM kept WHERE run = ?1 AND actor = ?2")?;
    for run in view.runs() {
        let kept = statement
            .query_row(params![run.run, actor], |row| Ok(Kept { batches: row.get(0)?, bytes: row.get(1)? }));
        held.add(kept.optional()?.unwrap_or_default());
    }
    let sizes = view.parts().iter().flat_map(|part| &part.sizes).filter(|size| size.actor == actor);
    sizes.for_each(|size| held.add(Kept { batches: 1, bytes: size.bytes }));
    Ok(held)
}

fn remove(conn: &Connection, run: i64, actor: Uuid, rev: i64) -> SqlResult<bool> {
    let found = conn
        .prepare_cached("DELETE FROM finds WHERE run = ?1 AND way = 2 AND id = ?2 AND rev = ?3")?
        .execute(params![run, actor, rev])?;
    Ok(found > 0 && conn.prepare_cached("DELETE FROM line WHERE rev = ?1")?.execute([rev])? > 0)
}

fn count(conn: &Connection, run: i64, actor: Uuid, batches: i64, bytes: i64) -> SqlResult<()> {
    conn.prepare_cached("UPDATE runs SET pruned = pruned + ?2 WHERE run = ?1")?.execute([run, batches])?;
    conn.prepare_cached(
        "UPDATE kept SET batches = batches - ?3, bytes = bytes - ?4 WHERE run = ?1 AND actor = ?2",
    )?
    .execute(params![run, actor, batches, bytes])?;
    conn.prepare_cached("DELETE FROM kept WHERE run = ?1 AND actor = ?2 AND batches = 0")?
        .execute(params![run, actor])?;
    Ok(())
}

/// Whether any batch in a range of revs may be part of a chain. Usually none is, and then there is nothing to forget.
fn has_turns(conn: &Connection, first: i64, last: i64) -> SqlResult<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM turns WHERE rev BETWEEN ?1 AND ?2)
             OR EXISTS (SELECT 1 FROM turns WHERE root BETWEEN ?1 AND ?2)",
    )?
    .query_row([first, last], |row| row.get(0))
}

/// Forgets the undos and redos of a chain of which no batch is held any more. They are its state until then.
fn forget_turns(conn: &Connection, rev: i64) -> SqlResult<()> {
    let root = conn
        .prepare_cached("SELECT root FROM turns WHERE rev = ?1")?
        .query_row([rev], |row| row.get::<_, i64>(0))
        .optional()?;
    // The last ones are most likely to be held.
    conn.prepare_cached(
        "DELETE FROM turns WHERE root = ?1 AND NOT EXISTS (SELECT 1 FROM line WHERE rev = ?1)
             AND NOT EXISTS (SELECT 1 FROM turns AS turn JOIN line ON line.rev = turn.rev WHERE turn.root = ?1
                             ORDER BY turn.rev DESC)",
    )?
    .execute([root.unwrap_or(rev)])?;
    Ok(())
}
