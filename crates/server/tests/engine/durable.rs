//! Durable before told, and failures of commits and operations.

use crate::support::replica::Replica;
use crate::support::{Server, ask, batch_id, changed, failure, grant, named, rename};
use graph::model::Level;
use store::LogError;
use synaptask::engine::{Failure, Outcome, PageRequest, Read};

#[test]
fn d1_nothing_is_told_before_it_is_on_disk() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    anna.does(grant(plan, &ben, Level::Viewer));
    let (phone, laptop, bens) = (anna.connects(), anna.connects(), ben.connects());
    phone.hears();

    server.knobs.hold();
    let answer = phone.sends(phone.asks(rename(plan, "better plan")));
    server.knobs.until_held();
    let (to_read, read) = crate::support::expect_answer();
    server.engine.read(ben.caller, crate::support::WHOLE, None, to_read);
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(answer.glance().is_none(), "no answer");
    assert_eq!(crate::support::page(read.wait()).nodes[0].node.title, "plan", "no read shows it");
    for socket in [&phone, &laptop, &bens] {
        assert!(socket.glances().is_empty(), "no diff");
    }

    server.knobs.release();
    changed(answer.wait());
    assert_eq!(ben.sees_titles(), ["better plan"]);
    assert_eq!(laptop.hears_diffs().len(), 1);
    assert_eq!(bens.hears_diffs().len(), 1);
}

#[test]
fn d3_a_read_begun_after_an_answer_reflects_it() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let (phone, laptop) = (anna.connects(), anna.connects());
    let node = anna.adds("0", None);
    for n in 1..50 {
        phone.does(rename(node, &n.to_string()));
        assert_eq!(laptop.loads(10, 0).nodes[0].node.title, n.to_string());
    }
}

#[test]
fn d5_a_refused_commit_leaves_no_trace() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let (plan, task) = (anna.adds("plan", None), anna.adds("task", None));
    anna.does(grant(plan, &ben, Level::Editor));
    let bens = ben.connects();
    let mut replica = Replica::of(&bens.loads(100, 0));
    let before = (anna.sees(), ben.sees());
    bens.hears();

    server.knobs.groups();
    server.knobs.hold();
    let busy = ask(&server.engine, anna.asks(rename(task, "busy")));
    server.knobs.until_held();
    server.knobs.refuse(1);
    let trash = graph::Operation::NodeTrash { id: plan, branch: false };
    let doomed = [
        named(anna.asks(rename(plan, "renamed")), batch_id()),
        ben.asks(rename(plan, "renamed twice")),
        anna.asks(crate::support::link(task, plan, graph::model::LinkType::Primary)),
        anna.asks(trash),
        anna.asks(crate::support::revoke(plan, &ben)),
    ];
    let pending: Vec<_> = doomed.iter().map(|doomed| ask(&server.engine, doomed.clone())).collect();
    server.knobs.release();
    let busied = changed(busy.wait());
    for pending in pending {
        assert_eq!(failure(pending.wait()), Failure::Storage);
    }
    assert_eq!(server.knobs.groups(), [1], "the five were one group");

    anna.does(rename(task, "task"));
    let after = (anna.sees(), ben.sees());
    assert_eq!(after.1, before.1, "ben sees what he saw");
    assert_eq!(after.0.nodes[0], before.0.nodes[0]);
    assert_eq!((after.0.nodes[1].node.version, after.0.links.len()), (3, 0));
    let Outcome::Trash { page, .. } = anna.reads(Read::Trash { page: PageRequest { limit: 10, offset: 0 } })
    else {
        panic!()
    };
    assert!(page.nodes.is_empty());

    // The same request with the same batchId succeeds once there is room.
    let done = changed(ask(&server.engine, doomed[0].clone()).wait());
    assert_eq!(done.rev, busied.rev + 2, "no place in the order was lost");
    bens.compares();
    replica.follow(bens.hears());
    assert_eq!(replica.nodes.len(), 1);
}

// Rules: D5, D22.
/// History is read on a connection of its own: an error there concerns one request, and not its group.
#[test]
fn d5_a_past_that_cannot_be_read_fails_only_who_needs_it() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    let io = || LogError::Refused("disk I/O error".into());
    let damage = || LogError::Corrupt { place: "batch 1".into(), reason: "it is not JSON".into() };
    for error in [io as fn() -> LogError, damage] {
        let before = anna.sees();
        let doomed = batch_id();
        server.knobs.fail_on(doomed, error);
        let group = [
            anna.asks(rename(node, "first")),
            named(anna.asks(rename(node, "never")), doomed),
            anna.asks(rename(node, "last")),
        ];
        let outcomes = server.together(anna.asks(rename(node, "busy")), group.to_vec());
        let [first, fails, last] = <[Outcome; 3]>::try_from(outcomes).unwrap();
        assert_eq!(failure(fails), Failure::Storage);
        changed(first);
        changed(last);
        let after = &anna.sees().nodes[0].node;
        assert_eq!((after.title.as_str(), after.version), ("last", before.nodes[0].node.version + 3));
    }
}

#[test]
fn d5_reads_go_on_while_nothing_can_be_written() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    server.knobs.refuse(3);
    for _ in 0..3 {
        assert_eq!(failure(anna.tries(rename(node, "other"))), Failure::Storage);
        assert_eq!(anna.sees_titles(), ["task"]);
    }
    anna.does(rename(node, "other"));
    assert_eq!(anna.sees().nodes[0].node.version, 2);
}

/// Ends its process by a commit with an unknown outcome. Does nothing by itself: the test below runs it as another
/// process.
#[test]
fn doubting_child() {
    if std::env::var_os(DOUBT).is_none() {
        return;
    }
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    println!("begun");
    server.knobs.doubt();
    let answer = ask(&server.engine, anna.asks(rename(node, "other")));
    answer.wait();
    println!("answered");
}

const DOUBT: &str = "SYNAPTASK_TEST_DOUBT";

#[test]
fn d4_a_commit_in_doubt_ends_the_process_and_answers_nobody() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let ended = child.args(["--exact", "durable::doubting_child", "--nocapture"]).env(DOUBT, "1");
    let ended = ended.output().unwrap();
    let printed = String::from_utf8_lossy(&ended.stdout);
    assert!(printed.contains("begun") && !printed.contains("answered"), "{printed}");
    assert_eq!(ended.status.code(), Some(70), "{printed}");
}

#[test]
fn d6_an_operation_that_fails_inside_harms_nobody_else() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    anna.does(grant(plan, &ben, Level::Editor));
    let (phone, bens) = (anna.connects(), ben.connects());
    let mut replica = Replica::of(&bens.loads(100, 0));
    bens.hears();

    let fatal = batch_id();
    server.knobs.panic_on(fatal);
    let (before, after) = (named(anna.asks(rename(plan, "a")), batch_id()), ben.asks(rename(plan, "b")));
    let outcomes = server.together(
        anna.asks(rename(plan, "busy")),
        vec![before.clone(), named(ben.asks(rename(plan, "never")), fatal), after],
    );
    let [first, failed, last] = <[Outcome; 3]>::try_from(outcomes).unwrap();
    assert_eq!(failure(failed), Failure::Exception);
    assert_eq!((changed(first).len(), changed(last).len()), (1, 1));
    assert_eq!(anna.sees_titles(), ["b"]);
    assert_eq!(anna.sees().nodes[0].node.version, 4, "each of the others happened exactly once");
    crate::support::replayed(ask(&server.engine, before).wait());

    assert!(!phone.is_closed() && !bens.is_closed(), "nobody is cut off");
    bens.compares();
    replica.follow(bens.hears());
    bens.does(rename(plan, "c"));
    assert_eq!(phone.hears_diffs().len(), 4, "busy, a, b and c");
}

#[test]
fn d6_an_engine_survives_one_fault_after_another() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let (node, fatal) = (anna.adds("task", None), batch_id());
    let phone = anna.connects();
    server.knobs.panic_on(fatal);
    for n in 0..5 {
        let bad = named(phone.asks(rename(node, "never")), fatal);
        let good = phone.asks(rename(node, &n.to_string()));
        let busy = anna.asks(rename(node, "busy"));
        let outcomes = server.together(busy, vec![bad.clone(), good.clone(), bad]);
        let [one, two, three] = <[Outcome; 3]>::try_from(outcomes).unwrap();
        assert_eq!((failure(one), failure(three)), (Failure::Exception, Failure::Exception));
        assert_eq!(changed(two).len(), 1);
    }
    assert_eq!(anna.sees().nodes[0].node.version, 11);
    assert!(!phone.is_closed());
}
