//! The part of the suite in which several writers, threads or processes append to one storage.

use super::story::{add_node, uuid};
use super::{Storage, append};
use crate::{LoadScope, Log, LogError};
use graph::{Batch, BatchId};
use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const ADDRESS: &str = "SYNAPTASK_CONTRACT_ADDRESS";
const WRITER: &str = "SYNAPTASK_CONTRACT_WRITER";
const APPENDS: &str = "SYNAPTASK_CONTRACT_APPENDS";

fn numbered(writer: u64, n: u64) -> u64 {
    writer * 1_000_000 + n
}

/// The id of a writer's n-th batch.
pub fn batch_id(writer: u64, n: u64) -> BatchId {
    BatchId(uuid(1_000_000 + numbered(writer, n)))
}

/// Appends batches one by one, each adding a node, and reports each acknowledged one.
pub fn write(log: &mut dyn Log, writer: u64, appends: u64, mut acknowledged: impl FnMut(u64, BatchId)) {
    let mut head = log.load(LoadScope::Accounts).unwrap().rev();
    for n in 0..appends {
        let batch: Batch = add_node(numbered(writer, n));
        assert_eq!(batch.id, batch_id(writer, n));
        head = loop {
            match append(log, head, std::slice::from_ref(&batch)) {
                Ok(rev) => break rev,
                // Among writers that only write, one may wait in vain.
                Err(LogError::Refused(_)) => continue,
                Err(other) => panic!("{other}"),
            }
        };
        acknowledged(head, batch.id);
    }
}

/// A child process: it writes, and prints each acknowledged rev.
pub fn child<S: Storage>() {
    let Ok(address) = env::var(ADDRESS) else { return };
    let number = |name| env::var(name).unwrap().parse().unwrap();
    write(&mut *S::open_at(&address), number(WRITER), number(APPENDS), |rev, id| {
        // The test harness writes at the start of a line.
        println!("\nack {rev} {id}");
    });
}

fn spawn(storage: &impl Storage, child: &str, writer: u64, appends: u64) -> Child {
    let test = child.split_once("::").map_or(child, |(_, within)| within);
    Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(ADDRESS, storage.address())
        .env(WRITER, writer.to_string())
        .env(APPENDS, appends.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The acknowledgements that a child prints.
fn acknowledgements(child: &mut Child) -> impl Iterator<Item = (u64, BatchId)> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(|line| {
        let (rev, id) = line.strip_prefix("ack ")?.split_once(' ')?;
        Some((rev.parse().ok()?, BatchId(id.parse().ok()?)))
    })
}

/// Asserts that the log has exactly these batches, without a gap, and the node that each adds.
pub fn assert_all_there(storage: &impl Storage, expected: BTreeSet<BatchId>) {
    let mut log = storage.open();
    let all = log.since(0).unwrap();
    assert!(all.iter().map(|committed| committed.rev).eq(1..=all.len() as u64), "revs are gapless");
    assert_eq!(all.len(), expected.len(), "every batch is there once");
    assert_eq!(all.iter().map(|committed| committed.batch.id).collect::<BTreeSet<_>>(), expected);
    let world = log.load(LoadScope::Everything).unwrap();
    assert_eq!((world.rev(), world.nodes().count()), (all.len() as u64, all.len()));
}

/// Two processes and this one append at the same time.
// Rules: D14, C10.
pub fn d14_processes_append_without_a_gap(storage: &impl Storage, child: &str) {
    const EACH: u64 = 100;
    let mut children = [1, 2].map(|writer| spawn(storage, child, writer, EACH));
    write(&mut *storage.open(), 3, EACH, |_, _| ());
    let acknowledged: usize = children.iter_mut().map(|child| acknowledgements(child).count()).sum();
    assert_eq!(acknowledged as u64, 2 * EACH);
    assert!(children.iter_mut().all(|child| child.wait().unwrap().success()));
    let written = (1..=3).flat_map(|writer| (0..EACH).map(move |n| batch_id(writer, n)));
    assert_all_there(storage, written.collect());
}

/// A process is killed while appending, several times.
pub fn d13_nothing_acknowledged_is_lost_by_a_kill(storage: &impl Storage, child: &str) {
    let mut acknowledged = Vec::new();
    for (writer, acks) in [(1, 1_i32), (2, 40), (3, 90)] {
        let mut child = spawn(storage, child, writer, 1_000_000);
        let mut acks_left = acks;
        for ack in acknowledgements(&mut child) {
            acknowledged.push(ack);
            acks_left -= 1;
            if acks_left == 0 {
                child.kill().unwrap();
            }
        }
        assert!(!child.wait().unwrap().success());
        assert!(acks_left <= 0, "it was killed in its midst, and not before");
    }
    let mut log = storage.open();
    let all = log.since(0).unwrap();
    assert!(all.iter().map(|committed| committed.rev).eq(1..=all.len() as u64), "revs are gapless");
    for (rev, id) in acknowledged {
        assert_eq!(all[rev as usize - 1].batch.id, id);
    }
    assert_all_there(storage, all.iter().map(|committed| committed.batch.id).collect());
}
