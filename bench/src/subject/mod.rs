//! What is measured: SynapTask and its peers, each started by the harness on a data directory of its own.

pub mod bare;
pub mod node;
pub mod pocketbase;
pub mod synaptask;
pub mod template;

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
    /// npm socket.io and better-sqlite3 with the same rules.
    Node,
    /// npm socket.io without anything behind it.
    NodeBare,
    /// PocketBase.
    Pocketbase,
}

/// A user of a subject.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct User {
    /// Their id, where a subject needs it.
    #[serde(default)]
    pub id: String,
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

    /// A copy that is removed with the handle.
    pub fn copied(from: &Path) -> anyhow::Result<Data> {
        let data = Data::temporary()?;
        template::copy(from, data.path())?;
        Ok(data)
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
        bytes_in(self.path())
    }
}

fn bytes_in(directory: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_in(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

impl Subject {
    /// `[LABEL:]KIND[=BINARY]`, such as `synaptask`, `old:synaptask=/tmp/old` or `bare`.
    pub fn parse(text: &str) -> anyhow::Result<Subject> {
        let (kind, binary) = text.split_once('=').map_or((text, None), |(kind, path)| (kind, Some(path)));
        let (label, kind) = kind.split_once(':').unwrap_or((kind, kind));
        let kind = match kind {
            "synaptask" => Kind::Synaptask(binary.map_or_else(synaptask::default_binary, PathBuf::from)),
            "bare" => Kind::Bare,
            "node" => Kind::Node,
            "node-bare" => Kind::NodeBare,
            "pocketbase" => Kind::Pocketbase,
            _ => bail!("{kind:?} is none of synaptask, bare, node, node-bare and pocketbase"),
        };
        Ok(Subject { label: label.to_owned(), kind })
    }

    /// Starts it with at least so many users and nothing else.
    pub fn start(&self, users: usize) -> anyhow::Result<Running> {
        let data = Data::temporary()?;
        let users = match &self.kind {
            Kind::Synaptask(binary) => template::users(binary, users, data.path())?,
            Kind::Bare | Kind::NodeBare => bare::users(users),
            Kind::Node => node::prepare(data.path(), users)?,
            Kind::Pocketbase => pocketbase::prepare(data.path(), users, 0)?,
        };
        self.start_on(data, users)
    }

    /// Starts it on data that exists.
    pub fn start_on(&self, data: Data, users: Vec<User>) -> anyhow::Result<Running> {
        let address = free_address()?;
        let command = match &self.kind {
            Kind::Synaptask(binary) => synaptask::serve(binary, data.path(), address),
            Kind::Bare => bare::serve(address)?,
            Kind::Node => node::serve(data.path(), address, false),
            Kind::NodeBare => node::serve(data.path(), address, true),
            Kind::Pocketbase => pocketbase::serve(data.path(), address),
        };
        let mut process = Process::start(command, &data.path().join("log"))?;
        let start = process.accepts(address, START)?;
        Ok(Running { process, address, users, start, subject: self.clone(), data })
    }
}

impl Subject {
    /// The binary of this project's server.
    ///
    /// # Errors
    /// If the subject is a peer, on which the work is not measured.
    pub fn synaptask(&self) -> anyhow::Result<&Path> {
        let Kind::Synaptask(binary) = &self.kind else { bail!("{} does not do this work", self.label) };
        Ok(binary)
    }
}

impl Kind {
    /// Whether it is without rules, and without anything stored.
    pub fn is_bare(&self) -> bool {
        matches!(self, Kind::Bare | Kind::NodeBare)
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
