//! Loading in pages under change.

use crate::support::replica::Replica;
use crate::support::{Server, Socket, Told, changed, grant, rename, revoke};
use graph::load::Page;
use graph::model::Level;
use graph::ops::NodePublish;
use graph::{NodeId, Operation, Root};
use std::collections::HashSet;
use std::time::Duration;
use synaptask::engine::{EngineSettings, Outcome, PageRequest, Read};

fn ids(page: &Page) -> Vec<NodeId> {
    page.nodes.iter().map(|seen| seen.node.id).collect()
}

/// Continues a load to its end.
fn load_on(socket: &Socket, limit: usize, mut offset: usize) -> Vec<NodeId> {
    let mut loaded = Vec::new();
    loop {
        let page = socket.loads(limit, offset);
        loaded.extend(ids(&page));
        offset += page.nodes.len();
        if !page.has_more {
            return loaded;
        }
        assert_eq!(page.nodes.len(), limit, "G3: pages are full but the last");
    }
}

#[test]
fn g5_a_load_misses_and_repeats_nothing_under_change() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plans: Vec<NodeId> = (0..6).map(|n| anna.adds(&format!("plan {n}"), None)).collect();
    for plan in &plans {
        for n in 0..5 {
            anna.adds(&n.to_string(), Some(*plan));
        }
        anna.does(grant(*plan, &ben, Level::Editor));
    }
    let bens = ben.connects();
    let show = |id, showing| Operation::AccessVisibility { id, showing };
    let trash = |id| Operation::NodeTrash { id, branch: false };

    let mut sent = ids(&bens.loads(10, 0));
    let doomed = sent[1];
    anna.does(trash(doomed)); // sent already
    anna.does(rename(sent[0], "renamed, sent"));
    ben.does(show(plans[5], false)); // not sent yet, and never to come back
    anna.adds("new, under what is sent", Some(sent[0]));
    sent.extend(ids(&bens.loads(10, 10)));
    ben.does(show(plans[4], false));
    ben.does(show(plans[4], true)); // gone and back before its turn
    anna.does(Operation::NodeRestore { id: doomed });
    anna.does(revoke(plans[0], &ben)); // all of it sent
    anna.does(grant(plans[0], &ben, Level::Viewer)); // and shown again by diff
    sent.extend(load_on(&bens, 3, 20));

    let distinct: HashSet<_> = sent.iter().collect();
    assert_eq!(distinct.len(), sent.len(), "no node is sent twice");
    // 36, except the 5 under plan 5 and the 5 under plan 1, which was in the trash in its turn and then came by
    // diff.
    assert_eq!(sent.len(), 26);
    let mut replica = Replica::default();
    bens.compares();
    replica.follow(bens.hears());
    assert_eq!(replica.nodes.len(), 31);
}

#[test]
fn g6_has_more_is_exact() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let nodes: Vec<NodeId> = (0..6).map(|n| anna.adds(&n.to_string(), None)).collect();
    let phone = anna.connects();
    assert!(phone.loads(5, 0).has_more);
    assert!(!phone.loads(5, 5).has_more);
    assert!(!phone.loads(6, 0).has_more);
    assert!(phone.loads(3, 0).has_more);
    // Everything left vanishes except the last node, and then that too.
    for gone in &nodes[3..5] {
        anna.does(Operation::NodeTrash { id: *gone, branch: false });
    }
    let page = phone.loads(1, 3);
    assert_eq!((ids(&page), page.has_more), (vec![nodes[5]], false));
    phone.loads(3, 0);
    anna.does(Operation::NodeTrash { id: nodes[5], branch: false });
    assert_eq!(phone.loads(1, 3).nodes.len(), 0);
    let page = phone.loads(2, 0);
    anna.does(Operation::NodeTrash { id: nodes[2], branch: false });
    assert!(page.has_more && !phone.loads(1, 2).has_more);
}

#[test]
fn g2_a_link_comes_with_its_second_end() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let plan = anna.adds("plan", None);
    for n in 0..9 {
        anna.adds(&n.to_string(), Some(plan));
    }
    let phone = anna.connects();
    let links: Vec<usize> = (0..5).map(|n| phone.loads(2, 2 * n).links.len()).collect();
    assert_eq!(links, [1, 2, 2, 2, 2]);
}

// Rules: G4, G5, G8.
#[test]
fn g5_a_load_of_a_branch_misses_and_repeats_nothing_either() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    let tasks: Vec<NodeId> = (0..6).map(|n| anna.adds(&n.to_string(), Some(plan))).collect();
    let published = anna.does(Operation::NodePublish(NodePublish { id: plan, branch: true, due: None }));
    let graph::diff::NodeChange::Edited { after, .. } = &published.nodes()[0] else {
        panic!("{published:?}")
    };
    let token = after.publication.as_ref().unwrap().token.clone();
    let loads = |socket: &Socket, root: &Root, limit, offset| match socket
        .reads(Read::Branch { root: root.clone(), page: PageRequest { limit, offset } })
    {
        Outcome::Branch { page, .. } => Some(page),
        Outcome::Failed(_) => None,
        other => panic!("{other:?}"),
    };
    for (person, root) in [(&anna, Root::Node(plan)), (&ben, Root::Token(token.clone()))] {
        let socket = person.connects();
        let first = loads(&socket, &root, 3, 0).unwrap();
        assert_eq!((ids(&first), first.links.len()), (vec![plan, tasks[0], tasks[1]], 2));
        anna.does(Operation::NodeTrash { id: tasks[0], branch: false }); // sent already
        anna.does(Operation::NodeTrash { id: tasks[4], branch: false }); // and not
        let second = loads(&socket, &root, 3, 3).unwrap();
        assert_eq!(
            (ids(&second), second.links.len(), second.has_more),
            (vec![tasks[2], tasks[3], tasks[5]], 3, false)
        );
        for id in [tasks[0], tasks[4]] {
            anna.does(Operation::NodeRestore { id });
        }
    }
    // A publication may end between two pages.
    let (bens, root) = (ben.connects(), Root::Token(token));
    assert!(loads(&bens, &root, 3, 0).unwrap().has_more);
    anna.does(Operation::NodeUnpublish { id: plan });
    assert_eq!(loads(&bens, &root, 3, 3), None);
}

#[test]
fn g4_a_jump_leaves_the_load_as_it_is() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let nodes: Vec<NodeId> = (0..12).map(|n| anna.adds(&n.to_string(), None)).collect();
    let phone = anna.connects();
    let first = phone.loads(4, 0);
    anna.does(Operation::NodeTrash { id: nodes[0], branch: false });
    assert_eq!(ids(&phone.loads(4, 8)), nodes[9..], "a page of the graph as it is now");
    assert_eq!(ids(&phone.loads(4, 0)), nodes[1..5], "another load");
    assert_eq!(ids(&phone.loads(2, 7)), nodes[8..10]);
    // The load continues where it was, although a node that was sent has been trashed.
    anna.does(Operation::NodeTrash { id: nodes[1], branch: false });
    assert_eq!(load_on(&phone, 4, 4), nodes[5..]);
    assert_eq!(first.nodes.len(), 4);
}

#[test]
fn g4_loads_of_two_connections_are_two() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let nodes: Vec<NodeId> = (0..6).map(|n| anna.adds(&n.to_string(), None)).collect();
    let (phone, laptop) = (anna.connects(), anna.connects());
    phone.loads(2, 0);
    laptop.loads(4, 0);
    anna.does(Operation::NodeTrash { id: nodes[0], branch: false });
    assert_eq!(load_on(&phone, 2, 2), nodes[2..]);
    assert_eq!(load_on(&laptop, 4, 4), nodes[4..]);
}

#[test]
fn g4_a_list_is_kept_for_a_while_after_each_page() {
    let kept = Duration::from_millis(600);
    let server = Server::set(&["anna"], EngineSettings { load_kept: kept, ..EngineSettings::default() });
    let anna = server.person("anna");
    let nodes: Vec<NodeId> = (0..8).map(|n| anna.adds(&n.to_string(), None)).collect();
    let phone = anna.connects();
    phone.loads(2, 0);
    anna.does(Operation::NodeTrash { id: nodes[0], branch: false });
    for n in 1..3 {
        std::thread::sleep(kept * 2 / 3);
        assert_eq!(ids(&phone.loads(2, 2 * n)), nodes[2 * n..2 * n + 2], "its time begins again");
    }
    std::thread::sleep(kept * 4 / 3);
    assert_eq!(ids(&phone.loads(2, 6)), nodes[7..], "and ends: a page of the graph as it is now");
}

#[test]
fn p4_a_page_reflects_what_was_told_before_it() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let node = anna.adds("0", None);
    let (phone, laptop) = (anna.connects(), anna.connects());
    let pending: Vec<_> = (1..100).map(|n| laptop.sends(laptop.asks(rename(node, &n.to_string())))).collect();
    let versions: Vec<u64> = (0..20).map(|_| phone.loads(10, 0).nodes[0].node.version).collect();
    pending.into_iter().for_each(|pending| drop(changed(pending.wait())));
    let (mut version, mut pages) = (1, versions.iter());
    for told in phone.hears() {
        match told {
            Told::Diff(_) => version += 1,
            Told::Answer(Outcome::Graph { page, .. }) => {
                assert_eq!(page.nodes[0].node.version, version);
                assert_eq!(pages.next(), Some(&version));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(version, 100);
}
