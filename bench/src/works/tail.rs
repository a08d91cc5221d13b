//! `tail`: the worst latencies at half of what the subject can do, for as long as background work takes.

use super::mutate::{Mutation, connect_all};
use crate::load::{Span, closed, open};
use crate::measurement::Measurement;
use crate::subject::Subject;

/// How many clients there are.
const CLIENTS: usize = 50;

/// Finds the rate that a closed loop reaches, and measures at half of it.
pub async fn measure(subject: &Subject, span: Span) -> anyhow::Result<Measurement> {
    let mut running = subject.start(CLIENTS)?;
    let clients = connect_all(&running, CLIENTS, Mutation::Add).await?;
    let most = closed(clients, Span::seconds(3.0), &running).await?;
    let half = most.values.get("acks_per_s").copied().unwrap_or_default() / 2.0;
    let outcome = open(most.clients, half, span, &running).await?;
    running.process.stop()?;
    let mut values = outcome.values;
    values.insert("offered_per_s".to_owned(), half);
    values.insert(
        "p999_over_p50".to_owned(),
        outcome.latencies.quantile_us(0.999) / outcome.latencies.quantile_us(0.5),
    );
    Ok(Measurement::new("tail", "half load", &subject.label, values))
}
