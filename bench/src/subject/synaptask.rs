//! This project's server, as its users run it: the release binary, with rate limits off.

use super::{User, command, root};
use anyhow::{Context as _, ensure};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The binary that `SYNAPTASK_BIN` names, otherwise the release build.
pub fn default_binary() -> PathBuf {
    std::env::var_os("SYNAPTASK_BIN").map_or_else(|| root().join("target/release/synaptask"), PathBuf::from)
}

/// The command that serves a data directory. Rate limits are off, because a generator stands for many users at one
/// address. Everything else has its default, above all the bounds of the outboxes.
pub fn serve(binary: &Path, data: &Path, address: SocketAddr) -> Command {
    let mut command = command(binary);
    command.arg("serve").arg("--data").arg(data).arg("--listen").arg(address.to_string());
    command.env("SYNAPTASK_LIMITS", "off").env("SYNAPTASK_LOG", "warn");
    command
}

/// Adds a user by the command line.
pub fn add_user(binary: &Path, data: &Path, name: &str) -> anyhow::Result<User> {
    let email = format!("{name}@example.com");
    let mut command = command(binary);
    command.arg("--data").arg(data).args(["user", "add", "--email", &email, "--username", name, "--json"]);
    let output = command.output().with_context(|| format!("cannot run {}", binary.display()))?;
    ensure!(output.status.success(), "user add failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Verifies the data with `synaptask check`.
pub fn check(binary: &Path, data: &Path) -> anyhow::Result<()> {
    let output = command(binary).arg("--data").arg(data).arg("check").output()?;
    ensure!(output.status.success(), "the data is damaged: {}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}
