//! Pruning beside a working engine.

use crate::support::installation::Installation;
use crate::support::{
    PATIENCE, Person, Server, add, ask, batch_id, changed, close, drain, expect_answer, failure, named, now,
    refused, rename, replayed, until,
};
use graph::batch::{Change, Lineage};
use graph::history_view::HistoryView;
use graph::model::{Node, Plan};
use graph::{Batch, BatchId, Entry, NodeId, Op, Operation, Reason, Subject, Timestamp, UserId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::{HistoryQuery, HistoryScope, Limits, LoadScope, Log, LogError, Proposal, Retention};
use synaptask::engine::protocol::RequestedScope;
use synaptask::engine::{Caller, Engine, EngineSettings, Failure, Outcome, PageRequest, Read};
use uuid::Uuid;

const DAY_MS: i64 = 86_400_000;

fn kept(batches: u64) -> Retention {
    let limits = Limits { days: 180, batches, bytes: u64::MAX };
    Retention { basic: limits, plus: limits, pro: limits, ..Retention::default() }
}

/// A user's old history: adds tasks and renames them again and again, each time in its own batch. Returns the batch
/// ids.
fn past(
    installation: &Installation,
    actor: UserId,
    tasks: usize,
    batches: usize,
    at: Timestamp,
) -> Vec<BatchId> {
    let mut log = installation.log();
    let mut head = log.load(LoadScope::Accounts).unwrap().rev();
    let mut ids = Vec::new();
    let mut nodes: Vec<Arc<Node>> = Vec::new();
    for first in (0..batches).step_by(5_000) {
        let group: Vec<Proposal> = (first..(first + 5_000).min(batches))
            .map(|n| {
                let (id, before) = (batch_id(), nodes.get(n % tasks).cloned());
                let op = if before.is_some() { Op::NodeUpdate } else { Op::NodeAdd };
                let title = format!("Task {n}");
                let after = Arc::new(match &before {
                    Some(node) => {
                        Node { title, version: node.version + 1, last_batch: id, ..Node::clone(node) }
                    }
                    None => {
                        let seq = head + n as u64;
                        Node { title, ..Node::new(NodeId(Uuid::new_v4()), actor, id, at, seq) }
                    }
                });
                match nodes.get_mut(n % tasks) {
                    Some(node) => *node = Arc::clone(&after),
                    None => nodes.push(Arc::clone(&after)),
                }
                let change = Change { before, after: Some(after) };
                let entry = Entry { op, derived: false, subject: Subject::Node(change), copy_of: None };
                let batch = Batch {
                    id,
                    actor: Some(actor),
                    guest: None,
                    at,
                    lineage: Lineage::Fresh,
                    entries: vec![entry],
                };
                Proposal { batch: batch.into(), fingerprint: None }
            })
            .collect();
        ids.extend(group.iter().map(|proposal| proposal.batch.id));
        head = log.transact(head, &mut |_, _| Ok(group.clone())).unwrap();
    }
    ids
}

fn undo(batch: BatchId) -> Operation {
    Operation::HistoryUndo { batch }
}

/// How many of a user's batches are kept, found by asking for an n-th one.
fn held(installation: &Installation, user: UserId) -> usize {
    let mut history = installation.log().history().unwrap();
    let mut has = |offset| {
        let (reader, scope) = (Arc::new(HistoryView::of_everything()), HistoryScope::By(user));
        let query = HistoryQuery { reader, scope, until: u64::MAX, limit: 1, offset };
        !history.page(&query).unwrap().batches.is_empty()
    };
    let mut more_than = 1;
    while has(more_than) {
        more_than *= 2;
    }
    let (mut some, mut none) = (0, more_than);
    while none > some {
        let middle = some + (none - some) / 2;
        if has(middle) { some = middle + 1 } else { none = middle }
    }
    some
}

// Rules: D18, D12.
#[test]
fn d18_a_stop_amid_pruning_and_reading_is_soon_and_leaves_one_file() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    past(&server.installation, anna.caller.user, 1_000, 8_000, now().plus_ms(-2 * DAY_MS));
    let soon = EngineSettings {
        retention: kept(10),
        prune_every: Duration::from_millis(1),
        ..EngineSettings::default()
    };
    let server = server.restarted_with(soon);
    let anna = server.person("anna");
    let was = held(&server.installation, anna.caller.user);
    until("pruning has begun", || held(&server.installation, anna.caller.user) < was);
    let node = anna.adds("kept", None);
    let pages: Vec<_> = (0..20)
        .map(|_| {
            let (answer, pending) = expect_answer();
            let read = Read::History {
                scope: RequestedScope::Everything,
                page: PageRequest { limit: 1_000, offset: 0 },
            };
            server.engine.read(anna.caller, read, None, answer);
            pending
        })
        .collect();
    let since = Instant::now();
    close(&server.engine);
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    assert_eq!(server.installation.files(), ["synaptask.db"]);
    for page in pages {
        match page.wait() {
            Outcome::History { .. } => {}
            other => assert_eq!(failure(other), Failure::Unavailable),
        }
    }
    assert!(held(&server.installation, anna.caller.user) > 1_000, "it was amid pruning");
    let mut log = server.installation.log();
    assert_eq!(log.check().unwrap(), Vec::<String>::new());
    assert!(log.load(LoadScope::Everything).unwrap().nodes().any(|kept| kept.id == node));
}

#[test]
fn h2_the_past_is_taken_away_in_the_background_while_mutations_go_on() {
    let none = EngineSettings { prune_every: Duration::from_secs(3_600), ..EngineSettings::default() };
    let server = Server::set(&["anna", "ben"], none);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let mine = past(&server.installation, anna.caller.user, 3_000, 3_000, now().plus_ms(-2 * DAY_MS));
    let fresh = past(&server.installation, ben.caller.user, 500, 500, now().plus_ms(-DAY_MS / 2));

    let settings = EngineSettings {
        retention: kept(200),
        prune_every: Duration::from_millis(20),
        ..EngineSettings::default()
    };
    let server = server.restarted_with(settings);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    // Mutations continue meanwhile, and no live view has a gap.
    let (phone, laptop) = (anna.connects(), anna.connects());
    let mut rev = None;
    let task = NodeId(Uuid::new_v4());
    let request = named(phone.asks(add(task, "now", None)), batch_id());
    let first = changed(phone.sends(request.clone()).wait());
    let mut last = None;
    let since = Instant::now();
    let mut n = 0;
    while held(&server.installation, anna.caller.user) > 200 + n + 1 || n < 50 {
        assert!(since.elapsed() < PATIENCE, "the past is taken away");
        n += 1;
        let diff = phone.does(rename(task, &n.to_string()));
        rev = rev.or(Some(diff.rev - 1));
        last = diff.batch;
    }
    assert_eq!(laptop.hears_diffs().len(), n + 1);
    // sync continues from before, however much was pruned.
    match laptop.reads(Read::Sync { since: rev.unwrap() }) {
        Outcome::Synced { recovered, .. } => assert!(recovered),
        other => panic!("{other:?}"),
    }
    assert_eq!(laptop.hears_diffs().len(), n);

    // A pruned batch is not found, and neither is one that never existed.
    assert_eq!(failure(anna.tries(undo(mine[0]))), refused(Reason::BatchNotFound));
    assert_eq!(failure(anna.tries(undo(batch_id()))), refused(Reason::BatchNotFound));
    // The latest batches, and those less than a day old, are kept whatever the limit, with their batchIds.
    let again = replayed(phone.sends(request).wait());
    assert_eq!(again.batch, first.batch);
    assert_eq!(held(&server.installation, ben.caller.user), 500);
    for id in [fresh[0], fresh[499]] {
        ben.does(undo(id));
    }
    anna.does(undo(*mine.last().unwrap()));
    anna.does(undo(last.unwrap()));
    assert!(anna.sees_titles().contains(&(n - 1).to_string()));
    // All nodes exist: only history was pruned.
    let seen = anna.sees().nodes.len();
    assert_eq!(seen, 3_000, "one undone, one new");
    let server = server.restarted();
    assert_eq!(server.person("anna").sees().nodes.len(), seen);
    assert!(server.installation.log().check().unwrap().is_empty());
}

/// Neither an error nor a panic in it ends pruning permanently.
#[test]
fn h2_a_pruning_that_fails_is_tried_again() {
    let none = EngineSettings { prune_every: Duration::from_secs(3_600), ..EngineSettings::default() };
    let server = Server::set(&["anna"], none);
    let user = server.person("anna").caller.user;
    past(&server.installation, user, 1, 20, now().plus_ms(-2 * DAY_MS));
    let pruning = EngineSettings {
        retention: kept(5),
        prune_every: Duration::from_millis(50),
        ..EngineSettings::default()
    };
    let server = server.restarted_with(pruning);
    let (refused, fault) =
        (|| LogError::Refused("disk I/O error".into()), || -> LogError { panic!("made for the test") });
    server.knobs.fail_pruning(vec![refused, fault, refused]);
    until("it has failed", || !server.knobs.is_to_fail_pruning());
    until("the past is taken away", || held(&server.installation, user) == 5);
    server.person("anna").adds("and the engine is at work", None);
}

/// Once the batch that began a chain is pruned, its id is free. A new batch with that id is not part of the chain.
#[test]
fn h10_a_name_used_anew_is_no_part_of_the_chain_it_once_began() {
    let none = EngineSettings { prune_every: Duration::from_secs(3_600), ..EngineSettings::default() };
    let server = Server::set(&["anna"], none);
    let user = server.person("anna").caller.user;
    let [root, turn] = [batch_id(), batch_id()];
    let old = |id, lineage| Batch {
        guest: None,
        id,
        actor: Some(user),
        at: now().plus_ms(-2 * DAY_MS),
        lineage,
        entries: Vec::new(),
    };
    let batches = [old(root, Lineage::Fresh), old(turn, Lineage::UndoOf(root))];
    let proposals = batches.map(|batch| Proposal { batch: batch.into(), fingerprint: None });
    let mut log = server.installation.log();
    let head = log.load(LoadScope::Accounts).unwrap().rev();
    log.transact(head, &mut |_, _| Ok(proposals.to_vec())).unwrap();

    let pruning = EngineSettings {
        retention: kept(1),
        prune_every: Duration::from_millis(500),
        ..EngineSettings::default()
    };
    let server = server.restarted_with(pruning);
    until("the root is taken away", || log.past().batch(root).unwrap().is_none());
    let anna = server.person("anna");
    let task = NodeId(Uuid::new_v4());
    changed(ask(&server.engine, named(anna.asks(add(task, "task", None)), root)).wait());
    assert!(log.past().batch(turn).unwrap().is_some(), "the undo is held");
    for turned in [undo(turn), Operation::HistoryRedo { batch: turn }] {
        assert_eq!(failure(anna.tries(turned)), refused(Reason::BatchNotFound));
    }
    assert_eq!(anna.sees_titles(), ["task"]);
    anna.does(undo(root));
    assert!(anna.sees().nodes.is_empty());
}

/// The times until changes were acknowledged, one after the other with short pauses.
fn paced(engine: &Engine, person: &Person, task: NodeId, goes_on: impl Fn() -> bool) -> Vec<Duration> {
    let mut took = Vec::new();
    while goes_on() {
        let asked = Instant::now();
        changed(ask(engine, person.asks(rename(task, &format!("{asked:?}")))).wait());
        took.push(asked.elapsed());
        std::thread::sleep(Duration::from_millis(2));
    }
    took
}

/// The same with several clients at once.
fn paced_all(
    engine: &Engine,
    clients: &[(Person, NodeId)],
    goes_on: impl Fn() -> bool + Sync,
) -> Vec<Duration> {
    std::thread::scope(|threads| {
        let goes_on = &goes_on;
        let clients = clients
            .iter()
            .map(|(person, task)| threads.spawn(move || paced(engine, person, *task, goes_on)))
            .collect::<Vec<_>>();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

fn share(took: &mut [Duration], share: f64) -> Duration {
    took.sort_unstable();
    took[((took.len() - 1) as f64 * share) as usize]
}

/// Passes when a log of a million batches is pruned to its plan's limit while mutations continue, and the p99 of
/// their acks rises by less than half: `make bench-prune`. Rounds with and without pruning alternate until
/// everything is pruned, so that other load on the machine affects both. The medians of the rounds' p99 are
/// compared.
#[test]
#[ignore = "takes a quarter of an hour and a gigabyte"]
fn h2_a_million_batches_are_pruned_and_acks_hardly_wait() {
    const CLIENTS: usize = 4;
    let from_env = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let batches = from_env("SYNAPTASK_BATCHES", 1_000_000) as usize;
    let round = Duration::from_secs(from_env("SYNAPTASK_ROUND_S", 10));
    let retention = Retention::default();
    let kept = retention.pro.batches as usize;

    let installation = Installation::new();
    let user = installation.add_user("anna", Plan::Pro);
    let begun = Instant::now();
    past(&installation, user, 10_000, batches, now().plus_ms(-2 * DAY_MS));
    println!("{batches} batches appended in {:.1?}", begun.elapsed());
    // The engine only maintains the file. The pruner prunes when it is told to.
    let settings = EngineSettings { prune_every: Duration::from_secs(1 << 30), ..EngineSettings::default() };
    let others: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let name = format!("other{n}");
            let user = installation.add_user(&name, Plan::Pro);
            (name, user, installation.add_token(user))
        })
        .collect();
    let engine = Engine::start(Box::new(installation.log()), settings).unwrap();
    let clients: Vec<_> = others
        .iter()
        .map(|(name, user, (token, hash))| {
            let person = Person::of(&engine, Caller::api(*user, *token, *hash), *hash, name);
            let task = person.adds("measured", None);
            (person, task)
        })
        .collect();
    drop(paced_all(&engine, &clients, within(Duration::from_secs(1))));

    let mut pruner = installation.log().pruner(retention).unwrap();
    let (mut alone, mut pruning) = (Vec::new(), Vec::new());
    let (mut removed, mut worked, mut emptied, mut more) = (0, Duration::ZERO, None, true);
    let told = |name: &str, took: &mut [Duration], more: &str| {
        let [p50, p99] = [0.5, 0.99].map(|part| share(took, part));
        println!("{name:>7}: {:>5} acks, p50 {p50:>8.2?}, p99 {p99:>8.2?}{more}", took.len());
        p99
    };
    while more {
        let mut took = paced_all(&engine, &clients, within(round));
        alone.push(told("alone", &mut took, ""));

        let (begun, before, done) = (Instant::now(), removed, AtomicBool::new(false));
        let mut took = std::thread::scope(|threads| {
            threads.spawn(|| {
                while more && begun.elapsed() < round {
                    let pruned = pruner.prune_some(now(), 500).unwrap();
                    more = pruned.more;
                    removed += pruned.removed;
                    if removed == batches - kept {
                        emptied.get_or_insert(worked + begun.elapsed());
                    }
                }
                done.store(true, Ordering::Relaxed);
            });
            paced_all(&engine, &clients, || !done.load(Ordering::Relaxed))
        });
        let (lasted, of_round) = (begun.elapsed(), removed - before);
        worked += lasted;
        let rate = of_round as f64 / lasted.as_secs_f64();
        let p99 = told("pruning", &mut took, &format!("; {of_round} batches taken away, {rate:.0}/s"));
        // A round that ended at once says little.
        if lasted > round / 2 {
            pruning.push(p99);
        }
    }
    let emptied = emptied.expect("it came to the limit");
    println!(
        "{removed} batches taken away in {emptied:.1?} of pruning, {:.0}/s; swept in {:.1?} more",
        removed as f64 / emptied.as_secs_f64(),
        worked - emptied
    );
    let [alone, pruning] = [&mut alone, &mut pruning].map(|rounds| share(rounds, 0.5));
    let rise = pruning.as_secs_f64() / alone.as_secs_f64() - 1.0;
    println!(
        "p99 of acks, median of the rounds: alone {alone:.2?}, pruning {pruning:.2?}, a rise of {:.0} %",
        rise * 100.0
    );
    drain(&engine, PATIENCE);
    assert_eq!(
        (removed, held(&installation, user)),
        (batches - kept, kept),
        "to the plan's limit, and no further"
    );
    assert_eq!(installation.log().check().unwrap(), Vec::<String>::new());
    assert!(rise < 0.5, "p99 rises by less than half");
}

fn within(duration: Duration) -> impl Fn() -> bool + Sync {
    let begun = Instant::now();
    move || begun.elapsed() < duration
}
