//! Tests of history for this storage alone: what saves work, and pruning.

use super::{File, fold, heavy};
use crate::contract::pasts::{Dice, Naive, SMALL};
use crate::contract::story::{add_node, uuid};
use crate::contract::{Storage, append};
use crate::history_page::PAGE_BYTES_MAX;
use crate::retention::DAY_MS;
use crate::sqlite::page_reader::SqliteHistoryReader;
use crate::sqlite::prune::SqlitePruner;
use crate::{HistoryQuery, HistoryScope, Log, Pruner, Retention, codec};
use graph::history_view::HistoryView;
use graph::{Timestamp, UserId};
use rusqlite::Connection;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A user who sees ten nodes does not pay for the batches of all others: apart from the last few, not one is even
/// read.
#[test]
fn h18_a_page_reads_only_what_its_reader_may_see() {
    let file = File::fresh();
    let mut log = file.log();
    let batches: Vec<_> = (0..3_000).map(add_node).collect();
    append(&mut log, 0, &batches).unwrap();
    let conn = Connection::open(file.path()).unwrap();
    conn.execute_batch("UPDATE line SET body = x'78' WHERE rev % 300 <> 1 AND rev < 2990").unwrap();
    let ids: HashSet<_> = (0..3_000).step_by(300).map(|n| uuid(2_000_000_000 + n)).collect();
    let mut history = log.history().unwrap();
    for (offset, limit, has_more) in [(0, 4, true), (8, 4, false), (0, 10, false), (0, 1_000, false)] {
        for scope in [HistoryScope::Everything, HistoryScope::Touching(Arc::new(ids.clone()))] {
            let reader = Arc::new(HistoryView {
                sees: ids.iter().copied().collect(),
                ..HistoryView::new(UserId(uuid(2)))
            });
            let query = HistoryQuery { reader, scope, until: 3_000, limit, offset };
            let page = history.page(&query).unwrap();
            let want: Vec<_> = (0..10).rev().map(|n| 300 * n + 1).skip(offset).take(limit).collect();
            assert_eq!(page.batches.iter().map(|past| past.rev).collect::<Vec<_>>(), want);
            assert_eq!(page.has_more, has_more);
        }
    }
}

/// A search that releases its transaction after every step has the same result, and so has one that finds out late what
/// its reader sees.
#[test]
fn h18_a_page_may_be_searched_in_any_number_of_transactions() {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    naive.go_on(&mut dice, 120);
    let file = File::fresh();
    naive.write(&mut file.log(), &mut dice);
    for _ in 0..30 {
        naive.compare_pages_of(&mut SqliteHistoryReader::in_steps(file.log()), &mut dice);
    }
}

/// However long a page takes, the WAL can be reset meanwhile. A writer that waits for all readers does not wait for
/// the end of the page.
#[test]
fn h18_a_deep_page_does_not_hold_the_log() {
    let file = File::fresh();
    let mut log = file.log();
    let batches: Vec<_> = (0..6_000).map(add_node).collect();
    append(&mut log, 0, &batches).unwrap();
    // Other users' batches must be read to know that the reader does not see them.
    let reader = Arc::new(HistoryView::new(UserId(uuid(9))));
    let by = HistoryScope::By(UserId(uuid(1)));
    let query = HistoryQuery { reader, scope: by, until: 6_000, limit: 10, offset: 10 };
    let mut history = log.history().unwrap();
    std::thread::scope(|threads| {
        let reading = threads.spawn(move || {
            let begun = Instant::now();
            assert!(history.page(&query).unwrap().batches.is_empty());
            begun.elapsed()
        });
        let conn = Connection::open(file.path()).unwrap();
        conn.busy_timeout(Duration::from_millis(60)).unwrap();
        let mut truncated = 0;
        while !reading.is_finished() {
            conn.execute_batch("UPDATE kept SET bytes = bytes").unwrap();
            let busy: bool = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
            truncated += usize::from(!busy);
        }
        let took = reading.join().unwrap();
        assert!(truncated > 1, "in {took:?}, which is long enough for it");
    });
}

/// A user who pages through their own batches, or an operator, does not have the skipped batches read.
#[test]
fn h18_what_a_page_leaves_out_is_not_read_where_that_is_not_needed() {
    let file = File::fresh();
    let mut log = file.log();
    append(&mut log, 0, &(0..300).map(add_node).collect::<Vec<_>>()).unwrap();
    let conn = Connection::open(file.path()).unwrap();
    conn.execute_batch("UPDATE line SET body = x'78' WHERE rev > 10").unwrap();
    let own = UserId(uuid(1));
    let cases = [
        (HistoryView::new(own), HistoryScope::By(own)),
        (HistoryView::new(own), HistoryScope::Everything),
        (HistoryView::of_everything(), HistoryScope::By(own)),
        (HistoryView::of_everything(), HistoryScope::Everything),
    ];
    let mut history = log.history().unwrap();
    for (reader, scope) in cases {
        let mut query = HistoryQuery { reader: Arc::new(reader), scope, until: 300, limit: 5, offset: 290 };
        let page = history.page(&query).unwrap();
        assert_eq!((page.batches.len(), page.batches[0].rev, page.has_more), (5, 10, true));
        query.limit = 0;
        query.offset = 0;
        assert!(history.page(&query).unwrap().has_more);
    }
}

/// A page ends when its batches become too large for it, and the next page continues from there.
#[test]
fn g10_a_page_of_large_batches_is_short_and_leaves_nothing_out() {
    let large = |n: u64| if n.is_multiple_of(3) { heavy(n, 300, 7_000) } else { add_node(1_000 * n) };
    let file = File::fresh();
    let mut log = file.log();
    append(&mut log, 0, &(0..20).map(large).collect::<Vec<_>>()).unwrap();
    let reader = Arc::new(HistoryView::of_everything());
    let mut query =
        HistoryQuery { reader, scope: HistoryScope::Everything, until: 20, limit: 1_000, offset: 0 };
    let mut history = log.history().unwrap();
    let (mut revs, mut pages) = (Vec::new(), 0);
    loop {
        let page = history.page(&query).unwrap();
        let bytes: usize = page.batches.iter().map(|it| codec::encode(&it.batch).unwrap().len()).sum();
        assert!(bytes <= PAGE_BYTES_MAX);
        revs.extend(page.batches.iter().map(|past| past.rev));
        pages += 1;
        query.offset += page.batches.len();
        if !page.has_more {
            break;
        }
    }
    assert!(revs.into_iter().eq((1..=20).rev()) && pages > 1);
    append(&mut log, 20, &[heavy(100, 500, 10_000), add_node(101)]).unwrap();
    let reached = |offset| {
        let query = HistoryQuery { until: 22, offset, ..query.clone() };
        let page = log.history().unwrap().page(&query).unwrap();
        (page.batches.len(), page.batches[0].rev, page.has_more)
    };
    assert_eq!(reached(0), (1, 22, true));
    assert_eq!(reached(1), (1, 21, true), "one batch there always is, however large");
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

/// Each transaction removes something, however long it took to get that far.
#[test]
fn h2_pruning_goes_on_however_slow_the_disk_is() {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    naive.go_on(&mut dice, 200);
    naive.now += 2 * DAY_MS;
    let file = File::fresh();
    naive.write(&mut file.log(), &mut dice);
    let mut pruner = SqlitePruner::in_steps(file.log(), SMALL).unwrap();
    let pruned = pruner.prune_some(Timestamp::from_ms(naive.now), usize::MAX).unwrap();
    assert_eq!((pruned.removed, pruned.more), (naive.prune(&SMALL), false));
    naive.compare(&mut file.log(), &mut dice);
}

/// Unreadable batches are pruned like any other, and do not block pruning.
#[test]
fn h2_damage_does_not_keep_the_pruner_from_anything() {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    naive.go_on(&mut dice, 200);
    naive.now += 2 * DAY_MS;
    let file = File::fresh();
    naive.write(&mut file.log(), &mut dice);
    fold(&file.log());
    let conn = Connection::open(file.path()).unwrap();
    conn.execute_batch(
        "UPDATE line SET body = x'78', id = x'00' WHERE rev % 7 = 2;
         UPDATE line SET at = -9223372036854775808 WHERE rev = 9;
         UPDATE users SET body = x'80' WHERE CAST(body AS TEXT) LIKE '%user5%';",
    )
    .unwrap();
    let mut pruner = SqlitePruner::in_steps(file.log(), Retention { keys_kept_ms: DAY_MS, ..SMALL }).unwrap();
    let later = Timestamp::from_ms(naive.now + 400 * DAY_MS);
    let pruned = pruner.prune_some(later, usize::MAX).unwrap();
    assert_eq!((pruned.removed, pruned.more, pruned.oldest), (200, false, 201));
}

/// Pruning leaves nothing behind, in any table.
#[test]
fn h2_what_is_pruned_is_gone_from_every_table() {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    naive.go_on(&mut dice, 200);
    let file = File::fresh();
    let mut log = file.log();
    naive.write(&mut log, &mut dice);
    let later = Timestamp::from_ms(naive.now + 400 * DAY_MS);
    let pruned = log.pruner(Retention::default()).unwrap().prune_some(later, usize::MAX).unwrap();
    assert_eq!((pruned.removed, pruned.more, pruned.oldest), (200, false, 201));
    let conn = Connection::open(file.path()).unwrap();
    for (sql, want) in [
        ("SELECT count(*) FROM line", 1),
        ("SELECT count(*) FROM runs", 1),
        ("SELECT count(*) FROM kept", 1),
        ("SELECT sum(batches) - (SELECT count(*) FROM line) FROM kept", 0),
        ("SELECT sum(bytes) - (SELECT sum(length(body)) FROM line) FROM kept", 0),
        ("SELECT batches - pruned FROM runs", 1),
        ("SELECT count(*) FROM finds WHERE rev < 201 OR run NOT IN (SELECT run FROM runs)", 0),
        ("SELECT count(*) FROM gone WHERE rev < 201 AND id NOT IN (SELECT id FROM finds WHERE way = 1)", 0),
        (
            "SELECT count(*) FROM turns WHERE rev < 201 AND root NOT IN (SELECT root FROM turns WHERE rev = 201)",
            0,
        ),
    ] {
        assert_eq!(conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), want, "{sql}");
    }
}
