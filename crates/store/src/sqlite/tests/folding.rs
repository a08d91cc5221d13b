//! Folding harms nothing, whenever it happens and however far it comes: the suite over a log that folds at every
//! turn, and faults in the midst of a fold.

use super::{File, fold};
use crate::contract::pasts::{Dice, Naive, SMALL};
use crate::contract::story::{add_node, nothing, picture, story};
use crate::contract::{Storage, append};
use crate::retention::DAY_MS;
use crate::sqlite::fold::{BATCHES_MAX, Background, is_due};
use crate::sqlite::merge::{self, Mergeable};
use crate::sqlite::{SqliteLog, line};
use crate::{Decide, HistoryReader, LoadScope, Log, LogError, Past, Pruner, Retention, StopSign};
use graph::model::Rev;
use graph::world::Due;
use graph::{Batch, Committed, Timestamp, TokenId, World};
use rusqlite::Connection;
use std::cell::Cell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A log that folds some of the time before it commits, and often leaves the fold unfinished.
struct Folding {
    log: SqliteLog,
    dice: Dice,
}

/// A file whose logs do so.
struct FoldingFile(File);

impl Storage for FoldingFile {
    fn fresh() -> Self {
        FoldingFile(File::fresh())
    }

    fn address(&self) -> String {
        self.0.address()
    }

    fn open_at(address: &str) -> Box<dyn Log> {
        Box::new(Folding { log: SqliteLog::open(address).unwrap(), dice: Dice::thrown() })
    }
}

crate::contract_suite!(FoldingFile);

/// Folds in the smallest steps, at most this many. As after a kill, nothing is tidied up, and another may begin at
/// once.
fn fold_some(log: &SqliteLog, steps: u64) {
    let (taken, stop) = (Cell::new(0), StopSign::default());
    let pause = || {
        taken.set(taken.get() + 1);
        if taken.get() >= steps {
            stop.set();
        }
    };
    let background = Background { log, hold: Duration::ZERO, stop: &stop, pause: &pause };
    let view = log.read().unwrap().1;
    let _ = background.fold(&view);
}

impl Folding {
    fn turn(&mut self) {
        match self.dice.of(0..8) {
            0 => fold_some(&self.log, u64::MAX),
            1 | 2 => {
                let steps = self.dice.of(0..60);
                fold_some(&self.log, steps);
            }
            3 => merge_all(&self.log),
            _ => {}
        }
    }
}

/// Makes all runs one, as would be done if there were many.
fn merge_all(log: &SqliteLog) {
    let stop = StopSign::default();
    let background = Background { log, hold: Duration::ZERO, stop: &stop, pause: &|| () };
    let runs = Mergeable::all(&log.conn).unwrap();
    let _ = background.merge(&runs);
}

impl Log for Folding {
    fn load(&mut self, scope: LoadScope) -> Result<World, LogError> {
        self.log.load(scope)
    }

    fn changed(&mut self) -> Result<bool, LogError> {
        self.log.changed()
    }

    fn transact(&mut self, head: Rev, decide: &mut Decide<'_>) -> Result<Rev, LogError> {
        let done = self.log.transact(head, decide);
        if matches!(done, Ok(rev) if rev > head) {
            self.turn();
        }
        done
    }

    fn since(&mut self, head: Rev) -> Result<Vec<Committed>, LogError> {
        self.log.since(head)
    }

    fn past(&self) -> &dyn Past {
        self.log.past()
    }

    fn open_past(&self) -> Result<Box<dyn Past + Send>, LogError> {
        self.log.open_past()
    }

    fn history(&self) -> Result<Box<dyn HistoryReader>, LogError> {
        self.log.history()
    }

    fn pruner(&self, retention: Retention) -> Result<Box<dyn Pruner>, LogError> {
        self.log.pruner(retention)
    }

    fn checkpoint(&mut self) -> Result<(), LogError> {
        self.log.checkpoint()
    }

    fn note_expired(&mut self, expired: &[(Due, Timestamp)]) -> Result<(), LogError> {
        self.log.note_expired(expired)
    }

    fn touch_tokens(&mut self, used: &[(TokenId, Timestamp)]) -> Result<(), LogError> {
        self.log.touch_tokens(used)
    }

    fn tokens_last_used(&mut self) -> Result<HashMap<TokenId, Timestamp>, LogError> {
        self.log.tokens_last_used()
    }
}

fn no_problems(file: &File) {
    assert_eq!(file.log().check().unwrap(), Vec::<String>::new());
}

/// A fold that ends after any number of its transactions leaves a file in which all is as it was.
#[test]
fn d13_a_fold_may_end_anywhere() {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    let file = File::fresh();
    let mut log = file.log();
    let mut folds = 0;
    for _ in 0..25 {
        let batches = dice.of(1..8);
        naive.go_on(&mut dice, batches);
        naive.write(&mut log, &mut dice);
        let before = picture(&log.load(LoadScope::Everything).unwrap());
        let mark = log.read().unwrap().1.mark();
        let steps = if dice.one_in(3) { u64::MAX } else { dice.of(0..80) };
        fold_some(&log, steps);
        folds += u64::from(log.read().unwrap().1.mark() > mark);
        assert_eq!(picture(&file.log().load(LoadScope::Everything).unwrap()), before, "after {steps} steps");
        assert_eq!(picture(&log.load(LoadScope::Everything).unwrap()), before);
        no_problems(&file);
    }
    naive.compare(&mut file.log(), &mut dice);
    naive.compare(&mut log, &mut dice);
    assert!((1..25).contains(&folds), "some came to their end, and some did not: {folds}");
}

/// Whoever has the file open sees folds by others.
#[test]
fn d14_one_folds_while_another_commits() {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    let file = File::fresh();
    let (mut committing, folding, mut reading) = (file.log(), file.log(), file.log());
    for _ in 0..12 {
        let batches = dice.of(1..12);
        naive.go_on(&mut dice, batches);
        naive.write(&mut committing, &mut dice);
        let steps = if dice.one_in(2) { u64::MAX } else { dice.of(0..60) };
        fold_some(&folding, steps);
        if dice.one_in(3) {
            merge_all(&folding);
        }
        naive.compare_past(&reading, &mut dice);
        naive.compare_past(&committing, &mut dice);
        reading.since(0).unwrap();
    }
    naive.compare(&mut committing, &mut dice);
    assert!(folding.read().unwrap().1.mark() > 0);
}

/// Of two that fold at once, one waits for the other, unless that has not been heard of for long.
#[test]
fn d14_only_one_folds() {
    let file = File::fresh();
    let mut log = file.log();
    append(&mut log, 0, &story()).unwrap();
    let other = file.log();
    let stop = StopSign::default();
    let taken = Cell::new(0);
    let pause = || {
        if taken.replace(taken.get() + 1) == 5 {
            fold_some(&other, u64::MAX);
            assert_eq!(other.read().unwrap().1.mark(), 0, "it did nothing");
            // Now the first is taken for dead.
            other.conn.execute_batch("UPDATE folded SET since = since - 60000").unwrap();
            fold_some(&other, u64::MAX);
            assert_eq!(other.read().unwrap().1.mark(), 10);
        }
    };
    let background = Background { log: &log, hold: Duration::ZERO, stop: &stop, pause: &pause };
    assert!(!background.fold(&log.read().unwrap().1).unwrap(), "it has lost its claim");
    assert_eq!(log.load(LoadScope::Everything).unwrap().rev(), 10);
    let runs: i64 = other.conn.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).unwrap();
    assert_eq!(runs, 1);
    no_problems(&file);
}

/// What a process that was killed left of a fold is removed by the next.
#[test]
fn d13_what_a_fold_left_unfinished_is_removed() {
    let file = File::fresh();
    let mut log = file.log();
    append(&mut log, 0, &story()).unwrap();
    log.conn
        .execute_batch(
            "UPDATE folded SET run = 3;
         INSERT INTO finds VALUES (2, 0, x'51570000000040008000000000000063', 1, 0), (3, 1, zeroblob(16), 2, 0);
         INSERT INTO kept VALUES (2, zeroblob(16), 5, 5)",
        )
        .unwrap();
    no_problems(&file);
    fold(&log);
    let left =
        "SELECT (SELECT count(*) FROM finds WHERE run <> 4) + (SELECT count(*) FROM kept WHERE run <> 4)";
    assert_eq!(log.conn.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    no_problems(&file);
}

/// A fold that fails, as on a full disk, harms no commit, and goes through when there is room.
#[test]
fn d5_a_fold_that_fails_harms_no_commit() {
    let file = File::fresh();
    let mut log = file.log();
    let mut large = nothing(1);
    large.entries = (0..3_000).flat_map(|n| add_node(n).entries).collect();
    append(&mut log, 0, &[large]).unwrap();
    let folding = file.log();
    folding.conn.execute_batch("PRAGMA max_page_count = 1").unwrap(); // which is to say: as many as there are
    let (hold, stop) = (Duration::from_millis(1), StopSign::default());
    let background = Background { log: &folding, hold, stop: &stop, pause: &|| () };
    for n in 1..4 {
        let refused = background.fold(&log.read().unwrap().1);
        assert!(matches!(&refused, Err(LogError::Refused(source)) if source.to_string().contains("full")));
        assert_eq!(append(&mut log, n, &[add_node(10_000 + n)]).unwrap(), n + 1);
        assert_eq!(file.log().load(LoadScope::Everything).unwrap().nodes().count(), 3_000 + n as usize);
    }
    folding.conn.execute_batch("PRAGMA max_page_count = 1000000").unwrap();
    fold(&folding);
    assert_eq!(log.read().unwrap().1.mark(), 4);
    no_problems(&file);
}

/// What was not folded is pruned as soon as what was, and the counts stay right.
#[test]
fn h2_what_was_not_folded_is_pruned_too() {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    let file = File::fresh();
    let mut log = file.log();
    for _ in 0..8 {
        naive.go_on(&mut dice, 40);
        naive.write(&mut log, &mut dice);
        fold_some(&log, 100);
        naive.now += DAY_MS / 2;
        let mut pruner = log.pruner(SMALL).unwrap();
        while pruner.prune_some(Timestamp::from_ms(naive.now), 7).unwrap().more {}
        naive.prune(&SMALL);
        naive.compare(&mut file.log(), &mut dice);
        // In these histories nodes come back after they were deleted, which check takes for a fault once a batch that
        // brought one back was pruned.
        let mut problems = file.log().check().unwrap();
        problems.retain(|problem| !problem.contains("is there, which batch"));
        assert_eq!(problems, Vec::<String>::new());
    }
}

/// Many small runs become few, and what was pruned leaves them.
#[test]
fn h2_runs_stay_few() {
    let file = File::fresh();
    let mut log = file.log();
    let mut pruner = log.pruner(Retention::default()).unwrap();
    let mut head = 0;
    for n in 0..300 {
        head = append(&mut log, head, &[add_node(n)]).unwrap();
        fold(&log);
        pruner.keep_up().unwrap();
    }
    let runs = Mergeable::all(&log.conn).unwrap();
    assert!(runs.len() < 2 * 16, "{}", runs.len());
    assert!(merge::due(&runs).is_none());
    assert!((0..300).all(|n| log.past().batch(add_node(n).id).unwrap().is_some()));
    no_problems(&file);
}

/// The pruner folds when the tail is long, and commits do so if it does not.
#[test]
fn d13_the_tail_stays_short() {
    let file = File::fresh();
    let mut log = file.log();
    let mut head = append(&mut log, 0, &story()).unwrap();
    let mut pruner = log.pruner(Retention::default()).unwrap();
    let large = |n: u64| super::heavy(n, 40, 100_000);
    // One large batch is four megabytes; a fold is due at 32.
    let mut n = 0;
    while !is_due(log.read().unwrap().1.tail()) {
        pruner.keep_up().unwrap();
        assert_eq!(log.read().unwrap().1.mark(), 0);
        head = append(&mut log, head, &[large(n)]).unwrap();
        n += 1;
    }
    pruner.keep_up().unwrap();
    assert_eq!(log.read().unwrap().1.mark(), head as i64);
    let longest = (0..n * 5).map(|more| {
        head = append(&mut log, head, &[large(n + more)]).unwrap();
        let view = log.read().unwrap().1;
        view.parts().iter().map(|part| part.bytes).sum::<i64>()
    });
    let longest = longest.max().unwrap();
    assert!((4 * (32 << 20)..5 * (32 << 20)).contains(&longest), "{longest}");
    no_problems(&file);
}

/// A start reads the tail, as long as it may get, in a moment. (In a debug build it takes some ten times as long.)
#[test]
fn d13_a_long_tail_is_read_quickly() {
    let file = File::fresh();
    let mut log = file.log();
    let batches: Vec<Batch> = (0..BATCHES_MAX as u64 - 1).map(add_node).collect();
    append(&mut log, 0, &batches).unwrap();
    let begun = Instant::now();
    let parts = line::parts(&log.conn, 0, i64::MAX, 4_096).unwrap();
    assert_eq!(parts.iter().map(|part| part.sizes.len()).sum::<usize>(), batches.len());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let conn = Connection::open(file.path()).unwrap();
    let mark: i64 = conn.query_row("SELECT mark FROM folded", [], |row| row.get(0)).unwrap();
    assert_eq!(mark, 0);
}

/// All pages that are written because of many small batches: into the WAL by commits and folds, and by the checkpoint.
#[test]
fn d20_small_batches_write_little() {
    const GROUPS: u64 = 100;
    let file = File::fresh();
    let mut log = file.log();
    // In a file that has as much already, so that pages are rewritten rather than filled for the first time.
    let mut head = 0;
    for round in 0..2 {
        log.checkpoint().unwrap();
        log.conn.execute_batch("PRAGMA wal_autocheckpoint=0").unwrap();
        let before = std::fs::metadata(file.path()).unwrap().len();
        for n in 0..GROUPS {
            let nth = (round * GROUPS + n) * 50;
            // Ids as they are given: without any order.
            let scattered = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24;
            let group: Vec<Batch> = (nth..nth + 50).map(|n| add_node(scattered(n))).collect();
            head = append(&mut log, head, &group).unwrap();
        }
        fold(&log);
        let wal = std::fs::metadata(file.path().with_extension("db-wal")).unwrap().len();
        log.checkpoint().unwrap();
        let all = std::fs::metadata(file.path()).unwrap().len();
        // A checkpoint writes no page twice.
        let written = (wal + all) / (GROUPS * 50);
        assert!(written < 3_000, "round {round}: {written} bytes a batch");
        assert!((all - before) / (GROUPS * 50) < 1_200, "round {round}: {} bytes on disk", all - before);
    }
    no_problems(&file);
}
