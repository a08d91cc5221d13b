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
    /// How long after its end an open loop waits for answers. What is not answered by then counts with the time that it
    /// has waited, which is less than its latency would be.
    pub patience: Duration,
}

/// How patient an open loop is.
pub const PATIENCE: Duration = Duration::from_secs(10);

impl Span {
    /// A span that begins after half a second.
    pub fn seconds(seconds: f64) -> Span {
        Span {
            warm_up: Duration::from_millis(500),
            counted: Duration::from_secs_f64(seconds),
            patience: PATIENCE,
        }
    }
}

/// What a loop gave.
#[derive(Debug)]
pub struct Outcome<R> {
    /// The latencies of the requests that counted.
    pub latencies: Latencies,
    /// Requests that began in the time that counts and were not answered in time.
    pub unanswered: u64,
    /// Quantiles, rates and the CPU time of subject and generator, as shares of one core.
    pub values: Values,
    /// The clients whose requests were all answered. They are still connected.
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
            loop {
                let sent = Instant::now();
                if sent >= end {
                    return anyhow::Ok(Looped { client: Some(client), latencies, unanswered: 0 });
                }
                client.request().await?;
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
            let (mut latencies, mut unanswered) = (Latencies::new()?, 0);
            let mut patient = true;
            loop {
                let Some(due) = receiver.lock().await.recv().await else {
                    let client = patient.then_some(client);
                    return anyhow::Ok(Looped { client, latencies, unanswered });
                };
                if patient {
                    match tokio::time::timeout_at((end + span.patience).into(), client.request()).await {
                        Ok(answered) => answered?,
                        Err(_) => patient = false,
                    }
                }
                if due >= begin {
                    latencies.record(due.elapsed());
                    unanswered += u64::from(!patient);
                }
            }
        });
    }
    drop(receiver);
    let outcome = gather(loops, begin, end, subject).await;
    pace.join().map_err(|_| anyhow::anyhow!("the pace of the open loop panicked"))?;
    outcome
}

/// What one client's loop gave.
struct Looped<R> {
    /// `None` after a request that was not answered.
    client: Option<R>,
    latencies: Latencies,
    unanswered: u64,
}

async fn gather<R: Requester>(
    mut loops: JoinSet<anyhow::Result<Looped<R>>>,
    begin: Instant,
    end: Instant,
    subject: &Running,
) -> anyhow::Result<Outcome<R>> {
    let usage = usage_between(begin, end, subject);
    let finished = async {
        let (mut latencies, mut unanswered, mut clients) = (Latencies::new()?, 0, Vec::new());
        while let Some(finished) = loops.join_next().await {
            let looped = finished??;
            latencies.merge(&looped.latencies)?;
            unanswered += looped.unanswered;
            clients.extend(looped.client);
        }
        anyhow::Ok((latencies, unanswered, clients))
    };
    let (usage, (latencies, unanswered, clients)) = tokio::try_join!(usage, finished)?;
    let mut values = latencies.quantiles();
    let counted = (latencies.len() - unanswered) as f64;
    ensure!(counted > 0.0, "nothing was answered in the time that counts");
    values.insert("acks_per_s".to_owned(), counted / (end - begin).as_secs_f64());
    values.insert("written_bytes_per_ack".to_owned(), usage.written_bytes / counted);
    values.insert("unanswered".to_owned(), unanswered as f64);
    values.extend(usage.cpu);
    Ok(Outcome { latencies, unanswered, values, clients })
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
