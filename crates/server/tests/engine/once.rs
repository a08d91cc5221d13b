//! Exactly once: the purpose of a batchId.

use crate::support::{Server, add, ask, batch_id, changed, failure, named, refused, rename, replayed};
use graph::ops::NodeAdd;
use graph::{NodeId, Operation, Reason};
use std::sync::Barrier;
use synaptask::engine::{Failure, Mutation};
use uuid::Uuid;

fn new_task() -> Operation {
    // Without the client's id, a second node would be no conflict.
    Operation::NodeAdd(NodeAdd { id: None, target: None, fields: Box::default() })
}

#[test]
fn d7_a_thousand_of_one_request_are_one() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let request = named(anna.asks(new_task()), batch_id());
    let start = Barrier::new(50);
    let outcomes: Vec<_> = std::thread::scope(|threads| {
        let ask_often = || {
            start.wait();
            let pending: Vec<_> = (0..20).map(|_| ask(&server.engine, request.clone())).collect();
            pending.into_iter().map(|pending| pending.wait()).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..50).map(|_| threads.spawn(ask_often)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });

    let mut done = 0;
    for outcome in outcomes {
        let synaptask::engine::Outcome::Changed { diff, replayed } = outcome else { panic!("{outcome:?}") };
        assert_eq!(diff.batch, request.idempotency_key.map(|request| request.batch));
        assert_eq!(diff.nodes().len(), 1);
        done += usize::from(!replayed);
    }
    assert_eq!(done, 1);
    assert_eq!(anna.sees().nodes.len(), 1);
}

#[test]
fn d7_a_request_twice_in_one_group_is_done_once() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    let request = named(anna.asks(new_task()), batch_id());
    let other = Mutation { operation: rename(node, "x"), ..request.clone() };
    let group = vec![request.clone(), request.clone(), named(other, request.idempotency_key.unwrap().batch)];
    server.knobs.groups();
    let mut outcomes = server.together(anna.asks(rename(node, "busy")), group).into_iter();
    let (first, again) = (changed(outcomes.next().unwrap()), replayed(outcomes.next().unwrap()));
    assert_eq!(server.knobs.groups(), [1, 1]);
    assert_eq!((first.batch, first.rev, first.at), (again.batch, again.rev, again.at));
    assert_eq!(failure(outcomes.next().unwrap()), refused(Reason::BatchIdConflict));
}

#[test]
fn d8_a_request_is_known_after_a_restart() {
    let mut server = Server::with(&["anna", "ben"]);
    let request = named(server.person("anna").asks(new_task()), batch_id());
    let first = changed(ask(&server.engine, request.clone()).wait());
    for _ in 0..2 {
        server = server.restarted();
        let again = replayed(ask(&server.engine, request.clone()).wait());
        assert_eq!((first.batch, first.rev, first.at), (again.batch, again.rev, again.at));
        assert_eq!(again.nodes().len(), 1);
        let bens = Mutation { caller: server.person("ben").caller, ..request.clone() };
        assert_eq!(failure(ask(&server.engine, bens).wait()), refused(Reason::BatchIdConflict));
    }
    assert_eq!(server.person("anna").sees().nodes.len(), 1);
}

#[test]
fn d9_a_name_stands_for_one_request_of_one_user() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben, name) = (server.person("anna"), server.person("ben"), batch_id());
    let node = NodeId(Uuid::new_v4());
    changed(ask(&server.engine, named(anna.asks(add(node, "task", None)), name)).wait());
    let conflicting = [
        named(anna.asks(add(node, "other task", None)), name),
        named(anna.asks(rename(node, "task")), name),
        named(ben.asks(add(node, "task", None)), name),
        // Checked before everything else: the answer does not say that the node does not exist.
        named(ben.asks(rename(NodeId(Uuid::new_v4()), "task")), name),
    ];
    for conflicting in conflicting {
        assert_eq!(failure(ask(&server.engine, conflicting).wait()), refused(Reason::BatchIdConflict));
    }
    // Also under the id of a batch that no client named.
    let unnamed = anna.does(rename(node, "renamed")).batch.unwrap();
    let stolen = named(anna.asks(rename(node, "renamed")), unnamed);
    assert_eq!(failure(ask(&server.engine, stolen).wait()), refused(Reason::BatchIdConflict));
    assert_eq!(anna.sees().nodes[0].node.version, 2);
}

#[test]
fn d10_a_refusal_uses_nothing_up() {
    let server = Server::with(&["anna"]);
    let (anna, name) = (server.person("anna"), batch_id());
    let node = NodeId(Uuid::new_v4());
    let request = named(anna.asks(rename(node, "renamed")), name);
    for _ in 0..2 {
        assert_eq!(failure(ask(&server.engine, request.clone()).wait()), refused(Reason::NodeNotFound));
    }
    anna.does(add(node, "task", None));
    changed(ask(&server.engine, request.clone()).wait());
    replayed(ask(&server.engine, request).wait());
}

#[test]
fn d11_a_request_that_changed_nothing_is_remembered() {
    let server = Server::with(&["anna", "ben"]);
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    let phone = anna.connects();
    let request = named(phone.asks(rename(node, "task")), batch_id());
    let first = changed(phone.sends(request.clone()).wait());
    assert!(first.is_empty() && first.batch.is_none(), "O2");
    anna.does(rename(node, "renamed"));
    let again = replayed(phone.sends(request.clone()).wait());
    assert!(again.is_empty() && again.batch.is_none());
    assert_eq!(anna.sees_titles(), ["renamed"], "its retry does not do more");
    let other = named(anna.asks(rename(node, "other")), request.idempotency_key.unwrap().batch);
    assert_eq!(failure(ask(&server.engine, other).wait()), refused(Reason::BatchIdConflict));
    let server = server.restarted();
    let again = replayed(ask(&server.engine, Mutation { origin: None, ..request }).wait());
    assert!(again.is_empty() && again.batch.is_none());
}

#[test]
fn r2_a_limit_does_not_keep_anyone_from_a_replay() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let request = named(anna.asks(new_task()), batch_id());
    changed(ask(&server.engine, request.clone()).wait());
    let limited = |mutation: Mutation| Mutation { limited: Some(7), ..mutation };
    replayed(ask(&server.engine, limited(request.clone())).wait());
    let limit = Failure::RateLimited { retry_after_s: 7 };
    assert_eq!(failure(ask(&server.engine, limited(anna.asks(new_task()))).wait()), limit);
    let new = named(anna.asks(new_task()), batch_id());
    assert_eq!(failure(ask(&server.engine, limited(new.clone())).wait()), limit);
    changed(ask(&server.engine, new).wait());
    assert_eq!(anna.sees().nodes.len(), 2);
}

#[test]
fn d7_a_replay_tells_nobody_and_shows_only_what_may_still_be_seen() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    anna.does(crate::support::grant(plan, &ben, graph::model::Level::Editor));
    let request = named(ben.asks(rename(plan, "by ben")), batch_id());
    changed(ask(&server.engine, request.clone()).wait());
    anna.does(crate::support::revoke(plan, &ben));
    let annas = anna.connects();
    assert!(replayed(ask(&server.engine, request).wait()).is_empty());
    assert!(annas.hears().is_empty());
}
