//! Mutations of uninvolved users at a low fixed rate, while something else goes on.

use super::mutate::{Mutation, Mutator};
use crate::load::{Outcome, Span, open};
use crate::measurement::Values;
use crate::subject::Running;
use std::ops::Range;

/// How many mutations begin per second.
const PER_S: f64 = 200.0;

/// Measures the latency that the given users, who each have one task, see during a span.
pub async fn probe(running: &Running, users: Range<usize>, span: Span) -> anyhow::Result<Values> {
    let clients = connect(running, users).await?;
    Ok(mutations(running, clients, span).await?.values)
}

/// Connects users, each with one task.
pub async fn connect(running: &Running, users: Range<usize>) -> anyhow::Result<Vec<Mutator>> {
    let mut clients = Vec::new();
    for user in users {
        clients.push(Mutator::connect(running, user, Mutation::Update).await?);
    }
    Ok(clients)
}

/// Mutations by clients that are connected.
pub async fn mutations(
    running: &Running,
    clients: Vec<Mutator>,
    span: Span,
) -> anyhow::Result<Outcome<Mutator>> {
    open(clients, PER_S, span, running).await
}
