//! Random operations on a World and on the naive model, compared after every step.
//!
//! `SYNAPTASK_STEPS` sets how many steps to run. Without it, the steps are the same in every run, so that a red run is about
//! the change under test; with it, each run draws a new seed (`make soak`). `SYNAPTASK_SEED` (64 hex digits, as printed)
//! repeats a run.
//! A failure is shrunk, and its seed kept in `state_machine.proptest-regressions`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::manual_is_multiple_of, clippy::type_complexity, clippy::large_enum_variant)]
// A run without a seed takes one from the clock, and prints it.
#![allow(clippy::disallowed_methods, clippy::needless_range_loop)]

mod model;
mod simulation;
mod supply;

use graph::IdSupply;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
};
use simulation::{Event, Simulation, steps};
use std::cell::RefCell;
use std::collections::BTreeMap;

const STEPS_DEFAULT: u32 = 8_000;
const STEPS_PER_CASE: usize = 300;
const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/state_machine.proptest-regressions");

fn seed() -> [u8; 32] {
    if let Ok(text) = std::env::var("SYNAPTASK_SEED") {
        let byte = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("64 hex digits");
        return std::array::from_fn(byte);
    }
    let mut seed = [0; 32];
    if std::env::var("SYNAPTASK_STEPS").is_ok() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        seed[..16].copy_from_slice(&now.to_le_bytes());
    }
    seed
}

#[test]
fn every_operation_does_what_the_contract_says() {
    let steps = std::env::var("SYNAPTASK_STEPS").ok().and_then(|text| text.parse().ok());
    let steps: u32 = steps.unwrap_or(STEPS_DEFAULT);
    let seed = seed();
    let hex: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("SYNAPTASK_SEED={hex} SYNAPTASK_STEPS={steps}");

    let config = Config {
        cases: steps.div_ceil(STEPS_PER_CASE as u32),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(REGRESSIONS))),
        max_shrink_iters: 40,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let outcomes = RefCell::new(BTreeMap::<String, usize>::new());
    let many = proptest::collection::vec(steps::step(), 1..STEPS_PER_CASE * 2);
    let result = runner.run(&many, |steps| {
        let mut simulation = Simulation::default();
        for step in &steps {
            let event = simulation.read(step);
            simulation.run(&event).map_err(TestCaseError::fail)?;
        }
        for (outcome, count) in simulation.outcomes {
            *outcomes.borrow_mut().entry(outcome).or_default() += count;
        }
        Ok(())
    });
    if let Err(TestError::Fail(reason, steps)) = result {
        panic!("{}\n{}\nSYNAPTASK_SEED={hex}", story(&steps), readable(reason.message()));
    }
    for (outcome, count) in outcomes.into_inner() {
        println!("{count:>7} {outcome}");
    }
}

/// The fewest events that still cause a difference.
fn story(steps: &[steps::Step]) -> String {
    let mut simulation = Simulation::default();
    let mut events = Vec::new();
    for step in steps {
        let event = simulation.read(step);
        events.push(event.clone());
        if simulation.run(&event).is_err() {
            break;
        }
    }
    let mut chunk = events.len() / 2;
    while chunk > 0 {
        let before = events.len();
        let mut end = events.len() - 1;
        while end > 0 {
            let begin = end.saturating_sub(chunk);
            let mut fewer = events.clone();
            fewer.drain(begin..end);
            if let Some(length) = fails_after(&fewer) {
                fewer.truncate(length);
                events = fewer;
            }
            end = begin.min(events.len() - 1);
        }
        if events.len() == before {
            chunk /= 2;
        }
    }
    let mut simulation = Simulation::default();
    let mut lines = Vec::new();
    for event in &events {
        lines.push(match event {
            Event::Asked(caller, operation, new) => {
                let name = simulation::name_of(*caller);
                let mut ids = new.ids.clone();
                format!("{name}: {operation:?} (new: node {}, link {})", ids.next_node(), ids.next_link())
            }
            Event::Operated(operation, _) => format!("operator: {operation:?}"),
            Event::Waited(ms) => format!("{ms} ms pass"),
        });
        if let Err(problem) = simulation.run(event) {
            lines.push(problem);
        }
    }
    readable(&lines.join("\n"))
}

fn fails_after(events: &[Event]) -> Option<usize> {
    let mut simulation = Simulation::default();
    events.iter().position(|event| simulation.run(event).is_err()).map(|at| at + 1)
}

fn readable(text: &str) -> String {
    let mut text = text.replace("00000000-0000-0000-0000-", "");
    macro_rules! leave_out {
        ($($field:ident)*) => {$(
            let unset = concat!(" ", stringify!($field), ": None");
            text = text.replace(&format!("{unset},"), "").replace(&format!("{unset} "), " ");
        )*};
    }
    graph::each_node_field!(leave_out);
    text
}
