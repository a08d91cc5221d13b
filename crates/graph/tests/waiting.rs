//! Why tasks wait, what is ready and what is critical, on random graphs, as random users see them; and each rule by an
//! example.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;
mod waits;

use fixture::{BEGIN, Fixture, node, user};
use graph::grants;
use graph::hash::HashSet;
use graph::load::visible;
use graph::waiting::{self, Critical, Ready, Waiting};
use graph::{NodeId, Reason, Timestamp};
use proptest::prelude::*;
use std::fmt::Write;

const NODES: usize = 10;

fn name(at: usize) -> String {
    format!("n{at}")
}

/// Nodes of two owners in any order of creation, primary links that all lead the same way, some secondary ones, shares
/// of all kinds; then fields, and some nodes in the trash.
fn world() -> impl Strategy<Value = String> {
    let nodes = Just((0..NODES).collect::<Vec<_>>()).prop_shuffle();
    let each = (
        prop_oneof![3 => Just("alice"), 1 => Just("carol")],
        prop_oneof![4 => Just("=0"), 1 => Just("=1"), 1 => Just("=3"), 1 => Just("!")],
    );
    let each = proptest::collection::vec(each, NODES);
    let ends = (0..NODES, 0..NODES).prop_filter("two nodes", |(a, b)| a != b);
    let by = prop_oneof![8 => Just(""), 1 => Just("private"), 1 => Just("private by carol"), 1 => Just("private by bob")];
    let links = proptest::collection::vec((ends, proptest::bool::weighted(0.9), by), 0..22);
    let grants = proptest::collection::vec(
        (prop_oneof![3 => Just("bob"), 1 => Just("dora")], 0..NODES, 1..=3, any::<bool>(), 0..8),
        0..6,
    );
    let public = proptest::option::of((0..NODES, any::<bool>()));
    let set = (
        0..NODES,
        proptest::option::of(100..104_i64),
        proptest::option::of(0..3_u8),
        proptest::option::of(0..10_u8),
        proptest::option::of(prop_oneof![Just("bob"), Just("ALICE@example.org"), Just("eve")]),
    );
    let set = proptest::collection::vec(set, 0..12);
    let trashed = proptest::collection::vec(0..NODES, 0..2);
    (nodes, each, links, grants, public, set, trashed).prop_map(
        |(nodes, each, links, grants, public, set, trashed)| {
            let mut text = String::new();
            for at in nodes {
                writeln!(text, "{} owns {}{}", each[at].0, name(at), each[at].1).unwrap();
            }
            let mut places = HashSet::default();
            for ((a, b), primary, by) in links {
                let (a, b) = (a.max(b), a.min(b));
                let by = if by == "private" { format!("private by {}", each[b].0) } else { by.to_owned() };
                if places.insert((a, b, by.clone())) {
                    writeln!(text, "{} {} {} {by}", name(a), if primary { "->" } else { "~>" }, name(b))
                        .unwrap();
                }
            }
            let mut granted = HashSet::default();
            for (who, at, level, branch, hidden) in grants {
                if granted.insert((who, at)) {
                    let (branch, hidden) =
                        (if branch { "+" } else { "" }, if hidden == 0 { "hidden" } else { "" });
                    writeln!(text, "{who} {level} {}{branch} {hidden}", name(at)).unwrap();
                }
            }
            if let Some((at, branch)) = public {
                writeln!(
                    text,
                    "public {}{}\nbob embeds {}",
                    name(at),
                    if branch { "+" } else { "" },
                    name(at)
                )
                .unwrap();
            }
            for (at, due, priority, volume, assignee) in set {
                let mut set = |key: &str, value: Option<String>| {
                    if let Some(value) = value {
                        writeln!(text, "{}: set {} {key}={value}", each[at].0, name(at)).unwrap();
                    }
                };
                set("due", due.map(|it| it.to_string()));
                set("priority", priority.map(|it| it.to_string()));
                set("volume", volume.map(|it| it.to_string()));
                set("assignee", assignee.map(str::to_owned));
            }
            let mut gone = HashSet::default();
            for at in trashed.into_iter().filter(|at| gone.insert(*at)) {
                writeln!(text, "{}: trash {}", each[at].0, name(at)).unwrap();
            }
            text
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    // Rules: Q1, Q2, Q3, Q4, Q5, Q6, Q8, Q9, Q10, Q11, Q12.
    #[test]
    fn q1_all_that_is_said_follows_from_what_is_seen(text in world(), turn in 0_usize..60) {
        let world = &Fixture::new(&text).world;
        for one in ["alice", "bob", "carol", "dora"] {
            waits::check(world, user(one), turn).map_err(TestCaseError::fail)?;
        }
    }
}

/// Names of nodes, from their ids.
fn names(ids: &[NodeId], of: &[&str]) -> Vec<String> {
    let named =
        |id: &NodeId| of.iter().find(|name| node(name) == *id).map(|name| (*name).to_owned()).unwrap();
    ids.iter().map(named).collect()
}

fn seen_by(fixture: &Fixture, who: &str) -> Waiting {
    let who = user(who);
    Waiting::in_page(&visible(&fixture.world, who), &fixture.world.user(who).unwrap().user)
}

/// Rules: Q2, Q3.
#[test]
fn q2_a_phantom_ends_a_chain() {
    let fixture = Fixture::new(
        "alice owns top mid
         carol owns hidden deeper
         deeper -> hidden
         hidden -> mid
         mid -> top
         bob 3 top+",
    );
    let why = waiting::why(&fixture.world, user("bob"), node("top")).unwrap();
    let all = ["top", "mid", "hidden", "deeper"];
    assert!(why.held && !why.more);
    assert_eq!(names(&why.blockers, &all), ["mid", "hidden"]);
    let [end] = why.frontier.as_slice() else { panic!("{why:?}") };
    assert!(end.is_phantom);
    assert_eq!(names(&end.chain, &all), ["top", "mid", "hidden"]);
    // The phantom itself is nothing that bob has access to.
    assert_eq!(waiting::why(&fixture.world, user("bob"), node("hidden")), None);
    assert_eq!(waiting::why(&fixture.world, user("bob"), node("deeper")), None);
    // What is held by a link that one does not see has no reason that one could be told.
    let fixture = Fixture::new(
        "alice owns a b
         b -> a private by carol
         carol 2 a
         carol 2 b
         bob 3 a
         bob 3 b",
    );
    let why = waiting::why(&fixture.world, user("bob"), node("a")).unwrap();
    assert!(why.held && why.blockers.is_empty() && why.frontier.is_empty(), "{why:?}");
}

/// Rule: Q4.
#[test]
fn q4_what_is_listed_is_bounded() {
    let mut text = "alice owns top\n".to_owned();
    for at in 0..1_001 {
        writeln!(text, "alice owns t{at}\nt{at} -> top").unwrap();
    }
    let fixture = Fixture::new(&text);
    let why = waiting::why(&fixture.world, user("alice"), node("top")).unwrap();
    assert_eq!((why.blockers.len(), why.frontier.len(), why.more), (1_000, 1_000, true));
    assert_eq!(why.blockers.last(), Some(&node("t999")));

    let all = seen_by(&fixture, "alice");
    let Critical { tasks, .. } = waiting::critical(&all, Some(node("top"))).unwrap();
    assert_eq!((tasks.length, tasks.slack.len(), tasks.more), (2, 1_000, false));
}

/// Rules: Q4, Q9, B13.
#[test]
fn q4_depth_is_no_danger() {
    let mut text = "alice owns t0\n".to_owned();
    let deep = waiting::CHAINS_MOST;
    for at in 1..=deep {
        writeln!(text, "alice owns t{at}").unwrap();
    }
    let mut fixture = Fixture::new(&text);
    for at in 1..=deep {
        fixture.run(&format!("alice: link t{at} t{}", at - 1)).unwrap();
    }
    let why = waiting::why(&fixture.world, user("alice"), node("t0")).unwrap();
    // The only chain is longer than all chains together may be.
    assert_eq!((why.blockers.len(), why.frontier.len(), why.more), (1_000, 0, true));
    let why = waiting::why(&fixture.world, user("alice"), node("t1")).unwrap();
    assert_eq!(why.frontier[0].chain.len(), deep);
    let Critical { tasks, volume } = waiting::critical(&seen_by(&fixture, "alice"), None).unwrap();
    assert_eq!((tasks.length, volume.length), (deep as u64 + 1, 6 * (deep as u64 + 1)));
    assert_eq!((tasks.chain.len(), tasks.more), (waiting::CHAIN_MOST, true));
    assert_eq!(tasks.chain.last(), Some(&node("t0")));
    let Ready { tasks, .. } = waiting::ready(&seen_by(&fixture, "alice"), false, 10);
    assert_eq!((tasks.len(), tasks[0].holds), (1, deep as u64));
}

/// Rules: Q5, Q6, Q7.
#[test]
fn q6_the_most_pressing_comes_first() {
    let fixture = Fixture::new(
        "alice owns plain urgent late launch early wide w1 w2
         early -> launch
         wide -> w1
         wide -> w2
         bob 2 urgent
         bob 3 plain
         alice: set launch due=500
         alice: set late due=900
         alice: set urgent priority=9
         alice: set plain assignee=ALICE",
    );
    let all = seen_by(&fixture, "alice");
    let listed = |found: &Ready| {
        let ids: Vec<NodeId> = found.tasks.iter().map(|task| task.id).collect();
        names(&ids, &["plain", "urgent", "late", "launch", "early", "wide", "w1", "w2"])
    };
    let found = waiting::ready(&all, false, 10);
    assert_eq!(listed(&found), ["early", "late", "urgent", "wide", "plain"]);
    let early = &found.tasks[0];
    assert_eq!((early.due, early.holds), (Some(Timestamp::from_ms(BEGIN + 500_000)), 1));
    assert_eq!((found.tasks[2].priority, found.tasks[3].holds), (9, 2));
    assert_eq!(listed(&waiting::ready(&all, true, 10)), ["plain"]);
    // Bob may only look at one of the two that he sees.
    assert_eq!(listed(&waiting::ready(&seen_by(&fixture, "bob"), false, 10)), ["urgent"]);
}

/// Rules: Q8, Q9, Q10.
#[test]
fn q8_both_ways_of_counting() {
    let fixture = Fixture::new(
        "alice owns end few long1 long2 done=3
         few -> end
         long1 -> long2
         long2 -> end
         done -> end
         alice: set few volume=9
         alice: set long1 volume=1
         alice: set long2 volume=1",
    );
    let all = ["end", "few", "long1", "long2"];
    let Critical { tasks, volume } = waiting::critical(&seen_by(&fixture, "alice"), None).unwrap();
    assert_eq!(
        (tasks.length, names(&tasks.chain, &all)),
        (3, ["long1", "long2", "end"].map(str::to_owned).to_vec())
    );
    assert_eq!(tasks.slack, [waiting::Slack { id: node("few"), slack: 1 }]);
    assert_eq!((volume.length, names(&volume.chain, &all)), (16, ["few", "end"].map(str::to_owned).to_vec()));
    let slack: Vec<_> = volume.slack.iter().map(|one| one.slack).collect();
    assert_eq!(slack, [6, 6]);
    assert_eq!(waiting::critical(&seen_by(&fixture, "alice"), Some(node("done"))), None);
}

/// Rules: Q11, Q12, Q13.
#[test]
fn q11_who_has_access_and_by_what() {
    let mut fixture = Fixture::new(
        "alice owns top mid low
         mid -> top
         low -> mid
         carol 3 top+
         carol 3 mid
         bob 1 mid+
         dora 3 low hidden",
    );
    let shown = |fixture: &Fixture, who: &str| {
        let found = grants::grants(&fixture.world, user(who), node("low"))?;
        let each = found.grants.iter().map(|seen| {
            let via = seen.via.map(|id| names(&[id], &["top", "mid", "low"]).remove(0));
            (seen.user.username.clone(), via, seen.in_force)
        });
        Ok::<_, Reason>(each.collect::<Vec<_>>())
    };
    let via = |name: &str| Some(name.to_owned());
    let row = |who: &str, via, in_force| (who.to_owned(), via, in_force);
    let all =
        vec![row("dora", via("low"), false), row("bob", via("mid"), true), row("carol", via("top"), true)];
    assert_eq!(shown(&fixture, "alice"), Ok(all));
    // Bob does not see the node that carol's grant is on.
    let by_bob = vec![row("dora", via("low"), false), row("bob", via("mid"), true), row("carol", None, true)];
    assert_eq!(shown(&fixture, "bob"), Ok(by_bob));
    assert_eq!(shown(&fixture, "carol"), Err(Reason::NoPermission));
    assert_eq!(shown(&fixture, "dora"), Err(Reason::NodeNotFound));
    // In the trash it is judged by where it was.
    fixture.run("alice: trash low").unwrap();
    let trashed = shown(&fixture, "bob").unwrap();
    assert_eq!(trashed[0], row("dora", via("low"), false));
    assert_eq!(trashed.len(), 3);
}
