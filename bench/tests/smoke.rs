//! The generator against the debug binary for a moment: it counts right, its quantiles are sane, and a refused request
//! fails the measurement instead of counting as an ack.

#![allow(clippy::unwrap_used)]

use bench::client::socket::Socket;
use bench::load::{Requester, Span, closed, open};
use bench::measurement::Measurement;
use bench::subject::{Kind, Running, Subject};
use bench::works::{bytes, fanout, mutate};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

const SPAN: Span = Span {
    warm_up: Duration::from_millis(100),
    counted: Duration::from_millis(500),
    patience: Duration::from_millis(500),
};

/// The debug binary. It is built if it is not there, as in `cargo test --package bench`.
fn synaptask() -> Subject {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let binary = BINARY.get_or_init(|| {
        let own = std::env::current_exe().unwrap();
        let path = own.ancestors().nth(2).unwrap().join("synaptask");
        if !path.exists() {
            let build = ["build", "--locked", "--package", "server", "--bin", "synaptask"];
            assert!(Command::new(env!("CARGO")).args(build).status().unwrap().success());
        }
        path
    });
    Subject { label: "synaptask".to_owned(), kind: Kind::Synaptask(binary.clone()) }
}

fn bare() -> Subject {
    Subject { label: "bare".to_owned(), kind: Kind::Bare }
}

fn assert_sane(measurement: &Measurement) {
    let of = |name: &str| measurement.values[name];
    let rising = [0.0, of("p50_us"), of("p90_us"), of("p99_us"), of("p999_us"), of("max_us")];
    assert!(rising.is_sorted() && rising[1] > 0.0, "{measurement:?}");
}

/// Asks for a task that does not exist, from the third request on.
#[derive(Debug)]
struct Refused {
    socket: Socket,
    asked: u32,
}

impl Requester for Refused {
    async fn request(&mut self) -> anyhow::Result<()> {
        self.asked += 1;
        let payload = match self.asked {
            1 | 2 => r#"{"title":"Task"}"#,
            _ => r#"{"target":"8a6f3b7e-0000-4000-8000-000000000000"}"#,
        };
        self.socket.request("node:add", payload).await.map(drop)
    }
}

async fn refused(running: &Running) -> Vec<Refused> {
    let socket = Socket::connect(running.address, &running.user(0).unwrap().token).await.unwrap();
    vec![Refused { socket, asked: 0 }]
}

#[tokio::test(flavor = "multi_thread")]
async fn mutations_are_counted() {
    for (subject, mutation) in [
        (synaptask(), mutate::Mutation::Add),
        (synaptask(), mutate::Mutation::Update),
        (bare(), mutate::Mutation::Add),
    ] {
        // What was acknowledged is compared with what there is.
        let measurement = mutate::measure(&subject, mutation, 3, SPAN).await.unwrap();
        assert_sane(&measurement);
        assert!(measurement.values["acks_per_s"] > 3.0, "{measurement:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_rate_is_kept() {
    let measurement = mutate::measure_rate(&bare(), 3, 200.0, SPAN).await.unwrap();
    assert_sane(&measurement);
    let kept = measurement.values["acks_per_s"];
    assert!((190.0..=210.0).contains(&kept), "{kept} instead of 200 per second");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_viewer_receives_every_edit() {
    for subject in [synaptask(), bare()] {
        let measurement = fanout::measure(&subject, 5, SPAN).await.unwrap();
        assert_sane(&measurement);
        assert_eq!(measurement.values["deliveries_per_s"], 5.0 * measurement.values["edits_per_s"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_those_of_the_subject() {
    let measurement = bytes::measure(&synaptask(), mutate::Mutation::Add, 2, 5).await.unwrap();
    assert!(measurement.values["written_bytes_per_ack"] > 100.0, "{measurement:?}");
    let nothing = bytes::measure(&bare(), mutate::Mutation::Add, 2, 5).await.unwrap();
    assert_eq!(nothing.values["written_bytes_per_ack"], 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_fails_the_measurement() {
    let running = synaptask().start(1).unwrap();
    let closed = closed(refused(&running).await, SPAN, &running).await.unwrap_err();
    assert!(closed.to_string().contains("target_not_found"), "{closed}");
    let open = open(refused(&running).await, 50.0, SPAN, &running).await.unwrap_err();
    assert!(open.to_string().contains("target_not_found"), "{open}");
}

/// Is answered twenty times, and then never.
#[derive(Debug)]
struct Stalled(u32);

impl Requester for Stalled {
    async fn request(&mut self) -> anyhow::Result<()> {
        self.0 += 1;
        if self.0 > 20 { std::future::pending().await } else { Ok(()) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_answered_counts_with_the_time_it_waited() {
    let running = bare().start(1).unwrap();
    // 100 per second: 10 in the warm-up, 10 that are answered, and 40 that are not.
    let outcome = open(vec![Stalled(0)], 100.0, SPAN, &running).await.unwrap();
    assert_eq!((outcome.latencies.len(), outcome.unanswered, outcome.clients.len()), (50, 40, 0));
    assert!(outcome.values["p50_us"] > 500_000.0 && outcome.values["max_us"] > 800_000.0, "{outcome:?}");
    assert_eq!(outcome.values["acks_per_s"], 20.0);
}
