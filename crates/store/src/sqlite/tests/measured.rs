//! Measurements, not run by default: `cargo test --release -p store -- --ignored --nocapture --test-threads 1`.

use super::{File, fold};
use crate::contract::story::{add_node, nothing, story, uuid};
use crate::contract::{Storage, append};
use crate::retention::DAY_MS;
use crate::sqlite::SqliteLog;
use crate::{HistoryQuery, HistoryScope, Limits, LoadScope, Log, Retention};
use graph::hash::HashSet;
use graph::history_view::HistoryView;
use graph::model::Rev;
use graph::{Timestamp, UserId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[test]
#[ignore = "takes a minute and a gigabyte"]
fn a_million_nodes_load_in_seconds() {
    let file = File::fresh();
    let mut log = file.log();
    append(&mut log, 0, &story()).unwrap();
    let started = Instant::now();
    fill(&mut log, 1_000_000);
    println!("filled in {:.1?}", started.elapsed());
    let before = resident();
    for _ in 0..2 {
        let started = Instant::now();
        let world = log.load(LoadScope::Everything).unwrap();
        let (took, nodes) = (started.elapsed(), world.nodes().count());
        let per_node = (resident() - before) / nodes;
        println!(
            "loaded {nodes} nodes, {} links in {took:.2?}, {per_node} bytes a node",
            world.links().count()
        );
    }
    let started = Instant::now();
    let mut head = log.load(LoadScope::Accounts).unwrap().rev();
    println!("accounts loaded in {:.1?}", started.elapsed());
    let started = Instant::now();
    for n in 0..2_000 {
        head = append(&mut log, head, &[add_node(5_000_000 + n)]).unwrap();
    }
    println!("{:.1?} per batch, fsync included", started.elapsed() / 2_000);
}

/// The memory of this process, in bytes; 0 where the system does not report it.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap_or(0) * 1024
}

fn fill(log: &mut SqliteLog, nodes: u64) {
    const AT_ONCE: usize = 5_000;
    let mut head = log.load(LoadScope::Accounts).unwrap().rev();
    for first in (0..nodes).step_by(AT_ONCE) {
        let numbers = first..nodes.min(first + AT_ONCE as u64);
        let entries = numbers.flat_map(|n| crate::contract::story::node_with_links(n, nodes)).collect();
        head = append(log, head, &[graph::Batch { entries, ..nothing(first) }]).unwrap();
        fold(log);
    }
}

/// Appends for a while, one by one with pauses, and reports the greatest time of 50, 99 and 99.9 of 100.
fn paced(log: &mut dyn Log, from: u64, until: impl Fn(u64) -> bool) -> [Duration; 3] {
    let mut head = log.load(LoadScope::Accounts).unwrap().rev();
    let mut took = Vec::new();
    for n in (from..).take_while(|n| until(n - from)) {
        let started = Instant::now();
        head = append(log, head, &[add_node(n)]).unwrap();
        took.push(started.elapsed());
        std::thread::sleep(Duration::from_millis(2));
    }
    took.sort_unstable();
    let share = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!("{} appends", took.len());
    [share(0.5), share(0.99), share(0.999)]
}

#[test]
#[ignore = "takes minutes and a gigabyte"]
fn h2_a_million_batches_are_pruned_while_appends_go_on() {
    const BATCHES: Rev = 1_000_000;
    let file = File::fresh();
    let mut log = file.log();
    append(&mut log, 0, &story()[..1]).unwrap();
    let started = Instant::now();
    for first in (1..BATCHES).step_by(5_000) {
        let group: Vec<_> = (first..first + 5_000).map(add_node).collect();
        append(&mut log, first, &group).unwrap();
    }
    println!("{BATCHES} batches appended in groups in {:.1?}", started.elapsed());
    fold(&log);
    pages_of(&log, BATCHES);
    let started = Instant::now();
    assert!(log.check().unwrap().is_empty());
    println!("checked in {:.1?}", started.elapsed());

    let file_size = || std::fs::metadata(file.path()).unwrap().len() / 1_000_000;
    println!("the file has {} MB", file_size());
    println!("alone: p50, p99, p99.9 {:.2?}", paced(&mut log, 10_000_000, |n| n < 3_000));
    let limits = Limits { days: 180, batches: 50_000, bytes: 800_000_000 };
    let retention = Retention { pro: limits, ..Retention::default() };
    let mut pruner = log.pruner(retention).unwrap();
    let (done, now) = (AtomicBool::new(false), Timestamp::from_ms(1_000 * BATCHES as i64 + 2 * DAY_MS));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let (started, mut removed) = (Instant::now(), 0);
            while started.elapsed() < Duration::from_secs(30) {
                let pruned = pruner.prune_some(now, 1_000).unwrap();
                removed += pruned.removed;
                if !pruned.more {
                    break;
                }
            }
            println!("{removed} batches taken away in {:.1?}", started.elapsed());
            done.store(true, Ordering::Relaxed);
        });
        let busy = paced(&mut log, 20_000_000, |_| !done.load(Ordering::Relaxed));
        println!("while pruning: p50, p99, p99.9 {busy:.2?}");
    });
    let started = Instant::now();
    while pruner.prune_some(now, 10_000).unwrap().more {}
    println!("the rest taken away in {:.1?}; the file has {} MB", started.elapsed(), file_size());
    assert!(log.check().unwrap().is_empty());
}

fn pages_of(log: &dyn Log, until: Rev) {
    let mut history = log.history().unwrap();
    let mut page = |name: &str, sees: HashSet<_>, user, scope: HistoryScope, offset| {
        let reader = Arc::new(HistoryView { sees, ..HistoryView::new(UserId(uuid(user))) });
        for _ in 0..2 {
            let (reader, scope) = (reader.clone(), scope.clone());
            let started = Instant::now();
            let found = history.page(&HistoryQuery { reader, scope, until, limit: 100, offset }).unwrap();
            println!("{name}: {} of a page in {:.2?}", found.batches.len(), started.elapsed());
        }
    };
    let nodes =
        |each: usize| (1..until).step_by(each).map(|n| uuid(2_000_000_000 + n)).collect::<HashSet<_>>();
    page("who sees ten nodes", nodes(100_000), 2, HistoryScope::Everything, 0);
    page("who sees 10,000 nodes", nodes(100), 2, HistoryScope::Everything, 0);
    page("who sees 10,000 nodes, by another", nodes(100), 2, HistoryScope::By(UserId(uuid(9))), 0);
    page("who sees all", nodes(1), 2, HistoryScope::Everything, 0);
    page("who made all", HashSet::default(), 1, HistoryScope::Everything, 0);
    page("who made all, page 500", HashSet::default(), 1, HistoryScope::Everything, 50_000);
    page("who made all, page 9,990", HashSet::default(), 1, HistoryScope::Everything, 999_000);
    page(
        "who made all, page 9,990 of their own",
        HashSet::default(),
        1,
        HistoryScope::By(UserId(uuid(1))),
        999_000,
    );
    page("who sees all, page 9,990", nodes(1), 2, HistoryScope::Everything, 999_000);
    page(
        "who sees 500,000 nodes never touched",
        (0..500_000).map(uuid).collect(),
        9,
        HistoryScope::Everything,
        0,
    );
    page(
        "ten of all nodes",
        nodes(1),
        2,
        HistoryScope::Touching(Arc::new(nodes(100_000).into_iter().collect())),
        0,
    );
}
