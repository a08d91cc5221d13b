//! Undo and redo: rules H3–H17 and H20, one world and one batch to be turned at a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use fixture::{Fixture, node, outcome, user};
use graph::batch::Lineage;
use graph::history::{Reader, sees_batch, sees_entry};
use graph::model::Status;
use graph::ops::{Chain, Turn, turn};
use graph::{Batch, BatchId, Fresh, LinkId, Refusal};
use uuid::Uuid;

/// A world with one batch of it in mind.
struct Past {
    fixture: Fixture,
    chain: Chain,
    turns: u128,
}

impl Past {
    /// In that world that request was carried out, and after it those others.
    fn of(world: &str, request: &str, later: &[&str]) -> Self {
        let mut fixture = Fixture::new(world);
        let root = fixture.run(request).unwrap();
        for request in later {
            fixture.run(request).unwrap_or_else(|refusal| panic!("{request}: {refusal}"));
        }
        Past { fixture, chain: Chain { root, undone: false, names_undo: false }, turns: 0 }
    }

    fn turn(&mut self, who: &str, way: Turn) -> Result<Batch, Refusal> {
        self.turns += 1;
        let fresh = Fresh {
            batch: BatchId(Uuid::from_u128(0x7000 + self.turns)),
            entity: node("none").0,
            link: LinkId(node("none").0),
            public_token: "a new token".to_owned(),
        };
        let batch = turn(&self.fixture.world, user(who), &self.chain, way, &fresh)?;
        self.fixture.world.apply(&batch);
        let problems = graph::check::problems(&self.fixture.world);
        assert!(problems.is_empty(), "{problems:?}");
        self.chain.undone = matches!(batch.lineage, Lineage::UndoOf(_));
        Ok(batch)
    }

    fn undo(&mut self, who: &str) -> Result<Batch, Refusal> {
        self.turn(who, Turn::Undo)
    }

    fn redo(&mut self, who: &str) -> Result<Batch, Refusal> {
        self.turn(who, Turn::Redo)
    }
}

fn trimmed(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

/// The request, undone by whoever asked for it, comes to that.
#[track_caller]
fn undone(world: &str, request: &str, later: &[&str], expect: &str) {
    let (caller, _) = request.split_once(": ").unwrap();
    undone_by(caller, world, request, later, expect);
}

#[track_caller]
fn undone_by(who: &str, world: &str, request: &str, later: &[&str], expect: &str) {
    let result = Past::of(world, request, later).undo(who);
    assert_eq!(outcome(&result), trimmed(expect), "{who} undoes {request:?} after {later:?} in\n{world}");
}

#[test]
fn h4_what_was_meant_is_inverted_and_blocking_derived_anew() {
    let chain = "alice owns a b c\nb -> a\nc -> b";
    undone(chain, "alice: set c status=3", &[], "status c 3>0\nstatus b 0>2");
    undone(chain, "alice: set a title=x volume=7", &[], "set a");
    undone("alice owns a b", "alice: link b a", &[], "trash b -> a blocker\nstatus a 2>0");
    // Another task holds a by now: that it was freed is not replayed.
    undone("alice owns a b c\nb -> a", "alice: trash b>a", &["alice: link c a"], "restore b -> a blocker");
    let mut past = Past::of("alice owns a", "alice: set a title=x", &[]);
    let (root, undo) = (past.chain.root.id, past.undo("alice").unwrap());
    assert_eq!(undo.lineage, Lineage::UndoOf(root));
    assert_eq!((past.fixture.node("a").title.as_str(), past.fixture.node("a").version), ("", 3));
}

#[test]
fn h6_reasons_have_their_order() {
    let world = "alice owns a b\ncarol 3 a\ncarol 3 b";
    let made = "alice: link b a";
    undone_by("bob", world, made, &["alice: trash b>a", "alice: delete b>a"], "batch_not_found");
    undone_by("carol", world, made, &["alice: trash b>a", "alice: delete b>a"], "cannot_restore_purged");
    undone_by("carol", world, made, &["alice: trash b>a"], "no_permission");
    undone_by("alice", world, made, &["alice: trash b>a"], "version_conflict");
    let mut past = Past::of(world, made, &[]);
    past.undo("alice").unwrap();
    past.fixture.run("alice: delete b>a").unwrap();
    assert_eq!(outcome(&past.undo("carol")), "already_undone");
    assert_eq!(outcome(&past.redo("carol")), "cannot_restore_purged");
    // What was changed since answers before what else refuses a step.
    undone(
        "alice owns a",
        "alice: set a title=x",
        &["alice: set a title=y", "alice: trash a"],
        "version_conflict",
    );
}

#[test]
fn h7_changed_since_is_by_value_and_by_the_fields_that_would_be_set_back() {
    let (world, made) = ("alice owns a b", "alice: set a title=x");
    undone(world, made, &["alice: set a volume=7 status=1", "alice: link b a"], "set a");
    undone(world, made, &["alice: set a title=y", "alice: set a title=x"], "set a");
    let refusal = Past::of(world, made, &["alice: set a title=y"]).undo("alice").unwrap_err();
    assert_eq!(refusal.reason.code(), "version_conflict");
    assert!(refusal.message().contains(&node("a").to_string()), "{refusal}");
}

#[test]
fn h8_each_step_needs_what_it_would_need_by_hand() {
    let world = "alice owns a\nbob 2 a\ncarol 3 a";
    let made = "bob: set a title=x";
    undone_by("alice", world, made, &[], "set a");
    undone_by("carol", world, made, &[], "no_permission");
    undone(world, made, &["alice: regrant a bob level=3"], "no_permission");
    undone(world, made, &["alice: revoke a bob"], "no_permission");
    undone_by("alice", "alice owns a\nbob 3 a", "bob: hide a", &[], "no_permission");
    undone("alice owns a\nbob 3 a", "bob: hide a", &[], "grant bob 3 a");
}

#[test]
fn h9_what_was_deleted_for_good_does_not_come_back_and_is_named() {
    let (world, made) = ("alice owns a\nbob 2 a+", "bob: add n under a");
    let gone = ["alice: trash n", "alice: delete n"];
    let refusal = Past::of(world, made, &gone).undo("bob").unwrap_err();
    assert_eq!(refusal.reason.code(), "cannot_restore_purged");
    assert!(refusal.message().contains(&node("n").to_string()), "{refusal}");
    // To others it is not: they may never have seen it.
    let refusal = Past::of(world, made, &gone).undo("alice").unwrap_err();
    assert_eq!(refusal.reason.code(), "cannot_restore_purged");
    assert!(!refusal.message().contains(&node("n").to_string()), "{refusal}");
}

// Rules: H10, H11.
#[test]
fn h10_h11_a_chain_has_one_state() {
    let mut past = Past::of("alice owns a", "alice: set a title=x", &[]);
    assert_eq!(outcome(&past.redo("alice")), "not_undone");
    past.undo("alice").unwrap();
    assert_eq!(outcome(&past.undo("alice")), "already_undone");
    let redo = past.redo("alice").unwrap();
    assert_eq!(redo.lineage, Lineage::RedoOf(past.chain.root.id));
    assert_eq!(outcome(&past.redo("alice")), "not_undone");
    assert_eq!(past.fixture.node("a").title, "x");
    past.undo("alice").unwrap();
    // Named by one of its undos, undoing is redoing.
    past.chain.names_undo = true;
    let redo = past.undo("alice").unwrap();
    assert_eq!(redo.lineage, Lineage::RedoOf(past.chain.root.id));
    assert_eq!(outcome(&past.undo("alice")), "already_undone");
    assert_eq!(past.redo("alice").unwrap().lineage, Lineage::UndoOf(past.chain.root.id));
}

#[test]
fn h12_the_inverse_of_each() {
    undone("alice owns a", "alice: add n", &[], "trash n");
    let under = Past::of("alice owns a", "alice: add n under a", &[]).undo("alice").unwrap();
    assert_eq!(outcome(&Ok(under)), "trash n\ntrash n -> a blocker\nstatus a 2>0");
    undone("alice owns a", "alice: publish a", &[], "unpublish a");
    undone("alice owns a", "alice: grant a bob 2", &[], "revoke bob 2 a+");
    undone("alice owns a\nbob 2 a", "alice: revoke a bob", &[], "grant bob 2 a");
    undone("alice owns a\nbob 2 a", "alice: regrant a bob level=1", &[], "grant bob 2 a");
    undone("alice owns a\npublic a", "bob: embed a", &[], "unembed bob a");
    undone("alice owns a\npublic a\nbob embeds a", "bob: unembed a", &[], "embed bob a");
    undone(
        "alice owns a b\nb -> a",
        "alice: swap b>a",
        &[],
        "swap b -> a blocker\nstatus a 0>2\nstatus b 2>0",
    );
    undone("alice owns a", "alice: rename anna", &[], "rename alice");
    let mut past = Past::of("alice owns a\npublic a+ until 9", "alice: unpublish a", &[]);
    past.undo("alice").unwrap();
    let publication = past.fixture.node("a").publication.clone().unwrap();
    assert_eq!((publication.token.as_str(), publication.branch), ("token of a", true));
}

#[test]
fn h13_being_held_meanwhile_is_no_conflict() {
    let held = ["alice: link b a"];
    let mut past = Past::of("alice owns a b", "alice: set a status=1", &held);
    past.undo("alice").unwrap();
    assert_eq!(past.fixture.node("a").status, Status::Blocked);
    past.fixture.run("alice: set b status=3").unwrap();
    assert_eq!(past.fixture.node("a").status, Status::Available, "what it resumes with was set back");
    let mut past = Past::of("alice owns a=1 b", "alice: set a status=0", &held);
    past.undo("alice").unwrap();
    past.fixture.run("alice: trash b").unwrap();
    assert_eq!(past.fixture.node("a").status, Status::InProgress);
}

#[test]
fn h14_the_trash_and_what_is_public_no_longer() {
    undone("alice owns a", "alice: set a title=x", &["alice: trash a"], "node_in_trash");
    undone("alice owns a", "alice: set a status=1", &["alice: trash a"], "node_in_trash");
    undone("alice owns a\npublic a", "alice: unpublish a", &["alice: trash a"], "node_in_trash");
    let embedded = "alice owns a\npublic a\nbob embeds a";
    undone(embedded, "bob: unembed a", &["alice: unpublish a"], "not_public");
}

// Rules: H15, A13, A14.
#[test]
fn h15_an_undo_gives_nobody_what_the_caller_could_not_give() {
    let world = "alice owns a b\nbob 2 a\nbob 2 b\nb -> a";
    let shared = ["alice: grant a carol 3"];
    undone(world, "bob: trash b>a", &shared, "would_share");
    undone_by("alice", world, "bob: trash b>a", &shared, "restore b -> a blocker\nstatus a 0>2");
    let admin = "alice owns a\nbob 1 a\ncarol 3 a";
    undone(admin, "bob: revoke a carol", &["alice: regrant a bob level=2"], "no_permission");
    undone("alice owns a\nbob 1 a", "alice: regrant a bob level=3", &[], "grant bob 1 a");
    undone_by("bob", "alice owns a\nbob 1 a", "alice: regrant a bob level=3", &[], "no_permission");
}

// Rules: H16, B9, B10.
#[test]
fn h16_cycles_are_judged_on_the_final_state() {
    let meanwhile = ["alice: link a c", "alice: link c b"];
    undone("alice owns a b c\nb -> a", "alice: trash b>a", &meanwhile, "dependency_cycle");
    undone("alice owns a b c\nb -> a", "alice: change b>a type=1", &meanwhile, "dependency_cycle");
    let mut past = Past::of("alice owns a b c", "alice: link b a", &[]);
    past.undo("alice").unwrap();
    for request in meanwhile {
        past.fixture.run(request).unwrap();
    }
    assert_eq!(outcome(&past.redo("alice")), "dependency_cycle");
}

#[test]
fn h17_what_is_intended_not_to_come_back() {
    undone("alice owns a=3 b", "alice: link b a", &[], "trash b -> a blocker\nstatus a 2>0");
    undone("alice owns a\npublic a\nbob embeds a", "alice: unpublish a", &[], "publish a");
}

// Rules: H3, H20, V11.
#[test]
fn h3_h20_a_batch_is_seen_by_what_of_it_is_seen() {
    // To bob b is a phantom.
    let world = "alice owns a b\nb -> a\nbob 3 a";
    let seen = |request: &str, who: &str| {
        let past = Past::of(world, request, &[]);
        let (world, batch) = (&past.fixture.world, &past.chain.root);
        let entries: Vec<bool> =
            batch.entries.iter().map(|entry| sees_entry(world, user(who), entry)).collect();
        let reader = Reader::of(world, user(who));
        let again: Vec<bool> = batch.entries.iter().map(|entry| reader.sees_entry(entry)).collect();
        assert_eq!(entries, again, "{request}");
        assert_eq!(sees_batch(world, user(who), batch), reader.sees_batch(batch), "{request}");
        sees_batch(world, user(who), batch).then_some(entries)
    };
    assert_eq!(seen("alice: set b title=x", "bob"), None);
    assert_eq!(seen("alice: set b title=x", "alice"), Some(vec![true]));
    assert_eq!(seen("alice: set b status=3", "bob"), Some(vec![false, true]));
    assert_eq!(seen("alice: set a title=x", "bob"), Some(vec![true]));
    assert_eq!(seen("alice: set a title=x", "carol"), None);
    assert_eq!(seen("alice: trash a", "bob"), None, "what left his sight");
}
