//! Operations on many things at once: rules O30–O39, P34, H22.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;
mod supply;

use fixture::{BEGIN, Fixture, check, link, node, outcome, user};
use graph::access;
use graph::batch::Op;
use graph::diff::{LinkChange, NodeChange};
use graph::hash::HashSet;
use graph::model::{Level, Link, LinkType, Node, Plan, Status, User};
use graph::ops::NodeDuplicate;
use graph::projection::Projection;
use graph::world::Counts;
use graph::{
    Batch, BatchId, Diff, Entity, LinkId, NodeId, Operation, Reason, Timestamp, UserId, World, decide, replay,
};
use std::sync::Arc;
use uuid::Uuid;

/// What a batch that was just decided tells a user; it is applied.
fn told(fixture: &mut Fixture, batch: &Batch, viewer: &str) -> Diff {
    let viewers: HashSet<UserId> = [user(viewer)].into_iter().collect();
    let projection = Projection::before(&fixture.world, batch, &viewers);
    fixture.world.apply(batch);
    let diffs = projection.after(&fixture.world);
    let diff = diffs.into_iter().map(|shared| shared.diff).next();
    diff.unwrap_or_else(|| Diff::empty(&fixture.world, Some(batch)))
}

/// Operation codes and versions of a diff's nodes.
fn node_codes(diff: &Diff) -> Vec<(Op, u64)> {
    let code = |change: &NodeChange| match change {
        NodeChange::Whole { op, seen } => (*op, seen.node.version),
        NodeChange::Edited { op, after, .. } => (*op, after.version),
        NodeChange::Hidden { .. } => (Op::NodeHide, 0),
        NodeChange::Deleted { before } => (Op::NodeDelete, before.node.version),
        other => panic!("{other:?}"),
    };
    diff.nodes.iter().map(code).collect()
}

#[test]
fn o39_a_branch_goes_to_the_trash_as_one_group() {
    let world = "alice owns a b c other\nb -> a\nc ~> b\nother -> a private";
    check(
        world,
        "alice: trash a branch",
        "trash a
         trash b -> a blocker
         trash other -> a private blocker
         trash b
         trash c ~> b
         trash c",
    );
}

#[test]
fn o39_of_a_branch_only_what_the_caller_may_edit() {
    let world = "alice owns a b c\nb ~> a\nc ~> b\nbob 3 a+\nbob 2 b";
    check(world, "bob: trash b branch", "trash b\ntrash b ~> a\ntrash c ~> b");
    check(world, "bob: trash a branch", "no_permission");
    check(world, "carol: trash a branch", "node_not_found");
    check(&format!("{world}\nalice: trash a"), "alice: trash a branch", "already_trashed_node");
}

#[test]
// Rules: O30, O39.
fn o30_what_went_together_comes_back_together() {
    let mut fixture = Fixture::new("alice owns a b c\nb -> a\nc -> b\nalice: trash a branch");
    for id in ["a", "b", "c"] {
        assert!(fixture.node(id).in_trash);
        assert_eq!(fixture.node(id).last_batch, fixture.link("b>a").last_batch);
    }
    let restored = fixture.run("alice: restore batch 1").unwrap();
    assert_eq!(
        outcome(&Ok(restored)),
        "restore a\nrestore b\nrestore c\nrestore b -> a blocker\nrestore c -> b blocker"
    );
    assert_eq!(fixture.node("a").status, Status::Blocked);
    let undone = fixture.run("alice: undo 2").unwrap();
    assert!(undone.entries.iter().all(|entry| entry.op != Op::NodeRestore));
    assert!(fixture.node("c").in_trash && fixture.link("c>b").in_trash);
}

#[test]
fn o30_links_that_went_by_themselves_come_back_as_by_link_restore() {
    let world = "alice owns a b c\nb ~> a\nc ~> a\nalice: all trash b>a; trash c>a; trash c";
    check(world, "alice: restore batch 1", "restore c\nrestore b ~> a\nrestore c ~> a");
    // By the time it is asked for, a has gone too: the links stay, and the node that can come back does.
    check(&format!("{world}\nalice: trash a"), "alice: restore batch 1", "restore c");
    // What would close a cycle stays (B11).
    let cycle = "alice owns a b c d
        b -> a
        d ~> a
        alice: all trash b>a; trash d>a
        alice: link a c
        alice: link c b";
    check(cycle, "alice: restore batch 1", "restore d ~> a");
}

#[test]
fn o31_nothing_to_restore_is_refused() {
    let world = "alice owns a b\nb ~> a\nalice: trash b>a\nalice: trash a";
    check(world, "alice: restore batch 9", "not_in_trash");
    check(world, "bob: restore batch 1", "not_in_trash");
    check(world, "alice: restore batch 1", "inactive_source_or_target");
    check(&format!("{world}\nalice: restore a"), "alice: restore batch 2", "not_in_trash");
}

#[test]
fn o32_a_branch_is_copied_with_the_links_inside() {
    let world = "alice owns a b=3 c d\nb -> a\nc -> b\nd -> a private by alice\na -> d by alice trashed";
    let mut fixture = Fixture::new(world);
    let batch = fixture.run("alice: copy a a>A b>B c>C").unwrap();
    assert_eq!(
        outcome(&Ok(batch.clone())),
        "add A of alice
         add B of alice
         add C of alice
         add B -> A blocker
         add C -> B blocker
         status A 0>2
         status B 0>2"
            .replace("         ", "")
    );
    let (a, copy) = (fixture.node("a"), fixture.node("A"));
    assert_eq!((copy.x, copy.y, copy.z), (a.x + 40.0, a.y + 40.0, a.z));
    assert_eq!((&copy.title, copy.volume), (&a.title, a.volume));
    let copied: Vec<_> = batch.entries.iter().filter_map(|entry| entry.copy_of).collect();
    assert_eq!(copied[..3], [node("a").0, node("b").0, node("c").0]);
    assert_eq!(copied[3..], [link("b>a").0, link("c>b").0]);
}

#[test]
fn o32_another_users_private_link_is_not_copied() {
    // Alice sees it, for it holds her task; and she has one of her own in the same place but for the owner.
    let world = "alice owns a b\nbob 3 a\nbob 3 b\nb -> a private by bob\nb ~> a\nb ~> a private by alice";
    check(
        world,
        "alice: copy a a>A b>B",
        "add A of alice
         add B of alice
         add B ~> A
         add B ~> A private",
    );
}

#[test]
fn o32_a_copy_has_no_shares_and_is_nobody_elses() {
    let mut fixture = Fixture::new("alice owns a\nbob 3 a+\npublic a");
    fixture.run("bob: copy a a>A").unwrap();
    let copy = fixture.node("A");
    assert_eq!((copy.owner, copy.publication.is_none(), copy.version), (user("bob"), true, 1));
    assert_eq!(fixture.world.grants_on(node("A")).count(), 0);
    check("alice owns a b\nb ~> a\nbob 3 a", "bob: copy a a>A b>B", "add A of bob");
    check("alice owns a b\nb ~> a", "alice: copy a a>A b>B branch=false", "add A of alice");
}

#[test]
fn o33_a_copy_under_a_target_is_made_as_node_add_makes_it() {
    let world = "alice owns t a\nbob owns b\nbob 2 t+\ncarol 3 t\ncarol 3 b\nbob 2 a";
    check(world, "bob: copy b b>B under=t", "add B of alice\nadd B -> t blocker\nstatus t 0>2");
    check(world, "bob: copy b b>B under=a", "add B of bob\nadd B -> a blocker\nstatus a 0>2");
    check(world, "carol: copy b b>B under=t", "add B of carol\nadd B ~> t private");
    check(world, "carol: copy b under=a", "target_not_found");
    check(world, "carol: copy a", "node_not_found");
    check(&format!("{world}\nalice: trash t"), "alice: copy a under=t", "target_in_trash");
    check(&format!("{world}\nalice: trash a"), "alice: copy a under=t", "node_in_trash");
}

#[test]
fn o34_names_of_copies_must_be_new() {
    let world = "alice owns a b\nb ~> a";
    check(world, "alice: copy a a>b", "id_taken");
    check(world, "alice: copy a a>A b>A", "id_taken");
    // What is not copied has no name.
    check(world, "alice: copy b b>B a>A", "add B of alice");
}

/// A World of one user's tasks: one, and so many that it waits for.
fn wide(children: u128) -> World {
    let alice = user("alice");
    let began = Timestamp::from_ms(BEGIN);
    let (username, email) = ("alice".to_owned(), "alice@example.org".to_owned());
    let account = User::new(alice, username, email, Plan::Pro, began);
    let nil = BatchId(Uuid::nil());
    let id = |nth: u128| NodeId(Uuid::from_u128(0x1_0000 + nth));
    let nodes = (0..=children).map(|nth| {
        let mut node = Node::new(id(nth), alice, nil, began, nth as u64);
        if nth == 0 && children > 0 {
            node.status = Status::Blocked;
        }
        Entity::Node(Arc::new(node))
    });
    let links = (1..=children).map(|nth| {
        Entity::Link(Arc::new(Link {
            id: LinkId(Uuid::from_u128(0x9_0000_0000 + nth)),
            owner: alice,
            source: id(nth),
            target: id(0),
            kind: LinkType::Primary,
            private: false,
            was_blocker: true,
            in_trash: false,
            cascade: false,
            version: 1,
            created: began,
            edited: began,
            seq: (children + nth) as u64,
            last_batch: nil,
        }))
    });
    let entities = [Entity::User(Arc::new(account))].into_iter().chain(nodes).chain(links);
    let mut world = World::load(entities, 0, Counts::default());
    world.advance(began);
    world
}

#[test]
fn o34_a_copy_has_at_most_20_000_nodes_and_links() {
    for (children, code) in [(9_999, None), (10_000, Some("batch_too_large"))] {
        let world = wide(children);
        let id = NodeId(Uuid::from_u128(0x1_0000));
        let asked = NodeDuplicate { id, branch: true, target: None, names: None };
        let operation = Operation::NodeDuplicate(asked);
        let batch = BatchId(Uuid::from_u128(1));
        let decided = decide(&world, Some(user("alice")), &operation, batch, &mut supply::Supply::new(1));
        assert_eq!(decided.err().map(|refusal| refusal.reason.code()), code, "{children}");
    }
}

#[test]
fn o34_undo_of_a_copy_is_to_the_trash() {
    let world = "alice owns a b\nb -> a\nalice: copy a a>A b>B";
    let mut fixture = Fixture::new(world);
    fixture.run("alice: undo 1").unwrap();
    assert!(fixture.node("A").in_trash && fixture.node("B").in_trash);
    fixture.run("alice: redo 1").unwrap();
    assert_eq!(fixture.node("A").status, Status::Blocked);
}

#[test]
fn o35_each_operation_sees_what_the_former_made() {
    let mut fixture = Fixture::new("alice owns a");
    let batch = fixture.run("alice: all add b; link b a; set b status=3; set a title=x; trash b").unwrap();
    assert_eq!(
        outcome(&Ok(batch)),
        "add b of alice
         add b -> a blocker
         status a 0>2
         status b 0>3
         status a 2>0
         set a
         trash b
         trash b -> a blocker"
            .replace("         ", "")
    );
    assert_eq!(fixture.node("a").version, 4);
    assert_eq!(fixture.world.rev(), 1);
}

#[test]
// Rules: O35, O36.
fn o36_all_or_nothing_and_a_refusal_says_where() {
    let mut fixture = Fixture::new("alice owns a\nbob owns b");
    let before = fixture.world.next_seq();
    let refusal = fixture.ask("alice: all add x; link x a; set b title=t; add y").unwrap_err();
    assert_eq!((refusal.reason, refusal.index), (Reason::NodeNotFound, Some(2)));
    assert_eq!(fixture.world.nodes().count(), 2);
    assert_eq!((fixture.world.next_seq(), fixture.world.rev()), (before, 0));
    let refusal = fixture.ask("alice: all add x; add x").unwrap_err();
    assert_eq!((refusal.reason, refusal.index), (Reason::IdTaken, Some(1)));
    // An id that came and went is not used again.
    let refusal = fixture.ask("alice: all add x; trash x; delete x; add x").unwrap_err();
    assert_eq!((refusal.reason, refusal.index), (Reason::IdTaken, Some(3)));
}

#[test]
fn h22_a_link_taken_back_with_its_end_gives_no_access_to_that_end() {
    // Carol manages y and its branch. Before the batch, x is in the trash and not hers to see.
    let mut fixture = Fixture::new("alice owns x y\ncarol 1 y+\nalice: trash x");
    let sees_x = |fixture: &Fixture| access::placement(&fixture.world, user("carol"), node("x")).is_some();
    assert!(!sees_x(&fixture));
    fixture.run("alice: all restore x; link x y").unwrap();
    assert!(sees_x(&fixture), "x is in the branch that carol manages");
    fixture.run("alice: undo 2").unwrap();
    assert!(!sees_x(&fixture), "the link is in the trash on its own");
    fixture.run("alice: redo 2").unwrap();
    assert!(sees_x(&fixture));
    // The same where the other end of the link is new.
    fixture.run("alice: undo 2").unwrap();
    fixture.run("alice: all restore x; add z under y; link x z").unwrap();
    assert!(sees_x(&fixture));
    fixture.run("alice: undo 6").unwrap();
    assert!(!sees_x(&fixture));
}

#[test]
// Rules: O36, P16.
fn o36_a_refusal_leaves_what_has_expired_expired() {
    let hour = |hours: i64| Timestamp::from_ms(BEGIN + hours * 3_600_000);
    let mut fixture = Fixture::new("alice owns a b\nbob 3 a until 7200");
    fixture.world.set_clock(hour(5));
    fixture.world.set_clock(hour(1));
    let sees = |fixture: &Fixture| access::level(&fixture.world, user("bob"), node("a")).is_some();
    assert!(!sees(&fixture));
    // The first operation gives the grant another expiry time, and back; the last one is refused.
    let again = "regrant a bob until 10800; regrant a bob until 7200";
    fixture.ask(&format!("alice: all {again}; restore b")).unwrap_err();
    assert!(!sees(&fixture), "a refusal leaves no trace");
}

#[test]
fn o37_some_operations_are_never_one_of_several() {
    for never in ["purge", "rename alicia", "undo 1", "redo 1"] {
        let mut fixture = Fixture::new("alice owns a\nalice: set a title=x");
        let refusal = fixture.ask(&format!("alice: all set a title=y; {never}")).unwrap_err();
        assert_eq!((refusal.reason, refusal.index), (Reason::UnknownOperation, Some(1)), "{never}");
    }
}

#[test]
fn o38_too_much_for_one_batch_is_refused() {
    let mut fixture = Fixture::new("alice owns a");
    let many = vec!["set a volume=1"; 1_001].join("; ");
    let refusal = fixture.ask(&format!("alice: all {many}")).unwrap_err();
    assert_eq!((refusal.reason, refusal.index), (Reason::BatchTooLarge, Some(1_000)));
    let mut some = fixture.parts("alice: all set a volume=1; set a volume=2; set a volume=3");
    let mut asked = 0;
    let batch = BatchId(Uuid::from_u128(7));
    let out_of_time = graph::ops::apply(
        &mut fixture.world,
        user("alice"),
        &std::mem::take(&mut some),
        batch,
        &mut supply::Supply::new(1),
        || {
            asked += 1;
            asked < 3
        },
    );
    let refusal = out_of_time.unwrap_err();
    assert_eq!((refusal.reason, refusal.index), (Reason::BatchTooLarge, Some(2)));
    assert_eq!((fixture.node("a").version, fixture.world.rev()), (1, 0));
}

// Rules: P34, P13, P14, W5.
#[test]
fn p34_what_comes_into_view_is_shown_once_as_it_is_then() {
    // Bob never saw the first title.
    let mut fixture = Fixture::new("alice owns a\nbob 3 a+");
    let batch = fixture.ask("alice: all add b title=secret; set b title=open; link b a").unwrap();
    let diff = told(&mut fixture, &batch, "bob");
    assert_eq!(node_codes(&diff)[0], (Op::NodeAdd, 2));
    let texts = format!("{:?}", diff.nodes);
    assert!(texts.contains("open") && !texts.contains("secret"), "{texts}");
}

#[test]
fn p34_what_went_and_came_back_is_whole_again() {
    let mut fixture = Fixture::new("alice owns a b\nb ~> a\nbob 3 a+");
    let batch = fixture.ask("alice: all trash b; restore b; set b title=x").unwrap();
    let diff = told(&mut fixture, &batch, "bob");
    assert_eq!(node_codes(&diff), [(Op::NodeTrash, 2), (Op::NodeRestore, 3), (Op::NodeUpdate, 4)]);
    assert!(matches!(&diff.nodes[1], NodeChange::Whole { .. }));
    assert!(matches!(&diff.links[1], LinkChange::Whole { op: Op::LinkRestore, .. }));
}

#[test]
fn p34_of_what_leaves_only_that_it_leaves_is_shown() {
    let world = "alice owns a b\nb ~> a\nbob 3 a+";
    let mut fixture = Fixture::new(world);
    let batch = fixture.ask("alice: all set b title=secret; trash b").unwrap();
    let diff = told(&mut fixture, &batch, "bob");
    assert_eq!(node_codes(&diff), [(Op::NodeTrash, 3)]);
    let mut fixture = Fixture::new(world);
    let batch = fixture.ask("alice: all trash b; delete b").unwrap();
    assert_eq!(node_codes(&told(&mut fixture, &batch, "bob")), [(Op::NodeTrash, 2)]);
}

#[test]
fn p34_what_came_and_went_is_nobodys() {
    let mut fixture = Fixture::new("alice owns a\nbob 1 a+");
    let batch = fixture
        .ask("alice: all add b; link b a; trash b; delete b; grant a carol 3; revoke a carol")
        .unwrap();
    let mut other = Fixture::new("alice owns a\nbob 1 a+");
    let diff = told(&mut other, &batch, "carol");
    assert_eq!(diff.len(), 0, "{diff:?}");
    let diff = told(&mut fixture, &batch, "alice");
    assert!(diff.links.is_empty(), "{:?}", diff.links);
    let again = replay::replay(&fixture.world, &batch, 1, user("alice"));
    assert!(again.nodes.iter().all(|change| !format!("{change:?}").contains(&node("b").to_string())));
}

#[test]
fn p34_links_and_shares_of_one_batch_bring_whole_branches_into_view() {
    // The branch under c hangs on what is granted only once both are done, in either order.
    for order in ["link c b; grant b bob 3", "grant b bob 3; link c b"] {
        let mut fixture = Fixture::new("alice owns c d e\nd ~> c\ne -> d");
        let batch = fixture.ask(&format!("alice: all add b; {order}")).unwrap();
        let diff = told(&mut fixture, &batch, "bob");
        assert_eq!((diff.nodes.len(), diff.links.len()), (5, 3), "{order}");
    }
    // Under a node of the batch's own.
    let mut fixture = Fixture::new("alice owns top c d\nd ~> c\nbob 3 top+");
    let batch = fixture.ask("alice: all add b under top; link c b").unwrap();
    let diff = told(&mut fixture, &batch, "bob");
    let seen = |name| diff.nodes.iter().any(|change| format!("{change:?}").contains(&node(name).to_string()));
    assert!(seen("b") && seen("c") && seen("d"), "{:?}", node_codes(&diff));
    // A phantom under what is shared alone.
    let mut fixture = Fixture::new("alice owns a b");
    let batch = fixture.ask("alice: all link b a; grant a bob 3 branch=false").unwrap();
    let diff = told(&mut fixture, &batch, "bob");
    assert_eq!((diff.nodes.len(), diff.links.len()), (2, 1));
}

// Rules: P10, W3, W5.
#[test]
fn p34_access_that_changes_with_the_publication_is_told_of_the_node_as_it_was() {
    // To bob the token appears, or goes, by the entry of the publication and by nothing before it.
    for (world, batch, public_first) in [
        ("alice owns a\nbob 3 a", "alice: all publish a; regrant a bob level=1", false),
        ("alice owns a\nbob 3 a\nalice: publish a", "alice: all regrant a bob level=1; unpublish a", true),
    ] {
        let mut fixture = Fixture::new(world);
        let batch = fixture.ask(batch).unwrap();
        let diff = told(&mut fixture, &batch, "bob");
        let [
            NodeChange::Access { node: told_of, before, after, .. },
            NodeChange::Edited { before: was, after: is, .. },
        ] = diff.nodes.as_slice()
        else {
            panic!("{:?}", diff.nodes);
        };
        assert_eq!((*before, *after), (Level::Viewer, Level::Admin));
        assert_eq!(told_of.publication.is_some(), public_first);
        assert_eq!((was.publication.is_some(), is.publication.is_some()), (public_first, !public_first));
        assert_eq!(told_of.version, was.version);
    }
}

#[test]
fn h22_what_counts_of_a_batch_is_what_it_made_of_each_thing_in_all() {
    let world = "alice owns a\nalice: all set a title=x; set a title=y status=1; set a status=3";
    let mut fixture = Fixture::new(world);
    let undone = fixture.run("alice: undo 1").unwrap();
    assert_eq!(outcome(&Ok(undone)), "set a\nstatus a 3>0");
    assert_eq!(fixture.node("a").title, "");
    fixture.run("alice: redo 1").unwrap();
    assert_eq!((fixture.node("a").title.as_str(), fixture.node("a").status), ("y", Status::Completed));
    check(&format!("{world}\nalice: set a title=z"), "alice: undo 1", "version_conflict");
    // Only the last value counts.
    check(
        &format!("{world}\nalice: set a title=z\nalice: set a title=y"),
        "alice: undo 1",
        "set a\nstatus a 3>0",
    );
}

#[test]
fn h22_fields_go_back_before_or_after_the_trash() {
    let world = "alice owns a b\nb ~> a\nalice: all set a title=x; trash b>a; trash a; set b title=y";
    let mut fixture = Fixture::new(world);
    fixture.run("alice: undo 1").unwrap();
    assert_eq!((fixture.node("a").title.as_str(), fixture.node("a").in_trash), ("", false));
    assert!(!fixture.link("b>a").in_trash);
    fixture.run("alice: redo 1").unwrap();
    assert_eq!((fixture.node("a").title.as_str(), fixture.node("a").in_trash), ("x", true));
}

#[test]
fn h22_a_link_added_to_what_was_trashed_then_does_not_come_back_with_it() {
    let mut fixture = Fixture::new("alice owns a b\nalice: all link b a; trash a");
    assert!(fixture.link("b>a").cascade);
    fixture.run("alice: undo 1").unwrap();
    assert!(!fixture.node("a").in_trash && fixture.link("b>a").in_trash);
}

#[test]
fn h22_what_several_operations_gave_is_not_given_in_the_trash() {
    let world = "alice owns a\nalice: trash a\nalice: all restore a; grant a bob 3; trash a\nalice: undo 2";
    check(world, "alice: redo 2", "node_in_trash");
    let there = "alice owns a\nalice: all set a title=x; grant a bob 3; trash a\nalice: undo 1";
    check(there, "alice: redo 1", "set a\ngrant bob 3 a+\ntrash a");
}

#[test]
fn h22_a_link_that_was_trashed_by_itself_is_again_before_its_end() {
    // Else Bob would see b in the trash by the link to a.
    let world =
        "alice owns a b\nb ~> a\nbob 1 a+\nalice: all trash b>a; trash b\nalice: undo 1\nalice: redo 1";
    let fixture = Fixture::new(world);
    assert!(fixture.link("b>a").in_trash && !fixture.link("b>a").cascade);
}

#[test]
fn h22_what_came_to_nothing_has_nothing_to_undo() {
    check("alice owns a\nalice: all set a title=x; set a title=", "alice: undo 1", "nothing");
    let gone = "alice owns a\nalice: all add b; trash b; delete b; set a title=x";
    check(gone, "alice: undo 1", "set a");
}

#[test]
fn h15_a_link_that_returns_with_its_end_is_judged_if_it_went_by_itself() {
    // Bob may not put b under a root that is shared since.
    let world =
        "alice owns a b\nb ~> a\nbob 2 a\nbob 2 b\nbob: all trash b>a; trash b\nalice: grant a carol 3";
    check(world, "bob: undo 1", "would_share");
    check(world, "alice: undo 1", "restore b\nrestore b ~> a");
}

#[test]
fn s24_undo_of_several_shows_no_more_grants_than_the_plan_has() {
    let world = "alice owns a b c d e
        dora 3 a
        dora 3 b
        alice: all revoke a dora; revoke b dora
        alice: grant c dora 3
        alice: grant d dora 3";
    let mut fixture = Fixture::new(world);
    fixture.run("alice: undo 1").unwrap();
    let slot = fixture.world.user(user("dora")).unwrap();
    let showing = slot.granted.iter().filter(|id| fixture.world.grant(**id, user("dora")).unwrap().showing);
    assert_eq!(showing.count(), 3);
    assert_eq!(fixture.world.grant(node("a"), user("dora")).unwrap().level, Level::Viewer);
}
