//! Reads beside the engine: they hold nobody up, and their pages keep their place.

use crate::support::replica::Replica;
use crate::support::{
    PATIENCE, Pending, Person, Server, Told, WHOLE, changed, drain, expect_answer, failure, grant, page,
    rename, until,
};
use graph::NodeId;
use graph::model::Level;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};
use synaptask::engine::{DiffPart, EngineSettings, Failure, Outcome, PageRequest, PublicRead, Read};

/// Where reads wait, with the World that they read, until a test lets them go on.
struct Gate {
    closed: Mutex<bool>,
    turned: Condvar,
    waiting: AtomicUsize,
}

impl Gate {
    const fn open() -> Self {
        Gate { closed: Mutex::new(false), turned: Condvar::new(), waiting: AtomicUsize::new(0) }
    }

    fn turn(&self, closed: bool) {
        *self.closed.lock().unwrap() = closed;
        self.turned.notify_all();
    }

    fn pass(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        drop(self.turned.wait_while(self.closed.lock().unwrap(), |closed| *closed).unwrap());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    fn until_waiting(&self) {
        until("a read is under way", || self.waiting.load(Ordering::SeqCst) > 0);
    }
}

fn with(during_read: fn()) -> EngineSettings {
    EngineSettings { during_read, ..EngineSettings::default() }
}

/// Anna and ben, who sees her plan.
fn plan_of_two(settings: EngineSettings) -> (Server, Person, Person, NodeId) {
    let server = Server::set(&["anna", "ben"], settings);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("0", None);
    anna.does(grant(plan, &ben, Level::Editor));
    (server, anna, ben, plan)
}

fn asks_rest(server: &Server, person: &Person, read: Read) -> Pending {
    let (answer, pending) = expect_answer();
    server.engine.read(person.caller, read, None, answer);
    pending
}

fn titles(told: &[Told]) -> Vec<String> {
    let titles = told.iter().map(|told| match told {
        Told::Answer(Outcome::Graph { page, .. }) => format!("page {}", page.nodes[0].node.title),
        Told::Answer(Outcome::Changed { diff, .. }) => format!("ack {}", title(diff)),
        Told::Answer(Outcome::Failed(failure)) => format!("{failure:?}"),
        Told::Diff(diff) => title(diff),
        other => format!("{other:?}"),
    });
    titles.collect()
}

fn title(diff: &DiffPart) -> String {
    match &diff.nodes()[0] {
        graph::diff::NodeChange::Edited { after, .. } => after.title.clone(),
        other => panic!("{other:?}"),
    }
}

// Rules: R16, P36.
#[test]
fn r16_a_slow_read_holds_up_no_mutation_and_only_its_own_connection() {
    static GATE: Gate = Gate::open();
    let settings = EngineSettings { held_entries_max: 5_000, ..with(|| GATE.pass()) };
    let (server, anna, ben, plan) = plan_of_two(settings);
    let (phone, bens) = (anna.connects(), ben.connects());
    phone.hears();
    bens.hears();
    GATE.turn(true);
    let over_rest = asks_rest(&server, &anna, WHOLE);
    let page_of_bens = bens.asks_to_read(WHOLE);
    until("both read", || GATE.waiting.load(Ordering::SeqCst) == 2);
    // More than a reader would take up by itself, and than the feed lets wait before it asks for a reader.
    for n in 1..=1_200 {
        phone.does(rename(plan, &n.to_string()));
    }
    let ack = bens.sends(bens.asks(rename(plan, "ben's")));
    until("everyone else is told", || phone.glances().len() == 1_201);
    assert!(bens.glances().is_empty(), "what follows the page waits for it");
    assert!(ack.glance().is_none());
    GATE.turn(false);
    assert_eq!(page(over_rest.wait()).nodes[0].node.title, "0");
    assert_eq!(page(page_of_bens.wait()).nodes[0].node.title, "0");
    changed(ack.wait());
    let told = titles(&bens.hears());
    let expected = ["page 0".to_owned()].into_iter().chain((1..=1_200).map(|n| n.to_string()));
    let expected: Vec<_> = expected.chain(["ack ben's".to_owned()]).collect();
    assert_eq!(told, expected, "in their order");
    assert_eq!(anna.sees_titles(), ["ben's"], "D3");
}

#[test]
fn p36_more_than_an_outbox_holds_is_not_held_back() {
    static GATE: Gate = Gate::open();
    let settings = EngineSettings { held_entries_max: 5, ..with(|| GATE.pass()) };
    let (_server, anna, ben, plan) = plan_of_two(settings);
    let bens = ben.connects();
    bens.hears();
    GATE.turn(true);
    let asked = bens.asks_to_read(WHOLE);
    GATE.until_waiting();
    for n in 1..=5 {
        anna.does(rename(plan, &n.to_string()));
    }
    assert!(bens.glances().is_empty());
    anna.does(rename(plan, "6"));
    until("everything is sent", || bens.glances().len() == 6);
    anna.does(rename(plan, "7"));
    until("nothing is held any more", || bens.glances().len() == 7);
    GATE.turn(false);
    assert_eq!(failure(asked.wait()), Failure::Unavailable);
    assert_eq!(titles(&bens.hears()), ["1", "2", "3", "4", "5", "6", "7", "Unavailable"]);
    assert_eq!(bens.loads(10, 0).nodes[0].node.title, "7");
}

#[test]
fn p36_the_bytes_that_are_held_back_are_bounded_too() {
    static GATE: Gate = Gate::open();
    let settings = EngineSettings { held_bytes_max: 40_000, ..with(|| GATE.pass()) };
    let (_server, anna, ben, plan) = plan_of_two(settings);
    let bens = ben.connects();
    bens.hears();
    GATE.turn(true);
    let asked = bens.asks_to_read(WHOLE);
    GATE.until_waiting();
    for n in 1..20 {
        anna.does(rename(plan, &format!("{n}{}", "x".repeat(250))));
    }
    assert!(bens.glances().is_empty());
    for n in 20..40 {
        anna.does(rename(plan, &format!("{n}{}", "x".repeat(250))));
    }
    until("it is not held any more", || bens.glances().len() == 39);
    GATE.turn(false);
    assert_eq!(failure(asked.wait()), Failure::Unavailable);
}

// Rules: P3, P24.
#[test]
fn p24_a_page_that_was_being_prepared_when_its_token_was_revoked_is_not_sent() {
    static GATE: Gate = Gate::open();
    let (server, anna, ben, plan) = plan_of_two(with(|| GATE.pass()));
    let bens = ben.connects();
    bens.hears();
    GATE.turn(true);
    let [under_way, waiting] = [(); 2].map(|()| bens.asks_to_read(WHOLE));
    GATE.until_waiting();
    server.installation.revoke(ben.caller.token);
    anna.does(rename(plan, "secret"));
    until("the connection is closed", || bens.is_closed());
    GATE.turn(false);
    assert_eq!(failure(under_way.wait()), Failure::Revoked);
    assert_eq!(failure(waiting.wait()), Failure::Revoked);
    let told = bens.glances();
    assert!(!told.iter().any(|told| matches!(told, Told::Diff(_) | Told::Answer(Outcome::Graph { .. }))));
    assert_eq!(failure(ben.reads(WHOLE)), Failure::Revoked);
}

#[test]
fn d6_a_read_that_fails_inside_harms_nobody_else() {
    static FAILS: AtomicBool = AtomicBool::new(false);
    let (_server, anna, ben, plan) =
        plan_of_two(with(|| assert!(!FAILS.load(Ordering::SeqCst), "a fault, made for the test")));
    let (phone, bens) = (anna.connects(), ben.connects());
    FAILS.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        assert_eq!(failure(ben.reads(WHOLE)), Failure::Exception);
        assert_eq!(failure(bens.reads(WHOLE)), Failure::Exception);
        phone.does(rename(plan, "on it goes"));
        phone.does(rename(plan, "0"));
    }
    FAILS.store(false, Ordering::SeqCst);
    assert_eq!(bens.loads(10, 0).nodes[0].node.version, 11);
    assert_eq!(ben.sees_titles(), ["0"]);
}

#[test]
fn d12_draining_answers_the_reads_that_wait() {
    static SLOW: AtomicBool = AtomicBool::new(false);
    let slow = || {
        if SLOW.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let (server, anna, ben, _) = plan_of_two(with(slow));
    let (phone, bens) = (anna.connects(), ben.connects());
    SLOW.store(true, Ordering::SeqCst);
    let reads: Vec<Pending> = (0..10)
        .flat_map(|_| [phone.asks_to_read(WHOLE), bens.asks_to_read(WHOLE), asks_rest(&server, &ben, WHOLE)])
        .collect();
    drain(&server.engine, PATIENCE);
    for read in reads {
        assert_eq!(page(read.glance().expect("it is answered")).nodes.len(), 1);
    }
    assert_eq!(failure(anna.reads(WHOLE)), Failure::Unavailable);
}

#[test]
fn r16_light_reads_of_others_do_not_wait_for_the_heavy_ones_of_one_user() {
    let slow = || std::thread::sleep(Duration::from_millis(10));
    let (server, anna, ben, _) = plan_of_two(with(slow));
    let heavy: Vec<Pending> = (0..100).map(|_| asks_rest(&server, &anna, WHOLE)).collect();
    let (answer, publics) = expect_answer();
    let page = Some(PageRequest { limit: 1, offset: 0 });
    server.engine.read_public(PublicRead { token: "nothing".to_owned(), page }, answer);
    let begun = Instant::now();
    ben.reads(Read::Account);
    publics.wait();
    // The heavy ones take a second, one after the other.
    assert!(heavy.iter().filter(|pending| pending.glance().is_none()).count() > 50, "{:?}", begun.elapsed());
}

#[test]
fn t18_one_callers_reads_do_not_fill_the_queue() {
    static GATE: Gate = Gate::open();
    let settings = EngineSettings { queue_max: 100, ..with(|| GATE.pass()) };
    let (server, anna, ben, _) = plan_of_two(settings);
    GATE.turn(true);
    let mut asked: Vec<Pending> = Vec::new();
    let mut refused = 0;
    for _ in 0..30 {
        let pending = asks_rest(&server, &anna, Read::Account);
        match pending.0.recv_timeout(Duration::from_millis(20)) {
            Ok(outcome) => {
                assert_eq!(failure(outcome), Failure::Unavailable);
                refused += 1;
            }
            Err(_) => asked.push(pending),
        }
    }
    assert_eq!((asked.len(), refused), (11, 19), "one is under way and ten wait");
    let bens = asks_rest(&server, &ben, Read::Account);
    GATE.turn(false);
    assert!(matches!(bens.wait(), Outcome::Account { .. }));
    for pending in asked {
        assert!(matches!(pending.wait(), Outcome::Account { .. }));
    }
}

/// Tells a thread to stop, also when the test fails.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

// Rules: G4, G5.
#[test]
fn g5_a_load_whose_pages_are_asked_for_in_advance_misses_nothing_either() {
    let slow = || std::thread::sleep(Duration::from_millis(2));
    let (server, anna, ben, plan) = plan_of_two(with(slow));
    let tasks: Vec<NodeId> = (0..20).map(|n| anna.adds(&n.to_string(), Some(plan))).collect();
    let bens = ben.connects();
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let mut n = 0;
            while !stop.load(Ordering::SeqCst) {
                anna.does(rename(tasks[n % tasks.len()], &format!("renamed {n}")));
                let trash = graph::Operation::NodeTrash { id: tasks[n % 7], branch: false };
                anna.does(trash);
                anna.does(graph::Operation::NodeRestore { id: tasks[n % 7] });
                n += 1;
            }
        });
        let _stops = Stops(&stop);
        for _ in 0..20 {
            let mut replica = Replica::default();
            bens.hears();
            let asks = |offset| bens.asks_to_read(Read::Graph { page: PageRequest { limit: 4, offset } });
            let pages: Vec<Pending> = (0..6).map(|nth| asks(4 * nth)).collect();
            pages.into_iter().for_each(|pending| drop(page(pending.wait())));
            bens.compares();
            replica.follow(bens.hears());
        }
    });
    drop(server);
}
