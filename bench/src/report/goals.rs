//! The goals, and whether they are met.

use super::{Medians, grouped};
use std::fmt::Write as _;

/// A goal.
struct Goal {
    what: &'static str,
    measured: Option<f64>,
    bound: Bound,
    /// The unit of the measured value; a ratio is in `×`.
    unit: &'static str,
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

use Bound::{AtLeast, AtMost};

/// One row for each goal.
pub fn table(medians: &Medians) -> String {
    let mut text = String::from("| goal | bound | measured | |\n|---|--:|--:|---|\n");
    for goal in goals(medians) {
        let (bound, sign) = match goal.bound {
            AtLeast(bound) => (bound, '≥'),
            AtMost(bound) => (bound, '≤'),
        };
        let unit = goal.unit;
        let measured =
            goal.measured.map_or_else(|| "–".to_owned(), |value| format!("{}{unit}", shown(value)));
        let _ = writeln!(
            text,
            "| {} | {sign} {}{unit} | {measured} | {} |",
            goal.what,
            shown(bound),
            goal.verdict()
        );
    }
    text
}

impl Goal {
    fn verdict(&self) -> String {
        let Some(measured) = self.measured else { return "not measured".to_owned() };
        let (met, missed) = match self.bound {
            AtLeast(bound) => (measured >= bound, bound / measured),
            AtMost(bound) => (measured <= bound, measured / bound),
        };
        if met { "met".to_owned() } else { format!("**missed by {missed:.2} ×**") }
    }
}

fn shown(value: f64) -> String {
    grouped(
        value,
        if value >= 100.0 {
            0
        } else if value >= 10.0 {
            1
        } else {
            2
        },
    )
}

fn goals(medians: &Medians) -> Vec<Goal> {
    let of = |work: &str, case: &str, subject: &str, name: &str| medians.get(work, case, subject, name);
    let ours = |work: &str, case: &str, name: &str| of(work, case, "synaptask", name);
    let ratio = |one: Option<f64>, other: Option<f64>| Some(one? / other?);
    let commit = of("commits", "groups of 1", "sqlite", "commits_per_s");
    let mut goals = Vec::new();
    let mut goal = |what, measured, bound, unit| goals.push(Goal { what, measured, bound, unit });

    for (clients, limit, pocketbase, node) in [
        (50.0, MUTATE_50[0], MUTATE_50[1], MUTATE_50[2]),
        (200.0, MUTATE_200[0], MUTATE_200[1], MUTATE_200[2]),
    ] {
        let case = format!("node:add {clients}");
        let acks = |subject: &str| of("mutate", &case, subject, "acks_per_s");
        let least = acks("bare").zip(commit).map(|(echo, commit)| (echo / 2.0).min(clients * commit));
        goal(limit, ratio(acks("synaptask"), least), AtLeast(0.7), " ×");
        goal(pocketbase, ratio(acks("synaptask"), acks("pocketbase")), AtLeast(5.0), " ×");
        goal(node, ratio(acks("synaptask"), acks("node")), AtLeast(8.0), " ×");
    }
    let one = ratio(ours("mutate", "node:add 1", "acks_per_s"), commit);
    goal("mutation, 1 client ÷ SQLite commits one by one", one, AtLeast(0.8), " ×");
    let written = ours("bytes", "node:add 50", "written_bytes_per_ack");
    goal("written per node:add, 50 clients", written, AtMost(3_000.0), " B");
    let written = ours("bytes", "node:update 50", "written_bytes_per_ack");
    goal("written per node:update, 50 clients", written, AtMost(3_000.0), " B");

    for (case, limit, npm) in [
        ("500 viewers", "fan-out to 500 ÷ bare room emit", "fan-out to 500 ÷ npm socket.io"),
        ("2000 viewers", "fan-out to 2,000 ÷ bare room emit", "fan-out to 2,000 ÷ npm socket.io"),
    ] {
        let deliveries = |subject: &str| of("fanout", case, subject, "deliveries_per_s");
        goal(limit, ratio(deliveries("synaptask"), deliveries("bare")), AtLeast(0.8), " ×");
        goal(npm, ratio(deliveries("synaptask"), deliveries("node-bare")), AtLeast(3.0), " ×");
    }

    for (nodes, limit, list) in [
        (10_000, "snapshot of 10k nodes ÷ the same bytes ready-made", "PocketBase's list of 10k ÷ snapshot"),
        (
            100_000,
            "snapshot of 100k nodes ÷ the same bytes ready-made",
            "PocketBase's list of 100k ÷ snapshot",
        ),
    ] {
        let took = |how: &str, subject: &str| of("load", &format!("{nodes} nodes, {how}"), subject, "p50_us");
        let snapshot = took("snapshot", "synaptask");
        goal(limit, ratio(snapshot, took("ready-made", "bare")), AtMost(2.0), " ×");
        goal(list, ratio(took("list", "pocketbase"), snapshot), AtLeast(8.0), " ×");
    }

    let rest = ours("others", "rest", "p99_us");
    for (scene, what) in [
        ("load", "others' p99 during loads of 100k nodes ÷ at rest"),
        ("reconnects", "others' p99 during 500 reconnects at once ÷ at rest"),
        ("readers", "others' p99 with 50 anonymous readers of 100k ÷ at rest"),
        ("grant", "others' p99 during grants of a 10k branch ÷ at rest"),
        ("busy", "others' p99 with one user at 50 × ÷ at rest"),
    ] {
        goal(what, ratio(ours("others", scene, "p99_us"), rest), AtMost(2.0), " ×");
    }

    let size = |case: &str, name: &str| ours("size", case, name);
    let growth = ratio(size("1000000 nodes", "p99_us"), size("1000 nodes", "p99_us"));
    goal("mutation p99 at 1M nodes ÷ at 1k", growth, AtMost(1.3), " ×");
    let hub = ratio(size("hub of 100000", "p50_us"), size("leaf of 100000", "p50_us"));
    goal("moving a hub of 100k children ÷ a leaf, p50", hub, AtMost(1.5), " ×");

    let told = |length: u32| ours("cascade", &format!("reopen {length}"), "told_us_per_node");
    goal("cascade of 100k, committed and told, per node", told(100_000), AtMost(10.0), " µs");
    goal("cascade of 100k ÷ of 10k, per node", ratio(told(100_000), told(10_000)), AtMost(1.3), " ×");
    let waited = ours("cascade", "reopen 100000", "others_max_ms");
    goal("others' longest wait during it", waited, AtMost(250.0), " ms");

    let start = |name: &str| ours("start", "1000000 nodes", name);
    goal("start, 1M nodes + 2M links", start("start_s"), AtMost(5.0), " s");
    goal("memory per node with its two links", start("resident_bytes_per_node"), AtMost(1_228.8), " B");
    goal("p99.9 ÷ p50 over 60 s at half load", ours("tail", "half load", "p999_over_p50"), AtMost(5.0), " ×");
    let idle = ours("idle", "2000 connections", "bytes_per_connection");
    goal("an idle connection", idle.map(|bytes| bytes / 1024.0), AtMost(30.0), " KiB");
    goals
}

const MUTATE_50: [&str; 3] = [
    "mutation, 50 clients ÷ min(half the bare echo, clients × SQLite commits)",
    "mutation, 50 clients ÷ PocketBase create (no fsync per commit)",
    "mutation, 50 clients ÷ npm socket.io + better-sqlite3",
];
const MUTATE_200: [&str; 3] = [
    "mutation, 200 clients ÷ min(half the bare echo, clients × SQLite commits)",
    "mutation, 200 clients ÷ PocketBase create (no fsync per commit)",
    "mutation, 200 clients ÷ npm socket.io + better-sqlite3",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(measured: Option<f64>, bound: Bound) -> String {
        Goal { what: "", measured, bound, unit: "" }.verdict()
    }

    #[test]
    fn a_goal_is_met_missed_or_not_measured() {
        assert_eq!(verdict(Some(0.8), AtLeast(0.8)), "met");
        assert_eq!(verdict(Some(0.4), AtLeast(0.8)), "**missed by 2.00 ×**");
        assert_eq!(verdict(Some(2.0), AtMost(2.0)), "met");
        assert_eq!(verdict(Some(3.0), AtMost(2.0)), "**missed by 1.50 ×**");
        assert_eq!(verdict(None, AtMost(2.0)), "not measured");
    }

    #[test]
    fn without_measurements_no_goal_is_met() {
        assert!(goals(&Medians::default()).iter().all(|goal| goal.measured.is_none()));
    }
}
