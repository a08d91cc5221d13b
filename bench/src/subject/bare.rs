//! The limit: the same Socket.IO stack on the same web framework, with an echo and a room and nothing behind them.

use super::{User, command};
use anyhow::Context as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

/// The command that serves.
pub fn serve(address: SocketAddr) -> anyhow::Result<Command> {
    let mut command = command(&binary()?);
    command.arg("serve").arg("--listen").arg(address.to_string());
    Ok(command)
}

/// Users, who need no registration. The first one edits; the others are in the room.
pub fn users(count: usize) -> Vec<User> {
    let user = |n| User { token: format!("user-{n}"), ..User::default() };
    (0..count).map(user).collect()
}

/// The peer's binary, which Cargo builds beside the harness.
pub fn binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.ancestors().skip(1).take(2).map(|directory| directory.join("bench-bare"));
    beside.into_iter().find(|path| path.exists()).context("bench-bare is not built")
}
