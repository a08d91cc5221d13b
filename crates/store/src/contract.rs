//! The suite that every [`Log`] must pass, whatever its storage. Implement [`Storage`] and call
//! [`contract_suite!`](crate::contract_suite) in a test module.

// All of this is test code, even when compiled for another crate's tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

pub mod pasts;
pub mod processes;
pub mod story;

use crate::{Abandon, LoadScope, Log, LogError, Proposal};
use graph::batch::{Change, Lineage};
use graph::model::{Grant, Level, Node, Plan, Publication, Rev, User};
use graph::world::Due;
use graph::{Batch, BatchId, Entry, NodeId, Op, Subject, Timestamp, TokenId, UserId, World};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use story::{add_node, nothing, picture, story, uuid};
use uuid::Uuid;

/// The storage of a log.
pub trait Storage: Sync + Sized {
    /// Empty storage, used only by this test.
    fn fresh() -> Self;
    /// What another process needs to find the storage.
    fn address(&self) -> String;
    /// Opens a log on the storage at an address, as another process would.
    fn open_at(address: &str) -> Box<dyn Log>;
    /// Opens one more log on this storage.
    fn open(&self) -> Box<dyn Log> {
        Self::open_at(&self.address())
    }
}

/// Makes a test of every function of the suite. The argument is a type that implements
/// [`Storage`](crate::contract::Storage).
#[macro_export]
macro_rules! contract_suite {
    ($storage:ty) => {
        $crate::contract_suite!(@tests $storage:
            d2_batches_are_handed_over_in_the_order_of_their_revs,
            d2_a_log_that_does_not_lead_on_is_told,
            d5_an_abandoned_transaction_writes_nothing,
            d6_a_panic_while_deciding_writes_nothing,
            d8_a_request_is_remembered_across_restarts,
            d8_what_is_committed_is_seen_from_other_threads,
            d9_a_batch_id_is_used_once,
            d11_a_request_that_changed_nothing_is_remembered,
            d13_a_restart_loads_the_same_world,
            d13_time_has_come_as_far_as_the_last_batch,
            p16_what_has_expired_stays_so_under_a_clock_that_was_set_back,
            d13_accounts_load_without_the_graph,
            d13_what_was_deleted_stays_gone,
            d13_a_large_batch_is_one_batch,
            d14_changes_by_others_are_noticed,
            d14_others_batches_come_before_a_decision,
            d14_threads_append_without_a_gap,
            when_tokens_were_used_is_kept,
        );
        $crate::contract_suite!(@pasts $storage:
            d8_keys_outlive_what_history_keeps,
            h10_a_chain_keeps_its_state_when_a_turn_is_pruned,
            h18_pages_and_chains_are_what_a_naive_search_finds,
            h2_pruning_takes_what_a_naive_count_takes,
            h2_pruners_do_not_get_in_each_others_way,
            n32_an_id_is_taken_while_any_batch_about_it_is_held,
        );
        $crate::contract_suite!(@processes $storage:
            d13_nothing_acknowledged_is_lost_by_a_kill,
            d14_processes_append_without_a_gap,
        );

        /// Does nothing by itself. Other tests run this binary again with only this test, as another process.
        #[test]
        fn contract_child() {
            $crate::contract::processes::child::<$storage>();
        }
    };
    (@tests $storage:ty: $($name:ident,)*) => {
        $(#[test] fn $name() { $crate::contract::$name(&<$storage as $crate::contract::Storage>::fresh()); })*
    };
    (@pasts $storage:ty: $($name:ident,)*) => {
        $(#[test] fn $name() { $crate::contract::pasts::$name(&<$storage as $crate::contract::Storage>::fresh()); })*
    };
    (@processes $storage:ty: $($name:ident,)*) => {
        $(#[test] fn $name() {
            let child = concat!(module_path!(), "::contract_child");
            $crate::contract::processes::$name(&<$storage as $crate::contract::Storage>::fresh(), child);
        })*
    };
}

/// A proposal without a client's id.
pub fn unnamed(batch: Batch) -> Proposal {
    Proposal { batch: batch.into(), fingerprint: None }
}

/// Appends batches. The head may be behind.
///
/// # Errors
/// Those of [`Log::transact`].
pub fn append(log: &mut dyn Log, head: Rev, batches: &[Batch]) -> Result<Rev, LogError> {
    log.transact(head, &mut |_, _| Ok(batches.iter().cloned().map(unnamed).collect()))
}

fn head_of(log: &mut dyn Log) -> Rev {
    log.load(LoadScope::Accounts).unwrap().rev()
}

fn batches_of(log: &mut dyn Log) -> Vec<Batch> {
    log.since(0).unwrap().into_iter().map(|committed| committed.batch).collect()
}

pub fn d2_batches_are_handed_over_in_the_order_of_their_revs(storage: &impl Storage) {
    let (mut log, batches) = (storage.open(), story());
    assert_eq!(head_of(&mut *log), 0, "a fresh log is empty");
    let (first, rest) = batches.split_at(3);
    assert_eq!(append(&mut *log, 0, first).unwrap(), 3, "the first batch is 1");
    let last = batches.len() as Rev;
    assert_eq!(append(&mut *log, 3, rest).unwrap(), last);
    let mut again = storage.open();
    for head in 0..=last {
        let news = again.since(head).unwrap();
        assert!(news.iter().map(|committed| committed.rev).eq(head + 1..=last));
        assert!(news.iter().map(|committed| &committed.batch).eq(&batches[head as usize..]));
    }
}

pub fn d2_a_log_that_does_not_lead_on_is_told(storage: &impl Storage) {
    let mut log = storage.open();
    append(&mut *log, 0, &story()[..2]).unwrap();
    assert!(matches!(log.since(3), Err(LogError::Astray { head: 3, log: 2 })));
    assert!(matches!(append(&mut *log, 9, &[nothing(1)]), Err(LogError::Astray { head: 9, log: 2 })));
    assert_eq!(head_of(&mut *log), 2);
}

pub fn d5_an_abandoned_transaction_writes_nothing(storage: &impl Storage) {
    let (mut log, mut other) = (storage.open(), storage.open());
    append(&mut *log, 0, &story()).unwrap();
    let before = batches_of(&mut *log);
    other.since(0).unwrap();
    let head = head_of(&mut *log);
    let abandoned = log.transact(head, &mut |_, _| Err(Abandon));
    assert!(matches!(abandoned, Err(LogError::Abandoned)));
    assert_eq!(log.transact(head, &mut |_, _| Ok(Vec::new())).unwrap(), head, "without proposals, no rev");
    assert_eq!(batches_of(&mut *log), before);
    assert!(!other.changed().unwrap(), "nothing at all was written");
    assert_eq!(append(&mut *log, head, &[nothing(1)]).unwrap(), head + 1, "and the log goes on");
}

pub fn d6_a_panic_while_deciding_writes_nothing(storage: &impl Storage) {
    let (mut log, mut other) = (storage.open(), storage.open());
    append(&mut *log, 0, &story()).unwrap();
    let head = head_of(&mut *log);
    let panicked = catch_unwind(AssertUnwindSafe(|| log.transact(head, &mut |_, _| panic!("on purpose"))));
    assert!(panicked.is_err());
    assert_eq!(append(&mut *other, head, &[nothing(1)]).unwrap(), head + 1, "no lock was left behind");
    assert_eq!(append(&mut *log, head, &[nothing(2)]).unwrap(), head + 2);
}

pub fn d8_a_request_is_remembered_across_restarts(storage: &impl Storage) {
    let batches = story();
    let fingerprint = Some([7; 32]);
    let named = |batch: &Batch| Proposal { batch: batch.clone().into(), fingerprint };
    storage.open().transact(0, &mut |_, _| Ok(batches.iter().map(named).collect())).unwrap();
    let mut log = storage.open();
    for (rev, batch) in (1..).zip(&batches) {
        let remembered = log.past().batch(batch.id).unwrap().unwrap();
        assert_eq!((remembered.rev, &remembered.batch, remembered.fingerprint), (rev, batch, fingerprint));
    }
    assert!(log.past().batch(BatchId(uuid(999_999))).unwrap().is_none());
    // A transaction sees the same, including what others have just appended.
    append(&mut *storage.open(), 0, &[nothing(1)]).unwrap();
    let mut seen = None;
    log.transact(0, &mut |_, past| {
        seen = past.batch(nothing(1).id).unwrap();
        Ok(Vec::new())
    })
    .unwrap();
    let seen = seen.unwrap();
    assert_eq!((seen.batch, seen.fingerprint), (nothing(1), None));
}

/// Read access for another thread sees each commit, and works while the log has a transaction open.
pub fn d8_what_is_committed_is_seen_from_other_threads(storage: &impl Storage) {
    let (mut log, batches) = (storage.open(), story());
    let past = Mutex::new(log.open_past().unwrap());
    let seen = |id| past.lock().unwrap().batch(id).unwrap().map(|seen| (seen.rev, seen.batch));
    for (head, batch) in (0..).zip(&batches) {
        log.transact(head, &mut |_, _| {
            let all = || batches.iter().map(|batch| seen(batch.id)).collect::<Vec<_>>();
            let all = std::thread::scope(|threads| threads.spawn(all).join().unwrap());
            let want = (1..).zip(&batches).map(|(rev, batch)| (rev <= head).then(|| (rev, batch.clone())));
            assert!(all.into_iter().eq(want));
            Ok(vec![unnamed(batch.clone())])
        })
        .unwrap();
    }
    append(&mut *storage.open(), batches.len() as Rev, &[nothing(1)]).unwrap();
    assert_eq!(seen(nothing(1).id), Some((batches.len() as Rev + 1, nothing(1))));
    let undone = past.lock().unwrap().chain(batches[3].id).unwrap().unwrap();
    assert_eq!((undone.root.rev, undone.latest), (4, Lineage::UndoOf(batches[3].id)));
}

pub fn d9_a_batch_id_is_used_once(storage: &impl Storage) {
    let mut log = storage.open();
    append(&mut *log, 0, &[nothing(1)]).unwrap();
    let id = nothing(1).id;
    for group in [vec![nothing(2), nothing(1), nothing(3)], vec![nothing(1)]] {
        let refused = append(&mut *log, 1, &group);
        assert!(matches!(refused, Err(LogError::Duplicate(duplicate)) if duplicate == id));
    }
    let twice = append(&mut *log, 1, &[nothing(4), nothing(4)]);
    assert!(matches!(twice, Err(LogError::Duplicate(duplicate)) if duplicate == nothing(4).id));
    assert_eq!(batches_of(&mut *log), [nothing(1)], "nothing of those groups was written");
    assert_eq!(append(&mut *log, 1, &[nothing(4)]).unwrap(), 2);
}

pub fn d11_a_request_that_changed_nothing_is_remembered(storage: &impl Storage) {
    let proposal = Proposal { batch: nothing(1).into(), fingerprint: Some([1; 32]) };
    assert_eq!(storage.open().transact(0, &mut |_, _| Ok(vec![proposal.clone()])).unwrap(), 1);
    let log = storage.open();
    let remembered = log.past().batch(proposal.batch.id).unwrap().unwrap();
    assert_eq!((remembered.rev, remembered.fingerprint), (1, proposal.fingerprint));
    assert!(remembered.batch.entries.is_empty());
}

pub fn d13_a_restart_loads_the_same_world(storage: &impl Storage) {
    let batches = story();
    let mut log = storage.open();
    let mut world = log.load(LoadScope::Everything).unwrap();
    for batch in &batches {
        append(&mut *log, world.rev(), std::slice::from_ref(batch)).unwrap();
        world.apply(batch);
        assert_eq!(picture(&storage.open().load(LoadScope::Everything).unwrap()), picture(&world));
    }
    // The same when all came in one transaction: the last entry of each entity counts.
    let at_once = storage_of(&batches, storage);
    assert_eq!(picture(&at_once.open().load(LoadScope::Everything).unwrap()), picture(&world));
}

fn storage_of<S: Storage>(batches: &[Batch], _: &S) -> S {
    let storage = S::fresh();
    append(&mut *storage.open(), 0, batches).unwrap();
    storage
}

/// After a restart with the clock set back, what had expired stays expired.
pub fn d13_time_has_come_as_far_as_the_last_batch(storage: &impl Storage) {
    let (mut log, batches) = (storage.open(), story());
    append(&mut *log, 0, &batches).unwrap();
    let last = batches.last().map(|batch| batch.at).unwrap();
    assert_eq!(storage.open().load(LoadScope::Everything).unwrap().clock(), last);
}

/// Batches may go back in time. What had expired by then stays so, until it is made anew.
pub fn p16_what_has_expired_stays_so_under_a_clock_that_was_set_back(storage: &impl Storage) {
    let (mut log, mut world) = (storage.open(), World::default());
    let mut does = |at: i64, subjects: Vec<Subject>| {
        let entries = subjects.into_iter().map(|subject| Entry {
            op: Op::NodeUpdate,
            derived: false,
            subject,
            copy_of: None,
        });
        let id = BatchId(Uuid::from_u128(u128::from(world.rev()) + 1));
        let (at, lineage) = (Timestamp::from_ms(at), Lineage::Fresh);
        let batch = Batch { id, actor: None, guest: None, at, lineage, entries: entries.collect() };
        append(&mut *log, world.rev(), std::slice::from_ref(&batch)).unwrap();
        world.apply(&batch);
    };
    fn add<T>(it: T) -> Change<Arc<T>> {
        Change { before: None, after: Some(Arc::new(it)) }
    }
    fn change<T>(before: T, after: T) -> Change<Arc<T>> {
        Change { before: Some(Arc::new(before)), after: Some(Arc::new(after)) }
    }
    let [owner, guest] = [1, 2].map(|number| UserId(Uuid::from_u128(number)));
    let person = |id: UserId| {
        User::new(id, id.to_string(), format!("{id}@example.org"), Plan::Pro, Timestamp::from_ms(0))
    };
    let [shared, public, later] = [10, 11, 12].map(|number| NodeId(Uuid::from_u128(number)));
    let node = |id: NodeId, due: Option<i64>| {
        let seq = id.0.as_u128() as u64;
        let mut node = Node::new(id, owner, BatchId(Uuid::nil()), Timestamp::from_ms(0), seq);
        node.publication = due.map(|due| {
            let (token, due) = (id.to_string(), Some(Timestamp::from_ms(due)));
            Box::new(Publication { token, branch: true, due })
        });
        node
    };
    let grant = |due: i64| Grant {
        node: shared,
        user: guest,
        level: Level::Viewer,
        branch: true,
        due: Some(Timestamp::from_ms(due)),
        showing: true,
        granted_by: owner,
        version: 1,
    };
    does(1_000_000, [owner, guest].map(|id| Subject::User(add(person(id)))).into());
    let nodes = [node(shared, None), node(public, Some(5_000_000)), node(later, Some(20_000_000))];
    does(1_000_000, nodes.map(|node| Subject::Node(add(node))).into());
    does(1_000_000, vec![Subject::Grant(add(grant(5_000_000)))]);
    let loaded = || {
        let world = storage.open().load(LoadScope::Everything).unwrap();
        (world.clock().ms(), world.expired().map(|(due, _)| due).collect::<Vec<Due>>())
    };
    does(10_000_000, Vec::new());
    assert_eq!(loaded(), (10_000_000, Vec::new()));
    does(2_000_000, Vec::new());
    does(2_000_001, Vec::new());
    let over = [Due::Grant(shared, guest), Due::Publication(public)];
    assert_eq!(loaded(), (2_000_001, over.to_vec()));
    // Another due time is another matter. So are a grant and a publication made anew, with whatever due time.
    does(2_000_002, vec![Subject::Grant(change(grant(5_000_000), grant(6_000_000)))]);
    assert_eq!(loaded().1, over[1..]);
    // So is the former due time, set once more.
    does(2_000_002, vec![Subject::Grant(change(grant(6_000_000), grant(5_000_000)))]);
    assert_eq!(loaded().1, over[1..]);
    does(2_000_002, vec![Subject::Grant(change(grant(5_000_000), grant(6_000_000)))]);
    let public_until = |due| node(public, Some(due));
    does(2_000_002, vec![Subject::Node(change(public_until(5_000_000), public_until(6_000_000)))]);
    does(2_000_002, vec![Subject::Node(change(public_until(6_000_000), public_until(5_000_000)))]);
    assert_eq!(loaded().1, Vec::new());
    does(10_000_000, Vec::new());
    does(2_000_002, Vec::new());
    assert_eq!(loaded().1, [Due::Grant(shared, guest), Due::Publication(public)]);
    does(2_000_003, vec![Subject::Grant(Change { before: Some(Arc::new(grant(6_000_000))), after: None })]);
    does(2_000_004, vec![Subject::Grant(add(grant(5_000_000)))]);
    does(2_000_005, vec![Subject::Node(change(node(public, Some(5_000_000)), node(public, None)))]);
    does(2_000_006, vec![Subject::Node(change(node(public, None), node(public, Some(5_000_000))))]);
    assert_eq!(loaded().1, Vec::new());
    // A World can have it noted without a batch, and more than once. What has another due time is left alone.
    let expired = over.map(|due| (due, Timestamp::from_ms(5_000_000)));
    for noted in [&[(Due::Publication(later), Timestamp::from_ms(1))], &expired[..], &expired[..1]] {
        storage.open().note_expired(noted).unwrap();
    }
    assert_eq!(loaded().1, over);
}

pub fn d13_accounts_load_without_the_graph(storage: &impl Storage) {
    append(&mut *storage.open(), 0, &story()).unwrap();
    let mut log = storage.open();
    let (all, accounts) = (log.load(LoadScope::Everything).unwrap(), log.load(LoadScope::Accounts).unwrap());
    assert_eq!(accounts.rev(), all.rev());
    assert_eq!(accounts.nodes().count() + accounts.links().count(), 0);
    assert!(all.nodes().count() > 0 && all.users().count() > 0 && all.tokens().count() > 0);
    assert!(all.users().all(|slot| accounts.user(slot.user.id).is_some_and(|same| same.user == slot.user)));
    assert!(all.tokens().all(|token| accounts.token(&token.hash) == Some(token)));
}

// Rules: D13, N32.
pub fn d13_what_was_deleted_stays_gone(storage: &impl Storage) {
    append(&mut *storage.open(), 0, &story()).unwrap();
    let mut world = storage.open().load(LoadScope::Everything).unwrap();
    for id in story::DELETED {
        assert!(world.is_gone(uuid(id)));
    }
    world.forget_gone(story::DELETED_AT - 1);
    assert!(
        story::DELETED.iter().all(|id| world.is_gone(uuid(*id))),
        "the rev of the deletion is kept with it"
    );
    world.forget_gone(story::DELETED_AT);
    assert!(!story::DELETED.iter().any(|id| world.is_gone(uuid(*id))));
}

pub fn d13_a_large_batch_is_one_batch(storage: &impl Storage) {
    let mut large = nothing(1);
    large.entries = (0..20_000).flat_map(|n| add_node(n).entries).collect();
    assert_eq!(append(&mut *storage.open(), 0, std::slice::from_ref(&large)).unwrap(), 1);
    let mut log = storage.open();
    assert_eq!(log.load(LoadScope::Everything).unwrap().nodes().count(), 20_000);
    assert_eq!(batches_of(&mut *log), [large]);
}

pub fn d14_changes_by_others_are_noticed(storage: &impl Storage) {
    let (mut log, mut other) = (storage.open(), storage.open());
    assert!(!log.changed().unwrap());
    append(&mut *log, 0, &[nothing(1)]).unwrap();
    assert!(!log.changed().unwrap(), "one's own batches are no news");
    for (n, look) in (2..).zip([
        |log: &mut dyn Log| drop(log.load(LoadScope::Everything).unwrap()),
        |log: &mut dyn Log| drop(log.since(0).unwrap()),
        |log: &mut dyn Log| assert!(log.transact(0, &mut |_, _| Ok(Vec::new())).is_ok()),
    ]) {
        append(&mut *other, 0, &[nothing(n)]).unwrap();
        assert!(log.changed().unwrap() && log.changed().unwrap(), "until one looks");
        look(&mut *log);
        assert!(!log.changed().unwrap());
    }
    append(&mut *other, 0, &[nothing(9)]).unwrap();
    assert!(log.transact(0, &mut |_, _| Err(Abandon)).is_err());
    assert!(log.changed().unwrap(), "a look that came to nothing does not count");
}

pub fn d14_others_batches_come_before_a_decision(storage: &impl Storage) {
    let batches = story();
    let (mut log, mut other) = (storage.open(), storage.open());
    let mut world = log.load(LoadScope::Everything).unwrap();
    append(&mut *other, 0, &batches).unwrap();
    let head = log.transact(0, &mut |news, _| {
        news.iter().for_each(|committed| world.apply(&committed.batch));
        Ok(vec![unnamed(nothing(1))])
    });
    assert_eq!(head.unwrap(), batches.len() as Rev + 1);
    world.apply(&nothing(1));
    assert_eq!(picture(&other.load(LoadScope::Everything).unwrap()), picture(&world));
}

pub fn d14_threads_append_without_a_gap(storage: &impl Storage) {
    const EACH: u64 = 100;
    std::thread::scope(|threads| {
        for writer in 1..=2 {
            threads.spawn(move || processes::write(&mut *storage.open(), writer, EACH, |_, _| ()));
        }
    });
    let written = (1..=2).flat_map(|writer| (0..EACH).map(move |n| processes::batch_id(writer, n)));
    processes::assert_all_there(storage, written.collect());
}

pub fn when_tokens_were_used_is_kept(storage: &impl Storage) {
    let (mut log, batches) = (storage.open(), story());
    append(&mut *log, 0, &batches).unwrap();
    assert!(log.tokens_last_used().unwrap().is_empty());
    let token = log.load(LoadScope::Accounts).unwrap().tokens().next().unwrap().clone();
    let at = Timestamp::from_ms;
    log.touch_tokens(&[(token.id, at(5_000)), (TokenId(uuid(999_999)), at(1))]).unwrap();
    log.touch_tokens(&[(token.id, at(4_000))]).unwrap();
    // The token's own entries do not affect it.
    let head = batches.len() as Rev;
    append(&mut *log, head, &[story::rename_token(&token)]).unwrap();
    let used: Vec<_> = storage.open().tokens_last_used().unwrap().into_iter().collect();
    assert_eq!(used, [(token.id, at(5_000))]);
    assert_eq!(head_of(&mut *log), head + 1, "using a token is no batch");
}
