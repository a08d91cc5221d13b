//! What is measured: SynapTask and its peers, each started by the harness on a data directory of its own.

pub mod bare;
pub mod synaptask;
mod template;

use crate::process::{Process, free_address};
use anyhow::{Context as _, bail};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// How long a subject may take to start. Loading a million nodes takes a while.
const START: Duration = Duration::from_secs(300);

/// A subject that can be started.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its name in the measurements.
    pub label: String,
    /// What it is.
    pub kind: Kind,
}

/// What a subject is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// This project's server: the path of a binary.
    Synaptask(PathBuf),
    /// The Socket.IO stack of this project without anything behind it.
    Bare,
}

/// A user of a subject.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct User {
    /// The address by which others share tasks with them.
    pub email: String,
    /// Their API token.
    pub token: String,
}

/// A subject that runs. It is killed, and its data removed, when the handle is dropped.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its users.
    pub users: Vec<User>,
    /// The time from its start until it accepted connections.
    pub start: Duration,
    /// What it is.
    pub subject: Subject,
    /// Its data directory.
    pub data: Data,
}

/// A data directory.
#[derive(Debug)]
pub enum Data {
    /// Removed with the handle.
    Temporary(TempDir),
    /// Kept.
    Kept(PathBuf),
}

impl Data {
    /// A new empty directory.
    pub fn temporary() -> anyhow::Result<Data> {
        Ok(Data::Temporary(tempfile::Builder::new().prefix("data-").tempdir_in(scratch()?)?))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        match self {
            Data::Temporary(directory) => directory.path(),
            Data::Kept(path) => path,
        }
    }

    /// The bytes of all files in it.
    pub fn bytes(&self) -> anyhow::Result<u64> {
        let files = fs::read_dir(self.path())?.map(|entry| Ok(entry?.metadata()?.len()));
        files.sum()
    }
}

impl Subject {
    /// `[LABEL:]KIND[=BINARY]`, such as `synaptask`, `old:synaptask=/tmp/old` or `bare`.
    pub fn parse(text: &str) -> anyhow::Result<Subject> {
        let (kind, binary) = text.split_once('=').map_or((text, None), |(kind, path)| (kind, Some(path)));
        let (label, kind) = kind.split_once(':').unwrap_or((kind, kind));
        let kind = match kind {
            "synaptask" => Kind::Synaptask(binary.map_or_else(synaptask::default_binary, PathBuf::from)),
            "bare" => Kind::Bare,
            _ => bail!("there is no subject {kind:?}; there are synaptask and bare"),
        };
        Ok(Subject { label: label.to_owned(), kind })
    }

    /// Starts it with so many users and nothing else.
    pub fn start(&self, users: usize) -> anyhow::Result<Running> {
        let data = Data::temporary()?;
        let users = match &self.kind {
            Kind::Synaptask(binary) => template::users(binary, users, data.path())?,
            Kind::Bare => bare::users(users),
        };
        self.start_on(data, users)
    }

    /// Starts it on data that exists.
    pub fn start_on(&self, data: Data, users: Vec<User>) -> anyhow::Result<Running> {
        let address = free_address()?;
        let command = match &self.kind {
            Kind::Synaptask(binary) => synaptask::serve(binary, data.path(), address),
            Kind::Bare => bare::serve(address)?,
        };
        let mut process = Process::start(command, &data.path().join("log"))?;
        let start = process.accepts(address, START)?;
        Ok(Running { process, address, users, start, subject: self.clone(), data })
    }
}

impl Running {
    /// The user with a number, counted from 0.
    pub fn user(&self, number: usize) -> anyhow::Result<&User> {
        self.users.get(number).with_context(|| format!("there is no user {number}"))
    }
}

/// The directory of everything that a run leaves: data directories while they are in use, templates, raw results. It
/// is inside `target`, because the system's directory for temporary files may be in memory, where nothing is durable.
pub fn scratch() -> anyhow::Result<PathBuf> {
    let path = root().join("target/bench");
    fs::create_dir_all(&path)?;
    Ok(path)
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A command without the variables of SynapTask, which refuses those that it does not know.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SYNAPTASK_") {
            command.env_remove(name);
        }
    }
    command
}
