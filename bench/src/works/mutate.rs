//! `mutate`: durable mutations by users who each have a graph of their own.

use crate::client::http::{Http, parse};
use crate::client::socket::Socket;
use crate::load::{Outcome, Requester, Span, closed, open};
use crate::measurement::Measurement;
use crate::subject::pocketbase::RECORDS;
use crate::subject::{Kind, Running, Subject, User};
use anyhow::{Context as _, ensure};
use http::Method;

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
    line: Line,
    mutation: Mutation,
    /// The task that is updated.
    node: String,
    number: u64,
}

/// How a user reaches a subject.
#[derive(Debug)]
enum Line {
    Socket(Box<Socket>),
    /// PocketBase's records.
    Records {
        http: Http,
        user: User,
    },
}

impl Mutator {
    /// Connects the user with a number.
    pub async fn connect(running: &Running, user: usize, mutation: Mutation) -> anyhow::Result<Mutator> {
        let user = running.user(user)?;
        let mut mutator =
            Mutator { line: Line::connect(running, user).await?, mutation, node: String::new(), number: 0 };
        if mutation == Mutation::Update && !running.subject.kind.is_bare() {
            mutator.node = mutator.line.add("Task").await?;
        }
        Ok(mutator)
    }

    /// How many tasks the user has.
    async fn count(&mut self) -> anyhow::Result<u64> {
        match &mut self.line {
            Line::Socket(socket) => count_nodes(socket).await,
            Line::Records { http, user } => {
                let path = format!("{RECORDS}?perPage=1&filter=owner%3D%22{}%22", user.id);
                let page = parse(&http.json(Method::GET, &path, &user.token, "").await?)?;
                page["totalItems"].as_u64().context("a list without totalItems")
            }
        }
    }
}

impl Line {
    async fn connect(running: &Running, user: &User) -> anyhow::Result<Line> {
        Ok(match running.subject.kind {
            Kind::Pocketbase => {
                Line::Records { http: Http::connect(running.address).await?, user: user.clone() }
            }
            _ => Line::Socket(Box::new(Socket::connect(running.address, &user.token).await?)),
        })
    }

    /// Adds a task and returns its id.
    async fn add(&mut self, title: &str) -> anyhow::Result<String> {
        match self {
            Line::Socket(socket) => add_node(socket, title).await,
            Line::Records { http, user } => {
                let record = format!(r#"{{"owner":"{}","title":"{title}"}}"#, user.id);
                let record = parse(&http.json(Method::POST, RECORDS, &user.token, &record).await?)?;
                Ok(record["id"].as_str().context("a record without an id")?.to_owned())
            }
        }
    }
}

impl Requester for Mutator {
    async fn request(&mut self) -> anyhow::Result<()> {
        self.number += 1;
        let (node, number, event) = (&self.node, self.number, self.mutation.event());
        match (&mut self.line, self.mutation) {
            (Line::Socket(socket), Mutation::Add) => {
                socket.request(event, &format!(r#"{{"title":"Task {number}"}}"#)).await.map(drop)
            }
            (Line::Socket(socket), Mutation::Update) => socket
                .request(event, &format!(r#"{{"id":"{node}","title":"Task {number}"}}"#))
                .await
                .map(drop),
            (line @ Line::Records { .. }, Mutation::Add) => {
                line.add(&format!("Task {number}")).await.map(drop)
            }
            (Line::Records { http, user }, Mutation::Update) => {
                let path = format!("{RECORDS}/{node}");
                let change = format!(r#"{{"title":"Task {number}"}}"#);
                http.json(Method::PATCH, &path, &user.token, &change).await.map(drop)
            }
        }
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
    if !running.subject.kind.is_bare() {
        for mutator in outcome.clients {
            // In PocketBase the first user has the root.
            let is_first =
                matches!(&mutator.line, Line::Records { user, .. } if user.id == running.users[0].id);
            verify(mutator, u64::from(is_first)).await?;
        }
    }
    running.process.stop()?;
    Ok(Measurement::new("mutate", case, &running.subject.label, outcome.values))
}

/// A user has as many tasks as were acknowledged.
async fn verify(mut mutator: Mutator, at_first: u64) -> anyhow::Result<()> {
    let expected = at_first + if mutator.mutation == Mutation::Add { mutator.number } else { 1 };
    let count = mutator.count().await?;
    ensure!(count == expected, "{expected} tasks were acknowledged, and there are {count}");
    Ok(())
}

async fn count_nodes(socket: &mut Socket) -> anyhow::Result<u64> {
    let mut nodes = 0;
    loop {
        let page = socket.request_json("graph:get", &format!(r#"{{"limit":5000,"offset":{nodes}}}"#)).await?;
        nodes += page["nodes"].as_array().map_or(0, Vec::len) as u64;
        if page["hasMore"] != true {
            return Ok(nodes);
        }
    }
}
