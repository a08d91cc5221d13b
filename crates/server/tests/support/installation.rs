//! The data of an installation, and other processes that change it.

use super::{email, now};
use graph::model::{Plan, TokenHash};
use graph::ops::{TokenCreate, UserAdd};
use graph::{Batch, Operation, Timestamp, TokenId, UserId, decide};
use store::{Abandon, LoadScope, Log, LogError, Proposal, SqliteLog};
use synaptask::engine::RandomIds;
use tempfile::TempDir;
use uuid::Uuid;

/// The data of one installation, on disk.
pub struct Installation {
    directory: TempDir,
}

impl Installation {
    pub fn new() -> Self {
        Installation { directory: tempfile::tempdir().unwrap() }
    }

    pub fn log(&self) -> SqliteLog {
        SqliteLog::open(self.directory.path().join("synaptask.db")).unwrap()
    }

    /// The names of the existing files.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// What another process on the same data does: the command line without an actor, a second server with one.
    pub fn does(&self, actor: Option<UserId>, operation: &Operation) -> Batch {
        commit(self.log(), actor, operation)
    }

    /// The same, if it is allowed.
    pub fn tries(&self, actor: Option<UserId>, operation: &Operation) -> Option<Batch> {
        try_commit_at(self.log(), actor, operation, now())
    }

    /// The same under a clock that may be wrong.
    pub fn does_at(&self, actor: Option<UserId>, operation: &Operation, at: Timestamp) -> Batch {
        commit_at(self.log(), actor, operation, at)
    }

    /// Adds an account.
    pub fn add_user(&self, name: &str, plan: Plan) -> UserId {
        let add = Operation::UserAdd(UserAdd::new(email(name), name.to_owned(), plan));
        self.does(None, &add);
        self.log().load(LoadScope::Accounts).unwrap().user_by_username(name).unwrap().user.id
    }

    /// Creates an API token. Here the hash stands for the secret too.
    pub fn add_token(&self, user: UserId) -> (TokenId, TokenHash) {
        let mut hash = [0; 32];
        hash[..16].copy_from_slice(Uuid::new_v4().as_bytes());
        self.does(
            None,
            &Operation::TokenCreate(TokenCreate::new(TokenId(Uuid::new_v4()), user, "test".into(), hash)),
        );
        (self.log().load(LoadScope::Accounts).unwrap().token(&hash).unwrap().id, hash)
    }

    /// Gives a token a new secret.
    pub fn rotate(&self, id: TokenId) -> TokenHash {
        let mut hash = [1; 32];
        hash[..16].copy_from_slice(Uuid::new_v4().as_bytes());
        self.does(None, &Operation::TokenRotate { id, hash });
        hash
    }

    pub fn revoke(&self, token: TokenId) {
        self.does(None, &Operation::TokenRevoke { ids: vec![token] });
    }
}

/// Decides and commits without an engine.
pub fn commit(log: SqliteLog, actor: Option<UserId>, operation: &Operation) -> Batch {
    commit_at(log, actor, operation, now())
}

/// Decides and commits without an engine, under a clock that may be wrong.
pub fn commit_at(log: SqliteLog, actor: Option<UserId>, operation: &Operation, at: Timestamp) -> Batch {
    try_commit_at(log, actor, operation, at).expect("it is allowed")
}

fn try_commit_at(
    mut log: SqliteLog,
    actor: Option<UserId>,
    operation: &Operation,
    at: Timestamp,
) -> Option<Batch> {
    let mut world = log.load(LoadScope::Everything).unwrap();
    world.set_clock(at);
    let mut done = None;
    let committed = log.transact(world.rev(), &mut |news, _| {
        for committed in news {
            world.apply(&committed.batch);
        }
        let batch =
            decide(&world, actor, operation, RandomIds::batch(), &mut RandomIds).map_err(|_| Abandon)?;
        done = Some(batch.clone());
        Ok(vec![Proposal { batch: batch.into(), fingerprint: None }])
    });
    match committed {
        Err(LogError::Abandoned) => None,
        committed => committed.map(|_| done.unwrap()).map(Some).unwrap(),
    }
}
