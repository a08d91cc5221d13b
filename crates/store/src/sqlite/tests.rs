mod folding;
mod measured;
mod migration;
mod pasts;

use super::fold::Background;
use super::{SqliteLog, schema};
use crate::contract::story::{add_node, nothing, story};
use crate::contract::{Storage, append};
use crate::{LoadScope, Log, LogError, StopSign};
use graph::Batch;
use rusqlite::Connection;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

struct File {
    directory: TempDir,
}

impl Storage for File {
    fn fresh() -> Self {
        File { directory: tempfile::tempdir().unwrap() }
    }

    fn address(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    fn open_at(address: &str) -> Box<dyn Log> {
        Box::new(SqliteLog::open(address).unwrap())
    }
}

impl File {
    fn path(&self) -> PathBuf {
        self.directory.path().join("synaptask.db")
    }

    fn log(&self) -> SqliteLog {
        SqliteLog::open(self.path()).unwrap()
    }

    /// The file with the story in it, folded, after other programs have changed it.
    fn tampered(sql: &str) -> Self {
        let file = File::fresh();
        append(&mut file.log(), 0, &story()).unwrap();
        fold(&file.log());
        Connection::open(file.path()).unwrap().execute_batch(sql).unwrap();
        file
    }
}

crate::contract_suite!(File);

/// A batch that adds nodes with long descriptions.
fn heavy(n: u64, nodes: u64, bytes_each: usize) -> Batch {
    let mut batch = add_node(1_000 * n);
    batch.entries.extend((1..nodes).flat_map(|i| add_node(1_000 * n + i).entries));
    for entry in &mut batch.entries {
        let graph::Subject::Node(change) = &mut entry.subject else { unreachable!() };
        let mut node = graph::model::Node::clone(change.after.as_ref().unwrap());
        node.description = "x".repeat(bytes_each);
        change.after = Some(node.into());
    }
    batch
}

/// Folds the whole tail.
fn fold(log: &SqliteLog) {
    let (hold, stop) = (Duration::MAX, StopSign::default());
    let background = Background { log, hold, stop: &stop, pause: &|| () };
    loop {
        let view = log.read().unwrap().1;
        if view.mark() == view.head() {
            return;
        }
        assert!(background.fold(&view).unwrap());
    }
}

#[test]
fn d5_a_full_disk_refuses_and_reads_go_on() {
    let file = File::fresh();
    let mut log = file.log();
    let head = append(&mut log, 0, &story()).unwrap();
    log.conn.execute_batch("PRAGMA max_page_count = 1").unwrap(); // which is to say: as many as there are
    let mut large = nothing(1);
    large.entries = (0..1_000).flat_map(|n| add_node(n).entries).collect();
    for _ in 0..2 {
        let refused = append(&mut log, head, std::slice::from_ref(&large));
        assert!(matches!(&refused, Err(LogError::Refused(source)) if source.to_string().contains("full")));
        assert_eq!(log.since(0).unwrap().len(), story().len());
        assert!(log.past().batch(large.id).unwrap().is_none());
    }
    log.conn.execute_batch("PRAGMA max_page_count = 1000000").unwrap();
    assert_eq!(append(&mut log, head, &[large]).unwrap(), head + 1);
    assert!(log.check().unwrap().is_empty());
}

/// On a full disk or an I/O error, even of a read, SQLite rolls the transaction back by itself. What was decided
/// must not be written outside a transaction.
#[test]
fn d5_a_transaction_rolled_back_while_deciding_writes_nothing() {
    let file = File::fresh();
    let mut log = file.log();
    let head = append(&mut log, 0, &story()).unwrap();
    let group = [add_node(1), add_node(2), nothing(3)].map(crate::contract::unnamed);
    let refused = log.write(head, |_, past| {
        past.conn.execute_batch("ROLLBACK").unwrap();
        Ok(group.to_vec())
    });
    assert!(matches!(&refused, Err(LogError::Refused(source)) if source.to_string().contains("rolled back")));
    assert_eq!(file.log().since(0).unwrap().len(), story().len());
    assert_eq!(log.transact(head, &mut |_, _| Ok(group.to_vec())).unwrap(), head + 3);
}

/// A transaction that could not be ended is ended by the next call, before anything else.
#[test]
fn d5_a_transaction_left_open_is_no_hindrance() {
    let file = File::fresh();
    let mut log = file.log();
    for n in 0..3 {
        log.conn.execute_batch("BEGIN IMMEDIATE; INSERT INTO kept VALUES (9, x'01', 1, 1)").unwrap();
        match n {
            0 => assert_eq!(append(&mut log, 0, &[nothing(1)]).unwrap(), 1),
            1 => log.touch_tokens(&[]).unwrap(),
            _ => assert_eq!(log.since(0).unwrap().len(), 1),
        }
    }
    let left: i64 = log.conn.query_row("SELECT count(*) FROM kept", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "nothing of it was kept");
}

#[test]
fn d5_a_log_held_by_another_refuses() {
    let file = File::fresh();
    let mut log = file.log();
    super::wait_up_to(&mut log.conn, Duration::from_millis(50)).unwrap();
    let other = Connection::open(file.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(append(&mut log, 0, &[nothing(1)]), Err(LogError::Refused(_))));
    assert!(log.since(0).unwrap().is_empty(), "reads go on");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(append(&mut log, 0, &[nothing(1)]).unwrap(), 1);
}

#[test]
fn d5_what_cannot_be_stored_is_refused() {
    let file = File::fresh();
    let mut log = file.log();
    let mut batch = add_node(1);
    let graph::Subject::Node(change) = &mut batch.entries[0].subject else { unreachable!() };
    let mut node = graph::model::Node::clone(change.after.as_ref().unwrap());
    node.x = f64::NAN;
    change.after = Some(node.into());
    assert!(matches!(append(&mut log, 0, &[nothing(1), batch]), Err(LogError::Refused(_))));
    assert!(log.since(0).unwrap().is_empty());
}

#[test]
fn d1_a_transaction_waits_for_the_disk() {
    let mut log = File::fresh().log();
    let synchronous = |log: &SqliteLog| -> (i64, String) {
        let read = |sql| log.conn.query_row(sql, [], |row| row.get(0)).unwrap();
        (read("PRAGMA synchronous"), log.conn.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap())
    };
    assert_eq!(synchronous(&log), (2, "wal".into()));
    log.touch_tokens(&[]).unwrap();
    append(&mut log, 0, &[nothing(1)]).unwrap();
    assert_eq!(synchronous(&log), (2, "wal".into()), "also after what need not wait");
}

#[test]
fn d14_a_fresh_file_may_be_opened_by_many_at_once() {
    for _ in 0..10 {
        let file = File::fresh();
        std::thread::scope(|threads| {
            for n in 0..4 {
                let file = &file;
                threads.spawn(move || append(&mut file.log(), 0, &[nothing(n)]).unwrap());
            }
        });
        assert_eq!(file.log().since(0).unwrap().len(), 4);
    }
}

#[test]
fn d15_a_newer_schema_is_refused() {
    let file = File::tampered("PRAGMA user_version = 7");
    let refused = SqliteLog::open(file.path()).unwrap_err();
    assert!(matches!(refused, LogError::NewerSchema { found: 7, known: 6 }), "{refused}");
}

#[test]
fn a_file_of_another_program_is_left_alone() {
    let file = File::fresh();
    let other = Connection::open(file.path()).unwrap();
    other.execute_batch("CREATE TABLE theirs (a)").unwrap();
    assert!(matches!(SqliteLog::open(file.path()), Err(LogError::Foreign)));
    let mode: String = other.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "delete", "not even its journal was touched");
    std::fs::write(file.directory.path().join("text"), "x".repeat(5_000)).unwrap();
    let opened = SqliteLog::open(file.directory.path().join("text"));
    assert!(matches!(opened, Err(LogError::Corrupt { .. })));
}

#[test]
fn damage_is_an_error_that_names_the_place() {
    let cases = [
        ("UPDATE line SET body = x'78' WHERE rev = 2", "batch 2"),
        ("UPDATE line SET body = x'' WHERE rev = 2", "batch 2"),
        ("UPDATE line SET body = substr(body, 1, 80) WHERE rev = 2", "batch 2"),
        ("UPDATE line SET id = x'01' WHERE rev = 2", "batch 2"),
        ("UPDATE line SET fingerprint = x'01' WHERE rev = 2", "batch 2"),
        ("UPDATE nodes SET body = x'80'", "Nodes"),
        ("UPDATE nodes SET body = substr(body, 1, 30)", "Nodes"),
        ("UPDATE links SET body = x'c0'", "Links"),
        ("UPDATE users SET body = x'90'", "Users"),
        ("UPDATE tokens SET body = x'01'", "Tokens"),
        ("INSERT INTO grants VALUES (x'01', x'02', NULL, x'')", "Grants"),
        ("UPDATE embeds SET node = x'01'", "file"),
    ];
    for (sql, place) in cases {
        let file = File::tampered(sql);
        let mut log = file.log();
        let (loaded, read) = (log.load(LoadScope::Everything).map(drop), log.since(0).map(drop));
        let error = loaded.and(read).expect_err(sql);
        assert!(matches!(&error, LogError::Corrupt { place: named, .. } if named.contains(place)), "{error}");
    }
    assert!(matches!(
        File::tampered("DELETE FROM line WHERE rev = 3").log().since(0),
        Err(LogError::Astray { head: 0, log: 10 })
    ));
}

#[test]
fn c6_check_tells_of_a_damaged_file() {
    let file = File::tampered("PRAGMA wal_checkpoint(TRUNCATE)");
    assert_eq!(file.log().check().unwrap(), Vec::<String>::new());
    let mut bytes = std::fs::read(file.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0xAA);
    std::fs::write(file.path(), bytes).unwrap();
    assert!(!file.log().check().unwrap().is_empty());
}

/// Whatever other programs change no longer matches the batches, and is reported.
#[test]
fn c6_check_holds_everything_against_the_batches() {
    let cases = [
        ("UPDATE line SET body = x'78' WHERE rev = 2", "batch 2 is damaged"),
        ("UPDATE kept SET bytes = bytes + 1", "bytes are counted, and"),
        ("UPDATE line SET shows = 1 WHERE rev = 2", "batch 2 says that it shows 1"),
        ("UPDATE line SET actor = x'' WHERE rev = 3", "batch 3 is damaged"),
        ("UPDATE line SET actor = NULL WHERE rev = 3", "batch 3 is not found by its actor"),
        ("UPDATE kept SET bytes = bytes - 1 WHERE actor <> zeroblob(16)", "bytes are counted, and 9 of"),
        ("DELETE FROM kept WHERE actor <> zeroblob(16)", "the batches of user"),
        (
            "INSERT INTO kept VALUES (1, x'00000000000000000000000000000007', 1, 1)",
            "1 batches of 1 bytes are counted, and 0 of 0 are held",
        ),
        ("DELETE FROM finds WHERE way = 0 AND rev = 4", "batch 4 is not found by its name"),
        ("UPDATE finds SET rev = 5 WHERE way = 0 AND rev = 4", "stands for batch 5, which has another"),
        ("DELETE FROM finds WHERE way = 1 AND rev = 6", "batch 6 is not found by exactly the ids"),
        (
            "INSERT INTO finds SELECT run, 1, id, 7, 0 FROM finds WHERE way = 1 AND rev = 4",
            "batch 7 is not found by exactly",
        ),
        ("DELETE FROM finds WHERE way = 2 AND rev = 6", "batch 6 is not found by its actor"),
        (
            "UPDATE finds SET shows = 0 WHERE way = 2 AND rev = 6",
            "batch 6 is found by an actor, or as what it is not",
        ),
        ("UPDATE runs SET filter = zeroblob(length(filter))", "the filter of run 1 does not have"),
        ("UPDATE runs SET last = 9", "run 1 has batch 10, of which it is not"),
        ("UPDATE runs SET last = 11", "out of order"),
        ("DELETE FROM turns", "batch 10 has no place in the chain"),
        ("UPDATE line SET root = NULL", "batch 10 has a place in a chain that it does not speak of"),
        (
            "UPDATE line SET root = 4 WHERE rev = 9",
            "batch 9 has a place in a chain that it does not speak of",
        ),
        ("UPDATE turns SET undo = 0", "batch 10 has a place in a chain that it does not speak of"),
        ("UPDATE turns SET root = 3", "batch 10 has a place in a chain"),
        ("UPDATE turns SET rev = 9", "batch 9 has a place in a chain"),
        ("DELETE FROM gone", "which batch 7 deleted for good, is not remembered"),
        ("UPDATE gone SET rev = 6", "is not what batch 6 deleted for good"),
        ("INSERT INTO gone VALUES (2, x'51570000000040008000000000000063')", "is not what batch 2 deleted"),
        ("DELETE FROM nodes WHERE seq = 1", "is missing, which batch"),
        ("UPDATE nodes SET body = CAST(replace(body, 'Task', 'Tusk') AS BLOB)", "is not as batch"),
        ("UPDATE nodes SET due = 7", "is not as batch"),
        ("UPDATE links SET body = CAST(replace(body, x'c3', x'c2') AS BLOB)", "is not as batch 2 left it"),
        ("UPDATE users SET body = CAST(replace(body, 'anna', 'annb') AS BLOB)", "is not as batch 8 left it"),
        (
            "UPDATE tokens SET body = CAST(replace(body, 'token', 'tokem') AS BLOB)",
            "is not as batch 1 left it",
        ),
        ("INSERT INTO grants SELECT id, id, NULL, body FROM nodes LIMIT 1", "is of no batch"),
        ("DELETE FROM embeds", "the embed of node"),
        (
            "INSERT INTO nodes SELECT 9, x'5157000000004000800000000000000e', NULL, body FROM nodes LIMIT 1",
            "is there, which batch 7 deleted",
        ),
    ];
    for (sql, sentence) in cases {
        let problems = File::tampered(sql).log().check().unwrap();
        assert!(problems.iter().any(|problem| problem.contains(sentence)), "{sql}: {problems:?}");
        // Other programs leave one trace, or one per row. Nothing correct is reported.
        assert!(problems.len() <= 5, "{sql}: {problems:?}");
    }
    let many =
        (0..300).map(|n| format!("INSERT INTO finds VALUES (1, 0, x'{n:032x}', 3, 0);")).collect::<String>();
    let problems = File::tampered(&many).log().check().unwrap();
    assert_eq!(
        problems.last().map(String::as_str),
        Some("… and 201 more"),
        "one for each, and one for the filter"
    );
}

/// An index that does not match its table is found too: it would hide rows.
#[test]
fn c6_check_holds_indices_against_their_tables() {
    let file = File::tampered("PRAGMA wal_checkpoint(TRUNCATE)");
    let conn = Connection::open(file.path()).unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name =";
    let page = |name: &str| -> u64 {
        conn.query_row(&format!("{root} '{name}'"), [], |row| row.get::<_, i64>(0)).unwrap() as u64
    };
    // The index of undos and redos by their root becomes an empty leaf, which is valid in itself.
    let (at, size) = (page("turns_by_root") - 1, 4_096);
    drop(conn);
    let mut bytes = std::fs::read(file.path()).unwrap();
    let start = (at * size) as usize;
    bytes[start..start + 8].copy_from_slice(&[0x0A, 0, 0, 0, 0, 0x10, 0, 0]);
    std::fs::write(file.path(), bytes).unwrap();
    let problems = file.log().check().unwrap();
    assert!(problems.iter().any(|problem| problem.contains("missing from index")), "{problems:?}");
}

/// A pruned batch leaves entities that no batch describes, or only an earlier one. That is not a fault.
#[test]
fn c6_check_does_not_miss_what_was_pruned() {
    for gap in ["2, 5", "8", "1, 2, 3, 4, 5, 6", "1, 4", "7"] {
        // As the pruner leaves it: kept batches are counted, and the rest still exists.
        let file = File::tampered(&format!(
            "DELETE FROM line WHERE rev IN ({gap});
             DELETE FROM finds WHERE way = 2 AND rev IN ({gap});
             DELETE FROM kept;
             INSERT INTO kept SELECT 1, coalesce(actor, zeroblob(16)), count(*), sum(length(body)) FROM line GROUP BY 2;"
        ));
        assert_eq!(file.log().check().unwrap(), Vec::<String>::new(), "without {gap}");
    }
}

/// The WAL stays within what one page of its index covers. The server can therefore start on a full disk.
#[test]
fn d5_the_wal_stays_within_reach_of_a_full_disk() {
    const REACH: u64 = 32 + 4_062 * (4_096 + 24);
    let file = File::fresh();
    let mut log = file.log();
    let wal = || std::fs::metadata(file.path().with_extension("db-wal")).unwrap().len();
    // Many commits without maintenance.
    let (mut head, mut most) = (0, 0);
    for n in 0..40 {
        head = append(&mut log, head, &[heavy(n, 100, 4_000)]).unwrap();
        most = most.max(wal());
    }
    assert!(most > REACH / 2 && most < REACH, "{most}");
    // One larger commit: as soon as it is checkpointed, the file is truncated.
    head = append(&mut log, head, &[heavy(100, 900, 20_000)]).unwrap();
    assert!(wal() > REACH);
    append(&mut log, head, &[nothing(101)]).unwrap();
    assert!(wal() <= schema::WAL_BYTES_MAX && schema::WAL_BYTES_MAX < REACH, "{}", wal());
}

/// Maintenance checkpoints what others wrote, and leaves a small WAL alone.
#[test]
fn h2_the_pruner_keeps_up_with_what_others_write() {
    let file = File::fresh();
    let mut log = file.log();
    let mut pruner = log.pruner(crate::Retention::default()).unwrap();
    let pages = |log: &SqliteLog| -> (i64, i64) {
        let ask = |row: &rusqlite::Row<'_>| Ok((row.get(1)?, row.get(2)?));
        log.conn.query_row("PRAGMA wal_checkpoint(NOOP)", [], ask).unwrap()
    };
    append(&mut log, 0, &story()).unwrap();
    pruner.keep_up().unwrap();
    let (all, in_place) = pages(&log);
    assert!(all > in_place, "a little stays where it is");
    append(&mut log, 10, &[heavy(1, 400, 15_000)]).unwrap();
    let (all, in_place) = pages(&log);
    assert!((1_000..3_000).contains(&all) && in_place < all, "{in_place} of {all}");
    pruner.keep_up().unwrap();
    let (all, in_place) = pages(&log);
    assert_eq!(all, in_place);
}

/// A checkpoint moves everything into the one file, even while others have the log open.
#[test]
fn d18_a_checkpointed_file_has_everything_by_itself() {
    let file = File::fresh();
    let (mut log, other) = (file.log(), file.log());
    append(&mut log, 0, &story()).unwrap();
    let alone = || {
        let copy = File::fresh();
        std::fs::copy(file.path(), copy.path()).unwrap();
        copy.log().load(LoadScope::Everything).map(|world| world.rev()).unwrap_or_default()
    };
    assert_eq!(alone(), 0, "before, it is in the WAL");
    log.checkpoint().unwrap();
    assert_eq!(alone(), 10);
    drop((log, other));
    assert_eq!(std::fs::read_dir(file.directory.path()).unwrap().count(), 1);
}

#[test]
fn d18_reading_and_pruning_end_at_the_sign() {
    let file = File::fresh();
    let mut log = file.log();
    append(&mut log, 0, &story()).unwrap();
    let limits = crate::Limits { days: 0, batches: 0, bytes: 0 };
    let retention =
        crate::Retention { basic: limits, plus: limits, pro: limits, ..crate::Retention::default() };
    let (mut history, mut pruner) = (log.history().unwrap(), log.pruner(retention).unwrap());
    let stop = StopSign::default();
    history.heed(stop.clone());
    pruner.heed(stop.clone());
    let view = std::sync::Arc::new(graph::history_view::HistoryView::of_everything());
    let scope = crate::HistoryScope::Everything;
    let query = crate::HistoryQuery { reader: view, scope, until: 10, limit: 10, offset: 0 };
    assert!(!history.page(&query).unwrap().batches.is_empty());
    stop.set();
    assert!(matches!(history.page(&query), Err(LogError::Stopped)));
    let later = graph::Timestamp::from_ms(i64::MAX / 2);
    let pruned = pruner.prune_some(later, 1_000).unwrap();
    assert!(pruned.removed == 0 && pruned.more, "{pruned:?}");
}
