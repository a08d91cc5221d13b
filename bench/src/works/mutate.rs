//! `mutate`: durable mutations by users who each have a graph of their own.

use crate::client::socket::Socket;
use crate::load::{Outcome, Requester, Span, closed, open};
use crate::measurement::Measurement;
use crate::subject::{Kind, Running, Subject};
use anyhow::ensure;

/// Which mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mutation {
    /// A new task.
    Add,
    /// A new title of a task that the user has.
    Update,
}

impl Mutation {
    /// The event that makes it.
    pub fn event(self) -> &'static str {
        match self {
            Mutation::Add => "node:add",
            Mutation::Update => "node:update",
        }
    }
}

/// A user who makes one mutation after another.
#[derive(Debug)]
pub struct Mutator {
    socket: Socket,
    mutation: Mutation,
    /// The task that is updated.
    node: String,
    number: u64,
}

impl Mutator {
    /// Connects the user with a number.
    pub async fn connect(running: &Running, user: usize, mutation: Mutation) -> anyhow::Result<Mutator> {
        let mut socket = Socket::connect(running.address, &running.user(user)?.token).await?;
        let mut node = String::new();
        if mutation == Mutation::Update && running.subject.kind != Kind::Bare {
            node = add_node(&mut socket, "Task").await?;
        }
        Ok(Mutator { socket, mutation, node, number: 0 })
    }
}

impl Requester for Mutator {
    async fn request(&mut self) -> anyhow::Result<()> {
        self.number += 1;
        let payload = match self.mutation {
            Mutation::Add => format!(r#"{{"title":"Task {}"}}"#, self.number),
            Mutation::Update => format!(r#"{{"id":"{}","title":"Task {}"}}"#, self.node, self.number),
        };
        self.socket.request(self.mutation.event(), &payload).await.map(drop)
    }
}

/// node:add; returns the id of the new node.
pub async fn add_node(socket: &mut Socket, title: &str) -> anyhow::Result<String> {
    let id = uuid::Uuid::new_v4().to_string();
    socket.request("node:add", &format!(r#"{{"id":"{id}","title":"{title}"}}"#)).await?;
    Ok(id)
}

/// Measures so many clients in a closed loop.
pub async fn measure(
    subject: &Subject,
    mutation: Mutation,
    clients: usize,
    span: Span,
) -> anyhow::Result<Measurement> {
    let running = subject.start(clients)?;
    let mutators = connect_all(&running, clients, mutation).await?;
    let outcome = closed(mutators, span, &running).await?;
    let case = format!("{} {clients}", mutation.event());
    finish(running, outcome, case).await
}

/// Measures a fixed rate.
pub async fn measure_rate(
    subject: &Subject,
    clients: usize,
    per_second: f64,
    span: Span,
) -> anyhow::Result<Measurement> {
    let running = subject.start(clients)?;
    let mutators = connect_all(&running, clients, Mutation::Add).await?;
    let mut outcome = open(mutators, per_second, span, &running).await?;
    outcome.values.insert("offered_per_s".to_owned(), per_second);
    finish(running, outcome, format!("node:add at {per_second:.0}/s")).await
}

/// Connects the first users.
pub async fn connect_all(
    running: &Running,
    clients: usize,
    mutation: Mutation,
) -> anyhow::Result<Vec<Mutator>> {
    let mut mutators = Vec::with_capacity(clients);
    for user in 0..clients {
        mutators.push(Mutator::connect(running, user, mutation).await?);
    }
    Ok(mutators)
}

/// Counts that every user has exactly what was acknowledged, stops the subject, and makes a measurement.
async fn finish(
    mut running: Running,
    outcome: Outcome<Mutator>,
    case: String,
) -> anyhow::Result<Measurement> {
    if matches!(running.subject.kind, Kind::Synaptask(_)) {
        for mutator in outcome.clients {
            verify(mutator).await?;
        }
    }
    running.process.stop()?;
    Ok(Measurement::new("mutate", case, &running.subject.label, outcome.values))
}

/// A user has as many nodes as were acknowledged.
async fn verify(mut mutator: Mutator) -> anyhow::Result<()> {
    let expected = if mutator.mutation == Mutation::Add { mutator.number } else { 1 };
    let mut nodes = 0;
    loop {
        let page = mutator
            .socket
            .request_json("graph:get", &format!(r#"{{"limit":5000,"offset":{nodes}}}"#))
            .await?;
        nodes += page["nodes"].as_array().map_or(0, Vec::len) as u64;
        if page["hasMore"] != true {
            break;
        }
    }
    ensure!(nodes == expected, "{expected} tasks were acknowledged, and there are {nodes}");
    Ok(())
}
