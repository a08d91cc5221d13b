//! Other processes on the same data, and revoked tokens.

use crate::support::replica::Replica;
use crate::support::{Person, Server, Told, add, changed, failure, grant, rename, until};
use graph::model::{Level, Plan};
use graph::ops::{AccessAdd, NodePublish};
use graph::{NodeId, Operation};
use std::time::{Duration, Instant};
use synaptask::engine::{Caller, EngineSettings, Failure};
use uuid::Uuid;

#[test]
fn d14_a_user_added_beside_the_server_is_known_to_it() {
    let server = Server::with(&["anna"]);
    let user = server.installation.add_user("dora", Plan::Pro);
    let (token, hash) = server.installation.add_token(user);
    until("dora is known", || server.engine.authenticate(&hash).is_ok());
    let identity = server.engine.authenticate(&hash).unwrap();
    assert_eq!((identity.caller, identity.user.username.as_str()), (Caller::api(user, token, hash), "dora"));

    let anna = server.person("anna");
    let plan = anna.adds("plan", None);
    let to_dora = Operation::AccessAdd(AccessAdd {
        id: plan,
        email: "Dora@Example.org".into(),
        level: Level::Viewer,
        branch: true,
        due: None,
    });
    anna.does(to_dora);
    assert_eq!(anna.sees().nodes.len(), 1);
}

#[test]
fn r12_tokens_that_nobody_has_cost_the_engine_nothing() {
    let poll = Duration::from_millis(20);
    let server = Server::set(&["anna"], EngineSettings { poll, ..EngineSettings::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (began, before) = (Instant::now(), server.knobs.looks());
    runtime.block_on(async {
        for _ in 0..20 {
            futures_util::future::join_all((0..50).map(|_| server.engine.look())).await;
        }
    });
    let looks = server.knobs.looks() - before;
    let polls = usize::try_from(began.elapsed().as_micros() / poll.as_micros()).unwrap();
    assert!(looks >= 20 && looks <= polls + 2, "{looks} looks in {polls} polls");
    // A look that is awaited sees what was there before.
    let user = server.installation.add_user("dora", Plan::Pro);
    let (_, hash) = server.installation.add_token(user);
    runtime.block_on(server.engine.look());
    assert!(server.engine.authenticate(&hash).is_ok());
}

#[test]
fn d14_batches_of_another_process_are_told() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    anna.does(grant(plan, &ben, Level::Viewer));
    let (annas, bens) = (anna.connects(), ben.connects());
    let (mut of_anna, mut of_ben) = (Replica::of(&annas.loads(100, 0)), Replica::of(&bens.loads(100, 0)));
    annas.hears();
    bens.hears();

    let beside = |operation| server.installation.does(Some(anna.caller.user), &operation);
    let task = NodeId(Uuid::new_v4());
    beside(add(task, "task", Some(plan)));
    until("ben is told", || bens.glances().len() == 1);
    // And in between with the server's own batches.
    for n in 0..10 {
        beside(rename(task, &format!("beside {n}")));
        anna.does(rename(plan, &format!("here {n}")));
    }
    let last = beside(rename(task, "at last"));
    until("all is told", || {
        bens.glances().iter().any(|told| matches!(told, Told::Diff(diff) if diff.batch == Some(last.id)))
    });
    for (socket, replica) in [(&annas, &mut of_anna), (&bens, &mut of_ben)] {
        socket.compares();
        let told = socket.hears();
        let revs: Vec<_> = told
            .iter()
            .filter_map(|told| if let Told::Diff(diff) = told { Some(diff.rev) } else { None })
            .collect();
        assert_eq!(revs.len(), 22);
        assert!(revs.is_sorted_by(|a, b| a < b));
        replica.follow(told);
        assert_eq!(replica.nodes.len(), 2);
    }
}

#[test]
fn p26_a_publication_by_another_server_is_announced() {
    let server = Server::with(&["anna", "ben", "carol"]);
    let [anna, ben, carol] = ["anna", "ben", "carol"].map(|name| server.person(name));
    let plan = anna.adds("plan", None);
    anna.does(grant(plan, &ben, Level::Viewer));
    let [annas, bens, carols] = [&anna, &ben, &carol].map(|person| person.connects());
    let publish = Operation::NodePublish(NodePublish { id: plan, branch: false, due: None });
    server.installation.does(Some(anna.caller.user), &publish);
    for socket in [&annas, &bens] {
        until("it is announced", || {
            socket.glances().iter().any(|told| matches!(told, Told::Published(p) if p.id == plan))
        });
    }
    assert!(carols.hears().is_empty());
}

#[test]
fn p24_a_revoked_token_ends_its_connections() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let (other, other_hash) = server.installation.add_token(anna.caller.user);
    until("the token is known", || server.engine.authenticate(&other_hash).is_ok());
    let on_other = anna.with_token(other, other_hash);
    let (kept, ended, ended_too) = (anna.connects(), on_other.connects(), on_other.connects());
    kept.hears();
    server.installation.revoke(other);
    until("both are closed", || ended.is_closed() && ended_too.is_closed());
    assert!(server.engine.authenticate(&other_hash).is_err());
    assert!(server.engine.authenticate(&anna.hash).is_ok());
    anna.adds("task", None);
    assert_eq!(kept.hears_diffs().len(), 1);
    assert!(!ended.glances().iter().any(|told| matches!(told, Told::Diff(_))), "nothing after the end");
}

#[test]
fn p24_a_rotated_token_ends_what_came_with_its_old_secret() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let old = anna.connects();
    old.hears();
    // A request that waits while the secret changes is not executed: the engine sees the change with its next
    // transaction.
    let hash = server.installation.rotate(anna.caller.token);
    assert_eq!(failure(anna.tries(rename(NodeId(Uuid::new_v4()), "late"))), Failure::Revoked);
    until("the old secret's connection is closed", || old.is_closed());
    assert!(server.engine.authenticate(&anna.hash).is_err());
    let identity = server.engine.authenticate(&hash).unwrap();
    assert_eq!(identity.caller.token, anna.caller.token);
    let anna = Person::of(&server.engine, identity.caller, hash, "anna");
    let new = anna.connects();
    anna.adds("task", None);
    assert_eq!(new.hears_diffs().len(), 1);
    assert!(anna.connects().hears().is_empty());
    let late = server.person("anna").connects();
    until("a connection with the old secret is turned away", || late.is_closed());
}

#[test]
fn p24_a_token_revoked_before_its_connection_is_there_ends_it() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    assert!(server.engine.authenticate(&anna.hash).is_ok());
    server.installation.revoke(anna.caller.token);
    let early = anna.connects(); // perhaps before the engine has heard of it
    until("the token is gone", || server.engine.authenticate(&anna.hash).is_err());
    let late = anna.connects();
    until("both are closed", || early.is_closed() && late.is_closed());
}

#[test]
fn d14_a_mutation_is_decided_on_what_others_have_committed() {
    // The log is never polled: new batches come with the transaction.
    let poll = Duration::from_secs(3_600);
    let server = Server::set(&["anna"], EngineSettings { poll, ..EngineSettings::default() });
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    let phone = anna.connects();
    server.installation.does(Some(anna.caller.user), &rename(node, "beside"));
    let diff = anna.does(rename(node, "here"));
    assert_eq!(anna.sees().nodes[0].node.version, 3);
    let told = phone.hears_diffs();
    assert_eq!(told.iter().map(|diff| diff.rev).collect::<Vec<_>>(), [diff.rev - 1, diff.rev]);

    // Also when the server itself writes nothing afterwards.
    server.installation.does(Some(anna.caller.user), &rename(node, "beside again"));
    server.knobs.refuse(1);
    anna.tries(rename(node, "never"));
    assert_eq!(anna.sees_titles(), ["beside again"]);
    assert_eq!(phone.hears_diffs().len(), 1);
    changed(anna.tries(rename(node, "here again")));
    assert_eq!(anna.sees().nodes[0].node.version, 5);
}
