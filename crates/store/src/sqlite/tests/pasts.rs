//! What of the past only this storage has: a file of an earlier version, and indices that spare it work.

use super::File;
use crate::contract::pasts::{Dice, Naive};
use crate::contract::story::{add_node, uuid};
use crate::contract::{Storage, append};
use crate::sqlite::schema;
use crate::{HistoryQuery, HistoryScope, Log, LogError, codec};
use graph::history::Reader;
use graph::{Batch, UserId};
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use std::collections::HashSet;
use std::sync::Arc;

/// The tables that follow from the batches, row by row.
fn indices(conn: &Connection) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in ["touches", "turns", "chains", "kept"] {
        let mut statement = conn.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            rows.push((0..columns).map(|column| row.get(column).unwrap()).collect());
        }
    }
    rows
}

/// A file as version 1 wrote it.
fn write_version_1<'a>(conn: &Connection, batches: impl Iterator<Item = &'a Batch>) {
    conn.execute_batch(schema::FIRST).unwrap();
    conn.pragma_update(None, "user_version", 1).unwrap();
    for (rev, batch) in (1_i64..).zip(batches) {
        let body = codec::encode(batch).unwrap().body;
        let actor = batch.actor.map(|user| user.0);
        conn.execute(
            "INSERT INTO batches (rev, id, actor, at, bytes, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![rev, batch.id.0, actor, batch.at.ms(), body.len() as i64, body],
        )
        .unwrap();
    }
}

#[test]
fn h1_a_file_of_version_1_is_brought_up_to_date() {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    naive.go_on(&mut dice, 200);
    let (old, new) = (File::fresh(), File::fresh());
    let conn = Connection::open(old.path()).unwrap();
    write_version_1(&conn, naive.batches());
    naive.write(&mut new.log(), &mut dice);
    naive.compare_past(&old.log(), &mut dice);
    let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 2);
    assert_eq!(indices(&conn), indices(&Connection::open(new.path()).unwrap()));
}

#[test]
fn h1_a_file_of_version_1_that_is_damaged_stays_as_it_is() {
    let file = File::fresh();
    let conn = Connection::open(file.path()).unwrap();
    write_version_1(&conn, [add_node(1), add_node(2)].iter());
    conn.execute_batch("UPDATE batches SET body = 'x' WHERE rev = 2").unwrap();
    let refused = super::SqliteLog::open(file.path()).map(drop);
    assert!(matches!(refused, Err(LogError::Corrupt { place, .. }) if place == "batch 2"));
    let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'kept'", [], |row| row.get(0))
        .unwrap();
    assert_eq!((version, tables), (1, 0));
}

/// Whoever sees ten nodes does not pay for the batches of all others: but for the last few, not one is even read.
#[test]
fn h18_a_page_reads_only_what_its_reader_may_see() {
    let file = File::fresh();
    let mut log = file.log();
    let batches: Vec<_> = (0..3_000).map(add_node).collect();
    append(&mut log, 0, &batches).unwrap();
    let conn = Connection::open(file.path()).unwrap();
    conn.execute_batch("UPDATE batches SET body = 'x' WHERE rev % 300 <> 1 AND rev < 2990").unwrap();
    let ids: HashSet<_> = (0..3_000).step_by(300).map(|n| uuid(2_000_000_000 + n)).collect();
    let mut history = log.history().unwrap();
    for (offset, limit, has_more) in [(0, 4, true), (8, 4, false), (0, 10, false), (0, 1_000, false)] {
        for scope in [HistoryScope::Everything, HistoryScope::Touching(Arc::new(ids.clone()))] {
            let reader = Arc::new(Reader { sees: ids.clone(), ..Reader::new(UserId(uuid(2))) });
            let query = HistoryQuery { reader, scope, until: 3_000, limit, offset };
            let page = history.page(&query).unwrap();
            let want: Vec<_> = (0..10).rev().map(|n| 300 * n + 1).skip(offset).take(limit).collect();
            assert_eq!(page.batches.iter().map(|past| past.rev).collect::<Vec<_>>(), want);
            assert_eq!(page.has_more, has_more);
        }
    }
}

#[test]
fn c11_titles_are_those_of_now() {
    let file = File::fresh();
    let mut log = file.log();
    append(&mut log, 0, &[add_node(1), add_node(2), add_node(3)]).unwrap();
    let id = |n: u64| graph::NodeId(uuid(2_000_000_000 + n));
    let titles = log.history().unwrap().titles(&HashSet::from([id(1), id(3), id(9)])).unwrap();
    assert_eq!(titles.len(), 2);
    assert_eq!((titles[&id(1)].as_str(), titles[&id(3)].as_str()), ("Task 1", "Task 3"));
}

/// What is pruned leaves nothing behind, in no table.
#[test]
fn h2_what_is_pruned_is_gone_from_every_table() {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    naive.go_on(&mut dice, 200);
    let file = File::fresh();
    let mut log = file.log();
    naive.write(&mut log, &mut dice);
    let later = graph::Timestamp::from_ms(naive.now + 400 * crate::retention::DAY_MS);
    let pruned = log.pruner(crate::Retention::default()).unwrap().prune_some(later, usize::MAX).unwrap();
    assert_eq!((pruned.removed, pruned.more, pruned.oldest), (200, false, 201));
    let conn = Connection::open(file.path()).unwrap();
    for (sql, want) in [
        ("SELECT count(*) FROM batches", 1),
        ("SELECT count(*) FROM kept", 1),
        ("SELECT sum(batches) - (SELECT count(*) FROM batches) FROM kept", 0),
        ("SELECT sum(bytes) - (SELECT sum(bytes) FROM batches) FROM kept", 0),
        ("SELECT count(*) FROM touches WHERE rev < 201", 0),
        ("SELECT count(*) FROM gone WHERE rev < 201", 0),
        ("SELECT count(*) FROM chains WHERE held <> 1", 0),
        (
            "SELECT count(*) FROM chains WHERE root <> 201 AND root NOT IN (SELECT root FROM turns WHERE rev = 201)",
            0,
        ),
        ("SELECT count(*) FROM turns WHERE root NOT IN (SELECT root FROM chains)", 0),
    ] {
        assert_eq!(conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), want, "{sql}");
    }
}
