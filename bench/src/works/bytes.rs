//! `bytes`: what small mutations write to disk, all in, and what they leave there.

use super::mutate::{Mutation, connect_all};
use crate::load::Requester as _;
use crate::measurement::{Measurement, Values};
use crate::subject::Subject;
use tokio::task::JoinSet;

/// Measures so many mutations by each of so many clients. What the subject writes afterwards, in the background and
/// when it stops, counts too.
pub async fn measure(
    subject: &Subject,
    mutation: Mutation,
    clients: usize,
    each: u32,
) -> anyhow::Result<Measurement> {
    let mut running = subject.start(clients)?;
    let mutators = connect_all(&running, clients, mutation).await?;
    let (written, on_disk, cpu) =
        (running.process.written_bytes()?, running.data.bytes()?, running.process.cpu_s()?);
    let mut loops = JoinSet::new();
    for mut mutator in mutators {
        loops.spawn(async move {
            for _ in 0..each {
                mutator.request().await?;
            }
            anyhow::Ok(mutator)
        });
    }
    let mut mutators = Vec::new();
    while let Some(ended) = loops.join_next().await {
        mutators.push(ended??);
    }
    let acks = f64::from(each) * clients as f64;
    let at_once = running.process.written_bytes()? - written;
    let cpu = running.process.cpu_s()? - cpu;
    running.process.settle().await?;
    let settled = running.process.written_bytes()? - written;
    running.process.stop()?;
    let on_disk = running.data.bytes()?.saturating_sub(on_disk);
    let each_ack = |name: &str, total: f64| (name.to_owned(), total / acks);
    let values = Values::from([
        each_ack("written_bytes_per_ack", settled as f64),
        each_ack("written_at_once_bytes_per_ack", at_once as f64),
        each_ack("disk_bytes_per_ack", on_disk as f64),
        each_ack("subject_cpu_us_per_ack", cpu * 1e6),
        ("acks".to_owned(), acks),
    ]);
    let case = format!("{} {clients}", mutation.event());
    Ok(Measurement::new("bytes", case, &running.subject.label, values))
}
