//! `load`: the whole graph of a user, until its last byte, beside the same bytes ready-made.

use crate::client::http::Http;
use crate::client::socket::Socket;
use crate::graphs::{Writer, tree};
use crate::latencies::Latencies;
use crate::measurement::Measurement;
use crate::process::{Process, free_address};
use crate::subject::pocketbase::{self, RECORDS};
use crate::subject::{Data, Kind, Running, Subject, bare, template};
use anyhow::ensure;
use http::Method;
use memchr::memmem;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// How many nodes a page has. More is not allowed.
pub const PAGE: usize = 5_000;
/// How many records a page of PocketBase has. More is not allowed.
const LIST_PAGE: usize = 1_000;
/// The path of the snapshot.
const SNAPSHOT: &str = "/api/graph/snapshot";

/// Starts a subject whose first user has a tree of so many nodes. Returns their ids too.
pub async fn start(subject: &Subject, nodes: usize, users: usize) -> anyhow::Result<(Running, Vec<String>)> {
    let binary = subject.synaptask()?;
    let name = format!("tree-{nodes}-users-{users}");
    template::made(subject, binary, &name, users, nodes > 500_000, async |running| {
        let mut writer = Writer::new(Socket::connect(running.address, &running.user(0)?.token).await?);
        let nodes = tree(&mut writer, nodes).await?;
        writer.finish().await?;
        Ok(nodes)
    })
    .await
}

/// Measures loads, one after another: by pages over a socket, as a snapshot over REST if the subject has it, and the
/// bytes of the latter ready-made.
pub async fn measure(subject: &Subject, nodes: usize, times: u32) -> anyhow::Result<Vec<Measurement>> {
    if subject.kind == Kind::Pocketbase {
        return measure_list(subject, nodes, times).await;
    }
    let (mut running, _) = start(subject, nodes, 1).await?;
    let token = running.user(0)?.token.clone();
    let mut measurements = Vec::new();
    let mut add = |how: &str, subject: &str, (latencies, bytes): (Latencies, u64)| {
        let mut values = latencies.quantiles();
        values.insert("bytes".to_owned(), bytes as f64);
        measurements.push(Measurement::new("load", format!("{nodes} nodes, {how}"), subject, values));
    };

    let mut socket = Socket::connect(running.address, &token).await?;
    let paged = repeat(times, async || pages(&mut socket, nodes).await).await?;
    add("pages", &subject.label, paged);
    let authorization = format!("Bearer {token}");
    let mut http = Http::connect(running.address).await?;
    let ready_made = running.data.path().join("ready-made");
    if has_snapshot(running.address, &authorization).await? {
        fs::write(&ready_made, whole(running.address, SNAPSHOT, &authorization, nodes).await?)?;
        let headers = [("authorization", authorization.as_str())];
        let plain = repeat(times, async || Ok(http.drain(SNAPSHOT, &headers).await?.bytes)).await?;
        ensure!(plain.1 == fs::metadata(&ready_made)?.len(), "two snapshots of one graph differ in length");
        add("snapshot", &subject.label, plain);
        for encoding in ["gzip", "zstd"] {
            let headers = [("authorization", authorization.as_str()), ("accept-encoding", encoding)];
            let encoded = repeat(times, async || Ok(http.drain(SNAPSHOT, &headers).await?.bytes)).await?;
            add(&format!("snapshot {encoding}"), &subject.label, encoded);
        }
    } else {
        let path = format!("/api/graph?limit={PAGE}");
        let one = whole(running.address, &path, &authorization, nodes.min(PAGE)).await?;
        fs::write(&ready_made, one.repeat(nodes.div_ceil(PAGE)))?;
    }

    let address = free_address()?;
    let mut command = bare::serve(address)?;
    command.arg("--ready-made").arg(&ready_made);
    let mut process = Process::start(command, &running.data.path().join("ready-made-log"))?;
    process.accepts(address, Duration::from_secs(10))?;
    let mut http = Http::connect(address).await?;
    let ready = repeat(times, async || Ok(http.drain("/ready-made", &[]).await?.bytes)).await?;
    add("ready-made", "bare", ready);
    running.process.stop()?;
    Ok(measurements)
}

/// Measures PocketBase's list of so many records, by pages. The links would be another list, which does not count.
async fn measure_list(subject: &Subject, nodes: usize, times: u32) -> anyhow::Result<Vec<Measurement>> {
    let data = Data::temporary()?;
    let users = pocketbase::prepare(data.path(), 1, nodes)?;
    let mut running = subject.start_on(data, users)?;
    let token = &running.user(0)?.token;
    let mut http = Http::connect(running.address).await?;
    let (latencies, bytes) = repeat(times, async || {
        let (mut bytes, mut counted) = (0, 0);
        for page in 1..=nodes.div_ceil(LIST_PAGE) {
            let path = format!("{RECORDS}?perPage={LIST_PAGE}&page={page}&skipTotal=1&filter=root%3D%22%22");
            let page = http.json(Method::GET, &path, token, "").await?;
            bytes += page.len() as u64;
            counted += memmem::find_iter(&page, br#""collectionId":"#).count();
        }
        ensure!(counted == nodes, "{counted} records were listed instead of {nodes}");
        Ok(bytes)
    })
    .await?;
    let mut values = latencies.quantiles();
    values.insert("bytes".to_owned(), bytes as f64);
    running.process.stop()?;
    Ok(vec![Measurement::new("load", format!("{nodes} nodes, list"), &subject.label, values)])
}

/// Runs a load once without and then several times with a clock.
async fn repeat(
    times: u32,
    mut load: impl AsyncFnMut() -> anyhow::Result<u64>,
) -> anyhow::Result<(Latencies, u64)> {
    let (mut latencies, bytes) = (Latencies::new()?, load().await?);
    for _ in 0..times {
        let began = Instant::now();
        let again = load().await?;
        latencies.record(began.elapsed());
        ensure!(again.abs_diff(bytes) * 1_000 <= bytes, "the same load had {bytes} bytes, then {again}");
    }
    Ok((latencies, bytes))
}

/// Loads the whole graph over a socket, page by page. Returns the bytes.
pub async fn pages(socket: &mut Socket, nodes: usize) -> anyhow::Result<u64> {
    let (mut bytes, mut counted) = (0, 0);
    for offset in (0..nodes).step_by(PAGE) {
        let page = page(socket, offset).await?;
        bytes += page.len() as u64;
        counted += count_nodes(page.as_bytes());
    }
    ensure!(counted == nodes, "{counted} nodes were loaded instead of {nodes}");
    Ok(bytes)
}

/// Loads one page over a socket.
pub async fn page(socket: &mut Socket, offset: usize) -> anyhow::Result<Utf8Bytes> {
    socket.request("graph:get", &format!(r#"{{"limit":{PAGE},"offset":{offset}}}"#)).await
}

/// How many whole nodes a text of JSON has. Parsing it would take the generator longer than the server took to write it.
pub fn count_nodes(text: &[u8]) -> usize {
    memmem::find_iter(text, br#""collapsed":"#).count()
}

/// Whether the subject has the snapshot.
pub async fn has_snapshot(address: SocketAddr, authorization: &str) -> anyhow::Result<bool> {
    let mut http = Http::connect(address).await?;
    let answer = http.send(Method::HEAD, SNAPSHOT, &[("authorization", authorization)], "").await?;
    Ok(answer.status().is_success())
}

/// The body of an answer with so many nodes.
async fn whole(
    address: SocketAddr,
    path: &str,
    authorization: &str,
    nodes: usize,
) -> anyhow::Result<Vec<u8>> {
    let bytes = Http::connect(address).await?.json(Method::GET, path, authorization, "").await?;
    let counted = count_nodes(&bytes);
    ensure!(counted == nodes, "{counted} nodes were loaded instead of {nodes}");
    Ok(bytes.to_vec())
}
