//! What the log costs: bytes written to disk, commits per second, the time and memory of a start.
//!
//! ```text
//! cargo run --release -p store --example costs -- write FILE BATCHES GROUP   small mutations, GROUP at a time
//! cargo run --release -p store --example costs -- raw FILE COMMITS           the same disk with plain SQLite
//! cargo run --release -p store --example costs -- fill FILE NODES            a graph with twice as many links
//! cargo run --release -p store --example costs -- start FILE                 a start on it
//! ```
//!
//! Bytes are those that the system counts for the process in `/proc/self/io`: they include the WAL, checkpoints,
//! folds and pruning. They are zero where there is no such file, and on a file system in memory.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic)]

use graph::batch::{Change, Lineage, Op};
use graph::model::{Link, LinkType, Node, Plan, Rev, User};
use graph::{Batch, BatchId, Entry, LinkId, NodeId, Subject, Timestamp, UserId};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};
use store::{LoadScope, Log, Proposal, Retention, SqliteLog};
use uuid::Uuid;

/// How many users make the mutations.
const USERS: u64 = 50;

const NOW_MS: i64 = 1_900_000_000_000;

/// An id as a random supply would give it, but the same for the same number.
fn id(kind: u64, number: u64) -> Uuid {
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let high = mix((kind << 56 | number).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    uuid::Builder::from_random_bytes((u128::from(high) << 64 | u128::from(mix(!high))).to_be_bytes())
        .into_uuid()
}

fn user(number: u64) -> UserId {
    UserId(id(1, number % USERS))
}

fn node(number: u64) -> Node {
    let at = Timestamp::from_ms(NOW_MS + number as i64);
    let made = Node::new(NodeId(id(2, number)), user(number), BatchId(id(4, number)), at, number);
    Node { title: format!("Paint wall {number}"), x: number as f64 / 7.0, y: number as f64 / -3.0, ..made }
}

fn link(number: u64, source: u64, target: u64) -> Link {
    let at = Timestamp::from_ms(NOW_MS + number as i64);
    Link {
        id: LinkId(id(3, number)),
        owner: user(number),
        source: NodeId(id(2, source)),
        target: NodeId(id(2, target)),
        kind: LinkType::Primary,
        private: false,
        was_blocker: true,
        in_trash: false,
        cascade: false,
        version: 1,
        created: at,
        edited: at,
        seq: (1 << 40) + number,
        last_batch: BatchId(id(5, number)),
    }
}

fn entry(op: Op, subject: Subject) -> Entry {
    Entry { op, derived: false, subject, copy_of: None }
}

fn change<T>(before: Option<T>, after: Option<T>) -> Change<Arc<T>> {
    Change { before: before.map(Arc::new), after: after.map(Arc::new) }
}

fn proposal(kind: u64, number: u64, entries: Vec<Entry>) -> Proposal {
    // Time goes on: a clock that was set back is another matter.
    static CLOCK: AtomicI64 = AtomicI64::new(NOW_MS);
    let (id, at) = (BatchId(id(kind, number)), Timestamp::from_ms(CLOCK.fetch_add(1, Ordering::Relaxed)));
    let batch = Batch { id, actor: Some(user(number)), guest: None, at, lineage: Lineage::Fresh, entries };
    // As random as a hash.
    let mut fingerprint = [0; 32];
    fingerprint
        .iter_mut()
        .zip(id.0.as_bytes().iter().chain(user(number).0.as_bytes()))
        .for_each(|(to, from)| *to = *from);
    Proposal { batch: Arc::new(batch), fingerprint: Some(fingerprint) }
}

fn add_users(log: &mut dyn Log) -> Rev {
    let opened = (0..USERS).map(|number| {
        let created = Timestamp::from_ms(NOW_MS);
        let (username, email) = (format!("user{number}"), format!("user{number}@example.org"));
        let made = User::new(user(number), username, email, Plan::Pro, created);
        entry(Op::UserAdd, Subject::User(change(None, Some(made))))
    });
    let opened = proposal(6, 0, opened.collect());
    log.transact(0, &mut |_, _| Ok(vec![opened.clone()])).unwrap()
}

/// One kind of small mutation.
type Make = fn(u64) -> Proposal;

fn node_add(number: u64) -> Proposal {
    proposal(4, number, vec![entry(Op::NodeAdd, Subject::Node(change(None, Some(node(number)))))])
}

fn node_update(number: u64) -> Proposal {
    // Any of the nodes there are, in no order.
    let before = node(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % nodes());
    let at = Timestamp::from_ms(NOW_MS + number as i64);
    let last_batch = BatchId(id(7, number));
    let after =
        Node { title: format!("Paint {number}"), version: 2, edited: at, last_batch, ..before.clone() };
    proposal(7, number, vec![entry(Op::NodeUpdate, Subject::Node(change(Some(before), Some(after))))])
}

fn link_add(number: u64) -> Proposal {
    let [source, target] =
        [3, 7].map(|by: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_mul(by) % nodes());
    let made = link(number, source, target);
    proposal(5, number, vec![entry(Op::LinkAdd, Subject::Link(change(None, Some(made))))])
}

fn nodes() -> u64 {
    std::env::var("NODES").ok().and_then(|nodes| nodes.parse().ok()).unwrap_or(10_000)
}

/// What the system counted for this process so far.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

/// A line of `/proc/self/status`, in MiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) / 1024
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len())
}

fn report(what: &str, took: &mut [Duration], batches: u64, bytes: u64) {
    took.sort_unstable();
    let share = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    let total: Duration = took.iter().sum();
    println!(
        "{what}: {:.0}/s, {} bytes written each; commits p50 {:.2?}, p99 {:.2?}, p99.9 {:.2?}, longest {:.2?}",
        batches as f64 / total.as_secs_f64(),
        bytes / batches.max(1),
        share(0.5),
        share(0.99),
        share(0.999),
        took.last().unwrap(),
    );
}

/// Small mutations while the storage is maintained as the server does it.
fn write(file: &Path, batches: u64, group: u64) {
    let mut log = SqliteLog::open(file).unwrap();
    let mut head = add_users(&mut log);
    let mut pruner = log.pruner(Retention::default()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                pruner.keep_up().unwrap();
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let mut all = Vec::new();
        let kinds: [(&str, Make); 3] =
            [("node:add", node_add), ("node:update", node_update), ("link:add", link_add)];
        for (name, make) in kinds {
            let (mut took, before) = (Vec::new(), written());
            let mut number = 0;
            let most = if name == "node:add" { batches.max(nodes()) } else { batches };
            while number < most {
                let proposals: Vec<_> = (number..number + group).map(make).collect();
                number += group;
                let mut proposals = Some(proposals);
                let begun = Instant::now();
                head = log.transact(head, &mut |_, _| Ok(proposals.take().unwrap())).unwrap();
                took.push(begun.elapsed());
            }
            report(name, &mut took, number, written() - before);
            all.extend(took);
        }
        done.store(true, Ordering::Relaxed);
    });
    drop(pruner);
    log.checkpoint().unwrap();
    println!("all: {} bytes written a batch, {} on disk", written() / head, size(file) / head);
}

fn raw(file: &Path, commits: u64) {
    let conn = rusqlite::Connection::open(file).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
         CREATE TABLE line (rev INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    )
    .unwrap();
    let (mut took, before) = (Vec::new(), written());
    for number in 0..commits {
        let begun = Instant::now();
        conn.prepare_cached("INSERT INTO line (body) VALUES (?1)")
            .unwrap()
            .execute([vec![number as u8; 250]])
            .unwrap();
        took.push(begun.elapsed());
    }
    report("plain SQLite", &mut took, commits, written() - before);
}

fn fill(file: &Path, nodes: u64) {
    const AT_ONCE: u64 = 5_000;
    let mut log = SqliteLog::open(file).unwrap();
    let mut head = add_users(&mut log);
    let mut pruner = log.pruner(Retention::default()).unwrap();
    for first in (0..nodes).step_by(AT_ONCE as usize) {
        let numbers = first..nodes.min(first + AT_ONCE);
        let mut entries: Vec<Entry> = Vec::new();
        entries
            .extend(numbers.clone().map(|n| entry(Op::NodeAdd, Subject::Node(change(None, Some(node(n)))))));
        let links = numbers.clone().flat_map(|n| [(2 * n, n, n / 2), (2 * n + 1, n, n.saturating_sub(7))]);
        entries.extend(links.map(|(number, from, to)| {
            entry(Op::LinkAdd, Subject::Link(change(None, Some(link(number, from, to)))))
        }));
        let mut proposals = Some(vec![proposal(8, first, entries)]);
        head = log.transact(head, &mut |_, _| Ok(proposals.take().unwrap())).unwrap();
        pruner.keep_up().unwrap();
    }
    drop(pruner);
    log.checkpoint().unwrap();
    println!("{nodes} nodes: {} MB on disk", size(file) / 1_000_000);
}

fn start(file: &Path) {
    let begun = Instant::now();
    let mut log = SqliteLog::open(file).unwrap();
    println!("opened in {:.2?}", begun.elapsed());
    let begun = Instant::now();
    let world = log.load(LoadScope::Everything).unwrap();
    let took = begun.elapsed();
    let (nodes, links) = (world.nodes().count(), world.links().count());
    let (now, peak) = (memory("VmRSS:"), memory("VmHWM:"));
    println!("{nodes} nodes and {links} links loaded in {took:.2?}; {now} MiB, at most {peak}");
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |nth: usize| args.get(nth).and_then(|arg| arg.parse().ok());
    let file = args.get(1).map(Path::new);
    match (args.first().map(String::as_str), file, number(2), number(3)) {
        (Some("write"), Some(file), Some(batches), Some(group)) => write(file, batches, group),
        (Some("raw"), Some(file), Some(commits), None) => raw(file, commits),
        (Some("fill"), Some(file), Some(nodes), None) => fill(file, nodes),
        (Some("start"), Some(file), None, None) => start(file),
        _ => panic!("see the head of this example"),
    }
}
