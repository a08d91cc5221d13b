//! Catching up after a lost connection.

use crate::support::replica::Replica;
use crate::support::{Server, Socket, ask, batch_id, changed, failure, grant, named, rename, revoke, until};
use graph::model::{Level, Rev};
use graph::{NodeId, Operation};
use std::sync::Arc;
use synaptask::engine::DiffPart;
use synaptask::engine::{EngineSettings, Failure, Outcome, Read};

/// Catches up and returns what was missed, or nothing if the client must load anew.
fn catch_up(socket: &Socket, since: Rev) -> Option<Vec<Arc<DiffPart>>> {
    let synced = socket.reads(Read::Sync { since });
    let Outcome::Synced { recovered, .. } = synced else { panic!("{synced:?}") };
    let missed = socket.hears_diffs();
    assert!(recovered || missed.is_empty());
    recovered.then_some(missed)
}

#[test]
fn p21_what_was_missed_is_sent_in_order() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    let since = anna.does(grant(plan, &ben, Level::Viewer)).rev;
    let lost = ben.connects();
    let mut replica = Replica::of(&lost.loads(10, 0));
    server.engine.disconnect(lost.id);
    for n in 0..3 {
        anna.does(rename(plan, &n.to_string()));
    }
    anna.adds("task", Some(plan));
    let back = ben.connects();
    let missed = catch_up(&back, since).expect("all of it is held");
    assert_eq!(missed.iter().map(|diff| diff.rev - since).collect::<Vec<_>>(), [1, 2, 3, 4]);
    missed.iter().for_each(|diff| replica.diff(diff));
    replica.must_equal(&Replica::of(&ben.sees()));
    assert_eq!(catch_up(&back, since + 4).map(|missed| missed.len()), Some(0));
}

#[test]
fn p22_a_view_that_shrank_is_loaded_anew() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    let since = anna.does(grant(plan, &ben, Level::Viewer)).rev;
    let bens = ben.connects();
    bens.hears();
    anna.does(rename(plan, "not for ben, as it turned out"));
    let revoked = anna.does(revoke(plan, &ben)).rev;
    bens.hears();
    assert!(catch_up(&bens, since).is_none());
    assert!(catch_up(&bens, revoked - 1).is_none());
    assert!(catch_up(&bens, revoked + 1).is_none(), "from the future");
}

#[test]
fn p22_what_was_revoked_in_the_trash_is_not_told() {
    // It is already out of ben's sight there, so the revocation hides nothing.
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    let since = anna.does(grant(plan, &ben, Level::Viewer)).rev;
    let bens = ben.connects();
    bens.hears();
    anna.does(rename(plan, "not for ben, as it turned out"));
    anna.does(Operation::NodeTrash { id: plan, branch: false });
    anna.does(revoke(plan, &ben));
    bens.hears();
    assert!(catch_up(&bens, since).is_none());
}

#[test]
fn p22_what_was_told_of_the_trash_is_not_told_again() {
    // Access to it may end there without a further diff.
    let server = Server::with(&["anna", "ben", "carol"]);
    let [anna, ben, carol] = ["anna", "ben", "carol"].map(|name| server.person(name));
    let plan = anna.adds("plan", None);
    let secret = anna.adds("secret", Some(plan));
    for (person, level) in [(&ben, Level::Admin), (&carol, Level::Viewer)] {
        anna.does(grant(plan, person, level));
    }
    let bens = ben.connects();
    anna.does(Operation::NodeTrash { id: secret, branch: false });
    let since = anna.does(Operation::NodeTrash { id: plan, branch: false }).rev;
    bens.hears();
    anna.does(revoke(plan, &carol));
    anna.does(Operation::NodeDelete { id: secret });
    assert_eq!(bens.hears_diffs().len(), 2, "ben runs the plan, in the trash too");
    anna.does(revoke(plan, &ben));
    bens.hears();
    assert!(catch_up(&bens, since).is_none());
}

#[test]
fn p22_a_gap_is_never_passed_over() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    let lost = anna.connects();
    let since = anna.does(rename(node, "held")).rev;
    lost.hears();
    // The World is reloaded after a fault, and another process was faster.
    let fatal = batch_id();
    server.knobs.panic_on(fatal);
    let (beside, user) = (server.installation.log(), anna.caller.user);
    server.knobs.before_load(move || {
        crate::support::installation::commit(beside, Some(user), &rename(node, "beside"));
    });
    let bad = named(anna.asks(rename(node, "never")), fatal);
    assert_eq!(failure(ask(&server.engine, bad).wait()), Failure::Exception);
    until("the World is reloaded", || anna.sees_titles() == ["beside"]);
    until("the connection is closed", || lost.is_closed());
    let back = anna.connects();
    assert!(catch_up(&back, since).is_none());
    changed(anna.tries(rename(node, "on it goes")));
    assert_eq!(back.hears_diffs().len(), 1);
}

#[test]
fn p22_a_diff_that_came_in_part_is_not_taken_for_the_whole() {
    let settings = EngineSettings { part_entries_max: 2, ..EngineSettings::default() };
    let server = Server::set(&["anna", "ben"], settings);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    let tasks: Vec<NodeId> = (0..5).map(|n| anna.adds(&n.to_string(), Some(plan))).collect();
    let bens = ben.connects();
    bens.hears();
    anna.does(grant(plan, &ben, Level::Viewer));
    let first = bens.hears_diffs().remove(0);
    // The connection is lost after the first part. That rev is all the client knows.
    let mut replica = Replica::default();
    replica.diff(&first);
    let back = ben.connects();
    if let Some(missed) = catch_up(&back, first.rev) {
        missed.iter().for_each(|diff| replica.diff(diff));
        assert_eq!(replica.nodes.len(), 1 + tasks.len());
    }
}
