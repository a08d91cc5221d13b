//! Blocking: rules B1–B15 and O19–O23, one world and one request at a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;
mod supply;

use fixture::{Fixture, check, each, node, user};
use graph::batch::Op;
use graph::diff::NodeChange;
use graph::hash::HashSet;
use graph::model::{Link, LinkType, Node, Status, User};
use graph::ops::{LinkAdd, NodeUpdate};
use graph::world::Counts;
use graph::{BatchId, Entity, LinkId, NodeFields, NodeId, Operation, Projection, Timestamp, World, decide};
use std::sync::Arc;
use supply::Supply;
use uuid::Uuid;

const CHAIN: &str = "
    alice owns a b c
    b -> a
    c -> b";

#[test]
fn b1_a_link_holds_its_target_unless_its_source_is_completed() {
    check("alice owns a b", "alice: link b a", "add b -> a blocker\nstatus a 0>2");
    check("alice owns a b=3", "alice: link b a", "add b -> a");
    check("alice owns a! b", "alice: link b a", "add b -> a");
    check("alice owns a b", "alice: link b a secondary", "add b ~> a");
}

#[test]
fn b3_in_progress_is_remembered_and_the_rest_resumes_as_available() {
    for (status, resumed) in [("0", "0"), ("1", "1"), ("3", "0")] {
        let mut fixture = Fixture::new(&format!("alice owns a={status} b\nalice: link b a"));
        assert_eq!(fixture.node("a").status, Status::Blocked);
        fixture.run("alice: set b status=3").unwrap();
        assert_eq!(fixture.node("a").status.number().to_string(), resumed, "from {status}");
    }
}

#[test]
fn b4_completing_the_last_child_frees_the_parent() {
    check(CHAIN, "alice: set c status=3", "status c 0>3\nstatus b 2>0");
    check("alice owns a=1 b\nb -> a", "alice: set b status=3", "status b 0>3\nstatus a 2>1");
    check("alice owns a b c\nb -> a\nc -> a", "alice: set b status=3", "status b 0>3");
    check("alice owns a b\nb -> a", "alice: trash b", "trash b\ntrash b -> a blocker\nstatus a 2>0");
    check("alice owns a b\nb -> a", "alice: trash b>a", "trash b -> a blocker\nstatus a 2>0");
    check("alice owns a b\nb -> a", "alice: change b>a type=1", "change b ~> a\nstatus a 2>0");
}

#[test]
fn b5_a_completed_node_that_is_held_again_reopens_what_waits_for_it() {
    let completed = "alice owns a=3 b=3 c=3\nb -> a\nc -> b";
    check(
        completed,
        "alice: set c status=0",
        "status c 3>0
         status b 3>2
         status a 3>2
         change c -> b blocker
         change b -> a blocker",
    );
    check(
        completed,
        "alice: add new under b",
        "add new of alice
         add new -> b blocker
         status b 3>2
         status a 3>2
         change b -> a blocker",
    );
}

#[test]
fn b6_each_node_changes_once_and_after_what_causes_it() {
    // d blocks b and c, which both block a.
    let diamond = "alice owns a=3 b=3 c=3 d=3\nb -> a\nc -> a\nd -> b\nd -> c";
    let batch = Fixture::new(diamond).ask("alice: set d status=1").unwrap();
    let changed: Vec<_> = batch.entries.iter().filter(|entry| entry.op == Op::NodeStatus).collect();
    assert_eq!(changed.len(), 4);
    let ids: Vec<_> = changed
        .iter()
        .map(|entry| match &entry.subject {
            graph::batch::Subject::Node(change) => change.after.as_ref().unwrap().id,
            _ => panic!("a status of no node"),
        })
        .collect();
    assert_eq!(ids.first(), Some(&node("d")));
    assert_eq!(ids.last(), Some(&node("a")));
}

#[test]
fn b6_a_phantom_stands_between_its_cause_and_its_effect() {
    // Bob sees mid only as a phantom, and alice sees all of it in full. Both read low, mid, top.
    let chain = "alice owns top=3 mid=3 low=3\nlow -> mid\nmid -> top\nbob 2 low\nbob 3 top";
    for request in ["alice: set low status=0", "bob: set low status=1"] {
        let mut fixture = Fixture::new(chain);
        let batch = fixture.ask(request).unwrap();
        let viewers: HashSet<_> = ["alice", "bob"].map(user).into_iter().collect();
        let projection = Projection::before(&fixture.world, &batch, &viewers);
        fixture.world.apply(&batch);
        let diffs = each(projection.after(&fixture.world));
        assert_eq!(diffs.len(), 2);
        for (reader, diff) in diffs {
            let changed: Vec<NodeId> = diff
                .nodes
                .iter()
                .map(|change| match change {
                    NodeChange::Edited { after, .. } => after.id,
                    NodeChange::PhantomStatus { id, .. } => *id,
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(changed, ["low", "mid", "top"].map(node), "{request}, read by {reader}");
        }
    }
}

#[test]
fn b8_no_status_can_be_set_on_a_held_node() {
    for status in ["0", "1", "3"] {
        check(CHAIN, &format!("alice: set a status={status}"), "node_blocked");
    }
    check(CHAIN, "alice: set a title=x status=0", "node_blocked");
    check(CHAIN, "alice: set a title=x", "set a");
}

#[test]
fn o20_fields_come_first_then_blocking_then_the_status() {
    let world = "alice owns a=1 b!\nb -> a";
    check(world, "alice: set a independent=true", "set a\nstatus a 2>1");
    check(world, "alice: set a independent=true status=3", "set a\nstatus a 2>3\nchange b -> a");
    check("alice owns a! b\nb -> a", "alice: set a independent=false status=1", "node_blocked");
    check(
        "alice owns a! b\nb -> a",
        "alice: set a independent=false",
        "set a\nstatus a 0>2\nchange b -> a blocker",
    );
}

#[test]
fn o19_a_status_is_an_entry_of_its_own() {
    check("alice owns a", "alice: set a title=x status=1", "set a\nstatus a 0>1");
    let mut fixture = Fixture::new("alice owns a\nalice: set a title=x status=1");
    assert_eq!(fixture.node("a").version, 3);
    fixture.run("alice: set a title=y").unwrap();
    assert_eq!(fixture.node("a").version, 4);
}

#[test]
fn o2_what_changes_nothing_has_no_entries() {
    check("alice owns a", "alice: set a title= status=0 volume=5 independent=false", "nothing");
    check("alice owns a b\nb -> a", "alice: change b>a type=0 private=false", "nothing");
    check("alice owns a\nbob 2 a", "alice: regrant a bob level=2 branch=false", "nothing");
    check("alice owns a\nbob 2 a", "bob: show a", "nothing");
    check("alice owns a\npublic a+", "alice: republish a branch=true forever", "nothing");
    check("alice owns a", "alice: rename alice", "nothing");
    check("alice owns a", "alice: purge", "nothing");
}

#[test]
fn o21_a_stale_version_is_a_conflict() {
    check("alice owns a", "alice: set a title=x version=1", "set a");
    check("alice owns a", "alice: set a title=x version=2", "version_conflict");
    check("alice owns a\nalice: trash a", "alice: set a title=x version=9", "node_in_trash");
    check("alice owns a", "alice: set a", "no_fields_to_update");
}

// Rules: B9, B10.
#[test]
fn b9_a_cycle_is_refused_and_its_path_named() {
    check(CHAIN, "alice: link a c", "dependency_cycle");
    check(CHAIN, "alice: link a c secondary", "add a ~> c");
    check("alice owns a! b!\nb -> a", "alice: link a b private", "dependency_cycle");
    check("alice owns a b c\nb -> a\nc -> b\na ~> c", "alice: change a>c type=0", "dependency_cycle");
    check("alice owns a b c\nb -> a\nc -> b\nc -> a", "alice: swap c>a", "dependency_cycle");
    check("alice owns a b c\nb -> a\nc -> b\na -> c trashed", "alice: restore a>c", "dependency_cycle");
    let refusal = Fixture::new(CHAIN).ask("alice: link a c").unwrap_err();
    for name in ["a", "b", "c"] {
        assert!(refusal.message().contains(&node(name).to_string()), "{refusal}");
    }
}

#[test]
fn b9_the_path_does_not_name_what_the_caller_cannot_see() {
    let mut fixture = Fixture::new(
        "alice owns a c
         bob owns hidden
         c -> hidden
         hidden -> a
         carol 2 a
         carol 2 c",
    );
    let refusal = fixture.ask("carol: link a c").unwrap_err();
    assert_eq!(refusal.reason.code(), "dependency_cycle");
    assert!(refusal.message().contains(&node("a").to_string()), "{refusal}");
    assert!(!refusal.message().contains(&node("hidden").to_string()), "{refusal}");
}

#[test]
fn b11_a_link_that_would_close_a_cycle_stays_in_the_trash() {
    let world = "
        alice owns a b c
        b -> a
        alice: trash b
        alice: link a c
        alice: restore b
        alice: trash b
        alice: trash a
        alice: restore b
        alice: link c b
        alice: restore a";
    let fixture = Fixture::new(world);
    assert!(fixture.link("b>a").in_trash != fixture.link("a>c").in_trash);
    assert!(fixture.link("a>c").in_trash, "the younger link stays");
}

// Rules: B11, O23, A11.
#[test]
fn b11_what_is_left_behind_stays_in_the_trash_in_its_own_right() {
    let world = "
        alice owns x a b
        bob 2 b+
        x -> a
        a -> b
        alice: trash a
        alice: link b x";
    check(world, "alice: restore a", "restore a\nrestore x -> a blocker\ntrash a -> b blocker");
    let mut fixture = Fixture::new(&format!("{world}\nalice: restore a"));
    let link = fixture.link("a>b");
    assert!(link.in_trash && !link.cascade && link.version == 3, "{link:?}");
    // bob has not seen a since it was trashed. Trashing it again gives him nothing.
    fixture.run("alice: set a title=SECRET").unwrap();
    fixture.run("alice: trash a").unwrap();
    assert_eq!(fixture::outcome(&fixture.ask("bob: restore a")), "node_not_found");
    // Even without the cycle it returns only by hand.
    fixture.run("alice: trash b>x").unwrap();
    fixture.run("alice: restore a").unwrap();
    assert!(fixture.link("a>b").in_trash);
    fixture.run("alice: restore a>b").unwrap();
    assert!(!fixture.link("a>b").in_trash);
}

// Rules: O22, O23.
#[test]
fn o22_o23_what_went_by_cascade_returns_in_whatever_order() {
    let world = "alice owns a b c\nb -> a\nc -> b\nalice: trash a\nalice: trash b\nalice: trash c";
    for order in
        [["a", "b", "c"], ["a", "c", "b"], ["b", "a", "c"], ["b", "c", "a"], ["c", "a", "b"], ["c", "b", "a"]]
    {
        let mut fixture = Fixture::new(world);
        for name in order {
            fixture.run(&format!("alice: restore {name}")).unwrap();
        }
        assert!(!fixture.link("b>a").in_trash && !fixture.link("c>b").in_trash, "{order:?}");
        assert_eq!(fixture.node("a").status, Status::Blocked, "{order:?}");
        assert_eq!(fixture.node("b").status, Status::Blocked, "{order:?}");
    }
}

#[test]
fn a11_who_could_trash_a_branch_can_restore_it_in_whatever_order() {
    for order in [["b", "c"], ["c", "b"]] {
        let mut fixture =
            Fixture::new("alice owns a b c\nb -> a\nc -> b\nbob 2 a+\nbob: trash c\nbob: trash b");
        for name in order {
            fixture.run(&format!("bob: restore {name}")).unwrap();
        }
        assert!(!fixture.link("c>b").in_trash && !fixture.link("b>a").in_trash);
    }
    for order in [["b", "c"], ["c", "b"]] {
        let mut fixture = Fixture::new("alice owns a b c\nb -> a\nc -> b\nbob 2 a+\nbob: trash b");
        // c lost its path up to what bob was granted, and bob his access with it.
        assert_eq!(fixture::outcome(&fixture.ask("bob: trash c")), "node_not_found");
        fixture.run("alice: trash c").unwrap();
        for name in order {
            fixture.run(&format!("bob: restore {name}")).unwrap();
        }
    }
}

#[test]
fn l20_a_link_trashed_alone_does_not_return_with_its_node() {
    let world = "alice owns a b\nb -> a\nalice: trash b>a\nalice: trash b";
    check(world, "alice: restore b", "restore b");
}

// Rules: B12, V6.
#[test]
fn b12_a_hidden_child_holds_its_parent() {
    let world = "alice owns a\nbob owns b\nbob 2 a";
    check(world, "bob: link b a", "add b -> a blocker\nstatus a 0>2");
    check(
        "alice owns a\nbob owns b\nbob 2 a\nb -> a private by bob",
        "alice: set a status=1",
        "node_blocked",
    );
    check(
        "alice owns a\nbob owns b\nbob 2 a\nb -> a private by bob",
        "alice: trash b>a/bob",
        "trash b -> a private blocker\nstatus a 2>0",
    );
}

// Rules: B14, B15.
#[test]
fn b14_was_blocker_is_sticky_until_the_target_completes_or_the_type_changes() {
    let world = "alice owns a b c\nb -> a\nalice: set b status=3";
    assert!(Fixture::new(world).link("b>a").was_blocker);
    check(world, "alice: set a status=3", "status a 0>3\nchange b -> a");
    check(world, "alice: change b>a type=1", "change b ~> a");
    check(world, "alice: set b status=0", "status b 3>0\nstatus a 0>2");
    // Folded into the link's own entry.
    check("alice owns a b\nb ~> a", "alice: change b>a type=0", "change b -> a blocker\nstatus a 0>2");
}

#[test]
fn b13_a_cascade_of_depth_100_000_is_quick_and_overflows_nothing() {
    const DEPTH: u128 = 100_000;
    let began = Timestamp::from_ms(fixture::BEGIN);
    let batch = BatchId(Uuid::nil());
    let id = |nth: u128| NodeId(Uuid::from_u128(1 + nth));
    let owner = User::new(
        user("alice"),
        "alice".to_owned(),
        "alice@example.org".to_owned(),
        graph::model::Plan::Pro,
        began,
    );
    let nodes = (0..=DEPTH).map(|nth| {
        let mut node = Node::new(id(nth), owner.id, batch, began, nth as u64);
        node.status = Status::Completed;
        Entity::Node(Arc::new(node))
    });
    let links = (0..DEPTH).map(|nth| {
        Entity::Link(Arc::new(Link {
            id: LinkId(Uuid::from_u128(1 + DEPTH * 2 + nth)),
            owner: owner.id,
            source: id(nth),
            target: id(nth + 1),
            kind: LinkType::Primary,
            private: false,
            was_blocker: false,
            in_trash: false,
            cascade: false,
            version: 1,
            created: began,
            edited: began,
            seq: (DEPTH + 1 + nth) as u64,
            last_batch: batch,
        }))
    });
    let entities = std::iter::once(Entity::User(Arc::new(owner.clone()))).chain(nodes).chain(links);
    let mut world = World::load(entities, 0, Counts::default());
    world.advance(began);
    let set = |world: &World, nth: u128, status: Status| {
        let fields = Box::new(NodeFields { status: Some(status), ..NodeFields::default() });
        let operation = Operation::NodeUpdate(NodeUpdate { id: id(nth), fields, version: None });
        let batch = BatchId(Uuid::from_u128(9));
        decide(world, Some(user("alice")), &operation, batch, &mut Supply::new(0))
    };
    let started = std::time::Instant::now();
    let reopened = set(&world, 0, Status::Available).unwrap();
    let statuses = reopened.entries.iter().filter(|entry| entry.op == Op::NodeStatus).count();
    assert_eq!(statuses as u128, DEPTH + 1);
    world.apply(&reopened);
    assert!(graph::check::problems(&world).is_empty());
    let freed = set(&world, 0, Status::Completed).unwrap();
    world.apply(&freed);
    // The cost follows the changes: only the next node is freed.
    assert_eq!(freed.entries.iter().filter(|entry| entry.op == Op::NodeStatus).count(), 2);
    assert!(started.elapsed().as_secs() < 20, "took {:?}", started.elapsed());
    // No answer takes longer because of the depth below it, cycles included.
    let started = std::time::Instant::now();
    let operation = Operation::LinkAdd(LinkAdd {
        id: None,
        source: id(DEPTH),
        target: id(0),
        kind: LinkType::Primary,
        private: false,
    });
    let batch = BatchId(Uuid::from_u128(10));
    let refusal = decide(&world, Some(user("alice")), &operation, batch, &mut Supply::new(0)).unwrap_err();
    assert_eq!(refusal.reason.code(), "dependency_cycle");
    assert!(started.elapsed().as_secs() < 20, "took {:?}", started.elapsed());
}
