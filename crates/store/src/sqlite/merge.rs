//! Merging runs: a search asks each run, so there should be few; and finds of pruned batches should not stay for
//! ever. Of runs of about the same size, many neighbours become one, so each find is written again only a few times.

use super::find::{Find, Way};
use super::fold::{Background, Claim};
use super::runs::RunWriter;
use super::unwritten;
use crate::error::LogError;
use rusqlite::{Connection, Result as SqlResult, params};
use std::collections::VecDeque;

/// How many neighbours of about the same size become one, and how much larger the next size is.
const MERGED_AT_ONCE: usize = 16;

/// A run is rewritten when this share of its batches has been pruned: an eighth.
const PRUNED_SHARE: i64 = 8;

/// How many finds of a run are read at once.
const READ_AT_ONCE: usize = 512;

/// A run that may be merged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mergeable {
    run: i64,
    first: i64,
    last: i64,
    batches: i64,
    pruned: i64,
}

impl Mergeable {
    pub(super) fn all(conn: &Connection) -> SqlResult<Vec<Mergeable>> {
        conn.prepare_cached("SELECT run, first, last, batches, pruned FROM runs ORDER BY first")?
            .query_map([], |row| {
                let (run, first, last) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(Mergeable { run, first, last, batches: row.get(3)?, pruned: row.get(4)? })
            })?
            .collect()
    }

    /// Its size, as a power.
    fn tier(&self) -> u32 {
        let held = self.batches.saturating_sub(self.pruned).max(1).unsigned_abs();
        held.ilog(MERGED_AT_ONCE as u64)
    }

    /// Whether so much of it was pruned that it is to be rewritten.
    fn is_stale(&self) -> bool {
        self.pruned > 0 && self.pruned.saturating_mul(PRUNED_SHARE) >= self.batches
    }
}

/// The last runs, from those on that are to become one; `None` if nothing is to be done.
pub(super) fn due(runs: &[Mergeable]) -> Option<&[Mergeable]> {
    let tiers = 0..=runs.iter().map(Mergeable::tier).max()?;
    tiers.into_iter().find_map(|tier| {
        let count = runs.iter().rev().take_while(|run| run.tier() <= tier).count();
        runs.get(runs.len() - count..).filter(|_| count >= MERGED_AT_ONCE)
    })
}

/// A run of which much was pruned.
pub(super) fn stale(runs: &[Mergeable]) -> Option<&Mergeable> {
    runs.iter().find(|run| run.is_stale())
}

impl Background<'_> {
    /// Makes neighbouring runs one, without what was pruned. False when it did not come to its end.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`].
    pub(super) fn merge(&self, sources: &[Mergeable]) -> Result<bool, LogError> {
        let (Some(first), Some(last)) = (sources.first(), sources.last()) else { return Ok(true) };
        self.with_claim(|claim| {
            // Another process may have been faster.
            let now = Mergeable::all(&self.log.conn).map_err(unwritten)?;
            if !sources.iter().all(|source| now.iter().any(|run| run.run == source.run)) {
                return Ok(true);
            }
            let live = self.live(sources, first.first, last.last)?;
            let Some(writer) = self.write_merged(claim, sources, &live)? else { return Ok(false) };
            let is_listed = self.at_once(claim, |conn| {
                if live.count > 0 {
                    writer.list(conn, first.first, last.last, 0)?;
                }
                sources.iter().try_for_each(|source| replace(conn, source.run, writer.run))?;
                conn.execute("UPDATE folded SET epoch = epoch + 1", []).map(drop)
            })?;
            Ok(is_listed && self.clean(claim)?)
        })
    }

    /// Which batches the runs still hold.
    fn live(&self, sources: &[Mergeable], first: i64, last: i64) -> Result<Live, LogError> {
        let mut live = Live::new(first, last);
        for source in sources {
            let mut cursor = Cursor::new(source.run, Way::By);
            while let Some(find) = cursor.next(&self.log.conn).map_err(unwritten)? {
                live.add(find.rev);
            }
        }
        Ok(live)
    }

    /// Writes the finds of live batches; `None` when it did not come to its end.
    fn write_merged(
        &self,
        claim: &Claim,
        sources: &[Mergeable],
        live: &Live,
    ) -> Result<Option<RunWriter>, LogError> {
        let mut ids = 0;
        for source in sources {
            let bytes = "SELECT length(filter) FROM runs WHERE run = ?1";
            let bytes: i64 =
                self.log.conn.query_row(bytes, [source.run], |row| row.get(0)).map_err(unwritten)?;
            ids += super::filter::ids_in(bytes.unsigned_abs() as usize);
        }
        let mut writer = RunWriter::new(claim.run, ids);
        let mut cursors: Vec<Cursor> =
            sources.iter().map(|source| Cursor::new(source.run, Way::Name)).collect();
        let written = self.in_slices(claim, |conn| {
            let mut least: Option<(usize, Find)> = None;
            for (nth, cursor) in cursors.iter_mut().enumerate() {
                let next = cursor.peek(conn)?;
                least = next.map(|find| (nth, find)).into_iter().chain(least).min_by_key(|(_, find)| *find);
            }
            let Some((nth, find)) = least else { return Ok(false) };
            if let Some(cursor) = cursors.get_mut(nth) {
                cursor.buffer.pop_front();
            }
            if live.has(find.rev) {
                writer.put(conn, &find)?;
            }
            Ok(true)
        })?;
        Ok(written.then_some(writer))
    }
}

/// Puts a merged run in the place of one that it was made of.
fn replace(conn: &Connection, source: i64, merged: i64) -> SqlResult<()> {
    conn.prepare_cached(
        "UPDATE runs SET batches = batches + (SELECT batches - pruned FROM runs WHERE run = ?1) WHERE run = ?2",
    )?
    .execute([source, merged])?;
    conn.prepare_cached("DELETE FROM runs WHERE run = ?1")?.execute([source])?;
    // Counts are brought over last: another process may have pruned meanwhile.
    conn.prepare_cached(
        "INSERT INTO kept (run, actor, batches, bytes)
         SELECT ?2, actor, batches, bytes FROM kept WHERE run = ?1
         ON CONFLICT DO UPDATE SET batches = batches + excluded.batches, bytes = bytes + excluded.bytes",
    )?
    .execute([source, merged])?;
    conn.prepare_cached("DELETE FROM kept WHERE run = ?1")?.execute([source])?;
    Ok(())
}

/// Which batches of a stretch of the line are held: a bit for each.
struct Live {
    first: i64,
    bits: Vec<u64>,
    count: usize,
}

impl Live {
    fn new(first: i64, last: i64) -> Live {
        let revs = usize::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(0);
        Live { first, bits: vec![0; revs.div_ceil(64)], count: 0 }
    }

    fn place(&self, rev: i64) -> Option<(usize, u64)> {
        let nth = usize::try_from(rev.checked_sub(self.first)?).ok()?;
        Some((nth / 64, 1 << (nth % 64)))
    }

    fn add(&mut self, rev: i64) {
        if let Some((nth, bit)) = self.place(rev)
            && let Some(bits) = self.bits.get_mut(nth)
        {
            *bits |= bit;
            self.count += 1;
        }
    }

    fn has(&self, rev: i64) -> bool {
        self.place(rev).is_some_and(|(nth, bit)| self.bits.get(nth).is_some_and(|bits| bits & bit != 0))
    }
}

/// Reads a run's finds in their order, a few at a time.
struct Cursor {
    run: i64,
    buffer: VecDeque<Find>,
    /// The last one that was read, or one before the first to read.
    at: Find,
    is_at_end: bool,
}

impl Cursor {
    fn new(run: i64, from: Way) -> Cursor {
        let at = Find { way: from, id: uuid::Uuid::nil(), rev: -1, shows: 0 };
        Cursor { run, buffer: VecDeque::new(), at, is_at_end: false }
    }

    fn peek(&mut self, conn: &Connection) -> SqlResult<Option<Find>> {
        if self.buffer.is_empty() && !self.is_at_end {
            let mut statement = conn.prepare_cached(
                "SELECT way, id, rev, shows FROM finds WHERE run = ?1 AND (way, id, rev) > (?2, ?3, ?4)
                 ORDER BY way, id, rev LIMIT ?5",
            )?;
            let Find { way, id, rev, .. } = self.at;
            let found = statement.query_map(params![self.run, way, id, rev, READ_AT_ONCE as i64], |row| {
                Ok(Find { way: row.get(0)?, id: row.get(1)?, rev: row.get(2)?, shows: row.get(3)? })
            })?;
            self.buffer = found.collect::<SqlResult<_>>()?;
            self.is_at_end = self.buffer.len() < READ_AT_ONCE;
            self.at = self.buffer.back().copied().unwrap_or(self.at);
        }
        Ok(self.buffer.front().copied())
    }

    fn next(&mut self, conn: &Connection) -> SqlResult<Option<Find>> {
        let next = self.peek(conn)?;
        self.buffer.pop_front();
        Ok(next)
    }
}
