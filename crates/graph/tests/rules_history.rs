//! Undo and redo: rules H3–H17, one world and one request at a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use fixture::{Fixture, check, each, node, outcome, user};
use graph::batch::Lineage;
use graph::diff::{LinkChange, NodeChange};
use graph::effort::looks;
use graph::hash::HashSet;
use graph::history_view::{sees_batch, sees_entry};
use graph::model::{Level, Status};
use graph::{BatchId, Projection};
use uuid::Uuid;

#[test]
fn h3_one_sees_what_one_made_and_what_touches_what_one_sees() {
    let mut fixture = Fixture::new("alice owns a b\nbob 3 a\nb -> a");
    let done = fixture.run("alice: set b status=3").unwrap();
    assert!(sees_batch(&fixture.world, user("bob"), &done), "a's status is in it");
    let seen: Vec<bool> =
        done.entries.iter().map(|entry| sees_entry(&fixture.world, user("bob"), entry)).collect();
    assert_eq!(seen, [false, true], "b itself is out of bob's sight");
    assert!(!sees_batch(&fixture.world, user("carol"), &done));
    check("alice owns a\nalice: set a title=x", "bob: undo 1", "batch_not_found");
    check("alice owns a\nalice: set a title=x", "alice: undo 1", "set a");
}

#[test]
fn h4_the_inverse_of_what_was_meant_and_statuses_anew() {
    check("alice owns a b\nalice: link b a", "alice: undo 1", "trash b -> a blocker\nstatus a 2>0");
    check("alice owns a=1 b\nalice: link b a", "alice: undo 1", "trash b -> a blocker\nstatus a 2>1");
    check("alice owns a b\nb -> a\nalice: set b status=3", "alice: undo 1", "status b 3>0\nstatus a 0>2");
    check(
        "alice owns a b\nb -> a\nalice: change b>a type=1",
        "alice: undo 1",
        "change b -> a blocker\nstatus a 0>2",
    );
    check("alice owns a b\nb ~> a\nalice: swap b>a", "alice: undo 1", "swap b ~> a");
    check("alice owns a b\nb ~> a\nalice: trash b>a", "alice: undo 1", "restore b ~> a");
    check("alice owns a b\nb ~> a trashed\nalice: restore b>a", "alice: undo 1", "trash b ~> a");
    check("alice owns a\nalice: rename alicia", "alice: undo 1", "rename alice");
    check(
        "alice owns a b\nb -> a\nalice: trash b",
        "alice: undo 1",
        "restore b
         restore b -> a blocker
         status a 0>2",
    );
    check("alice owns a b\nalice: trash a\nalice: restore a", "alice: undo 2", "trash a");
}

#[test]
fn h4_a_status_and_fields_of_one_update_go_back_together() {
    let mut fixture = Fixture::new("alice owns a\nalice: set a title=x status=1");
    let undo = fixture.run("alice: undo 1").unwrap();
    assert_eq!(undo.lineage, Lineage::UndoOf(BatchId(Uuid::from_u128(1))));
    let a = fixture.node("a");
    assert_eq!((a.title.as_str(), a.status), ("", Status::Available));
}

#[test]
fn h6_the_order_of_refusals() {
    // Undone, and the node deleted: the state of the chain answers first.
    check(
        "alice owns a\nalice: set a title=x\nalice: undo 1\nalice: trash a\nalice: delete a",
        "alice: undo 1",
        "already_undone",
    );
    // Applied, and no permission: here too the state answers first.
    check("alice owns a\nbob 3 a\nalice: set a title=x", "bob: redo 1", "not_undone");
    // Deleted, and never any permission: the deletion answers first.
    check(
        "alice owns a b\nalice: link b a\nalice: trash b>a\nalice: delete b>a",
        "alice: undo 1",
        "cannot_restore_purged",
    );
    // No permission, and changed since.
    check(
        "alice owns a\nbob 3 a\nalice: set a title=x\nalice: set a title=y",
        "bob: undo 1",
        "no_permission",
    );
    // No permission for one step, and no plan for another, whichever comes first.
    let shared = "alice owns a b\ndora 1 a\npublic a";
    for both in ["unpublish a; set b title=x", "set b title=x; unpublish a"] {
        check(&format!("{shared}\nalice: all {both}"), "dora: undo 1", "no_permission");
    }
    // No plan, and changed since.
    check(&format!("{shared}\nalice: unpublish a\nalice: publish a"), "dora: undo 1", "plan_limit");
    // Changed since, and in the trash.
    check(
        "alice owns a\nalice: set a title=x\nalice: set a title=y\nalice: trash a",
        "alice: undo 1",
        "version_conflict",
    );
    check("alice owns a\nalice: set a title=x\nalice: trash a", "alice: undo 1", "node_in_trash");
}

#[test]
fn h7_changed_since_is_by_value_of_what_would_go_back() {
    let world = "alice owns a\nalice: set a title=x";
    check(&format!("{world}\nalice: set a volume=7"), "alice: undo 1", "set a");
    check(&format!("{world}\nalice: set a title=y"), "alice: undo 1", "version_conflict");
    check(&format!("{world}\nalice: set a title=y\nalice: set a title=x"), "alice: undo 1", "set a");
    let mut fixture = Fixture::new(&format!("{world}\nalice: set a title=y"));
    let refusal = fixture.ask("alice: undo 1").unwrap_err();
    assert!(refusal.message().contains(&node("a").to_string()), "{refusal}");
    fixture.run("alice: set a title=x volume=7").unwrap();
    fixture.run("alice: undo 1").unwrap();
    assert_eq!((fixture.node("a").title.as_str(), fixture.node("a").volume), ("", 7));
}

#[test]
fn h7_a_grant_changed_in_another_way_keeps_that() {
    let mut fixture = Fixture::new(
        "alice owns a\nbob 3 a
         alice: regrant a bob level=2
         alice: regrant a bob branch=true
         bob: hide a",
    );
    fixture.run("alice: undo 1").unwrap();
    let grant = fixture.world.grant(node("a"), user("bob")).unwrap();
    assert_eq!((grant.level, grant.branch, grant.showing), (Level::Viewer, true, false));
}

#[test]
fn h7_a_publication_changed_in_another_way_keeps_that() {
    let mut fixture = Fixture::new(
        "alice owns a\npublic a until 9
         alice: republish a branch=true
         alice: republish a forever",
    );
    fixture.run("alice: undo 1").unwrap();
    let publication = fixture.node("a").publication.clone().unwrap();
    assert_eq!((publication.branch, publication.due), (false, None));
    check(
        "alice owns a\nalice: publish a\nalice: republish a branch=false",
        "alice: undo 1",
        "version_conflict",
    );
}

#[test]
fn h7_what_is_out_of_sight_is_not_named() {
    let mut fixture = Fixture::new(
        "alice owns a\npublic a\nbob: embed a
         alice: unpublish a",
    );
    let refusal = fixture.ask("bob: undo 1").unwrap_err();
    assert_eq!(refusal.reason.code(), "version_conflict");
    assert!(!refusal.message().contains(&node("a").to_string()), "{refusal}");
}

#[test]
fn h8_each_step_needs_what_it_needs_by_hand() {
    check("alice owns a\nbob 2 a\nalice: set a title=x", "bob: undo 1", "set a");
    check("alice owns a\nbob 3 a\nalice: set a title=x", "bob: undo 1", "no_permission");
    check("alice owns a\nbob 2 a\nalice: trash a", "bob: undo 1", "batch_not_found");
    check("alice owns a\nbob 1 a\nalice: trash a", "bob: undo 1", "restore a");
    check("alice owns a\nbob 2 a\nalice: publish a", "bob: undo 1", "no_permission");
    check("alice owns a\nbob 1 a\nalice: publish a", "bob: undo 1", "unpublish a");
    check("alice owns a\nbob 1 a\nalice: grant a carol 2", "carol: undo 1", "revoke carol 2 a+");
    check("alice owns a\nbob 1 a\nalice: grant a carol 2", "bob: undo 1", "revoke carol 2 a+");
    check("alice owns a\nbob 1 a\nbob: hide a", "alice: undo 1", "no_permission");
    check("alice owns a\nbob 2 a\nbob: set a title=x\nalice: revoke a bob", "bob: undo 1", "no_permission");
}

#[test]
fn h8_who_left_does_not_come_back_by_undo() {
    check("alice owns a\nbob 1 a\nbob: revoke a bob", "bob: undo 1", "no_permission");
    check("alice owns a\nbob 1 a\nbob: revoke a bob", "alice: undo 1", "grant bob 1 a");
    // A grant that has ended is not seen. Leaving is seen by the user who left.
    check("alice owns a\nalice: grant a bob 1\nbob: revoke a bob", "bob: undo 1", "batch_not_found");
    check("alice owns a\nalice: grant a bob 1\nbob: revoke a bob", "bob: undo 2", "no_permission");
    check("alice owns a\nalice: grant a bob 1\nbob: undo 1", "bob: undo 2", "batch_not_found");
}

#[test]
fn h8_the_plan_counts() {
    let three = "alice owns a b c d\ndora 3 a\ndora 3 b\ndora 3 c\ndora 3 d hidden";
    check(&format!("{three}\ndora: hide a\ndora: show d"), "dora: undo 1", "plan_limit");
    check(&format!("{three}\ndora: hide a"), "dora: undo 1", "grant dora 3 a");
}

#[test]
fn h9_what_is_gone_does_not_come_back_and_is_named() {
    let mut fixture = Fixture::new("alice owns a b\nb -> a\nbob 2 a+\nalice: trash b\nalice: delete b");
    for request in ["alice: undo 1", "alice: undo 2"] {
        let refusal = fixture.ask(request).unwrap_err();
        assert_eq!(refusal.reason.code(), "cannot_restore_purged");
        assert!(refusal.message().contains(&node("b").to_string()), "{refusal}");
    }
    check(
        "alice owns a b\nalice: link b a\nalice: trash b\nalice: purge",
        "alice: undo 1",
        "cannot_restore_purged",
    );
    check(
        "alice owns a\nalice: grant a bob 2\nalice: trash a\nalice: delete a",
        "alice: undo 1",
        "cannot_restore_purged",
    );
}

#[test]
fn h9_of_many_things_twenty_are_named() {
    let names: Vec<String> = (10..60).map(|at| format!("n{at}")).collect();
    let mut text = format!("alice owns {}\n", names.join(" "));
    names.iter().for_each(|name| text.push_str(&format!("alice: trash {name}\n")));
    let refusal = Fixture::new(&format!("{text}alice: purge")).ask("alice: undo 51").unwrap_err();
    assert_eq!(refusal.reason.code(), "cannot_restore_purged");
    let named = names.iter().filter(|name| refusal.message().contains(&node(name).to_string()));
    assert_eq!(named.count(), 20, "{refusal}");
    assert!(refusal.message().ends_with(" and 30 more."), "{refusal}");
}

#[test]
fn h7_what_was_changed_in_two_ways_is_named_once() {
    let world = "alice owns a\nalice: set a title=x status=1\nalice: set a title=y status=3";
    let refusal = Fixture::new(world).ask("alice: undo 1").unwrap_err();
    assert_eq!(refusal.message().matches(&node("a").to_string()).count(), 1, "{refusal}");
}

#[test]
fn h10_h11_a_chain_has_one_state() {
    let done = "alice owns a\nalice: set a title=x";
    check(done, "alice: redo 1", "not_undone");
    // A client has the id of the undo. Redoing it applies the chain, and so does undoing it.
    let undone = &format!("{done}\nalice: undo 1");
    check(undone, "alice: undo 1", "already_undone");
    for request in ["alice: redo 1", "alice: redo 2", "alice: undo 2"] {
        check(undone, request, "set a");
        let lineage = Fixture::new(undone).ask(request).unwrap().lineage;
        assert_eq!(lineage, Lineage::RedoOf(BatchId(Uuid::from_u128(1))), "{request}");
    }
    let again = &format!("{undone}\nalice: redo 2");
    for request in ["alice: redo 1", "alice: redo 2", "alice: redo 3", "alice: undo 2"] {
        check(again, request, "not_undone");
    }
    check(again, "alice: undo 1", "set a");
    check(again, "alice: undo 3", "set a");
    let twice = &format!("{again}\nalice: undo 3");
    for request in ["alice: undo 1", "alice: undo 3"] {
        check(twice, request, "already_undone");
    }
    for request in
        ["alice: redo 1", "alice: redo 2", "alice: redo 3", "alice: redo 4", "alice: undo 2", "alice: undo 4"]
    {
        check(twice, request, "set a");
    }
}

#[test]
fn h12_the_inverse_of_an_add_is_to_the_trash() {
    check("alice owns a\nalice: add n", "alice: undo 1", "trash n");
    check(
        "alice owns a\nalice: add n under a",
        "alice: undo 1",
        "trash n
         trash n -> a blocker
         status a 2>0",
    );
    check(
        "alice owns a\nalice: add n under a\nalice: undo 1",
        "alice: redo 1",
        "restore n
         restore n -> a blocker
         status a 0>2",
    );
    check("alice owns a\nalice: grant a bob 2", "alice: undo 1", "revoke bob 2 a+");
    check("alice owns a\nalice: grant a bob 2\nbob: hide a", "alice: undo 1", "revoke bob 2 a+ hidden");
    check(
        "alice owns a\nalice: grant a bob 2\nalice: regrant a bob level=3",
        "alice: undo 1",
        "version_conflict",
    );
}

#[test]
fn h12_the_old_token_comes_back_unless_it_stands_for_something_else() {
    let mut fixture = Fixture::new("alice owns a b\nalice: publish a\nalice: unpublish a");
    fixture.run("alice: undo 2").unwrap();
    assert_eq!(fixture.node("a").publication.as_ref().unwrap().token, "token 1");

    let mut fixture = Fixture::new("alice owns a b\npublic a\nalice: unpublish a");
    let mut taken = fixture.ask("alice: publish b").unwrap();
    if let graph::Subject::Node(change) = &mut taken.entries[0].subject {
        let mut node = graph::model::Node::clone(change.after.as_ref().unwrap());
        node.publication.as_mut().unwrap().token = "token of a".to_owned();
        change.after = Some(node.into());
    }
    fixture.world.apply(&taken);
    fixture.run("alice: undo 1").unwrap();
    assert_eq!(fixture.node("a").publication.as_ref().unwrap().token, "token 3");
}

#[test]
fn h13_being_held_meanwhile_is_no_conflict() {
    let held = "alice owns a b\nalice: set a status=1\nalice: link b a";
    let mut fixture = Fixture::new(held);
    fixture.run("alice: undo 1").unwrap();
    assert_eq!((fixture.node("a").status, fixture.node("a").resume), (Status::Blocked, Status::Available));
    fixture.run("alice: set b status=3").unwrap();
    assert_eq!(fixture.node("a").status, Status::Available);
    check(&format!("{held}\nalice: set b status=3"), "alice: undo 1", "status a 1>0");
}

#[test]
fn h14_a_held_node_is_not_completed_again() {
    let held = "alice owns a p\nalice: set p status=3\nalice: undo 1\nalice: link a p";
    check(held, "alice: redo 1", "node_blocked");
    check(held, "alice: undo 2", "node_blocked");
    check(&format!("{held}\nalice: set a status=3"), "alice: redo 1", "status p 0>3\nchange a -> p");
    let reopened = "alice owns a p=3\nalice: set p status=1\nalice: link a p";
    check(reopened, "alice: undo 1", "node_blocked");
    // These come before: changed since, and in the trash.
    check(
        &format!("{held}\nalice: set a status=3\nalice: set p status=1\nalice: set a status=0"),
        "alice: redo 1",
        "version_conflict",
    );
    check(&format!("{held}\nalice: trash p"), "alice: redo 1", "node_in_trash");
    // The resume status can be set back in either direction, and again.
    let mut fixture = Fixture::new("alice owns a p\nalice: set p status=1\nalice: link a p\nalice: undo 1");
    assert_eq!((fixture.node("p").status, fixture.node("p").resume), (Status::Blocked, Status::Available));
    fixture.run("alice: redo 1").unwrap();
    assert_eq!((fixture.node("p").status, fixture.node("p").resume), (Status::Blocked, Status::InProgress));
    fixture.run("alice: undo 1").unwrap();
    assert_eq!(fixture.node("p").resume, Status::Available);
}

#[test]
fn h14_fields_are_set_back_before_the_status() {
    // p did not wait for a when it was completed, and does not if both are set back.
    let world = "alice owns a=3 p=3!\na -> p\nalice: set p independent=false status=1\nalice: set a status=0";
    check(world, "alice: undo 1", "set p\nstatus p 2>3\nchange a -> p");
    // Once it waits again, it is not completed.
    let world = "alice owns a=3 p=3\na -> p\nalice: set p independent=true status=1\nalice: set a status=0";
    check(world, "alice: undo 1", "node_blocked");
}

#[test]
fn h14_in_the_trash_and_no_longer_public() {
    check("alice owns a\nalice: set a title=x\nalice: trash a", "alice: undo 1", "node_in_trash");
    check(
        "alice owns a\npublic a\nbob embeds a\nbob: unembed a\nalice: unpublish a",
        "bob: undo 1",
        "not_public",
    );
    check(
        "alice owns a\npublic a until 5\nbob embeds a\nbob: unembed a\n6 pass",
        "bob: undo 1",
        "not_public",
    );
    check("alice owns a\npublic a\nbob embeds a\nbob: unembed a", "bob: undo 1", "embed bob a");
    check("alice owns a\npublic a\nbob: embed a", "bob: undo 1", "unembed bob a");
}

#[test]
fn h14_hiding_and_showing_go_on_in_the_trash() {
    check("alice owns a\nbob 1 a\nalice: trash a\nbob: hide a", "bob: undo 2", "grant bob 1 a");
    check("alice owns a\nbob 1 a\nalice: trash a\nalice: revoke a bob", "alice: undo 2", "node_in_trash");
}

#[test]
fn h15_nobody_gets_what_they_could_not_give() {
    // t is shared with its branch, s is not; bob edits both by grants without branch.
    let shared = "alice owns s t\nbob 2 s\nbob 2 t\ncarol 3 t+";
    check(&format!("{shared}\ns ~> t\nbob: trash s>t"), "bob: undo 1", "would_share");
    check(&format!("{shared}\ns ~> t\nbob: trash s>t"), "alice: undo 1", "restore s ~> t");
    check(&format!("{shared}\nt ~> s\nalice: swap t>s\nalice: undo 1"), "bob: redo 1", "would_share");
    // With viewer access to the target, a link can only be secondary.
    check(
        "alice owns t\nbob owns s\nbob 2 t\ns -> t private by bob\nbob: trash s>t/bob\nalice: regrant t bob level=3",
        "bob: undo 1",
        "forbidden_type",
    );
    // The link itself must not be what permits its return: without it, bob is only a viewer of s.
    check("alice owns s t\nbob 3 s\nbob 1 t+\ns ~> t\nbob: trash s>t", "bob: undo 1", "forbidden_private");
    check(
        "alice owns t s\nbob 3 s\nbob 2 t\nalice: link s t\nbob: change s>t type=1",
        "bob: undo 2",
        "change s -> t blocker\nstatus t 0>2",
    );
}

#[test]
fn h15_a_link_that_came_back_another_way_is_judged_by_what_it_ends_up_as() {
    let world = "alice owns a\nbob owns b\nbob 3 a\nb -> a private by bob trashed\nbob: link a b private";
    check(world, "bob: undo 1", "swap b -> a private blocker\ntrash b -> a private blocker\nstatus b 2>0");
}

#[test]
fn h16_cycles_are_judged_at_the_end() {
    let world = "alice owns a b\nb -> a\nalice: trash b>a\nalice: link a b secondary";
    check(world, "alice: undo 1", "version_conflict");
    let world = "alice owns a b c\nb -> a\nc -> b\nalice: trash c>b\nalice: link a c";
    check(world, "alice: undo 1", "dependency_cycle");
    let mut fixture = Fixture::new(world);
    let refusal = fixture.ask("alice: undo 1").unwrap_err();
    assert!(refusal.message().contains(&node("a").to_string()), "{refusal}");
}

// Rules: B9, H16.
#[test]
fn b9_the_path_of_a_cycle_names_what_the_caller_sees_before_the_undo_and_not_by_it() {
    // Redone by bob, it would bring a, which he does not see, under what he was granted.
    let mut fixture = Fixture::new(
        "alice owns a b c
         bob 1 b
         bob 2 c+
         alice: link b c
         alice: undo 1
         alice: link a b
         alice: link c a",
    );
    let refusal = fixture.run("bob: redo 1").unwrap_err();
    assert_eq!(refusal.reason.code(), "dependency_cycle");
    let message = refusal.message();
    assert!(
        message.contains(&node("b").to_string()) && message.contains("a task you cannot see"),
        "{message}"
    );
    assert!(!message.contains(&node("a").to_string()), "{message}");
}

#[test]
fn h17_an_unpublish_undone_does_not_bring_embeds_back() {
    check("alice owns a\npublic a\nbob embeds a\nalice: unpublish a", "alice: undo 1", "publish a");
}

/// Five completed tasks, each waiting for the one before it.
const COMPLETED: &str = "alice owns a=3 b=3 c=3 d=3 e=3\na -> b\nb -> c\nc -> d\nd -> e";

fn statuses(fixture: &Fixture, names: &str) -> String {
    names.chars().map(|name| fixture.node(&name.to_string()).status.number().to_string()).collect()
}

#[test]
fn h21_undo_gives_back_the_completions_that_the_cascade_took() {
    let mut fixture = Fixture::new(COMPLETED);
    fixture.run("alice: set a status=1").unwrap();
    assert_eq!(statuses(&fixture, "abcde"), "12222");
    let undo = fixture.run("alice: undo 1").unwrap();
    assert_eq!(statuses(&fixture, "abcde"), "33333");
    let lines = outcome(&Ok(undo));
    assert!(
        lines.starts_with("status a 1>3\nstatus b 2>3\nstatus c 2>3\nstatus d 2>3\nstatus e 2>3\nchange "),
        "{lines}"
    );
    assert!(fixture.world.links().all(|link| !link.was_blocker));
    // Back and forth again, by any id.
    for (request, want) in
        [("redo 2", "12222"), ("undo 3", "33333"), ("undo 4", "12222"), ("undo 1", "33333")]
    {
        fixture.run(&format!("alice: {request}")).unwrap();
        assert_eq!(statuses(&fixture, "abcde"), want, "{request}");
    }
    check("alice owns a=3 b\nalice: link b a", "alice: undo 1", "trash b -> a blocker\nstatus a 2>3");
    check(
        "alice owns a=3 b\nalice: add n under a",
        "alice: undo 1",
        "trash n\ntrash n -> a blocker\nstatus a 2>3",
    );
    check(
        "alice owns a=3 b\nb ~> a\nalice: change b>a type=0",
        "alice: undo 1",
        "change b ~> a\nstatus a 2>3",
    );
    check(
        "alice owns a=3! b\nb -> a\nalice: set a independent=false",
        "alice: undo 1",
        "set a\nstatus a 2>3\nchange b -> a",
    );
}

#[test]
fn h21_redo_gives_back_the_completions_that_the_undo_took() {
    let mut fixture = Fixture::new(
        "alice owns a b c
         a -> b
         b -> c
         alice: set a status=3
         alice: set b status=3
         alice: set c status=3
         alice: undo 1",
    );
    assert_eq!(statuses(&fixture, "abc"), "022");
    fixture.run("alice: redo 4").unwrap();
    assert_eq!(statuses(&fixture, "abc"), "333");
}

#[test]
fn h21_what_was_set_since_or_is_held_stays() {
    // c was freed and set; d, which waits for it, is held.
    let mut fixture = Fixture::new(&format!(
        "{COMPLETED}\nalice: set a status=0\nalice: change b>c type=1\nalice: set c status=1"
    ));
    fixture.run("alice: undo 1").unwrap();
    assert_eq!(statuses(&fixture, "abcde"), "33122");
    // c was freed but not set: it is completed again.
    let mut fixture = Fixture::new(&format!("{COMPLETED}\nalice: set a status=0\nalice: change b>c type=1"));
    assert_eq!(statuses(&fixture, "abcde"), "02022");
    fixture.run("alice: undo 1").unwrap();
    assert_eq!(statuses(&fixture, "abcde"), "33333");
    // By now c waits for another node.
    let mut fixture = Fixture::new(&format!("{COMPLETED}\nalice: set a status=0\nalice: add n under c"));
    fixture.run("alice: undo 1").unwrap();
    assert_eq!(statuses(&fixture, "abcden"), "332220");
    // The undone batch is undone and redone while c is held by that. It takes nothing more from c.
    fixture.run("alice: redo 1").unwrap();
    fixture.run("alice: set n status=3").unwrap();
    fixture.run("alice: undo 1").unwrap();
    assert_eq!(statuses(&fixture, "abcden"), "333333");
    // A node in the trash is left alone.
    let mut fixture = Fixture::new(&format!("{COMPLETED}\nalice: set a status=0\nalice: trash c"));
    fixture.run("alice: undo 1").unwrap();
    assert_eq!(statuses(&fixture, "abcde"), "33233");
}

#[test]
fn h21_a_task_that_waits_for_one_given_back_is_not_reopened() {
    // Swapped back, s -> t leads to t, which was completed meanwhile; s is completed again in the same undo.
    let world = "alice owns s=3 t\ns -> t\nalice: swap s>t";
    assert_eq!(statuses(&Fixture::new(world), "st"), "20");
    let done = format!("{world}\nalice: set t status=3");
    assert_eq!(statuses(&Fixture::new(&done), "st"), "03");
    check(&done, "alice: undo 1", "swap s -> t\nstatus s 0>3");
}

#[test]
fn h21_a_node_restored_complete_is_so_again_when_that_is_undone() {
    let mut fixture = Fixture::new(
        "alice owns a=3 b=3
         a -> b
         alice: trash b
         alice: set a status=0
         alice: restore b",
    );
    assert_eq!(statuses(&fixture, "ab"), "02");
    fixture.run("alice: undo 3").unwrap();
    assert_eq!(statuses(&fixture, "ab"), "03");
    fixture.run("alice: undo 2").unwrap();
    fixture.run("alice: restore b").unwrap();
    assert_eq!(statuses(&fixture, "ab"), "33");
}

#[test]
fn h21_a_hub_of_many_costs_in_proportion() {
    // h waits for ten thousand tasks. One change reopens all of them, and they are given back together.
    const WIDTH: usize = 10_000;
    let names: Vec<String> = (0..WIDTH).map(|at| format!("n{at}")).collect();
    let ends: String = names.iter().map(|name| format!("r -> {name}\n{name} -> h\n")).collect();
    let mut fixture = Fixture::new(&format!("alice owns r=3 h=3 {}=3\n{ends}", names.join("=3 ")));
    fixture.run("alice: set r status=0").unwrap();
    assert_eq!(fixture.node("h").status, Status::Blocked);
    let before = looks();
    fixture.run("alice: undo 1").unwrap();
    let spent = looks() - before;
    assert_eq!(fixture.node("h").status, Status::Completed);
    assert!(spent < 100 * WIDTH as u64, "{spent} looks");
}

#[test]
fn h21_what_was_given_back_once_and_set_since_stays() {
    let mut fixture = Fixture::new(
        "alice owns a=3 b=3
         a -> b
         alice: set a status=0
         alice: undo 1
         alice: set b status=0
         alice: redo 1",
    );
    assert_eq!(statuses(&fixture, "ab"), "02");
    fixture.run("alice: undo 1").unwrap();
    assert_eq!(statuses(&fixture, "ab"), "30", "the redo took no completion from b");
    fixture.run("alice: redo 1").unwrap();
    fixture.run("alice: undo 1").unwrap();
    assert_eq!(statuses(&fixture, "ab"), "30");
}

// Rules: H21, B13.
#[test]
fn h21_layers_that_became_independent_cost_in_proportion() {
    // Each task waits for both tasks of the layer before. All are reopened together, and made independent since.
    const LAYERS: usize = 14;
    let names: Vec<[String; 2]> =
        (0..LAYERS).map(|at| ["x", "y"].map(|side| format!("{side}{at}"))).collect();
    let mut text = format!("alice owns r=3 {}=3\n", names.concat().join("=3 "));
    for name in &names[0] {
        text.push_str(&format!("r -> {name}\n"));
    }
    for pair in names.windows(2) {
        for (from, to) in pair[0].iter().flat_map(|from| pair[1].iter().map(move |to| (from, to))) {
            text.push_str(&format!("{from} -> {to}\n"));
        }
    }
    let mut fixture = Fixture::new(&text);
    fixture.run("alice: set r status=0").unwrap();
    for name in names.concat() {
        fixture.run(&format!("alice: set {name} independent=true")).unwrap();
    }
    let before = looks();
    fixture.run("alice: undo 1").unwrap();
    let spent = looks() - before;
    assert!(names.concat().iter().all(|name| fixture.node(name).status == Status::Completed));
    assert!(spent < 100 * 2 * LAYERS as u64, "{spent} looks");
}

#[test]
fn h4_a_thousand_links_come_back_in_one_diff() {
    const PARENTS: usize = 1_000;
    let names: Vec<String> = (0..PARENTS).map(|at| format!("p{at}")).collect();
    let mut text = format!("alice owns s {}\nbob 3 s\ncarol 2 s+\n", names.join(" "));
    for name in &names {
        text.push_str(&format!("s -> {name}\nbob 3 {name}\ncarol 2 {name}\n"));
    }
    let mut fixture = Fixture::new(&text);
    let view = |fixture: &Fixture, name: &str| graph::load::visible(&fixture.world, user(name));
    let people = ["alice", "bob", "carol"];
    let before = people.map(|name| view(&fixture, name));
    fixture.run("alice: trash s").unwrap();
    assert_eq!(fixture.node("p999").status, Status::Available);

    let batch = fixture.ask("alice: undo 1").unwrap();
    let viewers: HashSet<_> = people.map(user).into_iter().collect();
    let projection = Projection::before(&fixture.world, &batch, &viewers);
    fixture.world.apply(&batch);
    let diffs = each(projection.after(&fixture.world));
    assert_eq!(diffs.len(), 3);
    for (person, diff) in &diffs {
        let restored = |change: &&LinkChange| matches!(change, LinkChange::Whole { .. });
        assert_eq!(diff.links.iter().filter(restored).count(), PARENTS, "{person}");
        let blocked = |change: &&NodeChange| matches!(change, NodeChange::Edited { after, .. } if after.status == Status::Blocked);
        assert_eq!(diff.nodes.iter().filter(blocked).count(), PARENTS, "{person}");
    }
    assert!(fixture.link("s>p0").was_blocker);
    assert!(!fixture.link("s>p999").in_trash);
    for (name, before) in people.iter().zip(before) {
        let after = view(&fixture, name);
        let nodes = |page: &graph::load::Page| -> HashSet<_> {
            page.nodes.iter().map(|seen| (seen.node.id, seen.node.status, seen.level())).collect()
        };
        assert_eq!(nodes(&after), nodes(&before), "{name}");
        let links = |page: &graph::load::Page| -> HashSet<_> {
            page.links.iter().map(|seen| (seen.link.id, seen.link.was_blocker)).collect()
        };
        assert_eq!(links(&after), links(&before), "{name}");
    }
}

#[test]
fn h6_a_refusal_leaves_no_trace() {
    let mut fixture = Fixture::new("alice owns a\nalice: set a title=x status=1\nalice: set a title=y");
    assert_eq!(outcome(&fixture.ask("alice: undo 1")), "version_conflict");
    assert_eq!(fixture.node("a").status, Status::InProgress);
}
