//! Sweeps what is left of pruned batches: the ids they touched, their own ids, and the ids deleted for good that no
//! kept batch touches. All of it is indexed by id, and ids are scattered: row by row, each would put its own page
//! into the WAL. The tables are therefore read in the order of their keys, and all dead rows on a page are removed
//! at once.
//!
//! A pruned rev is never used again, so a row that is dead when it is examined may be removed at any later time,
//! even if others have written in between. Whatever they wrote has a later rev than the slice that was examined.

use rusqlite::{Connection, Result as SqlResult, Row, params};
use std::time::{Duration, Instant};

/// How many rows are examined at once.
const ROWS: usize = 1_024;

/// The most rows that one statement removes.
const AT_ONCE: usize = 64;

/// A swept table.
#[derive(Clone, Copy, Debug)]
struct Table {
    /// Selects its rows from a key on, and whether each is dead.
    look: &'static str,
    /// Removes rows between two keys, but none with a later rev than the last one examined.
    sweep: &'static str,
}

/// In this order, because the last table depends on the first.
const TABLES: [Table; 3] = [
    Table {
        look: "SELECT id, rev, NOT EXISTS (SELECT 1 FROM batches WHERE batches.rev = touches.rev)
               FROM touches WHERE (id, rev) > (?1, ?2) ORDER BY id, rev LIMIT ?3",
        sweep: "DELETE FROM touches WHERE (id, rev) >= (?1, ?2) AND (id, rev) <= (?3, ?4) AND rev <= ?5",
    },
    Table {
        look: "SELECT id, rev, NOT EXISTS (SELECT 1 FROM batches WHERE batches.rev = names.rev)
               FROM names WHERE (id, rev) > (?1, ?2) ORDER BY id, rev LIMIT ?3",
        sweep: "DELETE FROM names WHERE (id, rev) >= (?1, ?2) AND (id, rev) <= (?3, ?4) AND rev <= ?5",
    },
    // An id is forgotten when no kept batch touches it: neither the one that deleted it nor an earlier one, of any
    // user.
    Table {
        look: "SELECT id, rev, NOT EXISTS (
                   SELECT 1 FROM touches JOIN batches ON batches.rev = touches.rev WHERE touches.id = gone.id)
               FROM gone WHERE (id, rev) > (?1, ?2) ORDER BY id, rev LIMIT ?3",
        sweep: "DELETE FROM gone WHERE (id, rev) >= (?1, ?2) AND (id, rev) <= (?3, ?4) AND rev <= ?5",
    },
];

/// The progress of a sweep.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// The current table.
    table: usize,
    /// The last row of it that was examined.
    at: SweepKey,
}

/// The key of a row, in each of the tables.
#[derive(Clone, Debug, Default)]
struct SweepKey {
    id: Vec<u8>,
    rev: i64,
}

/// Examined rows of a table.
#[derive(Debug)]
pub(super) struct Slice {
    table: Table,
    head: i64,
    pub(super) looked_at: usize,
    /// The runs of adjacent dead rows: the first and the last of each.
    pub(super) dead: Vec<Run>,
}

#[derive(Debug)]
pub(super) struct Run {
    first: SweepKey,
    last: SweepKey,
    rows: usize,
}

impl Sweep {
    /// Examines the next rows; `None` when no table has any left.
    pub(super) fn slice(&mut self, conn: &Connection) -> SqlResult<Option<Slice>> {
        // Read before the rows: everything written from now on has a later rev.
        let head = conn
            .prepare_cached("SELECT coalesce(max(rev), 0) FROM batches")?
            .query_row([], |row| row.get(0))?;
        while let Some(table) = TABLES.get(self.table) {
            let mut slice = Slice { table: *table, head, looked_at: 0, dead: Vec::new() };
            let mut statement = conn.prepare_cached(table.look)?;
            let mut found = statement.query(params![self.at.id, self.at.rev, ROWS as i64])?;
            let mut goes_on = false;
            while let Some(row) = found.next()? {
                let (key, is_dead) = read(row)?;
                self.at = key.clone();
                slice.note(key, is_dead, goes_on);
                goes_on = is_dead;
            }
            if slice.looked_at > 0 {
                return Ok(Some(slice));
            }
            *self = Sweep { table: self.table + 1, at: SweepKey::default() };
        }
        Ok(None)
    }
}

fn read(row: &Row<'_>) -> SqlResult<(SweepKey, bool)> {
    Ok((SweepKey { id: row.get(0)?, rev: row.get(1)? }, row.get(2)?))
}

impl Slice {
    fn note(&mut self, key: SweepKey, is_dead: bool, goes_on: bool) {
        self.looked_at += 1;
        match self.dead.last_mut() {
            _ if !is_dead => {}
            Some(run) if goes_on && run.rows < AT_ONCE => {
                run.last = key;
                run.rows += 1;
            }
            _ => self.dead.push(Run { first: key.clone(), last: key, rows: 1 }),
        }
    }

    /// Removes dead rows, in order, as far as a short transaction allows, and at least one run; returns how many.
    pub(super) fn sweep(&self, conn: &Connection, dead: &[Run], hold: Duration) -> SqlResult<usize> {
        let started = Instant::now();
        let mut statement = conn.prepare_cached(self.table.sweep)?;
        let mut swept = 0;
        for run in dead {
            if swept > 0 && started.elapsed() >= hold {
                break;
            }
            let (first, last) = (&run.first, &run.last);
            statement.execute(params![first.id, first.rev, last.id, last.rev, self.head])?;
            swept += 1;
        }
        Ok(swept)
    }
}
