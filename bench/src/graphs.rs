//! Graphs that are too large to make one request at a time.

use crate::client::socket::{Packet, Socket, is_ok, start_of};
use anyhow::{bail, ensure};
use std::collections::VecDeque;
use uuid::Uuid;

/// How many operations a request has. A request of many operations that are slow would be refused.
const OPERATIONS: usize = 500;
/// The same at a hub.
const OPERATIONS_AT_HUB: usize = 100;
/// How many requests are in flight. The server decides one while it reads the next.
const IN_FLIGHT: usize = 4;
/// How many children a node of the tree has.
const CHILDREN: usize = 10;

/// Sends operations in large requests, in order.
#[derive(Debug)]
pub struct Writer {
    socket: Socket,
    operations: Vec<String>,
    operations_max: usize,
    in_flight: VecDeque<u64>,
}

impl Writer {
    /// Writes as the user of a connection.
    pub fn new(socket: Socket) -> Writer {
        Writer { socket, operations: Vec::new(), operations_max: OPERATIONS, in_flight: VecDeque::new() }
    }

    /// Adds a node, linked to its target if there is one, and returns its id. `fields` is JSON that begins with a
    /// comma, or nothing.
    pub async fn node(&mut self, target: Option<&str>, fields: &str) -> anyhow::Result<String> {
        let id = Uuid::new_v4().to_string();
        let target = target.map(|id| format!(r#","target":"{id}""#)).unwrap_or_default();
        self.operation(format!(r#"{{"event":"node:add","id":"{id}"{target}{fields}}}"#)).await?;
        Ok(id)
    }

    /// Adds a secondary link.
    pub async fn link(&mut self, source: &str, target: &str) -> anyhow::Result<()> {
        let link = format!(r#"{{"event":"link:add","source":"{source}","target":"{target}","type":1}}"#);
        self.operation(link).await
    }

    /// Adds any operation, `{"event":…}`.
    pub async fn operation(&mut self, operation: String) -> anyhow::Result<()> {
        self.operations.push(operation);
        if self.operations.len() < self.operations_max {
            return Ok(());
        }
        self.send().await
    }

    /// Waits until everything is acknowledged, and returns the connection.
    pub async fn finish(mut self) -> anyhow::Result<Socket> {
        if !self.operations.is_empty() {
            self.send().await?;
        }
        while !self.in_flight.is_empty() {
            self.answer().await?;
        }
        Ok(self.socket)
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let payload = format!(r#"{{"operations":[{}]}}"#, self.operations.join(","));
        self.operations.clear();
        self.in_flight.push_back(self.socket.send_request("graph:apply", &payload).await?);
        if self.in_flight.len() == IN_FLIGHT { self.answer().await } else { Ok(()) }
    }

    async fn answer(&mut self) -> anyhow::Result<()> {
        let Some(number) = self.in_flight.pop_front() else { return Ok(()) };
        loop {
            if let Packet::Ack(answered, text) = self.socket.next().await? {
                ensure!(answered == number, "request {number} was to be answered, not {answered}");
                ensure!(is_ok(&text), "graph:apply was refused: {}", start_of(&text));
                return Ok(());
            }
        }
    }
}

/// A tree of so many nodes, each with ten children, and a secondary link from each node to a random earlier one: nearly
/// two links a node. Returns the ids; the first is that of the root.
pub async fn tree(writer: &mut Writer, count: usize) -> anyhow::Result<Vec<String>> {
    let mut nodes: Vec<String> = Vec::with_capacity(count);
    let mut random = Random(1);
    for number in 0..count {
        let parent = number.checked_sub(1).map(|before| before / CHILDREN);
        let target = parent.and_then(|parent| nodes.get(parent));
        let fields =
            format!(r#","title":"Task {number}","description":"The work of task {number}.","x":{number}"#);
        let id = writer.node(target.map(String::as_str), &fields).await?;
        let other = random.below(number.max(1));
        if Some(other) != parent
            && let Some(other) = nodes.get(other)
        {
            writer.link(&id, other).await?;
        }
        nodes.push(id);
    }
    Ok(nodes)
}

/// A node with so many children. Returns the hub and one of the children.
pub async fn hub(writer: &mut Writer, children: usize) -> anyhow::Result<(String, String)> {
    writer.operations_max = OPERATIONS_AT_HUB;
    let hub = writer.node(None, r#","title":"Hub""#).await?;
    let mut leaf = None;
    for number in 0..children {
        leaf = Some(writer.node(Some(&hub), &format!(r#","title":"Leaf {number}""#)).await?);
    }
    let Some(leaf) = leaf else { bail!("a hub without children") };
    Ok((hub, leaf))
}

/// A chain of completed tasks. Returns the one that all others depend on.
pub async fn chain(writer: &mut Writer, length: usize) -> anyhow::Result<String> {
    let mut last = writer.node(None, r#","title":"Goal","status":3"#).await?;
    for number in 1..length {
        last = writer.node(Some(&last), &format!(r#","title":"Step {number}","status":3"#)).await?;
    }
    Ok(last)
}

/// Numbers that look random and are the same in every run (splitmix64).
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
