//! `size`: what a mutation costs in a small graph and in a large one, and at a hub and at a leaf. `start`: how long a
//! start on the large graph takes, and how much memory it needs.

use super::load;
use crate::client::socket::Socket;
use crate::graphs::{Random, Writer, hub};
use crate::latencies::Latencies;
use crate::load::{Requester, Span, closed};
use crate::measurement::{Measurement, Values};
use crate::subject::{Running, Subject, template};
use std::time::Instant;

/// Edits random tasks of a graph, and adds tasks under random ones.
#[derive(Debug)]
struct Editor {
    socket: Socket,
    nodes: Vec<String>,
    random: Random,
    number: u64,
}

impl Requester for Editor {
    async fn request(&mut self) -> anyhow::Result<()> {
        self.number += 1;
        let (node, number) = (&self.nodes[self.random.below(self.nodes.len())], self.number);
        let (event, payload) = if number.is_multiple_of(2) {
            ("node:add", format!(r#"{{"target":"{node}","title":"Task {number}"}}"#))
        } else {
            ("node:update", format!(r#"{{"id":"{node}","title":"Task {number}"}}"#))
        };
        self.socket.request(event, &payload).await.map(drop)
    }
}

/// Measures one client's mutations in a graph of so many nodes, and the start on it.
pub async fn measure(subject: &Subject, nodes: usize, span: Span) -> anyhow::Result<Vec<Measurement>> {
    let (mut running, ids) = load::start(subject, nodes, 1).await?;
    let mut socket = Socket::connect(running.address, &running.user(0)?.token).await?;
    socket.request("graph:get", r#"{"limit":1}"#).await?;
    let start = start_values(&running, nodes)?;
    let editor = Editor { socket, nodes: ids, random: Random(2), number: 0 };
    let outcome = closed(vec![editor], span, &running).await?;
    let ended = Instant::now();
    drop(outcome.clients);
    running.process.stop()?;
    let mut values = start;
    values.insert("stop_s".to_owned(), ended.elapsed().as_secs_f64());
    let case = format!("{nodes} nodes");
    Ok(vec![
        Measurement::new("start", &*case, &subject.label, values),
        Measurement::new("size", case, &subject.label, outcome.values),
    ])
}

fn start_values(running: &Running, nodes: usize) -> anyhow::Result<Values> {
    let resident = running.process.resident_bytes()? as f64;
    Ok(Values::from([
        ("start_s".to_owned(), running.start.as_secs_f64()),
        ("resident_bytes".to_owned(), resident),
        ("resident_max_bytes".to_owned(), running.process.resident_bytes_max()? as f64),
        ("resident_bytes_per_node".to_owned(), resident / nodes as f64),
        ("disk_bytes".to_owned(), running.data.bytes()? as f64),
    ]))
}

/// Measures moving a node with so many children, and moving one of the children, in turn.
pub async fn measure_hub(subject: &Subject, children: usize, span: Span) -> anyhow::Result<Vec<Measurement>> {
    let binary = subject.synaptask()?;
    let name = format!("hub-{children}");
    let (mut running, (hub, leaf)) = template::made(subject, binary, &name, 1, false, async |running| {
        let mut writer = Writer::new(Socket::connect(running.address, &running.user(0)?.token).await?);
        let made = hub(&mut writer, children).await?;
        writer.finish().await?;
        Ok(made)
    })
    .await?;
    let mut socket = Socket::connect(running.address, &running.user(0)?.token).await?;
    let (mut of_hub, mut of_leaf) = (Latencies::new()?, Latencies::new()?);
    let (began, mut number) = (Instant::now(), 0);
    while began.elapsed() < span.warm_up + span.counted {
        number += 1;
        for (node, latencies) in [(&hub, &mut of_hub), (&leaf, &mut of_leaf)] {
            let sent = Instant::now();
            socket.request("node:update", &format!(r#"{{"id":"{node}","x":{number}.5,"y":1.0}}"#)).await?;
            if began.elapsed() > span.warm_up {
                latencies.record(sent.elapsed());
            }
        }
    }
    running.process.stop()?;
    let one = |what: &str, latencies: Latencies| {
        let case = format!("{what} of {children}");
        Measurement::new("size", case, &subject.label, latencies.quantiles())
    };
    Ok(vec![one("hub", of_hub), one("leaf", of_leaf)])
}
