//! PocketBase, from PyPI, with collections and API rules as close as it has them.

use super::{User, command, root};
use anyhow::{Context as _, ensure};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The path of the records of tasks.
pub const RECORDS: &str = "/api/collections/nodes/records";
/// The task that everyone sees.
pub const ROOT: &str = "root00000000000";

/// The command that serves a data directory.
pub fn serve(data: &Path, address: SocketAddr) -> Command {
    let mut command = pocketbase(data);
    command
        .arg("serve")
        .arg("--http")
        .arg(address.to_string())
        .args(["--automigrate=false", "--hooksPool=1"]);
    command
}

/// Fills an empty data directory with users, and with tasks of the first user.
pub fn prepare(data: &Path, users: usize, records: usize) -> anyhow::Result<Vec<User>> {
    let file = data.join("users.json");
    let mut command = pocketbase(data);
    command.args(["migrate", "up"]);
    command.env("BENCH_USERS", users.to_string()).env("BENCH_RECORDS", records.to_string());
    command.env("BENCH_USERS_FILE", &file);
    let output = command.output().context("cannot run pocketbase; `make bench-peers` installs it")?;
    ensure!(output.status.success(), "migrate failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&fs::read(file)?)?)
}

fn pocketbase(data: &Path) -> Command {
    let mut command = command(&binary());
    command.arg("--dir").arg(data.join("pb_data"));
    command.arg("--migrationsDir").arg(root().join("bench/peers/pocketbase/migrations"));
    command
}

/// Where pip has put the binary.
pub fn binary() -> PathBuf {
    root().join("bench/peers/pocketbase/.venv/bin/pocketbase")
}
