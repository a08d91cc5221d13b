//! What expires.

use crate::support::replica::Replica;
use crate::support::{Person, Server, Socket, Told, ask, changed, now, rename, until};
use graph::model::Level;
use graph::ops::{AccessAdd, AccessUpdate, NodePublish};
use graph::{NodeId, Operation, Root, Timestamp};
use std::sync::Arc;
use store::{LoadScope, Log};
use synaptask::engine::{DiffPart, EngineSettings, Failure, Outcome};

fn grant_until(id: NodeId, person: &Person, due: Timestamp) -> Operation {
    Operation::AccessAdd(AccessAdd {
        id,
        email: person.email.clone(),
        level: Level::Viewer,
        branch: true,
        due: Some(due),
    })
}

/// Waits for the diff of an expiry, and for its content to be right.
fn assert_runs_out(socket: &Socket, replica: &mut Replica, due: Timestamp) -> Arc<DiffPart> {
    until("something comes by itself", || !socket.glances().is_empty());
    let late_ms = now().ms() - due.ms();
    assert!((0..1_000).contains(&late_ms), "{late_ms} ms after its time");
    socket.compares();
    let told = socket.hears();
    let Some(Told::Diff(diff)) = told.first() else { panic!("{told:?}") };
    let diff = Arc::clone(diff);
    assert_eq!((diff.batch, &diff.actor), (None, &None));
    replica.follow(told);
    assert!(replica.nodes.is_empty() && replica.links.is_empty());
    diff
}

#[test]
fn p15_a_grant_runs_out_by_itself() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    anna.adds("task", Some(plan));
    let due = now().plus_ms(300);
    let granted = anna.does(grant_until(plan, &ben, due));
    let (annas, bens) = (anna.connects(), ben.connects());
    let mut replica = Replica::of(&bens.loads(10, 0));
    assert_eq!(replica.nodes.len(), 2);
    bens.hears();
    let diff = assert_runs_out(&bens, &mut replica, due);
    assert_eq!((diff.nodes().len(), diff.links().len(), diff.rev), (2, 1, granted.rev));
    assert!(annas.hears().is_empty(), "for anna nothing has changed");
}

#[test]
fn p15_a_publication_runs_out_by_itself() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    anna.adds("task", Some(plan));
    let due = now().plus_ms(300);
    anna.does(Operation::NodePublish(NodePublish { id: plan, branch: true, due: Some(due) }));
    ben.does(Operation::NodeEmbed { root: Root::Node(plan) });
    let bens = ben.connects();
    let mut replica = Replica::of(&bens.loads(10, 0));
    assert_eq!(replica.nodes.len(), 2);
    bens.hears();
    assert_runs_out(&bens, &mut replica, due);
    assert!(ben.sees().nodes.is_empty());
}

#[test]
fn p15_what_is_put_off_does_not_run_out() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    anna.does(grant_until(plan, &ben, now().plus_ms(200)));
    let put_off = Operation::AccessUpdate(AccessUpdate {
        id: plan,
        email: ben.email.clone(),
        level: None,
        branch: None,
        due: Some(None),
    });
    anna.does(put_off);
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!(ben.sees_titles(), ["plan"]);
}

#[test]
fn p16_what_has_run_out_is_told_before_the_next_batch() {
    let settings = EngineSettings { group_max: 1, ..EngineSettings::default() };
    let server = Server::set(&["anna", "ben"], settings);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let [plan, other, own] = ["plan", "other", "own"].map(|title| anna.adds(title, None));
    let due = now().plus_ms(300);
    anna.does(grant_until(plan, &ben, due));
    anna.does(crate::support::grant(other, &ben, Level::Viewer));
    let bens = ben.connects();
    let mut replica = Replica::of(&bens.loads(10, 0));
    bens.hears();

    // The engine is busy at that moment: one batch is in flight, one is decided, and two wait.
    server.knobs.hold();
    let busy = ask(&server.engine, anna.asks(rename(own, "busy")));
    server.knobs.until_held();
    let decided = ask(&server.engine, anna.asks(rename(other, "other, decided")));
    let waiting = [rename(plan, "plan, later"), rename(other, "other, later")];
    let waiting = waiting.map(|operation| ask(&server.engine, anna.asks(operation)));
    until("the grant has run out", || now() > due);
    server.knobs.release();
    changed(busy.wait());
    let decided = changed(decided.wait());
    waiting.into_iter().for_each(|pending| drop(changed(pending.wait())));
    bens.compares();
    let told = bens.hears();
    let batches: Vec<bool> = told
        .iter()
        .filter_map(|told| if let Told::Diff(diff) = told { Some(diff.batch.is_some()) } else { None })
        .collect();
    assert_eq!(batches, [true, false, true], "the hide, and then the one batch that is still ben's to see");
    assert!(decided.at < due, "it was decided before that");
    replica.follow(told);
    assert_eq!(replica.nodes.len(), 1);
}

// Rules: P16, D2, N17.
#[test]
fn p16_a_batch_under_a_clock_that_was_far_ahead_does_not_stop_time() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let [plan, other] = ["plan", "other"].map(|title| anna.adds(title, None));
    let day_ms = 86_400_000;
    anna.does(grant_until(plan, &ben, now().plus_ms(day_ms)));
    anna.does(grant_until(other, &ben, now().plus_ms(500 * day_ms)));
    let ahead = now().plus_ms(400 * day_ms);
    let far = server.installation.does_at(Some(anna.caller.user), &rename(other, "other, one day"), ahead);
    assert_eq!(far.at, ahead);
    let sees = |ben: &Person| ben.sees_titles();
    until("the grant has expired by then", || sees(&ben) == ["other, one day"]);

    let mut rev = 0;
    let mut is_now = |diff: Arc<DiffPart>| {
        let late_ms = now().ms() - diff.at.ms();
        assert!((0..60_000).contains(&late_ms), "{late_ms} ms");
        assert!(diff.rev > rev, "the order is that of revs");
        rev = diff.rev;
    };
    is_now(anna.does(rename(plan, "plan, now")));
    is_now(anna.does(rename(plan, "plan, after it")));
    assert_eq!(sees(&ben), ["other, one day"], "what has expired stays so");
    let server = server.restarted();
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    is_now(anna.does(rename(plan, "plan, after a restart")));
    assert_eq!(sees(&ben), ["other, one day"]);
    let update = |due| {
        let (level, branch) = (None, None);
        Operation::AccessUpdate(AccessUpdate {
            id: plan,
            email: ben.email.clone(),
            level,
            branch,
            due: Some(due),
        })
    };
    is_now(anna.does(update(Some(now().plus_ms(2 * day_ms)))));
    assert_eq!(sees(&ben).len(), 2);
}

// Rules: P16.
#[test]
fn p16_what_expired_is_on_disk_before_the_next_batch() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let [plan, other] = ["plan", "other"].map(|title| anna.adds(title, None));
    let day_ms = 86_400_000;
    anna.does(grant_until(plan, &ben, now().plus_ms(day_ms)));
    let noted = || server.installation.log().load(LoadScope::Everything).unwrap().expired().count();
    assert_eq!(noted(), 0);
    let ahead = now().plus_ms(400 * day_ms);
    server.installation.does_at(Some(anna.caller.user), &rename(other, "other, one day"), ahead);
    // The engine follows that batch, and then the clock, which is behind it.
    until("it is noted", || noted() == 1);
    assert!(ben.sees_titles().is_empty());
}

// Rules: P16, O1.
#[test]
fn p16_a_batch_that_cannot_be_stored_brings_nothing_back_that_has_expired() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let [plan, other] = ["plan", "other"].map(|title| anna.adds(title, None));
    let day_ms = 86_400_000;
    anna.does(grant_until(plan, &ben, now().plus_ms(day_ms)));
    let ahead = now().plus_ms(400 * day_ms);
    server.installation.does_at(Some(anna.caller.user), &rename(other, "other, one day"), ahead);
    until("the grant has expired by then", || ben.sees_titles().is_empty());
    anna.does(rename(other, "other, now"));
    assert!(ben.sees_titles().is_empty());
    let prolong = Operation::AccessUpdate(AccessUpdate {
        id: plan,
        email: ben.email.clone(),
        level: None,
        branch: None,
        due: Some(None),
    });
    server.knobs.refuse(1);
    assert!(matches!(ask(&server.engine, anna.asks(prolong)).wait(), Outcome::Failed(Failure::Storage)));
    assert!(ben.sees_titles().is_empty(), "it is as expired as before");
}
