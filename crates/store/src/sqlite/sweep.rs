//! Sweeping what is left of batches that were taken away: what they touched, their names, and the ids deleted for good that
//! no batch remembers any more. All of that is found by id, and ids lie anywhere: row by row, each would be a page of its
//! own in the WAL. So it is gone through in the order of its keys, with all that is dead on a page going at once.
//!
//! A rev that is not held is never held again, so what is dead when it is looked at may go at any time after, also if
//! others have written in between; whatever they wrote bears a later rev than the slice that was looked at.

use rusqlite::{Connection, Result as SqlResult, Row, params};
use std::time::{Duration, Instant};

/// Rows looked at together.
const ROWS: usize = 1_024;

/// Rows that one statement takes away at most.
const AT_ONCE: usize = 64;

/// A table that is swept.
#[derive(Clone, Copy, Debug)]
struct Table {
    /// Its rows from a key on, and whether each is dead.
    look: &'static str,
    /// Takes rows away from a key to a key, but none of a later rev than the last that was looked at.
    sweep: &'static str,
}

/// In this order: which ids are remembered is read from what is touched.
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
    // An id is forgotten when no batch that is held touches it, be it the one that deleted it or one before, by whomever.
    Table {
        look: "SELECT id, rev, NOT EXISTS (
                   SELECT 1 FROM touches JOIN batches ON batches.rev = touches.rev WHERE touches.id = gone.id)
               FROM gone WHERE (id, rev) > (?1, ?2) ORDER BY id, rev LIMIT ?3",
        sweep: "DELETE FROM gone WHERE (id, rev) >= (?1, ?2) AND (id, rev) <= (?3, ?4) AND rev <= ?5",
    },
];

/// How far a sweep has come.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// The table that it is at.
    table: usize,
    /// The last row of it that was looked at.
    at: SweepKey,
}

/// What a row is found by, in each of the tables.
#[derive(Clone, Debug, Default)]
struct SweepKey {
    id: Vec<u8>,
    rev: i64,
}

/// Rows of a table that were looked at.
#[derive(Debug)]
pub(super) struct Slice {
    table: Table,
    head: i64,
    pub(super) looked_at: usize,
    /// Where rows next to each other are dead: from which on and up to which.
    pub(super) dead: Vec<Run>,
}

#[derive(Debug)]
pub(super) struct Run {
    first: SweepKey,
    last: SweepKey,
    rows: usize,
}

impl Sweep {
    /// Looks at the next rows; `None` when there are none left in any table.
    pub(super) fn slice(&mut self, conn: &Connection) -> SqlResult<Option<Slice>> {
        // Asked before the rows are: all that is written from here on bears a later rev.
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

    /// Takes away of the dead, in order, what a short transaction can, and one run of them in any case; says how many.
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
