//! npm socket.io, with the same rules on better-sqlite3, or bare.

use super::{User, command, root};
use anyhow::{Context as _, ensure};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// The command that serves a data directory.
pub fn serve(data: &Path, address: SocketAddr, bare: bool) -> Command {
    let mut command = server();
    command.arg(if bare { "bare" } else { "serve" }).arg(data).arg(address.port().to_string());
    command
}

/// Fills an empty data directory with users.
pub fn prepare(data: &Path, users: usize) -> anyhow::Result<Vec<User>> {
    let output =
        server().arg("add-users").arg(data).arg(users.to_string()).output().context("cannot run node")?;
    ensure!(
        output.status.success(),
        "add-users failed; `make bench-peers` installs what it needs: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn server() -> Command {
    let mut command = command(Path::new("node"));
    command.arg(root().join("bench/peers/node/server.mjs"));
    command
}
