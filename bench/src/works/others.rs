//! `others`: the latency of uninvolved users' mutations, at rest and while one user, or a crowd, does something large.

use super::load::{self, has_snapshot};
use super::mutate::{Mutation, Mutator};
use super::probe;
use crate::client::http::Http;
use crate::client::socket::{Packet, Socket, start_of};
use crate::graphs::{Writer, tree};
use crate::load::{Requester as _, Span};
use crate::measurement::{Measurement, Values, progress};
use crate::subject::{Running, Subject, template};
use anyhow::{bail, ensure};
use http::Method;
use memchr::memmem;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// The users, by number: one owns a large graph, one is given a branch, some are measured, and a crowd reconnects.
const OWNER: usize = 0;
const GRANTEE: usize = 1;
const BUSY: usize = 2;
const MEASURED: std::ops::Range<usize> = 10..30;
const CROWD: std::ops::Range<usize> = 30..530;
const USERS: usize = 530;
/// How large the graph, the granted branch and the crowd's branch are.
const GRAPH: usize = 100_000;
const BRANCH: usize = 10_000;
const CROWD_BRANCH: usize = 1_000;
/// How many anonymous readers there are, and how long each pauses between pages of 1,000 nodes.
const READERS: usize = 50;
const READER_PAUSE: Duration = Duration::from_secs(1);
/// How many connections the busy user has.
const BUSY_CONNECTIONS: usize = 50;

/// What goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scene {
    /// Nothing.
    Rest,
    /// One user loads a graph of 100,000 nodes over and over.
    Load,
    /// 500 users who see a branch of 1,000 nodes connect at the same moment and load it.
    Reconnects,
    /// 50 anonymous readers page through a public branch of 100,000 nodes.
    Readers,
    /// A connected user is given a branch of 10,000 nodes, and it is taken away again.
    Grant,
    /// One user has 50 connections, each with a mutation in flight at all times.
    Busy,
}

/// What the data contains.
#[derive(Debug, Serialize, Deserialize)]
struct Prepared {
    public_token: String,
    branch: String,
}

/// Measures the scenes on one subject, one after another.
pub async fn measure(subject: &Subject, scenes: &[Scene], span: Span) -> anyhow::Result<Vec<Measurement>> {
    let (mut running, prepared) = start(subject).await?;
    let mut measurements = Vec::new();
    for scene in scenes {
        progress(&format!("others: {scene:?}"));
        let case = format!("{scene:?}").to_lowercase();
        measurements.push(match measure_scene(*scene, &running, &prepared, span).await {
            Ok(values) => Measurement::new("others", case, &subject.label, values),
            // One scene that fails does not keep the others from being measured.
            Err(error) => Measurement::failed("others", case, &subject.label, &error),
        });
        // What the scene has left in queues is not to be found in the next.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    running.process.stop()?;
    Ok(measurements)
}

async fn measure_scene(
    scene: Scene,
    running: &Running,
    prepared: &Prepared,
    span: Span,
) -> anyhow::Result<Values> {
    let measured = probe::connect(running, MEASURED).await?;
    let done = Arc::new(AtomicU64::new(0));
    let outcome = tokio::select! {
        // The scene is on before anything counts: it begins with the warm-up.
        outcome = probe::mutations(running, measured, span) => outcome?,
        ended = play(scene, running, prepared, Arc::clone(&done)) => { ended?; bail!("{scene:?} ended early") }
    };
    let times = done.load(Ordering::Relaxed);
    ensure!(scene == Scene::Rest || times > 0, "{scene:?} did not happen once");
    let mut values = outcome.values;
    values.insert("times".to_owned(), times as f64);
    Ok(values)
}

async fn start(subject: &Subject) -> anyhow::Result<(Running, Prepared)> {
    let binary = subject.synaptask()?;
    template::made(subject, binary, "others", USERS, false, async |running| {
        let mut writer = Writer::new(Socket::connect(running.address, &running.user(OWNER)?.token).await?);
        let public = tree(&mut writer, GRAPH).await?;
        let branch = tree(&mut writer, BRANCH).await?;
        let crowds = tree(&mut writer, CROWD_BRANCH).await?;
        for user in &running.users[CROWD] {
            let (id, email) = (&crowds[0], &user.email);
            writer.operation(format!(r#"{{"event":"node:access","id":"{id}","email":"{email}"}}"#)).await?;
        }
        let mut owner = writer.finish().await?;
        let published = owner.request_json("node:publish", &format!(r#"{{"id":"{}"}}"#, public[0])).await?;
        let Some(token) = published["diff"]["nodes"][0]["after"]["publicToken"].as_str() else {
            bail!("node:publish gave no token: {published}")
        };
        Ok(Prepared { public_token: token.to_owned(), branch: branch[0].clone() })
    })
    .await
}

/// Plays a scene until it is dropped. `done` counts how often something in it was completed.
async fn play(
    scene: Scene,
    running: &Running,
    prepared: &Prepared,
    done: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    match scene {
        Scene::Rest => std::future::pending().await,
        Scene::Load => loads(running, &done).await,
        Scene::Reconnects => reconnects(running, &done).await,
        Scene::Readers => readers(running, prepared, done).await,
        Scene::Grant => grants(running, prepared, &done).await,
        Scene::Busy => busy(running, done).await,
    }
}

async fn loads(running: &Running, done: &AtomicU64) -> anyhow::Result<()> {
    let token = &running.user(OWNER)?.token;
    let authorization = format!("Bearer {token}");
    let snapshot = has_snapshot(running.address, &authorization).await?;
    let mut http = Http::connect(running.address).await?;
    let mut socket = Socket::connect(running.address, token).await?;
    loop {
        if snapshot {
            http.drain("/api/graph/snapshot", &[("authorization", &authorization)]).await?;
            done.fetch_add(1, Ordering::Relaxed);
        }
        // A page at a time counts: a slow load may not be complete when the scene ends.
        for offset in (0..GRAPH + BRANCH + CROWD_BRANCH).step_by(load::PAGE) {
            load::page(&mut socket, offset).await?;
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn reconnects(running: &Running, done: &AtomicU64) -> anyhow::Result<()> {
    loop {
        let mut crowd = JoinSet::new();
        for user in &running.users[CROWD] {
            let (address, token) = (running.address, user.token.clone());
            crowd.spawn(async move {
                let mut socket = Socket::connect(address, &token).await?;
                load::pages(&mut socket, CROWD_BRANCH).await
            });
        }
        while let Some(loaded) = crowd.join_next().await {
            loaded??;
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
}

async fn readers(running: &Running, prepared: &Prepared, done: Arc<AtomicU64>) -> anyhow::Result<()> {
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let (address, token, done) = (running.address, prepared.public_token.clone(), Arc::clone(&done));
        readers.spawn(async move {
            let mut http = Http::connect(address).await?;
            // They did not all come at the same moment.
            tokio::time::sleep(READER_PAUSE * reader as u32 / READERS as u32).await;
            for offset in (reader * 1_000..GRAPH).step_by(1_000) {
                let mut pause = tokio::time::interval(READER_PAUSE);
                pause.tick().await;
                let path = format!("/api/branch?root={token}&limit=1000&offset={offset}");
                let page = http.json(Method::GET, &path, "", "").await?;
                ensure!(load::count_nodes(&page) == 1_000, "a page is not whole");
                done.fetch_add(1, Ordering::Relaxed);
                pause.tick().await;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = readers.join_next().await {
        ended??;
    }
    Ok(())
}

async fn grants(running: &Running, prepared: &Prepared, done: &AtomicU64) -> anyhow::Result<()> {
    let mut owner = Socket::connect(running.address, &running.user(OWNER)?.token).await?;
    let grantee = running.user(GRANTEE)?;
    let mut reading = Socket::connect(running.address, &grantee.token).await?;
    let who = format!(r#""id":"{}","email":"{}""#, prepared.branch, grantee.email);
    loop {
        for (event, payload) in
            [("node:access", format!("{{{who}}}")), ("node:access:delete", format!("{{{who}}}"))]
        {
            owner.request(event, &payload).await?;
            whole_diff(&mut reading).await?;
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Reads a diff to its last part.
pub async fn whole_diff(reading: &mut Socket) -> anyhow::Result<()> {
    loop {
        let Packet::Event(text) = reading.next().await? else { bail!("nothing was asked") };
        ensure!(text.starts_with(r#"42["graph:diff","#), "another event: {}", start_of(&text));
        if is_last_part(&text)? {
            return Ok(());
        }
    }
}

/// Whether a diff, in an ack or an event, is whole or the last of its parts.
pub fn is_last_part(text: &str) -> anyhow::Result<bool> {
    let number = |name: &str| -> anyhow::Result<Option<u64>> {
        let Some(at) = memmem::find(text.as_bytes(), name.as_bytes()) else { return Ok(None) };
        let digits: String = text[at + name.len()..].chars().take_while(char::is_ascii_digit).collect();
        Ok(Some(digits.parse()?))
    };
    Ok(match (number(r#""part":"#)?, number(r#""parts":"#)?) {
        (Some(part), Some(parts)) => part == parts,
        _ => true,
    })
}

async fn busy(running: &Running, done: Arc<AtomicU64>) -> anyhow::Result<()> {
    let mut connections = JoinSet::new();
    for _ in 0..BUSY_CONNECTIONS {
        let mut client = Mutator::connect(running, BUSY, Mutation::Update).await?;
        let done = Arc::clone(&done);
        connections.spawn(async move {
            loop {
                client.request().await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while let Some(ended) = connections.join_next().await {
        let ended: anyhow::Result<()> = ended?;
        ended?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_ends_with_its_last_part() {
        for (text, last) in [
            (r#"42["graph:diff",{"rev":7,"nodes":[]}]"#, true),
            (r#"42["graph:diff",{"rev":7,"part":1,"parts":10,"nodes":[]}]"#, false),
            (r#"42["graph:diff",{"rev":7,"part":10,"parts":10,"nodes":[]}]"#, true),
        ] {
            assert_eq!(is_last_part(text).unwrap(), last, "{text}");
        }
    }
}
