//! What the operator does with accounts: rules N34–N36, S26 and H23.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use fixture::{Fixture, check, each, outcome};
use graph::diff::{NodeChange, UserChange};
use graph::ops::Belongings;
use graph::{Diff, Op, Projection, check as invariants};

/// What each of some users is told when a request is carried out.
fn told(fixture: &mut Fixture, request: &str, viewers: &[&str]) -> Vec<Option<Diff>> {
    let batch = fixture.ask(request).unwrap();
    let everyone = viewers.iter().map(|name| fixture::user(name)).collect();
    let projection = Projection::before(&fixture.world, &batch, &everyone);
    fixture.world.apply(&batch);
    let diffs = each(projection.after(&fixture.world));
    assert!(invariants::problems(&fixture.world).is_empty(), "{:?}", invariants::problems(&fixture.world));
    let of = |name: &&str| {
        diffs.iter().find(|(user, _)| *user == fixture::user(name)).map(|(_, diff)| diff.clone())
    };
    viewers.iter().map(of).collect()
}

// Rules: N35.
#[test]
fn n35_what_goes_with_a_removed_user_and_what_stays() {
    let world = "alice owns a a2 t!\nbob owns b x\ncarol owns c c2\nb -> a by alice\nx -> c by carol\n
                 c -> a by bob\nc ~> a2 private by bob\nc2 -> c private by bob\n
                 bob 1 a\ncarol 2 b\nbob 3 c\nbob 3 c2\npublic t\nbob embeds t\n
                 bob: grant a carol 3 branch=false";
    let outcome = "remove bob
                   revoke bob 1 a
                   revoke bob 3 c
                   revoke bob 3 c2
                   revoke carol 3 a
                   unembed bob t
                   delete c>a2
                   delete c2>c
                   revoke carol 2 b
                   delete b>a
                   delete b
                   delete x>c
                   delete x
                   status c 2>0";
    let mut fixture = Fixture::new(world);
    let removal = fixture.ask("operator: remove bob");
    let counted = Belongings::of(&fixture.world, fixture::user("bob"));
    assert_eq!(counted, Belongings::deleted_by(removal.as_ref().unwrap()));
    assert_eq!((counted.nodes, counted.links, counted.grants, counted.embeds), (2, 4, 5, 1));
    let mut lines: Vec<String> = outcome_lines(&removal);
    let mut expect: Vec<String> = outcome.lines().map(|line| line.trim().to_owned()).collect();
    // Causes come first; which of several comes first is open.
    assert_eq!((lines.first(), lines.last()), (expect.first(), expect.last()));
    lines.sort_unstable();
    expect.sort_unstable();
    assert_eq!(lines, expect);
    fixture.run("operator: remove bob").unwrap();
    assert!(invariants::problems(&fixture.world).is_empty());
    // The link he made between their nodes stays, with a name for its owner.
    let bob = fixture.world.user(fixture::user("bob")).unwrap();
    assert_eq!(fixture.link("c>a").owner, bob.user.id);
    assert!(bob.user.is_removed() && bob.user.username.starts_with("removed-"));
    assert_eq!(bob.user.email, bob.user.username);
    // Neither his email nor his name finds him, and both can be taken; the name that stays cannot.
    assert!(fixture.world.user_by_email("bob@example.org").is_none());
    assert!(fixture.world.user_by_email(&bob.user.email.clone()).is_none());
    let left = bob.user.username.clone();
    assert_eq!(
        outcome_of(&mut fixture, &format!("operator: account carol username={left}")),
        "username_taken"
    );
    fixture.run("operator: account carol username=bob email=bob@example.org").unwrap();
    assert!(invariants::problems(&fixture.world).is_empty());
}

fn outcome_lines(result: &Result<graph::Batch, graph::Refusal>) -> Vec<String> {
    outcome(result).lines().map(str::to_owned).collect()
}

fn outcome_of(fixture: &mut Fixture, request: &str) -> String {
    outcome(&fixture.ask(request))
}

// Rules: N35, H9.
#[test]
fn n35_nothing_of_a_removed_user_comes_back() {
    let gone = "cannot_restore_purged";
    check(
        "alice owns a\nalice: grant a bob 2\nalice: revoke a bob\noperator: remove bob",
        "alice: undo 2",
        gone,
    );
    check("alice owns a\nalice: grant a bob 2\noperator: remove bob", "alice: undo 1", gone);
    check("alice owns a\nbob 2 a\noperator: remove bob", "alice: undo 1", gone);
    check("alice owns a\noperator: remove bob", "operator: remove bob", "user_not_found");
    for again in ["enable bob", "disable bob", "account bob plan=pro"] {
        check("alice owns a\noperator: remove bob", &format!("operator: {again}"), "user_not_found");
    }
    check("alice owns a\noperator: remove bob", "alice: grant a bob 2", "user_not_found");
    // What bob gave and alice took away is, given back, given by alice.
    let mut fixture = Fixture::new(
        "alice owns a\nbob 1 a\nbob: grant a carol 3\nalice: revoke a carol\noperator: remove bob\nalice: undo 2",
    );
    let grant = fixture.world.grant(fixture::node("a"), fixture::user("carol")).unwrap();
    assert_eq!(grant.granted_by, fixture::user("alice"));
    fixture.run("alice: set a title=x").unwrap();
    assert!(invariants::problems(&fixture.world).is_empty(), "{:?}", invariants::problems(&fixture.world));
}

// Rules: N35, P9, P11, P23, P24, W9.
#[test]
fn n35_others_are_told_of_a_removal_by_hides() {
    let world =
        "bob owns b b2 t\nb2 ~> b\nalice owns a\ncarol 2 b+\ncarol 1 t\nb -> a by bob\nbob 2 a\nbob: trash t";
    let mut fixture = Fixture::new(world);
    let diffs = told(&mut fixture, "operator: remove bob", &["alice", "carol", "dora"]);
    let [Some(alice), Some(carol), None] = diffs.as_slice() else { panic!("{diffs:?}") };
    assert!(alice.actor.is_none() && alice.batch.is_some());
    let hidden = |diff: &Diff| diff.nodes.iter().filter(|it| matches!(it, NodeChange::Hidden { .. })).count();
    assert_eq!((hidden(carol), carol.links.len()), (2, 1), "{carol:?}");
    let deleted = carol.nodes.iter().filter(|it| matches!(it, NodeChange::Deleted { .. })).count();
    assert_eq!((deleted, carol.nodes.len(), carol.access.len()), (1, 3, 2));
    // Alice saw b as a phantom that held a.
    assert_eq!((hidden(alice), alice.links.len(), alice.nodes.len()), (1, 1, 2), "{alice:?}");
    assert_eq!(alice.access[0].grantee.email, "bob@example.org");
    assert_eq!(alice.access[0].op, Op::GrantDelete);
    assert!(alice.user.is_empty() && carol.user.is_empty());
}

// Rules: N36, O26.
#[test]
fn n36_a_new_email_and_username_are_told_to_all_who_see_a_node_of_theirs() {
    check("alice owns a", "operator: account alice", "no_fields_to_update");
    check("alice owns a", "operator: account alice email=<a@b.c>", "invalid_email");
    check("alice owns a", "operator: account alice username=x", "invalid_username");
    check("alice owns a", "operator: account alice email=BOB@example.org", "email_taken");
    check("alice owns a", "operator: account alice username=bob", "username_taken");
    check("alice owns a", "operator: account alice username=alice", "nothing");
    check("alice owns a", "operator: account alice email=Alice@example.org", "email Alice@example.org");
    check("alice owns a", "alice: account alice email=a@b.c", "no_permission");
    for plan in ["disable alice", "enable alice", "remove bob"] {
        check("alice owns a", &format!("alice: {plan}"), "no_permission");
    }
    let mut fixture = Fixture::new("alice owns a\nbob 3 a");
    let diffs = told(
        &mut fixture,
        "operator: account alice email=al@example.org username=ali",
        &["alice", "bob", "carol"],
    );
    assert!(diffs[2].is_none());
    for diff in diffs[..2].iter().flatten() {
        let [UserChange::Renamed { before, after }] = diff.user.as_slice() else { panic!("{diff:?}") };
        assert_eq!(
            (&*before.email, &*after.email, &*after.username),
            ("alice@example.org", "al@example.org", "ali")
        );
        assert!(diff.nodes.is_empty());
    }
    let diffs = told(&mut fixture, "operator: account alice plan=basic", &["alice", "bob"]);
    assert_eq!(diffs, [None, None]);
    let diffs = told(&mut fixture, "operator: disable alice", &["alice", "bob"]);
    assert_eq!(diffs, [None, None]);
}

// Rules: H23.
#[test]
fn h23_what_the_operator_changed_only_the_operator_changes_back() {
    let world = |change: &str| format!("alice owns a\noperator: {change}");
    for change in ["account alice plan=basic", "account alice email=a@b.c", "disable alice"] {
        check(&world(change), "alice: undo 1", "no_permission");
        check(&world(change), "bob: undo 1", "batch_not_found");
    }
    check(&world("account alice username=ali"), "alice: undo 1", "rename alice");
}

// Rules: S26.
#[test]
fn s26_a_user_who_becomes_basic_keeps_the_three_grants_that_matter_most() {
    let five = "alice owns a b c d e\nbob 3 a\nbob 3 b\nbob 1 c+\nbob 3 d until 5\nbob 2 e";
    check(
        five,
        "operator: account bob plan=basic",
        "bob is basic\ngrant bob 3 b hidden\ngrant bob 3 d hidden",
    );
    let passed = format!("{five}\nalice: trash c\n6 pass");
    check(
        &passed,
        "operator: account bob plan=basic",
        "bob is basic\ngrant bob 1 c+ hidden\ngrant bob 3 d hidden",
    );
    check(five, "operator: account bob plan=plus", "bob is plus");
    check("alice owns a b c\nbob 3 a\nbob 3 b\nbob 3 c", "operator: account bob plan=basic", "bob is basic");
    check(&format!("{five}\noperator: account bob plan=basic"), "bob: show d", "plan_limit");
    check(
        &format!("{five}\noperator: account bob plan=basic\noperator: account bob plan=pro"),
        "bob: show d",
        "grant bob 3 d",
    );
}
