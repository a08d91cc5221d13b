//! `idle`: what a connection costs that does nothing.

use crate::client::socket::Socket;
use crate::measurement::{Measurement, Values};
use crate::subject::Subject;
use std::time::Duration;

/// How many connect at the same time.
const SIDE_BY_SIDE: usize = 50;

/// Measures so many connections, each of a user of their own.
pub async fn measure(subject: &Subject, connections: usize) -> anyhow::Result<Measurement> {
    let mut running = subject.start(connections)?;
    // What is needed once is not counted.
    let first = Socket::connect(running.address, &running.user(0)?.token).await?;
    let before = running.process.resident_bytes()?;
    let mut sockets = vec![first];
    for some in running.users[1..connections].chunks(SIDE_BY_SIDE) {
        let connecting = some.iter().map(|user| Socket::connect(running.address, &user.token));
        sockets.extend(futures_util::future::try_join_all(connecting).await?);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = running.process.resident_bytes()?;
    let values = Values::from([
        ("resident_bytes".to_owned(), after as f64),
        ("bytes_per_connection".to_owned(), (after as f64 - before as f64) / (connections - 1) as f64),
    ]);
    drop(sockets);
    running.process.stop()?;
    Ok(Measurement::new("idle", format!("{connections} connections"), &subject.label, values))
}
