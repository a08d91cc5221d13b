//! Nodes, access, publications and grants: rules O13–O25, A5–A11 and S1–S24, one world and one request at a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use fixture::BEGIN;
use fixture::{Fixture, check, each, node, outcome, parse, user};
use graph::diff::UserChange;
use graph::replay::replay;
use graph::world::Due;
use graph::{Batch, NodeId, Projection, Timestamp, access};

// Rules: O10, O13, O14, O15, O16, O17, N32.
#[test]
fn o13_o16_whose_a_new_node_is() {
    check("alice owns a", "alice: add n", "add n of alice");
    check("alice owns a", "alice: add n under a", "add n of alice\nadd n -> a blocker\nstatus a 0>2");
    check("alice owns a\nbob 2 a+", "bob: add n under a", "add n of alice\nadd n -> a blocker\nstatus a 0>2");
    check("alice owns a\nbob 2 a", "bob: add n under a", "add n of bob\nadd n -> a blocker\nstatus a 0>2");
    check("alice owns a\nbob 3 a+", "bob: add n under a", "add n of bob\nadd n ~> a private");
    check(
        "alice owns a r\na ~> r\nbob 2 a\nbob 3 r+",
        "bob: add n under a",
        "add n of bob\nadd n -> a blocker\nstatus a 0>2",
    );
    check("alice owns a", "alice: add n under a status=3", "add n of alice\nadd n -> a");
    check("alice owns a", "bob: add n under a", "target_not_found");
    check("alice owns a\nalice: trash a", "alice: add n under a", "target_in_trash");
    check("alice owns a", "bob: add a", "id_taken");
    check("alice owns a\nalice: trash a\nalice: delete a", "bob: add a", "id_taken");
}

// Rules: A3, A5, A6, A7, A1.
#[test]
fn a5_a6_access_stays_with_one_owner() {
    let world = "alice owns a b\nbob owns c\nb ~> a\nc -> b by bob\ncarol 2 a+";
    check(world, "carol: set b title=x", "set b");
    check(world, "carol: set c title=x", "node_not_found");
    check("alice owns a b\nb ~> a private\ncarol 2 a+", "carol: set b title=x", "node_not_found");
    check("alice owns a b\nb ~> a\ncarol 2 a", "carol: set b title=x", "node_not_found");
    // The best of several; a cycle is walked once.
    check("alice owns a b\nb ~> a\na ~> b private\ncarol 3 a+\ncarol 2 b", "carol: set b title=x", "set b");
}

// Rules: A8, A10, A2.
#[test]
fn a8_what_each_level_may() {
    for (level, request, allowed) in [
        (3, "set a title=x", false),
        (2, "set a title=x", true),
        (3, "trash a", false),
        (2, "trash a", true),
        (2, "publish a", false),
        (1, "publish a", true),
        (2, "grant a carol 3", false),
        (1, "grant a carol 3", true),
    ] {
        let result = Fixture::new(&format!("alice owns a\nbob {level} a")).ask(&format!("bob: {request}"));
        assert_eq!(result.is_ok(), allowed, "{level} {request}: {result:?}");
        if !allowed {
            assert_eq!(outcome(&result), "no_permission");
        }
    }
    check("alice owns a\nbob 1 a\nalice: trash a", "bob: delete a", "no_permission");
    check("alice owns a\nalice: trash a", "alice: delete a", "delete a");
    check("alice owns a", "alice: delete a", "cant_delete_active_node");
}

#[test]
fn a9_what_is_hidden_is_refused_like_what_never_was() {
    let world = "alice owns a b\nb -> a\npublic b until 1\n2 pass";
    for request in [
        "add n under a",
        "set a title=x",
        "trash a",
        "restore a",
        "delete a",
        "link a b",
        "change b>a type=1",
        "swap b>a",
        "trash b>a",
        "restore b>a",
        "delete b>a",
        "publish a",
        "republish a forever",
        "unpublish a",
        "embed a",
        "embed b",
        "unembed a",
        "grant a carol 3",
        "regrant a carol level=3",
        "revoke a carol",
        "revoke a bob",
        "show a",
        "purge a",
        "purge b>a",
    ] {
        let hidden = Fixture::new(world).ask(&format!("bob: {request}"));
        let never = Fixture::new("carol owns c").ask(&format!("bob: {request}"));
        assert!(hidden.is_err(), "{request}");
        assert_eq!(hidden, never, "{request}: {:?}", parse(&format!("bob: {request}")));
    }
}

// Rules: S1, S2, S3, S4, S5, S23.
#[test]
fn s1_s5_publishing() {
    check("alice owns a", "alice: publish a", "publish a");
    check("alice owns a", "alice: publish a until 0", "invalid_due");
    check("alice owns a", "bob: publish a until 0", "invalid_due");
    check("alice owns a\npublic a", "alice: publish a", "already_public");
    check("alice owns a", "alice: republish a forever", "not_public");
    check("alice owns a", "alice: unpublish a", "not_public");
    check("dora owns a", "dora: publish a", "plan_limit");
    let fixture = Fixture::new("alice owns a\npublic a until 5\nalice: republish a branch=true forever");
    let publication = fixture.node("a").publication.clone().unwrap();
    assert_eq!((publication.token.as_str(), publication.branch, publication.due), ("token of a", true, None));
    assert_eq!(fixture.node("a").version, 2);
    let world = "alice owns a\npublic a\nbob embeds a";
    let batch = Fixture::new(world).ask("alice: unpublish a").unwrap();
    assert_eq!(batch.entries.len(), 2, "the embed ends: {batch:?}");
}

#[test]
fn s8_on_a_node_in_the_trash_what_gives_is_refused() {
    let world = "alice owns a b\npublic a\nbob 3 a\nalice: trash a\nalice: trash b";
    for request in ["publish b", "republish a forever", "embed a", "grant b bob 3", "regrant a bob level=2"] {
        check(world, &format!("alice: {request}"), "node_in_trash");
    }
    check(world, "alice: unpublish a", "unpublish a");
    check(world, "alice: revoke a bob", "revoke bob 3 a");
}

// Rules: S9, S10, S11, S12, A4, N30.
#[test]
fn s9_s12_embedding() {
    check("alice owns a\npublic a", "bob: embed a", "embed bob a");
    check("alice owns a\npublic a", "bob: embed token a", "embed bob a");
    check("alice owns a", "bob: embed a", "branch_not_found");
    check("alice owns a", "bob: embed token a", "branch_not_found");
    check("alice owns a\nbob 3 a", "bob: embed a", "not_public");
    check("alice owns a\npublic a until 1\n2 pass", "bob: embed a", "branch_not_found");
    check("alice owns a\npublic a until 1\nbob 3 a\n2 pass", "bob: embed a", "public_expired");
    check("alice owns a\npublic a", "alice: embed a", "has_access");
    check("alice owns a\npublic a\nbob 3 a", "bob: embed a", "has_access");
    check("alice owns a\npublic a\nbob 3 a hidden", "bob: embed a", "embed bob a");
    check("alice owns a\npublic a\nbob 3 a until 1\n2 pass", "bob: embed a", "embed bob a");
    check("alice owns a\npublic a\nbob embeds a", "bob: embed a", "already_embedded");
    check("alice owns a\npublic a", "bob: unembed a", "not_embedded");
    check("alice owns a\npublic a until 1\nbob embeds a\n2 pass", "bob: unembed a", "unembed bob a");
    check("alice owns a b\nb ~> a\npublic a+\nbob embeds a", "bob: set b title=x", "no_permission");
    check("alice owns a b\nb ~> a\npublic a\nbob embeds a", "bob: set b title=x", "node_not_found");
}

// Rules: S13, S14, S15, S16, S17, S18, S23, N28.
#[test]
fn s13_s18_granting() {
    check("alice owns a", "alice: grant a bob 3", "grant bob 3 a+");
    check("alice owns a", "alice: grant a bob 2 branch=false", "grant bob 2 a");
    check("alice owns a", "alice: grant a nobody 3", "user_not_found");
    check("alice owns a", "alice: grant a alice 3", "cannot_share_with_self");
    check("alice owns a\nbob 1 a", "bob: grant a alice 3", "already_granted");
    check("alice owns a\nbob 1 a", "alice: grant a bob 3", "already_granted");
    check("alice owns a\nbob 1 a until 1\n2 pass", "alice: grant a bob 3", "already_granted");
    check("alice owns a", "alice: grant a bob 3 until 0", "invalid_due");
    check("alice owns a\nbob 2 a", "bob: grant a nobody 3", "no_permission");
    check("alice owns a", "bob: grant a nobody 3", "node_not_found");
    check("dora owns a", "dora: grant a bob 3", "plan_limit");
    check("alice owns a\nbob 2 a", "alice: regrant a bob level=3", "grant bob 3 a");
    check("alice owns a", "alice: regrant a bob level=3", "not_shared");
    check("alice owns a", "alice: revoke a bob", "not_shared");
    check("alice owns a\nbob 2 a", "alice: revoke a bob", "revoke bob 2 a");
}

#[test]
fn s19_one_may_leave_but_not_change_ones_own_grant() {
    check("alice owns a\nbob 1 a", "bob: regrant a bob level=2", "no_permission");
    check("alice owns a\nbob 3 a", "bob: revoke a bob", "revoke bob 3 a");
    check("alice owns a\nbob 3 a\ncarol 3 a", "bob: revoke a carol", "no_permission");
    check("alice owns a\nbob 3 a hidden", "bob: revoke a bob", "revoke bob 3 a hidden");
    check("alice owns a\nbob 3 a until 1\n2 pass", "bob: revoke a bob", "revoke bob 3 a");
    check("alice owns a\nbob 3 a\nalice: trash a", "bob: revoke a bob", "revoke bob 3 a");
}

#[test]
fn o3_a_person_is_looked_up_after_permission_and_before_the_trash() {
    let trashed = "alice owns a\nbob 2 a\ndora owns d\nalice: trash a\ndora: trash d";
    for request in ["grant a nobody 3", "regrant a nobody level=3", "revoke a nobody"] {
        check(trashed, &format!("alice: {request}"), "user_not_found");
        check("alice owns a\nbob 2 a", &format!("bob: {request}"), "no_permission");
        check(trashed, &format!("bob: {request}"), "no_permission");
        check(trashed, &format!("carol: {request}"), "node_not_found");
    }
    check(trashed, "dora: grant d nobody 3", "plan_limit");
    check(trashed, "dora: regrant d nobody level=3", "plan_limit");
    check(trashed, "alice: grant a alice 3", "node_in_trash");
    check(trashed, "alice: regrant a carol level=3", "node_in_trash");
}

#[test]
fn s19_permission_answers_before_the_trash() {
    check("alice owns a\nbob 1 a\nalice: trash a", "bob: regrant a bob level=2", "no_permission");
}

// Rules: S20, S24.
#[test]
fn s20_s24_showing_and_the_basic_plan() {
    let three = "alice owns a b c d\ndora 3 a\ndora 3 b\ndora 3 c";
    check(three, "alice: grant d dora 3", "grant dora 3 d+ hidden");
    check(&format!("{three}\ndora 3 d hidden"), "dora: show d", "plan_limit");
    check(&format!("{three}\ndora 3 d hidden\ndora: hide a"), "dora: show d", "grant dora 3 d");
    check("alice owns a\nbob 3 a", "bob: hide a", "grant bob 3 a hidden");
    check("alice owns a", "bob: hide a", "node_not_found");
    check("alice owns a", "alice: hide a", "not_shared");
    let mut fixture = Fixture::new("alice owns a\nbob 3 a\nbob: hide a");
    assert_eq!(outcome(&fixture.ask("bob: set a title=x")), "node_not_found");
    fixture.run("bob: show a").unwrap();
    assert_eq!(outcome(&fixture.ask("bob: set a title=x")), "no_permission");
    assert_eq!(fixture.world.grant(node("a"), user("bob")).unwrap().version, 3);
}

// Rules: O22, O23, O24, O25.
#[test]
fn o24_o25_deleting_for_good() {
    let world = "alice owns a b c\nb -> a\nbob 3 b\npublic b\ncarol embeds b\nalice: trash b";
    let batch = Fixture::new(world).ask("alice: delete b").unwrap();
    assert_eq!(batch.entries.len(), 4, "with its link, grant and embed: {batch:?}");
    check(world, "alice: purge a", "not_in_trash");
    check(world, "alice: purge b a", "not_in_trash");
    check(world, "bob: purge b", "not_in_trash");
    check(world, "bob: purge", "nothing");
    let mut fixture = Fixture::new(world);
    fixture.run("alice: purge").unwrap();
    check("alice owns a\nalice: trash a", "alice: trash a", "already_trashed_node");
    check("alice owns a", "alice: restore a", "not_trashed_node");
}

/// What a repeated request names to its author: nodes of embeds and of grants.
fn replayed(fixture: &Fixture, batch: &Batch, author: &str) -> Vec<NodeId> {
    let diff = replay(&fixture.world, batch, fixture.world.rev(), user(author));
    assert!(diff.nodes.is_empty() && diff.links.is_empty());
    let embeds = diff.user.iter().filter_map(|change| match change {
        UserChange::Embed { node, .. } => Some(*node),
        UserChange::Renamed { .. } => None,
    });
    let grants = diff.access.iter().filter_map(|change| change.after.as_ref().or(change.before.as_ref()));
    embeds.chain(grants.map(|grant| grant.node)).collect()
}

#[test]
fn d17_a_replay_names_only_what_its_caller_may_read_now() {
    let shared = "alice owns a\npublic a\nbob 3 a\ncarol 1 a";
    // The request, what happens then, and whether the repeated request still names the node.
    for (request, then, named) in [
        ("dora: embed a", "", true),
        ("dora: embed a", "dora: unembed a", false),
        ("dora: embed a", "alice: unpublish a", false),
        ("dora: embed a", "alice: grant a dora 3\ndora: unembed a", false),
        ("bob: hide a", "", true),
        ("bob: hide a", "alice: revoke a bob", false),
        ("bob: hide a", "alice: revoke a bob\nalice: grant a bob 3", true),
        ("bob: revoke a bob", "", false),
        ("bob: revoke a bob", "alice: grant a bob 3", true),
        ("alice: revoke a bob", "", true),
        ("alice: regrant a bob level=2", "bob: revoke a bob", false),
        ("carol: grant a dora 3", "", true),
        ("carol: grant a dora 3", "alice: revoke a carol", false),
        ("carol: grant a dora 3", "alice: revoke a dora", false),
        ("carol: grant a dora 3", "alice: regrant a carol level=2", false),
    ] {
        let mut fixture = Fixture::new(shared);
        let batch = fixture.run(request).unwrap();
        then.lines().for_each(|line| drop(fixture.run(line).unwrap()));
        let (author, _) = request.split_once(": ").unwrap();
        let want = if named { vec![node("a")] } else { Vec::new() };
        assert_eq!(replayed(&fixture, &batch, author), want, "{request}, then {then:?}");
    }
    // Removed from the graph of a user who still sees the node, and who has lost it since.
    let mut fixture = Fixture::new("alice owns a r\na ~> r\npublic a\ndora embeds a\ndora 3 r+");
    let batch = fixture.run("dora: unembed a").unwrap();
    assert_eq!(replayed(&fixture, &batch, "dora"), [node("a")]);
    fixture.run("alice: revoke r dora").unwrap();
    assert_eq!(replayed(&fixture, &batch, "dora"), []);
}

// Rules: P16, D18.
#[test]
fn p16_what_has_expired_stays_so_when_the_clock_is_set_back() {
    let hour = |hours: i64| Timestamp::from_ms(BEGIN + hours * 3_600_000);
    let mut fixture = Fixture::new(
        "alice owns a b c
         bob 3 a until 7200
         bob 3 b until 86400
         public c until 7200
         carol embeds c",
    );
    let sees = |fixture: &Fixture, who: &str, what: &str| {
        access::level(&fixture.world, user(who), node(what)).is_some()
    };
    fixture.world.set_clock(hour(5));
    assert!(!sees(&fixture, "bob", "a") && sees(&fixture, "bob", "b") && !sees(&fixture, "carol", "c"));

    // Batches bear the time that it is, also the earlier one.
    fixture.world.set_clock(hour(1));
    assert_eq!(fixture.run("alice: set a title=x").unwrap().at, hour(1));
    assert!(!sees(&fixture, "bob", "a") && sees(&fixture, "bob", "b") && !sees(&fixture, "carol", "c"));
    assert_eq!(fixture.world.next_due(), Some(hour(24)), "nothing of it expires once more");
    // A change of something else does not bring it back, nor does it share what lies under it.
    fixture.run("bob: hide a").unwrap();
    fixture.run("bob: show a").unwrap();
    fixture.run("alice: regrant a bob level=2 branch=true").unwrap();
    fixture.run("alice: set c title=x").unwrap();
    assert!(!sees(&fixture, "bob", "a") && !sees(&fixture, "carol", "c"));
    assert_eq!(outcome(&fixture.ask("carol: embed c")), "branch_not_found");
    assert!(!access::would_share(&fixture.world, node("b"), node("a"), None), "bob has no access to a");
    assert!(fixture.world.due_by(hour(20)).is_empty());
    // Taken back, a batch leaves it as it was.
    let batch = fixture.ask("alice: regrant a bob level=3").unwrap();
    fixture.world.apply(&batch);
    fixture.world.revert(&batch);
    assert!(!sees(&fixture, "bob", "a"));

    // Another due time does, and so does the earlier one when it is set anew.
    for (request, who, what) in
        [("alice: regrant a bob forever", "bob", "a"), ("alice: republish c forever", "carol", "c")]
    {
        let batch = fixture.ask(request).unwrap();
        fixture.world.apply(&batch);
        assert!(sees(&fixture, who, what));
        fixture.run(&format!("{} until 7200", request.trim_end_matches(" forever"))).unwrap();
        assert!(sees(&fixture, who, what), "{request}, then the earlier due time");
    }
    fixture.run("alice: regrant a bob until 14400").unwrap();
    fixture.run("alice: republish c forever").unwrap();
    assert!(sees(&fixture, "bob", "a") && sees(&fixture, "carol", "c"));
    assert_eq!(fixture.world.next_due(), Some(hour(4)));
    fixture.world.set_clock(hour(4));
    assert!(!sees(&fixture, "bob", "a"));
    // Less than a minute back is no way back.
    fixture.world.set_clock(hour(4).plus_ms(-59_000));
    assert_eq!(fixture.world.clock(), hour(4));
}

#[test]
fn p16_what_expired_under_another_clock_is_loaded_as_expired() {
    let fixture = Fixture::new("alice owns a\nbob 3 a until 7200");
    let mut world = fixture.world.clone();
    let (due, at) = (Due::Grant(node("a"), user("bob")), Timestamp::from_ms(BEGIN + 7_200_000));
    world.expire(due, at.plus_ms(1));
    assert!(access::level(&world, user("bob"), node("a")).is_some(), "that was another due time");
    world.expire(due, at);
    assert!(access::level(&world, user("bob"), node("a")).is_none());
    assert_eq!(world.expired().collect::<Vec<_>>(), [(due, at)]);
}

/// How many viewers share each diff of a request that is carried out. Each is the diff of all who share it.
fn shared(world: &str, request: &str, viewers: &[&str]) -> Vec<usize> {
    let mut fixture = Fixture::new(world);
    let batch = fixture.ask(request).unwrap();
    let viewers = viewers.iter().map(|name| user(name)).collect();
    let [shared, plain] = [(); 2].map(|()| Projection::before(&fixture.world, &batch, &viewers));
    fixture.world.apply(&batch);
    let shared = shared.after(&fixture.world);
    let mut counts: Vec<usize> = shared.iter().map(|shared| shared.users.len()).collect();
    counts.sort_unstable();
    let mut shared = each(shared);
    shared.sort_by_key(|(user, _)| *user);
    assert_eq!(shared, plain.after_for_each(&fixture.world));
    counts
}

#[test]
fn p35_those_to_whom_a_batch_means_the_same_share_its_diff() {
    let all = ["alice", "bob", "carol", "dora"];
    let world = "alice owns a b\nb -> a\nbob 3 a+\ncarol 3 a+";
    assert_eq!(shared(&format!("{world}\ndora 3 a+"), "alice: set b title=x", &all), [1, 3]);
    assert_eq!(shared(&format!("{world}\ndora 2 a+"), "alice: set b title=x", &all), [1, 1, 2]);
    assert_eq!(shared(&format!("{world}\ndora 3 b"), "alice: set b title=x", &all), [1, 1, 2]);
    // What none of them sees in another way does not matter.
    assert_eq!(shared(&format!("{world}\ndora 3 a+\ndora 1 b"), "alice: set a title=x", &all), [1, 3]);
    assert_eq!(shared(&format!("{world}\ndora 3 a+"), "alice: trash b", &all), [1, 3]);
    // Only dora sees a private link of hers.
    let link = |how| {
        format!("alice owns a p\nbob 2 a+\ncarol 2 a+\ndora 2 a+\nbob 2 p\ncarol 2 p\ndora 2 p\np ~> a {how}")
    };
    assert_eq!(shared(&link("by dora"), "alice: trash p", &all), [1, 3]);
    assert_eq!(shared(&link("private by dora"), "alice: trash p", &all), [1, 1, 2]);
    // A new name means the same to everyone, a grant something else to its grantee.
    assert_eq!(shared(&format!("{world}\ndora 3 a+"), "alice: rename other", &all), [4]);
    assert_eq!(shared(world, "alice: grant a dora 3", &all), [1, 1]);
}
