//! Who is told about a mutation, and how.

use crate::support;
use crate::support::replica::Replica;
use crate::support::{Server, Socket, Told, ask, changed, grant, link, rename, revoke};
use graph::model::{Level, LinkType};
use graph::ops::{AccessAdd, AccessUpdate, LinkAdd, NodeAdd, NodePublish};
use graph::{BatchId, NodeFields, NodeId, Operation};
use std::sync::Arc;
use synaptask::engine::DiffPart;
use synaptask::engine::{EngineSettings, Outcome, Read};

#[test]
fn p7_the_origin_gets_the_answer_and_everyone_else_the_diff() {
    let server = Server::with(&["anna", "ben", "carol"]);
    let (anna, ben, carol) = (server.person("anna"), server.person("ben"), server.person("carol"));
    let plan = anna.adds("plan", None);
    anna.does(grant(plan, &ben, Level::Viewer));
    let sockets = [anna.connects(), anna.connects(), ben.connects(), ben.connects(), carol.connects()];
    let [phone, laptop, bens, bens_too, carols] = &sockets;

    let diff = phone.does(rename(plan, "better plan"));
    assert!(matches!(&phone.hears()[..], [Told::Answer(Outcome::Changed { .. })]), "the answer alone");
    for socket in [laptop, bens, bens_too] {
        let told = socket.hears_diffs();
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].batch, told[0].rev), (diff.batch, diff.rev));
        assert_eq!(told[0].actor.as_ref().unwrap().username, "anna");
    }
    assert!(carols.hears().is_empty(), "nothing changed for her");

    // Over REST there is no origin, and every socket is told.
    anna.does(rename(plan, "best plan"));
    assert_eq!(phone.hears_diffs().len(), 1);
    assert_eq!(laptop.hears_diffs().len(), 1);

    // A mutation that changes nothing is told to no one.
    phone.does(rename(plan, "best plan"));
    assert!(laptop.hears().is_empty() && bens.hears_diffs().len() == 1);
    phone.sends(phone.asks(rename(NodeId(uuid::Uuid::new_v4()), "none"))).wait();
    assert!(laptop.hears().is_empty() && bens.hears().is_empty());
}

#[test]
fn p6_a_diff_has_only_what_its_receiver_may_see() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    let secret = anna.adds("secret", None);
    anna.does(grant(plan, &ben, Level::Editor));
    let (annas, bens) = (anna.connects(), ben.connects());
    // The plan waits for another node. ben sees that it waits, and not for what.
    let private = Operation::LinkAdd(LinkAdd {
        id: None,
        source: secret,
        target: plan,
        kind: LinkType::Primary,
        private: true,
    });
    anna.does(private);
    anna.does(rename(secret, "still secret"));
    assert_eq!(annas.hears_diffs().len(), 2);
    let told = bens.hears_diffs();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].nodes().len(), told[0].links().len()), (1, 0));
    assert!(!format!("{told:?}").contains("secret"));
    assert!(!format!("{told:?}").contains(&secret.to_string()));
}

#[test]
fn p9_what_is_revoked_is_hidden_and_nothing_after_it_is_told() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    let task = anna.adds("task", Some(plan));
    anna.does(grant(plan, &ben, Level::Viewer));
    let bens = ben.connects();
    let mut replica = Replica::of(&bens.loads(10, 0));
    bens.hears();
    anna.does(revoke(plan, &ben));
    anna.does(rename(task, "task, later"));
    let told = bens.hears();
    assert_eq!(told.len(), 1);
    replica.follow(told);
    assert!(replica.nodes.is_empty() && replica.links.is_empty());
}

/// Anna with this many tasks under one plan, which ben sees.
fn crowded(tasks: usize, settings: EngineSettings) -> (Server, NodeId) {
    let server = Server::set(&["anna", "ben"], settings);
    let anna = server.person("anna");
    let plan = anna.adds("plan", None);
    let add = |n: usize| {
        anna.asks(Operation::NodeAdd(NodeAdd {
            id: None,
            target: Some(plan),
            fields: Box::new(NodeFields { title: Some(n.to_string()), ..NodeFields::default() }),
        }))
    };
    let pending: Vec<_> = (0..tasks).map(|n| ask(&server.engine, add(n))).collect();
    pending.into_iter().for_each(|pending| drop(changed(pending.wait())));
    (server, plan)
}

fn assert_parts(parts: &[Arc<DiffPart>], batch: Option<BatchId>, sizes: &[usize]) {
    let told: Vec<_> = parts.iter().map(|diff| (diff.batch, diff.part, diff.len())).collect();
    let expected: Vec<_> =
        sizes.iter().enumerate().map(|(nth, size)| (batch, Some((nth + 1, sizes.len())), *size)).collect();
    assert_eq!(told, expected);
}

fn loaded(socket: &Socket) -> Replica {
    let replica = Replica::of(&socket.loads(10_000, 0));
    socket.hears();
    replica
}

#[test]
fn p17_a_large_diff_comes_in_parts() {
    let (server, plan) = crowded(1_500, EngineSettings::default());
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let bens = ben.connects();
    let mut replica = loaded(&bens);
    let diff = anna.does(grant(plan, &ben, Level::Viewer));
    bens.compares();
    let told = bens.hears();
    let parts: Vec<_> = told
        .iter()
        .filter_map(|told| if let Told::Diff(diff) = told { Some(diff.clone()) } else { None })
        .collect();
    // 1,501 nodes, 1,500 links, the grant.
    assert_parts(&parts, diff.batch, &[1_000, 1_000, 1_000, 2]);
    replica.follow(told);
    assert_eq!((replica.nodes.len(), replica.links.len()), (1_501, 1_500));
}

#[test]
fn p18_an_answer_carries_the_first_part_and_the_rest_follows() {
    let (server, plan) = crowded(20, EngineSettings { part_entries_max: 10, ..EngineSettings::default() });
    let anna = server.person("anna");
    let (phone, laptop) = (anna.connects(), anna.connects());
    let (mut held, mut held_too) = (loaded(&phone), loaded(&laptop));

    // The plan and its 20 links go.
    let first = phone.does(Operation::NodeTrash { id: plan, branch: false });
    phone.compares();
    laptop.compares();
    let told = phone.hears();
    assert!(matches!(&told[0], Told::Answer(Outcome::Changed { .. })));
    let mut parts = vec![Arc::clone(&first)];
    parts.extend(
        told.iter().filter_map(|told| if let Told::Diff(diff) = told { Some(diff.clone()) } else { None }),
    );
    assert_parts(&parts, first.batch, &[10, 10, 1]);
    held.follow(told);
    held_too.follow(laptop.hears());

    // Over REST it is whole in the answer, and comes in parts to the sockets.
    let whole = anna.does(Operation::NodeRestore { id: plan });
    assert_eq!((whole.part, whole.len()), (None, 21));
    assert_parts(&phone.hears_diffs(), whole.batch, &[10, 10, 1]);
}

#[test]
fn p20_what_comes_over_a_connection_never_goes_back_in_the_order() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    anna.does(grant(plan, &ben, Level::Editor));
    let (annas, bens) = (anna.connects(), ben.connects());
    let pending: Vec<_> = (0..200)
        .map(|n| {
            let socket = if n % 3 == 0 { &bens } else { &annas };
            socket.sends(socket.asks(rename(plan, &n.to_string())))
        })
        .collect();
    let revs: Vec<_> = pending.into_iter().map(|pending| changed(pending.wait()).rev).collect();
    // Users take turns; each user's requests keep their order.
    let of =
        |bens: bool| revs.iter().enumerate().filter(move |(n, _)| (n % 3 == 0) == bens).map(|(_, rev)| *rev);
    assert!(of(true).is_sorted() && of(false).is_sorted(), "R17");
    let mut revs = revs;
    revs.sort_unstable();
    assert!(revs.is_sorted_by(|a, b| a + 1 == *b), "D2");
    for socket in [&annas, &bens] {
        let told: Vec<_> = socket
            .hears()
            .iter()
            .map(|told| match told {
                Told::Diff(diff) | Told::Answer(Outcome::Changed { diff, .. }) => diff.rev,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, revs, "answers and diffs, each at its place");
    }
}

#[test]
fn p26_a_publication_is_announced_to_those_with_access() {
    let server = Server::with(&["anna", "ben", "carol", "dora"]);
    let [anna, ben, carol, dora] = ["anna", "ben", "carol", "dora"].map(|name| server.person(name));
    let plan = anna.adds("plan", None);
    anna.does(grant(plan, &ben, Level::Viewer));
    // Dora sees the plan only as something that her own task waits for.
    let doras = anna.adds("for dora", None);
    anna.does(grant(doras, &dora, Level::Viewer));
    anna.does(link(plan, doras, LinkType::Primary));
    anna.does(revoke(doras, &dora));
    anna.does(Operation::AccessAdd(AccessAdd {
        id: doras,
        email: dora.email.clone(),
        level: Level::Viewer,
        branch: false,
        due: None,
    }));
    let sockets = [anna.connects(), anna.connects(), ben.connects(), carol.connects(), dora.connects()];
    let publish = Operation::NodePublish(NodePublish { id: plan, branch: true, due: None });
    let batch = sockets[0].does(publish).batch;
    assert!(batch.is_some());
    let announced = sockets.map(|socket| {
        let told = socket.hears();
        told.iter().filter(|told| matches!(told, Told::Published(published) if published.id == plan)).count()
    });
    assert_eq!(announced, [0, 1, 1, 0, 0], "not the origin, not who has no access, not who sees a phantom");
}

#[test]
fn o27_granted_by_lists_what_was_given_where_the_giver_still_may() {
    let server = Server::with(&["anna", "ben", "carol"]);
    let (anna, ben, carol) = (server.person("anna"), server.person("ben"), server.person("carol"));
    let given = |giver: &support::Person| match giver.reads(Read::Account) {
        Outcome::Account { account, .. } => {
            account.granted_by.iter().map(|(grant, _)| grant.node).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let plan = anna.adds("plan", None);
    anna.does(grant(plan, &ben, Level::Admin));
    ben.does(grant(plan, &carol, Level::Viewer));
    assert_eq!(given(&ben), [plan]);
    let to = |level| AccessUpdate {
        id: plan,
        email: support::email("ben"),
        level: Some(level),
        branch: None,
        due: None,
    };
    for (lessens, gives_back) in [
        (Operation::AccessUpdate(to(Level::Editor)), Operation::AccessUpdate(to(Level::Admin))),
        (revoke(plan, &ben), grant(plan, &ben, Level::Admin)),
    ] {
        anna.does(lessens);
        assert!(given(&ben).is_empty(), "he no longer reads who has access to it");
        anna.does(gives_back);
        assert_eq!(given(&ben), [plan]);
    }
    // In the trash it is judged by where the node was.
    anna.does(Operation::NodeTrash { id: plan, branch: false });
    assert_eq!(given(&ben), [plan]);
    assert_eq!(given(&anna), [plan]);
}
