//! The commit pipeline: the next group is decided while the former one is written.

use crate::support::replica::Replica;
use crate::support::{
    PATIENCE, Pending, Person, Server, Told, add, ask, batch_id, changed, failure, grant, named, page,
    refused, rename, replayed, revoke, until,
};
use graph::model::{Level, Plan};
use graph::{NodeId, Operation, Reason};
use store::{LoadScope, Log};
use synaptask::engine::{Caller, EngineSettings, Failure, Outcome};
use uuid::Uuid;

/// Everything that is asked meanwhile is decided, however slow the machine.
fn patient() -> EngineSettings {
    EngineSettings { group_time: PATIENCE, ..EngineSettings::default() }
}

/// The same, and the log is looked at by commits alone.
fn unpolled() -> EngineSettings {
    EngineSettings { poll: std::time::Duration::from_secs(3_600), ..patient() }
}

/// Waits until every mutation asked so far is decided: one that panics is answered without waiting for a commit.
fn until_decided(server: &Server) {
    let fatal = batch_id();
    server.knobs.panic_on(fatal);
    let anna = server.person("anna");
    let panics = named(anna.asks(rename(NodeId(Uuid::new_v4()), "never")), fatal);
    assert_eq!(failure(ask(&server.engine, panics).wait()), Failure::Exception);
}

fn glanced(pending: &[&Pending]) -> bool {
    pending.iter().any(|pending| pending.glance().is_some())
}

// Rules: D1, D21.
#[test]
fn d21_each_group_is_told_when_it_is_on_disk_itself() {
    let server = Server::set(&["anna", "ben"], patient());
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    anna.does(grant(plan, &ben, Level::Viewer));
    let (phone, bens) = (anna.connects(), ben.connects());
    phone.hears();
    bens.hears();

    server.knobs.hold();
    let first = phone.sends(phone.asks(rename(plan, "first")));
    server.knobs.until_held();
    let second = phone.sends(phone.asks(rename(plan, "second")));
    // A refusal that follows from what is not on disk yet waits too.
    let third = phone.sends(phone.asks(Operation::NodeTrash { id: plan, branch: false }));
    let fourth = phone.sends(phone.asks(rename(plan, "fourth")));
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(!glanced(&[&first, &second, &third, &fourth]));
    assert!(phone.glances().is_empty() && bens.glances().is_empty());

    server.knobs.groups();
    server.knobs.release_one();
    changed(first.wait());
    server.knobs.until_held();
    assert_eq!(server.knobs.groups(), [2], "what was asked meanwhile is the next group");
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(!glanced(&[&second, &third, &fourth]));
    assert_eq!((phone.glances().len(), bens.glances().len()), (1, 1));

    server.knobs.release();
    changed(second.wait());
    changed(third.wait());
    assert!(matches!(fourth.wait(), Outcome::Failed(Failure::Refused(_))));
    assert_eq!(bens.hears_diffs().len(), 3);
}

// Rules: D21, D6.
#[test]
fn d21_mutations_are_decided_while_a_commit_is_written() {
    let server = Server::set(&["anna"], patient());
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    server.knobs.hold_writing();
    let first = ask(&server.engine, anna.asks(rename(node, "first")));
    server.knobs.until_writing_held();
    let second = ask(&server.engine, anna.asks(rename(node, "second")));
    until_decided(&server);
    // The World is as damaged as can be; the group in flight is told all the same, and the other is decided again.
    let third = ask(&server.engine, anna.asks(rename(node, "third")));
    server.knobs.release_writing();
    let revs = [first, second, third].map(|pending| changed(pending.wait()).rev);
    assert!(revs.is_sorted_by(|a, b| a + 1 == *b), "{revs:?}");
    assert_eq!(anna.sees_titles(), ["third"]);
}

// Rules: D5, D21.
#[test]
fn d21_what_was_decided_after_a_group_that_fails_fails_with_it() {
    for panics in [false, true] {
        let server = Server::set(&["anna", "ben"], patient());
        let (anna, ben) = (server.person("anna"), server.person("ben"));
        let [plan, other] = ["plan", "other"].map(|title| anna.adds(title, None));
        anna.does(grant(plan, &ben, Level::Viewer));
        let bens = ben.connects();
        let mut replica = Replica::of(&bens.loads(100, 0));
        let rev = anna.does(rename(other, "other, renamed")).rev;
        let before = (anna.sees(), ben.sees());
        bens.hears();

        server.knobs.hold_writing();
        let task = NodeId(Uuid::new_v4());
        let mut doomed = vec![ask(&server.engine, anna.asks(add(task, "task", Some(plan))))];
        server.knobs.until_writing_held();
        let later = [
            rename(task, "it depends on the former"),
            grant(task, &ben, Level::Editor),
            Operation::NodeTrash { id: plan, branch: false },
            rename(plan, "never"),
            revoke(plan, &ben),
        ];
        doomed.extend(later.map(|operation| ask(&server.engine, anna.asks(operation))));
        let last = batch_id();
        doomed.push(ask(&server.engine, named(anna.asks(rename(other, "never too")), last)));
        server.knobs.until_sought(last);
        if panics {
            until_decided(&server);
            // What was decided after it is to be decided again. It then waits for the World, and fails no more.
            doomed.truncate(1);
        }
        server.knobs.refuse(1);
        server.knobs.release_writing();
        for pending in doomed {
            assert_eq!(failure(pending.wait()), Failure::Storage);
        }
        if panics {
            until("it was decided again", || anna.sees_titles() == ["never too"]);
            continue;
        }
        let after = (anna.sees(), ben.sees());
        assert_eq!(before, after, "the World is as it was");
        let next = anna.does(rename(plan, "plan, at last"));
        assert_eq!(next.rev, rev + 1, "no place in the order was lost");
        bens.compares();
        replica.follow(bens.hears());

        let fresh = server.installation.log().load(LoadScope::Everything).unwrap();
        assert_eq!(fresh.rev(), next.rev);
        let seen = (anna.sees(), ben.sees());
        let server = server.restarted();
        let (anna, ben) = (server.person("anna"), server.person("ben"));
        assert_eq!(seen, (anna.sees(), ben.sees()), "and as a fresh load");
    }
}

// Rules: D7, D9, D21.
#[test]
fn d7_a_request_twice_in_two_groups_in_flight_is_done_once() {
    let server = Server::set(&["anna"], patient());
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    let request = named(anna.asks(add(NodeId(Uuid::new_v4()), "new", None)), batch_id());
    let other = named(anna.asks(rename(node, "x")), request.idempotency_key.unwrap().batch);
    server.knobs.groups();
    // The first one is not on disk yet.
    server.knobs.hold_writing();
    let first = ask(&server.engine, request.clone());
    server.knobs.until_writing_held();
    let (again, other) = (ask(&server.engine, request.clone()), ask(&server.engine, other));
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert!(!glanced(&[&first, &again, &other]));
    server.knobs.release_writing();
    let (first, again) = (changed(first.wait()), replayed(again.wait()));
    assert_eq!((first.batch, first.rev, first.at), (again.batch, again.rev, again.at));
    assert_eq!(failure(other.wait()), refused(Reason::BatchIdConflict));
    assert_eq!(server.knobs.groups(), [1, 0]);
    assert_eq!(anna.sees().nodes.len(), 2);
}

// Rules: H4, H6, D21.
#[test]
fn d21_what_is_in_flight_can_be_undone_and_redone() {
    let server = Server::set(&["anna"], patient());
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    let undo = |batch| anna.asks(Operation::HistoryUndo { batch });
    let redo = |batch| anna.asks(Operation::HistoryRedo { batch });
    let renaming = batch_id();
    server.knobs.hold_writing();
    let mut pending = vec![ask(&server.engine, named(anna.asks(rename(node, "renamed")), renaming))];
    server.knobs.until_writing_held();
    // The undo is of a batch in flight. The redo is of an undo in the same group.
    pending.extend([undo(renaming), undo(renaming)].map(|asked| ask(&server.engine, asked)));
    let last = batch_id();
    pending.push(ask(&server.engine, named(redo(renaming), last)));
    server.knobs.until_sought(last);
    server.knobs.hold();
    server.knobs.release_writing();
    server.knobs.until_held();
    server.knobs.hold_writing();
    server.knobs.release();
    server.knobs.until_writing_held();
    // The chain has a part on disk, and one in flight.
    pending.push(ask(&server.engine, undo(renaming)));
    pending.push(ask(&server.engine, redo(renaming)));
    pending.push(ask(&server.engine, redo(renaming)));
    let last = batch_id();
    pending.push(ask(&server.engine, named(undo(renaming), last)));
    server.knobs.until_sought(last);
    server.knobs.release_writing();
    let failures: Vec<Option<Failure>> = pending
        .into_iter()
        .map(|pending| match pending.wait() {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        })
        .collect();
    let (undone, not_undone) = (refused(Reason::AlreadyUndone), refused(Reason::NotUndone));
    let expected = [None, None, Some(undone), None, None, None, Some(not_undone), None];
    assert_eq!(failures, expected);
    assert_eq!(anna.sees_titles(), ["task"]);
}

// Rules: D14, D21.
#[test]
fn d21_what_others_committed_first_is_decided_on() {
    for panics in [false, true] {
        let server = Server::set(&["anna", "ben"], unpolled());
        let (anna, ben) = (server.person("anna"), server.person("ben"));
        let [plan, other] = ["plan", "other"].map(|title| anna.adds(title, None));
        anna.does(grant(plan, &ben, Level::Viewer));
        let bens = ben.connects();
        let mut replica = Replica::of(&bens.loads(100, 0));
        bens.hears();

        server.knobs.hold_writing();
        let fatal = batch_id();
        let in_flight = [
            ask(&server.engine, named(anna.asks(rename(plan, "in flight")), fatal)),
            ask(&server.engine, anna.asks(rename(other, "in flight too"))),
        ];
        server.knobs.until_writing_held();
        let gathered = [rename(plan, "never"), rename(other, "gathered")];
        let gathered = gathered.map(|operation| ask(&server.engine, anna.asks(operation)));
        let beside = rename(plan, "beside");
        let trash = Operation::NodeTrash { id: plan, branch: false };
        let news = [beside, trash].map(|it| server.installation.does(Some(anna.caller.user), &it));
        if panics {
            // It did not panic at first.
            server.knobs.panic_on(fatal);
        }
        server.knobs.release_writing();
        let [first, second] = in_flight.map(Pending::wait);
        let [third, fourth] = gathered.map(Pending::wait);
        let trashed = failure(third);
        match panics {
            true => assert_eq!(failure(first), Failure::Exception),
            false => assert_eq!(failure(first), trashed),
        }
        assert!(matches!(trashed, Failure::Refused(_)), "{trashed:?}");
        let (second, fourth) = (changed(second), changed(fourth));
        assert_eq!(second.rev + 1, fourth.rev);
        assert_eq!(anna.sees_titles(), ["gathered"]);
        bens.compares();
        let told = bens.hears();
        let batches: Vec<_> = told
            .iter()
            .filter_map(|told| if let Told::Diff(diff) = told { diff.batch } else { None })
            .collect();
        assert_eq!(batches, news.map(|batch| batch.id), "nothing is told that did not happen");
        replica.follow(told);
        assert!(replica.nodes.is_empty());
    }
}

// Rules: D3, D21, P21.
#[test]
fn d21_a_connection_made_meanwhile_misses_nothing() {
    let server = Server::set(&["anna", "ben"], patient());
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let node = anna.adds("task", None);
    anna.does(grant(node, &ben, Level::Viewer));
    server.knobs.hold_writing();
    let first = ask(&server.engine, anna.asks(rename(node, "first")));
    server.knobs.until_writing_held();
    // The commit in flight was decided without ben. His load waits for it.
    let phone = ben.connects();
    let load = phone.asks_to_read(crate::support::WHOLE);
    std::thread::sleep(std::time::Duration::from_millis(50));
    let second = ask(&server.engine, anna.asks(rename(node, "second")));
    server.knobs.release_writing();
    let [first, second] = [first, second].map(|pending| changed(pending.wait()).rev);
    page(load.wait());
    let mut replica = Replica::default();
    phone.compares();
    replica.follow(phone.hears());
    // What was in flight when the connection began is not in its backlog.
    let synced = |since| phone.reads(synaptask::engine::Read::Sync { since });
    assert!(matches!(synced(first - 1), Outcome::Synced { recovered: false, .. }));
    assert!(matches!(synced(first), Outcome::Synced { recovered: true, .. }));
    assert!(matches!(synced(second), Outcome::Synced { recovered: true, .. }));
}

// Rules: D1, D21.
#[test]
fn d1_no_name_is_known_before_it_is_on_disk() {
    let server = Server::set(&["anna"], patient());
    let anna = server.person("anna");
    let name = || server.engine.authenticate(&anna.hash).unwrap().user.username.clone();
    let called = |username: &str| anna.asks(Operation::SettingsUsername { username: username.into() });
    server.knobs.hold();
    let first = ask(&server.engine, called("first"));
    server.knobs.until_held();
    let second = ask(&server.engine, called("second"));
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(name(), "anna");
    server.knobs.release_one();
    changed(first.wait());
    server.knobs.until_held();
    assert_eq!(name(), "first", "the World knows the second one already");
    server.knobs.release();
    changed(second.wait());
    assert_eq!(name(), "second");
}

// Rules: P24, D21.
#[test]
fn p24_a_token_revoked_beside_what_is_in_flight_ends_its_requests() {
    let server = Server::set(&["anna"], unpolled());
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    let user = server.installation.add_user("dora", Plan::Pro);
    let (token, hash) = server.installation.add_token(user);
    anna.does(rename(node, "the engine hears of dora"));
    let dora = Person::of(&server.engine, Caller::api(user, token, hash), hash, "dora");
    let phone = dora.connects();
    phone.hears();

    server.knobs.hold_writing();
    let in_flight = ask(&server.engine, dora.asks(add(NodeId(Uuid::new_v4()), "hers", None)));
    server.knobs.until_writing_held();
    let gathered = ask(&server.engine, dora.asks(add(NodeId(Uuid::new_v4()), "hers too", None)));
    server.installation.revoke(token);
    server.knobs.release_writing();
    assert_eq!(failure(in_flight.wait()), Failure::Revoked);
    assert_eq!(failure(gathered.wait()), Failure::Revoked);
    until("she is cut off", || phone.is_closed());
    assert!(!phone.glances().iter().any(|told| matches!(told, Told::Diff(_))));
}
