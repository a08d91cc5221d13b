//! Folding: what the tail of the line leads to is brought into the tables, many batches at once and in the order of
//! their keys. So a page is written once for many batches rather than once for each.
//!
//! A fold takes many transactions, so short that commits hardly wait. None of them shows by itself: an entity's row
//! is overruled by the tail, and a run of finds means nothing until it is listed. The last transaction lists the run
//! and moves the mark. A fold that ends early, for whatever reason, is begun anew, and so is one whose last
//! transactions a power cut took back: the line has it all.

use super::entities::{self, EntityRow, Left};
use super::find::{Find, Kept, Part, Size, put_turn};
use super::runs::RunWriter;
use super::tail::Known;
use super::view::View;
use super::{SqliteLog, still_open, unwritten};
use crate::StopSign;
use crate::codec::EntityKey;
use crate::error::LogError;
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Transaction, params};
use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A fold is due when the tail has this many batches. It bounds the memory of the tail, and how long a start takes
/// to read it.
pub(super) const BATCHES_MAX: i64 = 1 << 16;

/// A fold is due when the bodies of the tail have this many bytes. It folds about as many at once, and at least one
/// batch.
pub(super) const BYTES_MAX: i64 = 32 << 20;

/// How many times longer than that a tail may be before a commit folds it. The pruner is late then, or does not run.
const LATE: i64 = 4;

/// How long a fold may go on without a report before another may begin.
const LEASE_MS: i64 = 10_000;

/// How often it reports.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How many batches are read at once, in a transaction of their own.
const READ_AT_ONCE: i64 = 2_048;

/// How many finds of a run that means nothing are deleted at once.
const CLEANED_AT_ONCE: i64 = 64;

/// The durations of transactions and of the pauses between them, which leave the log to other writers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How long a transaction may take. It does at least one thing.
    pub(super) hold: Duration,
    /// The pause after it.
    pub(super) pause: Duration,
}

/// Whether the tail is so long that it is to be folded.
pub(super) fn is_due(tail: &Known) -> bool {
    is_longer(tail, 1)
}

/// Whether the tail is so long that a commit must fold it.
pub(super) fn is_late(tail: &Known) -> bool {
    is_longer(tail, LATE)
}

fn is_longer(tail: &Known, times: i64) -> bool {
    let bytes = || tail.parts.iter().fold(0_i64, |sum, part| sum.saturating_add(part.bytes));
    tail.head - tail.mark >= times * BATCHES_MAX || bytes() >= times * BYTES_MAX
}

/// Writes what is done in the background.
pub(super) struct Background<'a> {
    pub(super) log: &'a SqliteLog,
    pub(super) hold: Duration,
    pub(super) stop: &'a StopSign,
    /// Called between two transactions.
    pub(super) pause: &'a dyn Fn(),
}

/// The right to write one run. At most one is valid.
pub(super) struct Claim {
    /// Its number.
    pub(super) run: i64,
    reported: Cell<Instant>,
}

impl Background<'_> {
    /// Folds the tail up to where it is large enough, at least one batch. False when it did not come to its end:
    /// another is folding, or the stop sign was set.
    ///
    /// # Errors
    /// [`LogError::Refused`], and [`LogError::Corrupt`] if a batch of the tail cannot be read.
    pub(super) fn fold(&self, view: &View) -> Result<bool, LogError> {
        let mut bytes = 0;
        let before_full = |part: &&std::sync::Arc<Part>| {
            let more = bytes < BYTES_MAX;
            bytes += part.bytes;
            more
        };
        let parts: Vec<&Part> = view.parts().iter().take_while(before_full).map(|part| &**part).collect();
        let Some(to) = parts.last().map(|part| part.last) else { return Ok(true) };
        self.with_claim(|claim| {
            let mark = "SELECT mark FROM folded";
            let mark: i64 = self.log.conn.query_row(mark, [], |row| row.get(0)).map_err(unwritten)?;
            // Another was faster.
            if mark != view.mark() {
                return Ok(true);
            }
            Ok(self.fold_entities(claim, mark, to)? && self.fold_finds(claim, &parts, to)?)
        })
    }

    fn fold_entities(&self, claim: &Claim, mark: i64, to: i64) -> Result<bool, LogError> {
        let mut left = Left { entities: Default::default(), gone: Vec::new() };
        for from in (mark..to).step_by(READ_AT_ONCE as usize) {
            let read = entities::left(&self.log.conn, from, to.min(from + READ_AT_ONCE), EntityRow::of)?;
            left.entities.extend(read.entities);
            left.gone.extend(read.gone);
            if self.stop.is_set() {
                return Ok(false);
            }
        }
        let mut rows: Vec<(EntityKey, EntityRow)> = left.entities.into_iter().collect();
        rows.sort_unstable_by_key(|(key, row)| (key.table(), row.seq, *key));
        Ok(self.for_all(claim, rows.iter(), |conn, (key, row)| entities::put(conn, *key, row))?
            && self
                .for_all(claim, left.gone.iter(), |conn, (rev, id)| entities::put_gone(conn, *rev, *id))?)
    }

    fn fold_finds(&self, claim: &Claim, parts: &[&Part], to: i64) -> Result<bool, LogError> {
        let mut finds: Vec<Find> = parts.iter().flat_map(|part| part.finds.iter().copied()).collect();
        // Sorted runs, one after the other, are what this sort is fast for.
        finds.sort();
        let sizes = || parts.iter().flat_map(|part| &part.sizes);
        let mut kept: BTreeMap<Uuid, Kept> = BTreeMap::new();
        for Size { actor, bytes, .. } in sizes() {
            kept.entry(*actor).or_default().add(Kept { batches: 1, bytes: *bytes });
        }
        let mut writer = RunWriter::new(claim.run, finds.len());
        let turns = parts.iter().flat_map(|part| &part.turns);
        let is_written = self.for_all(claim, finds.iter(), |conn, find| writer.put(conn, find))?
            && self.for_all(claim, kept.iter(), |conn, (actor, kept)| {
                put_kept(conn, claim.run, *actor, *kept)
            })?
            && self.for_all(claim, turns, put_turn)?;
        let first = parts.first().map_or(to, |part| part.first);
        Ok(is_written
            && self.at_once(claim, |conn| {
                writer.list(conn, first, to, sizes().count() as i64)?;
                conn.execute("UPDATE folded SET mark = ?1, epoch = epoch + 1", [to]).map(drop)
            })?)
    }

    /// Does something for each of many, in as many transactions as it takes. False when it did not come to the end.
    pub(super) fn for_all<T>(
        &self,
        claim: &Claim,
        mut all: impl Iterator<Item = T>,
        mut each: impl FnMut(&Connection, T) -> SqlResult<()>,
    ) -> Result<bool, LogError> {
        self.in_slices(claim, |conn| match all.next() {
            Some(next) => each(conn, next).map(|()| true),
            None => Ok(false),
        })
    }

    /// Takes steps in short transactions until there are no more. False when it did not come to the end.
    pub(super) fn in_slices(
        &self,
        claim: &Claim,
        mut step: impl FnMut(&Connection) -> SqlResult<bool>,
    ) -> Result<bool, LogError> {
        loop {
            let Some(writing) = self.begin(claim)? else { return Ok(false) };
            let started = Instant::now();
            let mut more = step(&writing).map_err(unwritten)?;
            while more && started.elapsed() < self.hold {
                more = step(&writing).map_err(unwritten)?;
            }
            commit(writing)?;
            if !more {
                return Ok(true);
            }
            (self.pause)();
        }
    }

    /// Does something in one transaction.
    pub(super) fn at_once(
        &self,
        claim: &Claim,
        act: impl FnOnce(&Connection) -> SqlResult<()>,
    ) -> Result<bool, LogError> {
        let Some(writing) = self.begin(claim)? else { return Ok(false) };
        act(&writing).map_err(unwritten)?;
        commit(writing)?;
        (self.pause)();
        Ok(true)
    }

    /// Opens a transaction, which need not wait for the disk when it commits. `None` when the work is to end: the
    /// stop sign was set, or another has taken the claim.
    fn begin(&self, claim: &Claim) -> Result<Option<Transaction<'_>>, LogError> {
        if self.stop.is_set() {
            return Ok(None);
        }
        let writing = self.log.begin_writing("PRAGMA synchronous=NORMAL")?;
        if read_claim(&writing).map_err(unwritten)?.run != claim.run {
            return Ok(None);
        }
        if claim.reported.get().elapsed() > REPORT_EVERY {
            writing.execute_batch(REPORT).map_err(unwritten)?;
            claim.reported.set(Instant::now());
        }
        Ok(Some(writing))
    }

    /// Does work that needs the claim, unless another has it, and begins it by removing what others left unfinished.
    pub(super) fn with_claim(
        &self,
        work: impl FnOnce(&Claim) -> Result<bool, LogError>,
    ) -> Result<bool, LogError> {
        let writing = self.log.begin_writing("PRAGMA synchronous=NORMAL")?;
        let last = read_claim(&writing).map_err(unwritten)?;
        if last.is_live {
            return Ok(false);
        }
        writing.execute_batch("UPDATE folded SET run = run + 1").map_err(unwritten)?;
        writing.execute_batch(REPORT).map_err(unwritten)?;
        commit(writing)?;
        let claim = Claim { run: last.run + 1, reported: Cell::new(Instant::now()) };
        let done = self.clean(&claim).and_then(|clean| Ok(clean && work(&claim)?));
        // If this fails, the claim ends by itself.
        let _ = self.log.begin_writing("PRAGMA synchronous=NORMAL").and_then(|writing| {
            let sql = "UPDATE folded SET since = 0 WHERE run = ?1";
            writing.execute(sql, [claim.run]).map_err(unwritten)?;
            commit(writing)
        });
        done
    }

    /// Removes the runs that are not listed, except the one being written.
    pub(super) fn clean(&self, claim: &Claim) -> Result<bool, LogError> {
        let listed: HashSet<i64> = self
            .log
            .conn
            .prepare_cached("SELECT run FROM runs")
            .and_then(|mut runs| runs.query_map([], |row| row.get(0))?.collect())
            .map_err(unwritten)?;
        let mut at = 0;
        loop {
            let next: Option<i64> = self
                .log
                .conn
                .prepare_cached("SELECT run FROM finds WHERE run > ?1 ORDER BY run LIMIT 1")
                .and_then(|mut next| next.query_row([at], |row| row.get(0)).optional())
                .map_err(unwritten)?;
            let Some(run) = next else { break };
            let is_dead = !listed.contains(&run) && run != claim.run;
            if is_dead && !self.in_slices(claim, |conn| clean_some(conn, run))? {
                return Ok(false);
            }
            at = run;
        }
        let sql = "DELETE FROM kept WHERE run NOT IN (SELECT run FROM runs) AND run <> ?1";
        self.at_once(claim, |conn| conn.prepare_cached(sql)?.execute([claim.run]).map(drop))
    }
}

/// Deletes some finds of a run. False when it has no more.
fn clean_some(conn: &Connection, run: i64) -> SqlResult<bool> {
    type Key = (i64, Uuid, i64);
    let last: Option<Key> = conn
        .prepare_cached(
            "SELECT way, id, rev FROM finds WHERE run = ?1 ORDER BY way, id, rev LIMIT 1 OFFSET ?2",
        )?
        .query_row([run, CLEANED_AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match last {
        Some((way, id, rev)) => conn
            .prepare_cached("DELETE FROM finds WHERE run = ?1 AND (way, id, rev) <= (?2, ?3, ?4)")?
            .execute(params![run, way, id, rev])?,
        None => conn.prepare_cached("DELETE FROM finds WHERE run = ?1")?.execute([run])?,
    };
    Ok(last.is_some())
}

fn put_kept(conn: &Connection, run: i64, actor: Uuid, kept: Kept) -> SqlResult<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO kept (run, actor, batches, bytes) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![run, actor, kept.batches, kept.bytes])?;
    Ok(())
}

/// The claim as it is stored.
pub(super) struct StoredClaim {
    /// The last run that was claimed.
    run: i64,
    /// Whether the claim may still be in use: it has not ended, and was reported not long ago. The clock is the one
    /// that every process of the machine has.
    pub(super) is_live: bool,
}

pub(super) fn read_claim(conn: &Connection) -> SqlResult<StoredClaim> {
    conn.prepare_cached(
        "SELECT run, since <> 0 AND abs(unixepoch('subsec') * 1000 - since) < ?1 FROM folded",
    )?
    .query_row([LEASE_MS], |row| Ok(StoredClaim { run: row.get(0)?, is_live: row.get(1)? }))
}

/// Reports that the claim is in use.
const REPORT: &str = "UPDATE folded SET since = CAST(unixepoch('subsec') * 1000 AS INTEGER)";

fn commit(writing: Transaction<'_>) -> Result<(), LogError> {
    still_open(&writing)?;
    // Even an unknown outcome is harmless: the line has it all.
    writing.commit().map_err(unwritten)
}
