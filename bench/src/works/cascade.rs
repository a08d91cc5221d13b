//! `cascade`: a chain of completed tasks is reopened at its beginning, so that every task in it becomes blocked; an undo
//! completes them again. Other users' mutations go on in the meantime.

use super::others::is_last_part;
use super::probe;
use crate::client::socket::{Packet, Socket, is_ok, start_of};
use crate::graphs::{Writer, chain};
use crate::load::{PATIENCE, Span};
use crate::measurement::{Measurement, Values};
use crate::subject::{Subject, template};
use anyhow::{Context as _, ensure};
use memchr::memmem;
use std::time::{Duration, Instant};

/// The users whose mutations go on. The first user has the chain.
const MEASURED: std::ops::Range<usize> = 1..11;

/// Measures a chain of so many tasks.
pub async fn measure(subject: &Subject, length: usize) -> anyhow::Result<Vec<Measurement>> {
    let binary = subject.synaptask()?;
    let name = format!("chain-{length}");
    let (mut running, first) = template::made(subject, binary, &name, MEASURED.end, false, async |running| {
        let mut writer = Writer::new(Socket::connect(running.address, &running.user(0)?.token).await?);
        let first = chain(&mut writer, length).await?;
        writer.finish().await?;
        Ok(first)
    })
    .await?;
    let mut socket = Socket::connect(running.address, &running.user(0)?.token).await?;
    let others = probe::connect(&running, MEASURED).await?;
    let span = Span { warm_up: Duration::ZERO, counted: Duration::from_millis(1_500), patience: PATIENCE };
    let reopen = format!(r#"{{"id":"{first}","status":0}}"#);
    let (opened, others) = tokio::try_join!(
        told(&mut socket, "node:update", &reopen, length),
        probe::mutations(&running, others, span)
    )?;
    // Those who waited too long have given up.
    let again = probe::connect(&running, MEASURED).await?;
    let undo = format!(r#"{{"batchId":"{}"}}"#, opened.batch);
    let (undone, others_of_undo) = tokio::try_join!(
        told(&mut socket, "history:undo", &undo, length),
        probe::mutations(&running, again, span)
    )?;
    running.process.stop()?;
    let one = |what: &str, told: &Told, others: &Values| {
        let values = Values::from([
            ("ack_ms".to_owned(), told.acked.as_secs_f64() * 1e3),
            ("told_ms".to_owned(), told.told.as_secs_f64() * 1e3),
            ("told_us_per_node".to_owned(), told.told.as_secs_f64() * 1e6 / length as f64),
            ("others_p50_ms".to_owned(), others.get("p50_us").copied().unwrap_or_default() / 1e3),
            ("others_max_ms".to_owned(), others.get("max_us").copied().unwrap_or_default() / 1e3),
        ]);
        Measurement::new("cascade", format!("{what} {length}"), &subject.label, values)
    };
    Ok(vec![one("reopen", &opened, &others.values), one("undo", &undone, &others_of_undo.values)])
}

/// How a large change was answered.
#[derive(Debug)]
struct Told {
    batch: String,
    /// The time until its ack, which has the first part of the diff.
    acked: Duration,
    /// The time until the last part.
    told: Duration,
}

/// Makes a request and reads its whole diff, which must change the status of so many tasks.
async fn told(socket: &mut Socket, event: &str, payload: &str, nodes: usize) -> anyhow::Result<Told> {
    // The others have a steady rate by then.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let sent = Instant::now();
    socket.send_request(event, payload).await?;
    let Packet::Ack(_, text) = socket.next().await? else { anyhow::bail!("an event came before the ack") };
    let acked = sent.elapsed();
    ensure!(is_ok(&text), "{event} was refused: {}", start_of(&text));
    let batch = batch_of(&text).context("the diff has no batchId")?;
    let mut changed = changes(&text);
    let mut last = is_last_part(&text)?;
    while !last {
        let Packet::Event(text) = socket.next().await? else {
            anyhow::bail!("an ack came instead of a part")
        };
        changed += changes(&text);
        last = is_last_part(&text)?;
    }
    let told = sent.elapsed();
    ensure!(changed >= nodes, "{changed} statuses changed instead of {nodes}");
    Ok(Told { batch, acked, told })
}

/// How many changes of status a diff has. NODE_STATUS is 2.
fn changes(text: &str) -> usize {
    memmem::find_iter(text.as_bytes(), br#"{"op":2,"#).count()
}

fn batch_of(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(r#""batchId":""#)?;
    Some(rest.split_once('"')?.0.to_owned())
}
