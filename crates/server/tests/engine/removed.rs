//! Accounts that the operator changes, disables and removes beside a running server.

use crate::support::replica::Replica;
use crate::support::{Person, Server, Told, add, failure, grant, link, refused, rename, until};
use graph::diff::UserChange;
use graph::model::{Level, LinkType, Plan, Status};
use graph::ops::UserSet;
use graph::tokens::TokenRefusal;
use graph::{NodeId, Operation, Reason};
use synaptask::engine::{EngineSettings, Failure};
use uuid::Uuid;

// Rules: N34, P24, D14.
#[test]
fn n34_a_disabled_users_tokens_are_refused_and_their_sockets_end() {
    let server = Server::with(&["anna", "ben"]);
    let [anna, ben] = ["anna", "ben"].map(|name| server.person(name));
    let plan = anna.adds("plan", None);
    anna.does(grant(plan, &ben, Level::Editor));
    let [annas, bens] = [&anna, &ben].map(|person| person.connects());
    let user = anna.caller.user;
    server.installation.does(None, &Operation::UserDisable { user });
    assert_eq!(failure(anna.tries(rename(plan, "late"))), Failure::Revoked);
    until("anna is turned away", || {
        server.engine.authenticate(&anna.hash).err() == Some(TokenRefusal::Unknown)
    });
    until("anna's connection is closed", || annas.is_closed());
    let again = anna.connects();
    until("so is another", || again.is_closed());
    // What is hers stays, and goes on.
    ben.does(rename(plan, "mended"));
    assert_eq!(ben.sees_titles(), ["mended"]);
    assert_eq!(bens.hears_diffs().len(), 1);
    server.installation.does(None, &Operation::UserEnable { user });
    until("anna is let in", || server.engine.authenticate(&anna.hash).is_ok());
    assert_eq!(anna.sees_titles(), ["mended"]);
}

// Rules: S25, S26, P24.
#[test]
fn s25_tokens_of_a_user_who_became_basic_are_refused_and_not_deleted() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let node = anna.adds("plan", None);
    let phone = anna.connects();
    let set = |plan| {
        let user = anna.caller.user;
        let change = UserSet { user, email: None, username: None, plan: Some(plan), admin: None };
        server.installation.does(None, &Operation::UserSet(change));
    };
    set(Plan::Basic);
    assert_eq!(failure(anna.tries(rename(node, "late"))), Failure::Revoked);
    let refusal = || server.engine.authenticate(&anna.hash).err();
    until("her plan is what is wrong", || refusal() == Some(TokenRefusal::ApiNotAllowed));
    until("her connection is closed", || phone.is_closed());
    // What another server on the data loads says so too.
    let server = server.restarted();
    assert_eq!(server.engine.authenticate(&anna.hash).err(), Some(TokenRefusal::ApiNotAllowed));
    let change =
        UserSet { user: anna.caller.user, email: None, username: None, plan: Some(Plan::Plus), admin: None };
    server.installation.does(None, &Operation::UserSet(change));
    until("her token works again", || server.engine.authenticate(&anna.hash).is_ok());
}

fn status(person: &Person, node: NodeId) -> Option<Status> {
    person.sees().nodes.iter().find(|seen| seen.node.id == node).map(|seen| seen.node.status)
}

// Rules: N35, P1, P24.
#[test]
fn n35_a_removed_users_nodes_vanish_for_others_and_nothing_is_told_to_the_user() {
    let settings = EngineSettings { part_entries_max: 10, ..EngineSettings::default() };
    let server = Server::set(&["anna", "ben", "carol"], settings);
    let [anna, ben, carol] = ["anna", "ben", "carol"].map(|name| server.person(name));
    let root = anna.adds("root", None);
    for _ in 0..30 {
        anna.adds("task", Some(root));
    }
    let bens = ben.adds("held", None);
    anna.does(grant(root, &ben, Level::Editor));
    ben.does(grant(bens, &anna, Level::Editor));
    ben.does(link(root, bens, LinkType::Primary));
    assert_eq!(status(&ben, bens), Some(Status::Blocked));
    let (annas, phone, carols) = (anna.connects(), ben.connects(), carol.connects());
    let mut replica = Replica::of(&ben.sees());
    assert_eq!(replica.nodes.len(), 32);
    let user = anna.caller.user;
    server.installation.does(None, &Operation::UserRemove { user });
    until("anna's connection is closed", || annas.is_closed());
    until("the hides have arrived", || ben.sees().nodes.len() == 1);
    let told = phone.hears();
    let parts = told.iter().filter(|told| matches!(told, Told::Diff(_))).count();
    assert!(parts > 3, "{parts} parts");
    replica.follow(told);
    assert_eq!(replica.nodes.keys().copied().collect::<Vec<_>>(), [bens]);
    assert!(replica.links.is_empty());
    assert_eq!(status(&ben, bens), Some(Status::Available));
    replica.must_equal(&Replica::of(&ben.sees()));
    assert!(carols.hears().is_empty());
    assert!(!annas.glances().iter().any(|told| matches!(told, Told::Diff(_))), "nothing of it is for her");
    assert_eq!(server.engine.authenticate(&anna.hash).err(), Some(TokenRefusal::Unknown));
    assert_eq!(failure(anna.tries(add(NodeId(Uuid::new_v4()), "late", None))), Failure::Revoked);
    assert_eq!(failure(ben.tries(grant(bens, &anna, Level::Viewer))), refused(Reason::UserNotFound));
    // Her email is free, for somebody who has nothing to do with what was hers.
    let again = server.installation.add_user("anna", Plan::Pro);
    assert_ne!(again, user);
    server.restarted();
}

// Rules: N36, O26, D14.
#[test]
fn n36_a_changed_email_is_told_to_those_who_see_a_node_of_theirs() {
    let server = Server::with(&["anna", "ben", "carol"]);
    let [anna, ben, carol] = ["anna", "ben", "carol"].map(|name| server.person(name));
    let plan = anna.adds("plan", None);
    anna.does(grant(plan, &ben, Level::Viewer));
    let [phone, carols] = [&ben, &carol].map(|person| person.connects());
    let change = UserSet {
        user: anna.caller.user,
        email: Some("anna@new.example".into()),
        username: Some("anne".into()),
        plan: None,
        admin: None,
    };
    server.installation.does(None, &Operation::UserSet(change));
    let owner = || ben.sees().nodes[0].owner.as_ref().map(|owner| owner.email.clone());
    until("ben sees it", || owner().as_deref() == Some("anna@new.example"));
    let diffs = phone.hears_diffs();
    let [diff] = diffs.as_slice() else { panic!("{diffs:?}") };
    let [UserChange::Renamed { before, after }] = diff.user() else { panic!("{diff:?}") };
    assert_eq!((&*before.email, &*before.username), (&*anna.email, "anna"));
    assert_eq!((&*after.email, &*after.username), ("anna@new.example", "anne"));
    assert!(carols.hears().is_empty());
    anna.does(rename(plan, "goes on"));
}
