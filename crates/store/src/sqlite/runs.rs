//! The runs of finds: which there are, and their filters.

use super::filter::Filter;
use super::find::{Find, Way};
use rusqlite::{Connection, Result as SqlResult, params};
use std::sync::Arc;

/// A run of finds: those of a stretch of the line, in the order of their keys.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// Its number, by which its finds are stored together.
    pub(super) run: i64,
    /// The first rev of the stretch.
    pub(super) first: i64,
    /// The last one.
    pub(super) last: i64,
    /// Which batch ids and touched ids it may have.
    pub(super) filter: Arc<Filter>,
}

/// All runs, in the order of their stretches, which follow each other without a gap.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    /// Changes whenever the runs do.
    pub(super) epoch: i64,
    pub(super) all: Vec<Run>,
}

impl Runs {
    /// Reads what is not known yet.
    pub(super) fn load(conn: &Connection, epoch: i64, known: &Runs) -> SqlResult<Runs> {
        let mut statement = conn.prepare_cached("SELECT run, first, last FROM runs ORDER BY first")?;
        let mut filter = conn.prepare_cached("SELECT filter FROM runs WHERE run = ?1")?;
        let mut found = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = found.next()? {
            let (run, first, last) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let filter = match known.all.iter().find(|known| known.run == run) {
                Some(known) => Arc::clone(&known.filter),
                None => Arc::new(Filter::stored(filter.query_row([run], |row| row.get(0))?)),
            };
            all.push(Run { run, first, last, filter });
        }
        Ok(Runs { epoch, all })
    }
}

/// Writes one run. Its finds come in order, by any number of transactions. It means nothing until it is listed.
#[derive(Debug)]
pub(super) struct RunWriter {
    pub(super) run: i64,
    filter: Filter,
}

impl RunWriter {
    /// The writer of a run that will have at most about this many ids.
    pub(super) fn new(run: i64, ids: usize) -> RunWriter {
        RunWriter { run, filter: Filter::for_ids(ids) }
    }

    pub(super) fn put(&mut self, conn: &Connection, find: &Find) -> SqlResult<()> {
        let Find { way, id, rev, shows } = *find;
        if way != Way::By {
            self.filter.add(id);
        }
        conn.prepare_cached(
            "INSERT OR REPLACE INTO finds (run, way, id, rev, shows) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![self.run, way, id, rev, shows])?;
        Ok(())
    }

    /// Adds it to the list of runs.
    pub(super) fn list(&self, conn: &Connection, first: i64, last: i64, batches: i64) -> SqlResult<()> {
        conn.prepare_cached(
            "INSERT INTO runs (run, first, last, batches, pruned, filter) VALUES (?1, ?2, ?3, ?4, 0, ?5)",
        )?
        .execute(params![self.run, first, last, batches, self.filter.bytes()])?;
        Ok(())
    }
}
