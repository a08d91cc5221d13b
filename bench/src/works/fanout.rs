//! `fanout`: one edit reaches everyone who sees it. Every viewer is a user of their own; all share one branch.

use super::mutate::add_node;
use crate::client::events::Events;
use crate::client::http::Http;
use crate::client::socket::{Packet, Socket};
use crate::latencies::Latencies;
use crate::load::{Span, usage_between};
use crate::measurement::Measurement;
use crate::subject::pocketbase::{RECORDS, ROOT};
use crate::subject::{Kind, Running, Subject, User};
use anyhow::{Context as _, bail, ensure};
use http::Method;
use memchr::memmem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How many tasks the shared branch has.
const TASKS: usize = 50;
/// How many viewers connect at the same time.
const SIDE_BY_SIDE: usize = 50;
/// How long an edit may take to reach everyone.
const LONGEST: Duration = Duration::from_secs(60);
/// The title of an edit is this and its number. Each viewer looks for the number that is next.
const MARK: &str = "edit number ";
/// How long the measurement waits at its end for diffs that nobody should receive.
const TOO_MANY: Duration = Duration::from_millis(200);

/// What all viewers have received.
#[derive(Debug, Default)]
struct Arrivals {
    /// How many diffs have arrived.
    count: AtomicU64,
    /// How many viewers there are.
    viewers: AtomicU64,
    /// The measurement is over; what ends now is no fault.
    over: AtomicBool,
}

/// Measures edits one after another: each begins when the former has reached everyone.
pub async fn measure(subject: &Subject, viewers: usize, span: Span) -> anyhow::Result<Measurement> {
    let mut running = subject.start(viewers + 1)?;
    let (mut editor, node) = share(&running, viewers).await?;
    let arrivals = Arc::new(Arrivals::default());
    let (complete, mut completed) = watch::channel(0_u64);
    let complete = Arc::new(complete);
    let mut listening = connect(&running, viewers, &arrivals, &complete).await?;

    let begin = Instant::now() + span.warm_up;
    let end = begin + span.counted;
    let (mut latencies, mut acks) = (Latencies::new()?, Latencies::new()?);
    let mut number = 0_u64;
    let edits = async {
        loop {
            let sent = Instant::now();
            if sent >= end {
                return anyhow::Ok(());
            }
            number += 1;
            editor.request(&node, &format!("{MARK}{number} ")).await?;
            let acked = Instant::now();
            let reached = tokio::time::timeout(LONGEST, completed.wait_for(|done| *done >= number)).await;
            reached.with_context(|| lost(number, &arrivals))??;
            if sent >= begin {
                acks.record(acked - sent);
                latencies.record(sent.elapsed());
            }
        }
    };
    let both = async { tokio::try_join!(edits, usage_between(begin, end, &running)) };
    let ((), usage) = tokio::select! {
        done = both => done?,
        Some(ended) = listening.join_next() => { ended??; bail!("a viewer ended early") }
    };
    tokio::time::sleep(TOO_MANY).await;
    arrivals.over.store(true, Ordering::Relaxed);
    let (arrived, expected) = (arrivals.count.load(Ordering::Relaxed), number * viewers as u64);
    ensure!(arrived == expected, "{expected} diffs should have arrived, and {arrived} did");
    listening.shutdown().await;
    running.process.stop()?;

    let mut values = latencies.quantiles();
    // Edits run one after another, so their times add up to the time that counts.
    let edits_per_s = latencies.len() as f64 / span.counted.as_secs_f64();
    values.insert("edits_per_s".to_owned(), edits_per_s);
    values.insert("deliveries_per_s".to_owned(), edits_per_s * viewers as f64);
    values.insert("ack_p50_us".to_owned(), acks.quantile_us(0.5));
    values.extend(usage.cpu);
    Ok(Measurement::new("fanout", format!("{viewers} viewers"), &running.subject.label, values))
}

fn lost(number: u64, arrivals: &Arrivals) -> String {
    let arrived = arrivals.count.load(Ordering::Relaxed);
    let expected = number * arrivals.viewers.load(Ordering::Relaxed);
    format!("edit {number} did not reach everyone within {LONGEST:?}: {arrived} of {expected} diffs arrived")
}

/// Who edits.
#[derive(Debug)]
enum Editor {
    Socket(Box<Socket>),
    Records { http: Http, token: String },
}

impl Editor {
    /// Changes the title of a task.
    async fn request(&mut self, node: &str, title: &str) -> anyhow::Result<()> {
        match self {
            Editor::Socket(socket) => {
                let payload = format!(r#"{{"id":"{node}","title":"{title}"}}"#);
                socket.request("node:update", &payload).await.map(drop)
            }
            Editor::Records { http, token } => {
                let (path, change) = (format!("{RECORDS}/{node}"), format!(r#"{{"title":"{title}"}}"#));
                http.json(Method::PATCH, &path, token, &change).await.map(drop)
            }
        }
    }
}

/// A branch that the first user owns and the others see. Returns the owner, connected, and the task that is edited.
async fn share(running: &Running, viewers: usize) -> anyhow::Result<(Editor, String)> {
    let user = running.user(0)?;
    if running.subject.kind == Kind::Pocketbase {
        let http = Http::connect(running.address).await?;
        return Ok((Editor::Records { http, token: user.token.clone() }, ROOT.to_owned()));
    }
    let mut owner = Socket::connect(running.address, &user.token).await?;
    if running.subject.kind.is_bare() {
        return Ok((Editor::Socket(Box::new(owner)), uuid::Uuid::nil().to_string()));
    }
    let root = add_node(&mut owner, "Root").await?;
    let mut node = root.clone();
    for number in 0..TASKS {
        node = uuid::Uuid::new_v4().to_string();
        let payload = format!(r#"{{"id":"{node}","target":"{root}","title":"Task {number}"}}"#);
        owner.request("node:add", &payload).await?;
    }
    let grants = |users: &[User]| {
        let operations: Vec<String> = users
            .iter()
            .map(|user| format!(r#"{{"event":"node:access","id":"{root}","email":"{}"}}"#, user.email))
            .collect();
        format!(r#"{{"operations":[{}]}}"#, operations.join(","))
    };
    for some in running.users[1..=viewers].chunks(1_000) {
        owner.request("graph:apply", &grants(some)).await?;
    }
    Ok((Editor::Socket(Box::new(owner)), node))
}

/// Who is told of edits.
#[derive(Debug)]
enum Viewer {
    Socket(Box<Socket>),
    Events(Box<Events>),
}

impl Viewer {
    async fn connect(running: &Running, user: &User) -> anyhow::Result<Viewer> {
        Ok(match running.subject.kind {
            Kind::Pocketbase => {
                Viewer::Events(Box::new(Events::subscribe(running.address, &user.token, "nodes/*").await?))
            }
            _ => Viewer::Socket(Box::new(Socket::connect(running.address, &user.token).await?)),
        })
    }

    /// Waits for the next event, which must be the edit with this number.
    async fn expect(&mut self, number: u64) -> anyhow::Result<()> {
        match self {
            Viewer::Socket(socket) => match socket.next().await? {
                Packet::Event(text) => is_edit(&text, r#"42["graph:diff","#, number),
                Packet::Ack(..) => bail!("a viewer asked for nothing and was answered"),
            },
            Viewer::Events(events) => is_edit(&events.next().await?, "", number),
        }
    }
}

/// Whether an event is the edit with this number.
fn is_edit(text: &str, start: &str, number: u64) -> anyhow::Result<()> {
    ensure!(text.starts_with(start), "a viewer was sent another event: {text}");
    let mark = format!("{MARK}{number} ");
    ensure!(memmem::find(text.as_bytes(), mark.as_bytes()).is_some(), "this is not edit {number}: {text}");
    Ok(())
}

/// Connects the viewers. Each then counts what it receives until it is aborted.
async fn connect(
    running: &Running,
    viewers: usize,
    arrivals: &Arc<Arrivals>,
    complete: &Arc<watch::Sender<u64>>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    arrivals.viewers.store(viewers as u64, Ordering::Relaxed);
    let mut listening = JoinSet::new();
    for some in running.users[1..=viewers].chunks(SIDE_BY_SIDE) {
        let connecting = some.iter().map(|user| Viewer::connect(running, user));
        for viewer in futures_util::future::try_join_all(connecting).await? {
            listening.spawn(listen(viewer, Arc::clone(arrivals), Arc::clone(complete)));
        }
    }
    Ok(listening)
}

/// Counts edits. Each must be the next one: none is lost, doubled or out of order.
async fn listen(
    mut viewer: Viewer,
    arrivals: Arc<Arrivals>,
    complete: Arc<watch::Sender<u64>>,
) -> anyhow::Result<()> {
    let viewers = arrivals.viewers.load(Ordering::Relaxed);
    for number in 1_u64.. {
        match viewer.expect(number).await {
            Err(_) if arrivals.over.load(Ordering::Relaxed) => return Ok(()),
            arrived => arrived?,
        }
        if (arrivals.count.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(viewers) {
            complete.send_replace(number);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_that_is_not_the_next_one_is_a_fault() {
        let event = r#"42["graph:diff",{"nodes":[{"after":{"title":"edit number 7 "}}]}]"#;
        let start = r#"42["graph:diff","#;
        assert!(is_edit(event, start, 7).is_ok());
        for (event, number) in [(event, 6), (event, 8), (event, 77), (r#"42["error","edit number 7 "]"#, 7)] {
            assert!(is_edit(event, start, number).is_err(), "{event} passed as edit {number}");
        }
    }
}
