//! The limits of this machine. `serve` is the Socket.IO stack of SynapTask without anything behind it: an echo with
//! ack, a room, and bytes that are ready-made. `commits` is the rate at which SQLite commits with fsync.

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use clap::Parser;
use rusqlite::Connection;
use serde_json::value::RawValue;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The room of everyone who is told of edits.
const ROOM: &str = "viewers";
/// A diff is filled up to about the size of SynapTask's for the same edit.
const PADDING_BYTES: usize = 480;

#[derive(Parser)]
enum Command {
    /// Serves an echo (`node:add`), a room (`node:update`) and ready-made bytes (`GET /ready-made`).
    Serve {
        #[arg(long)]
        listen: SocketAddr,
        /// The file with the ready-made bytes.
        #[arg(long)]
        ready_made: Option<PathBuf>,
    },
    /// Commits rows of SQLite in WAL mode with synchronous=FULL, and prints how many per second.
    Commits {
        /// The file, which must not exist.
        #[arg(long)]
        file: PathBuf,
        /// How many rows each commit has.
        #[arg(long, default_value_t = 1)]
        group: u32,
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
    },
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Serve { listen, ready_made } => {
            let bytes = ready_made.map(std::fs::read).transpose()?.unwrap_or_default();
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(serve(listen, Bytes::from(bytes)))
        }
        Command::Commits { file, group, seconds } => {
            let rate = commits(&file, group, Duration::from_secs_f64(seconds))?;
            writeln!(std::io::stdout(), "{rate:.1}").context("cannot print")
        }
    }
}

async fn serve(listen: SocketAddr, ready_made: Bytes) -> anyhow::Result<()> {
    let (layer, io) = SocketIo::new_layer();
    let rev = Arc::new(AtomicU64::new(0));
    io.ns("/", async move |socket: SocketRef| {
        let token = socket.req_parts().headers.get("authorization").and_then(|value| value.to_str().ok());
        if token != Some("Bearer user-0") {
            socket.join(ROOM);
        }
        socket.on("node:add", async |Data::<Box<RawValue>>(sent), ack: AckSender| {
            // A client that no longer listens is gone.
            let _ = ack.send(&serde_json::json!({"ok": true, "echo": sent}));
        });
        socket.on(
            "node:update",
            async move |socket: SocketRef, Data::<Box<RawValue>>(sent), ack: AckSender| {
                let rev = rev.fetch_add(1, Ordering::Relaxed);
                let diff =
                    serde_json::json!({"rev": rev, "edit": sent, "padding": "x".repeat(PADDING_BYTES)});
                let _ = socket.to(ROOM).emit("graph:diff", &diff).await;
                let _ = ack.send(&serde_json::json!({"ok": true, "rev": rev}));
            },
        );
        let _ = socket.emit("connected", &serde_json::json!({"ok": true}));
    });
    let route = get(async move || ([("content-type", "application/json")], ready_made.clone()));
    let app = Router::new().route("/ready-made", route).layer(layer);
    let listener = tokio::net::TcpListener::bind(listen).await?.tap_io(|stream| {
        // The server under test sets it too.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, app).await?)
}

/// Rows per second. A row is of the size of a small batch.
fn commits(file: &PathBuf, group: u32, time: Duration) -> anyhow::Result<f64> {
    let mut connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute("CREATE TABLE line (rev INTEGER PRIMARY KEY, batch BLOB NOT NULL)", [])?;
    let batch = vec![7_u8; 400];
    let (began, mut rows) = (Instant::now(), 0_u64);
    while began.elapsed() < time {
        let transaction = connection.transaction()?;
        for _ in 0..group {
            transaction.prepare_cached("INSERT INTO line (batch) VALUES (?1)")?.execute([&batch])?;
            rows += 1;
        }
        transaction.commit()?;
    }
    Ok(rows as f64 / began.elapsed().as_secs_f64())
}
