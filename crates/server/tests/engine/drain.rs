//! Overload and shutdown.

use crate::support::{PATIENCE, Server, ask, changed, drain, expect_answer, failure, rename, until};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use synaptask::engine::{EngineSettings, Failure, Outcome, Read};

#[test]
fn t18_a_full_queue_refuses_at_once() {
    let server = Server::set(&["anna"], EngineSettings { queue_max: 3, ..EngineSettings::default() });
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    server.knobs.hold();
    let busy = ask(&server.engine, anna.asks(rename(node, "busy")));
    server.knobs.until_held();
    let waiting: Vec<_> =
        (0..3).map(|n| ask(&server.engine, anna.asks(rename(node, &n.to_string())))).collect();
    let too_much = ask(&server.engine, anna.asks(rename(node, "too much")));
    assert_eq!(too_much.glance().map(failure), Some(Failure::Unavailable));
    let (answer, read) = expect_answer();
    server.engine.read(anna.caller, Read::Account, None, answer);
    assert_eq!(read.glance().map(failure), Some(Failure::Unavailable));
    assert!(waiting.iter().all(|pending| pending.glance().is_none()));

    server.knobs.release();
    changed(busy.wait());
    waiting.into_iter().for_each(|pending| drop(changed(pending.wait())));
    anna.does(rename(node, "room again"));
    assert_eq!(anna.sees().nodes[0].node.version, 6);
}

#[test]
fn d12_draining_answers_what_is_waiting_and_refuses_the_rest() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    server.knobs.hold();
    let busy = ask(&server.engine, anna.asks(rename(node, "busy")));
    server.knobs.until_held();
    let waiting: Vec<_> =
        (0..20).map(|n| ask(&server.engine, anna.asks(rename(node, &n.to_string())))).collect();
    let drained = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            drain(&server.engine, PATIENCE);
            drained.store(true, Ordering::SeqCst);
        });
        let mut accepted = Vec::new();
        until("the engine refuses", || {
            let (answer, read) = expect_answer();
            server.engine.read(anna.caller, Read::Account, None, answer);
            read.glance().is_some()
        });
        accepted.push(ask(&server.engine, anna.asks(rename(node, "too late"))));
        assert!(!drained.load(Ordering::SeqCst), "it waits for what is under way");
        server.knobs.release();
        assert_eq!(failure(accepted.remove(0).wait()), Failure::Unavailable);
    });
    changed(busy.wait());
    waiting.into_iter().for_each(|pending| drop(changed(pending.wait())));
    assert_eq!(failure(anna.tries(rename(node, "too late"))), Failure::Unavailable);
    drain(&server.engine, PATIENCE); // once more does no harm

    let server = server.restarted();
    assert_eq!(server.person("anna").sees().nodes[0].node.version, 22);
}

#[test]
fn t5_every_request_is_answered_also_while_draining() {
    for _ in 0..20 {
        let server = Server::with(&["anna"]);
        let anna = server.person("anna");
        let node = anna.adds("task", None);
        let done = AtomicUsize::new(0);
        std::thread::scope(|threads| {
            let ask_on = || {
                loop {
                    let pending: Vec<_> =
                        (0..5).map(|_| ask(&server.engine, anna.asks(rename(node, "x")))).collect();
                    for pending in pending {
                        match pending.wait() {
                            Outcome::Changed { .. } => drop(done.fetch_add(1, Ordering::Relaxed)),
                            other => {
                                assert_eq!(failure(other), Failure::Unavailable);
                                return;
                            }
                        }
                    }
                }
            };
            for _ in 0..4 {
                threads.spawn(ask_on);
            }
            until("something is done", || done.load(Ordering::Relaxed) > 0);
            drain(&server.engine, PATIENCE);
        });
    }
}

#[test]
fn d12_draining_gives_up_in_time() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let node = anna.adds("task", None);
    server.knobs.hold();
    let busy = ask(&server.engine, anna.asks(rename(node, "busy")));
    server.knobs.until_held();
    let since = std::time::Instant::now();
    drain(&server.engine, std::time::Duration::from_millis(100));
    assert!(since.elapsed() < std::time::Duration::from_secs(5));
    server.knobs.release();
    changed(busy.wait());
}
