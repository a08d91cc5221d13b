//! Closed loops and open loops.

use crate::latencies::Latencies;
use crate::measurement::Values;
use crate::process::own_cpu_s;
use crate::subject::Running;
use anyhow::ensure;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// A client that repeats a request.
pub trait Requester: Send + 'static {
    /// Sends the next request and waits for its answer.
    ///
    /// # Errors
    /// If the answer is not a yes. That fails the measurement.
    fn request(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// When requests are sent and which of them count.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The time at the beginning that does not count.
    pub warm_up: Duration,
    /// The time that counts.
    pub counted: Duration,
}

impl Span {
    /// A span that begins after half a second.
    pub fn seconds(seconds: f64) -> Span {
        Span { warm_up: Duration::from_millis(500), counted: Duration::from_secs_f64(seconds) }
    }
}

/// What a loop gave.
#[derive(Debug)]
pub struct Outcome<R> {
    /// The latencies of the requests that counted.
    pub latencies: Latencies,
    /// All requests that were answered with a yes, including those that did not count.
    pub answered: u64,
    /// Quantiles, rates and the CPU time of subject and generator, as shares of one core.
    pub values: Values,
    /// The clients, which are still connected.
    pub clients: Vec<R>,
}

/// Every client has one request in flight at all times.
pub async fn closed<R: Requester>(
    clients: Vec<R>,
    span: Span,
    subject: &Running,
) -> anyhow::Result<Outcome<R>> {
    let begin = Instant::now() + span.warm_up;
    let end = begin + span.counted;
    let mut loops = JoinSet::new();
    for mut client in clients {
        loops.spawn(async move {
            let mut latencies = Latencies::new()?;
            let mut answered = 0_u64;
            loop {
                let sent = Instant::now();
                if sent >= end {
                    return anyhow::Ok((client, latencies, answered));
                }
                client.request().await?;
                answered += 1;
                let now = Instant::now();
                if now >= begin && now < end {
                    latencies.record(now - sent);
                }
            }
        });
    }
    gather(loops, begin, end, subject).await
}

/// Requests begin at a fixed rate, whether or not earlier ones are answered. A latency is measured from the moment at
/// which the request was to begin, so time spent waiting for a free client counts.
pub async fn open<R: Requester>(
    clients: Vec<R>,
    per_second: f64,
    span: Span,
    subject: &Running,
) -> anyhow::Result<Outcome<R>> {
    let start = Instant::now();
    let begin = start + span.warm_up;
    let end = begin + span.counted;
    let (sender, receiver) = mpsc::unbounded_channel::<Instant>();
    // The clock of the runtime has a resolution of 1 ms. A thread's sleep is finer.
    let pace = std::thread::spawn(move || {
        for number in 0_u32.. {
            let due = start + Duration::from_secs_f64(f64::from(number) / per_second);
            if due >= end {
                return;
            }
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if sender.send(due).is_err() {
                return;
            }
        }
    });
    let receiver = Arc::new(Mutex::new(receiver));
    let mut loops = JoinSet::new();
    for mut client in clients {
        let receiver = Arc::clone(&receiver);
        loops.spawn(async move {
            let mut latencies = Latencies::new()?;
            let mut answered = 0_u64;
            loop {
                let Some(due) = receiver.lock().await.recv().await else {
                    return anyhow::Ok((client, latencies, answered));
                };
                client.request().await?;
                answered += 1;
                if due >= begin {
                    latencies.record(due.elapsed());
                }
            }
        });
    }
    drop(receiver);
    let outcome = gather(loops, begin, end, subject).await;
    pace.join().map_err(|_| anyhow::anyhow!("the pace of the open loop panicked"))?;
    outcome
}

type Loop<R> = anyhow::Result<(R, Latencies, u64)>;

async fn gather<R: Requester>(
    mut loops: JoinSet<Loop<R>>,
    begin: Instant,
    end: Instant,
    subject: &Running,
) -> anyhow::Result<Outcome<R>> {
    let usage = usage_between(begin, end, subject);
    let finished = async {
        let (mut latencies, mut answered, mut clients) = (Latencies::new()?, 0, Vec::new());
        while let Some(finished) = loops.join_next().await {
            let (client, own, count) = finished??;
            latencies.merge(&own)?;
            answered += count;
            clients.push(client);
        }
        anyhow::Ok((latencies, answered, clients))
    };
    let (usage, (latencies, answered, clients)) = tokio::try_join!(usage, finished)?;
    let mut values = latencies.quantiles();
    let counted = latencies.len() as f64;
    ensure!(counted > 0.0, "nothing was answered in the time that counts");
    values.insert("acks_per_s".to_owned(), counted / (end - begin).as_secs_f64());
    values.insert("written_bytes_per_ack".to_owned(), usage.written_bytes / counted);
    values.extend(usage.cpu);
    Ok(Outcome { latencies, answered, values, clients })
}

/// What a span cost.
#[derive(Debug)]
pub struct Usage {
    /// The CPU time of subject and generator, each as a share of one core.
    pub cpu: Values,
    /// What the subject wrote to disk.
    pub written_bytes: f64,
}

/// Waits until the end of a span, and returns what it cost.
pub async fn usage_between(begin: Instant, end: Instant, subject: &Running) -> anyhow::Result<Usage> {
    tokio::time::sleep_until(begin.into()).await;
    let (cpu, own, written) = (subject.process.cpu_s()?, own_cpu_s()?, subject.process.written_bytes()?);
    let began = Instant::now();
    tokio::time::sleep_until(end.into()).await;
    let seconds = began.elapsed().as_secs_f64();
    let share = |name: &str, used: f64| (name.to_owned(), used / seconds);
    Ok(Usage {
        cpu: Values::from([
            share("subject_cpu", subject.process.cpu_s()? - cpu),
            share("generator_cpu", own_cpu_s()? - own),
        ]),
        written_bytes: (subject.process.written_bytes()? - written) as f64,
    })
}
