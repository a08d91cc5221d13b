//! Accounts and tokens for the command line. They are changed in the log itself, even while a server runs on it.

use crate::auth::Secret;
use crate::engine::{RandomIds, clock};
use crate::operations::AskedScope;
use graph::batch::Subject;
use graph::model::{Key, Plan, Token, User};
use graph::ops::{AccountOperation, Belongings, TokenCreate, UserAdd, UserSet};
use graph::{Batch, Operation, Reason, Refusal, Timestamp, TokenId, UserId, World, decide};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use store::{Abandon, LoadScope, Log, LogError, Proposal};
use thiserror::Error;
use uuid::Uuid;

/// The time in which a running server takes up changes made beside it.
pub(super) const NEWS: Duration = Duration::from_millis(200);

/// Why a command failed.
#[derive(Debug, Error)]
pub enum AccountError {
    #[error("{}", .0.message())]
    Refused(Refusal),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the system's random number generator failed: {0}")]
    Randomness(#[from] getrandom::Error),
}

impl AccountError {
    /// The error's name, as in answers of the server.
    pub fn name(&self) -> String {
        match self {
            AccountError::Refused(refusal) => {
                format!("{}.{}", refusal.reason.class().name(), refusal.reason.code())
            }
            AccountError::Log(_) | AccountError::Randomness(_) => "internal.storage".to_owned(),
        }
    }
}

impl From<Reason> for AccountError {
    fn from(reason: Reason) -> Self {
        AccountError::Refused(reason.into())
    }
}

/// The accounts in a log.
pub struct Accounts<'l> {
    log: &'l mut dyn Log,
    scope: LoadScope,
    world: World,
}

/// An account that was removed.
pub struct Removal {
    /// The name that stands for it from now on.
    pub name: String,
    /// What was deleted with it.
    pub went: Belongings,
}

/// A token of a user, and when it was last used.
pub struct Listed {
    pub token: Arc<Token>,
    pub last_used: Option<Timestamp>,
}

impl<'l> Accounts<'l> {
    /// Loads the accounts.
    ///
    /// # Errors
    /// [`AccountError::Log`].
    pub fn open(log: &'l mut dyn Log) -> Result<Self, AccountError> {
        Accounts::open_with(log, LoadScope::Accounts)
    }

    /// Reads the accounts, and with [`LoadScope::Everything`] also what is theirs: a removal, and a change of plan, need it.
    ///
    /// # Errors
    /// [`AccountError::Log`].
    pub fn open_with(log: &'l mut dyn Log, scope: LoadScope) -> Result<Self, AccountError> {
        let world = log.load(scope)?;
        Ok(Accounts { log, scope, world })
    }

    /// All users, in order of creation.
    pub fn users(&self) -> Vec<Arc<User>> {
        let there = self.people().into_values().filter(|user| !user.is_removed());
        let mut users: Vec<_> = there.collect();
        users.sort_by(|a, b| (a.created, &a.username).cmp(&(b.created, &b.username)));
        users
    }

    /// Everyone there ever was: the removed ones, too, with the names that stand for them.
    pub fn people(&self) -> HashMap<UserId, Arc<User>> {
        let people = self.world.users().filter(|slot| !slot.user.is_guest());
        people.map(|slot| (slot.user.id, Arc::clone(&slot.user))).collect()
    }

    /// The user with that email.
    ///
    /// # Errors
    /// `user_not_found`.
    pub fn user(&self, email: &str) -> Result<Arc<User>, AccountError> {
        let found = self.world.user_by_email(email).map(|slot| Arc::clone(&slot.user));
        found.ok_or_else(|| Reason::UserNotFound.into())
    }

    /// The user with that email, or the removed one with that name.
    ///
    /// # Errors
    /// `user_not_found`.
    pub fn user_or_removed(&self, name: &str) -> Result<Arc<User>, AccountError> {
        let removed = self.world.user_by_username(name).filter(|slot| slot.user.is_removed());
        removed.map_or_else(|| self.user(name), |slot| Ok(Arc::clone(&slot.user)))
    }

    /// Adds an account.
    ///
    /// # Errors
    /// The refusals of the domain, and [`AccountError::Log`].
    pub fn add_user(&mut self, email: &str, username: &str, plan: Plan) -> Result<Arc<User>, AccountError> {
        self.add(UserAdd::new(email.to_owned(), username.to_owned(), plan))
    }

    /// Adds an account, with what else it begins with.
    ///
    /// # Errors
    /// The refusals of the domain, and [`AccountError::Log`].
    pub fn add(&mut self, new: UserAdd) -> Result<Arc<User>, AccountError> {
        let email = new.email.clone();
        self.commit(&Operation::UserAdd(new))?;
        self.user(&email)
    }

    /// Creates a token for a user and returns it with its secret, which is not stored.
    ///
    /// # Errors
    /// `invalid_token_name`, `invalid_expires`, `api_not_allowed` on a plan without tokens, those of the node of a
    /// branch token, and [`AccountError::Log`].
    pub fn create_token(
        &mut self,
        user: &User,
        name: &str,
        expires: Option<Timestamp>,
        scope: AskedScope,
    ) -> Result<(Listed, Secret), AccountError> {
        if matches!(scope, AskedScope::Branch { .. }) {
            self.load_everything()?;
        }
        let secret = Secret::random()?;
        let (id, hash) = (TokenId(Uuid::new_v4()), secret.hash());
        let (user, name, scope) = (user.id, name.to_owned(), scope.with_guest(&mut RandomIds));
        self.commit(&Operation::TokenCreate(TokenCreate { id, user, name, hash, expires, scope }))?;
        let token = self.world.token(&hash).cloned().ok_or(Reason::TokenNotFound)?;
        Ok((Listed { token, last_used: None }, secret))
    }

    /// Loads what else there is than accounts: the guests of branch tokens have grants and links.
    fn load_everything(&mut self) -> Result<(), AccountError> {
        if self.scope != LoadScope::Everything {
            self.world = self.log.load(LoadScope::Everything)?;
            self.scope = LoadScope::Everything;
        }
        Ok(())
    }

    /// A user's tokens, the oldest first.
    ///
    /// # Errors
    /// [`AccountError::Log`].
    pub fn tokens(&mut self, user: &User) -> Result<Vec<Listed>, AccountError> {
        let used: HashMap<TokenId, Timestamp> = self.log.tokens_last_used()?;
        let mut tokens: Vec<Listed> = self
            .tokens_of(user)
            .into_iter()
            .map(|token| Listed { last_used: used.get(&token.id).copied(), token })
            .collect();
        tokens.sort_by_key(|listed| (listed.token.created, listed.token.id));
        Ok(tokens)
    }

    /// Revokes one of a user's tokens, or all of them, and returns the ids.
    ///
    /// # Errors
    /// `token_not_found`, and [`AccountError::Log`].
    pub fn revoke(&mut self, user: &User, only: Option<TokenId>) -> Result<Vec<TokenId>, AccountError> {
        let theirs = self.tokens_of(user);
        let ids: Vec<TokenId> =
            theirs.iter().map(|token| token.id).filter(|id| only.is_none_or(|only| only == *id)).collect();
        if only.is_some() && ids.is_empty() {
            return Err(Reason::TokenNotFound.into());
        }
        if theirs.iter().any(|token| token.scope.guest().is_some() && ids.contains(&token.id)) {
            self.load_everything()?;
        }
        if !ids.is_empty() {
            self.commit(&Operation::TokenRevoke { ids: ids.clone() })?;
        }
        Ok(ids)
    }

    /// Gives one of a user's tokens a new secret and returns it. The old secret is no longer valid.
    ///
    /// # Errors
    /// `token_not_found`, and [`AccountError::Log`].
    pub fn rotate(&mut self, user: &User, id: TokenId) -> Result<(Listed, Secret), AccountError> {
        let theirs = self.tokens(user)?.into_iter().find(|listed| listed.token.id == id);
        let listed = theirs.ok_or(Reason::TokenNotFound)?;
        let secret = Secret::random()?;
        self.commit(&Operation::TokenRotate { id, hash: secret.hash() })?;
        Ok((listed, secret))
    }

    /// Issues a one-time key.
    ///
    /// # Errors
    /// What the domain refuses, and [`AccountError::Log`].
    pub fn issue(&mut self, key: Key) -> Result<(), AccountError> {
        self.commit(&Operation::Account(Box::new(AccountOperation::KeyIssue(key))))?;
        Ok(())
    }

    /// Changes an account. A change of plan takes accounts opened with everything.
    ///
    /// # Errors
    /// What the domain refuses, and [`AccountError::Log`].
    pub fn set(&mut self, changes: UserSet) -> Result<Arc<User>, AccountError> {
        let user = changes.user;
        self.commit(&Operation::UserSet(changes))?;
        self.by_id(user)
    }

    /// Disables an account or enables it again.
    ///
    /// # Errors
    /// `user_not_found`, and [`AccountError::Log`].
    pub fn set_disabled(&mut self, user: &User, disabled: bool) -> Result<Arc<User>, AccountError> {
        let user = user.id;
        self.commit(&if disabled {
            Operation::UserDisable { user }
        } else {
            Operation::UserEnable { user }
        })?;
        self.by_id(user)
    }

    /// Opens an account again whose owner has closed it.
    ///
    /// # Errors
    /// `user_not_found`, `not_closing`, and [`AccountError::Log`].
    pub fn reopen(&mut self, user: &User) -> Result<Arc<User>, AccountError> {
        let user = user.id;
        self.commit(&Operation::Account(Box::new(AccountOperation::Reopen { user })))?;
        self.by_id(user)
    }

    /// What would go with an account. It takes accounts opened with everything.
    pub fn belongings(&self, user: &User) -> Belongings {
        Belongings::of(&self.world, user.id)
    }

    /// Removes an account for good. It takes accounts opened with everything.
    ///
    /// # Errors
    /// `user_not_found`, and [`AccountError::Log`].
    pub fn remove(&mut self, user: &User) -> Result<Removal, AccountError> {
        let batch = self.commit(&Operation::UserRemove { user: user.id })?;
        Ok(Removal { name: self.by_id(user.id)?.username.clone(), went: Belongings::deleted_by(&batch) })
    }

    fn by_id(&self, user: UserId) -> Result<Arc<User>, AccountError> {
        let found = self.world.user(user).map(|slot| Arc::clone(&slot.user));
        found.ok_or_else(|| Reason::UserNotFound.into())
    }

    /// Those that have not expired. Sessions are not among them.
    fn tokens_of(&self, user: &User) -> Vec<Arc<Token>> {
        let now = clock::now();
        let tokens = self.world.tokens().filter(|token| token.user == user.id && !token.is_session());
        tokens.filter(|token| !token.is_over(now)).cloned().collect()
    }

    /// Decides an operation on the accounts as they are in the transaction, and appends it.
    fn commit(&mut self, operation: &Operation) -> Result<Batch, AccountError> {
        let (world, scope) = (&mut self.world, self.scope);
        let (mut refused, mut decided) = (None, None);
        let done = self.log.transact(world.rev(), &mut |news, _| {
            for committed in news {
                match scope {
                    LoadScope::Everything => world.apply(&committed.batch),
                    LoadScope::Accounts => world.apply(&accounts_only(&committed.batch)),
                }
            }
            world.set_clock(clock::now());
            match decide(world, None, operation, RandomIds::batch(), &mut RandomIds) {
                Ok(batch) => {
                    // What changes nothing is not written.
                    let proposed = (!batch.entries.is_empty()).then(|| batch.clone());
                    decided = Some(batch);
                    Ok(proposed
                        .into_iter()
                        .map(|batch| Proposal { batch: batch.into(), fingerprint: None })
                        .collect())
                }
                Err(refusal) => {
                    refused = Some(refusal);
                    Err(Abandon)
                }
            }
        });
        if let Some(refusal) = refused {
            return Err(AccountError::Refused(refusal));
        }
        done?;
        let batch = decided.ok_or(LogError::Abandoned)?;
        if !batch.entries.is_empty() {
            world.apply(&batch);
        }
        Ok(batch)
    }
}

/// The batch, reduced to what a World with only accounts can apply.
fn accounts_only(batch: &Batch) -> Batch {
    let concerns =
        |subject: &Subject| matches!(subject, Subject::User(_) | Subject::Token(_) | Subject::Key(_));
    let entries = batch.entries.iter().filter(|entry| concerns(&entry.subject)).cloned().collect();
    Batch { entries, ..batch.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::data_directory::make_log;

    #[test]
    fn t9_a_tokens_name_is_short_and_shows_as_it_is() {
        let (most, over) = ("ї".repeat(80), "ї".repeat(81));
        let cases = [
            ("", true),
            ("phone", true),
            ("Olha's phone, the blue one", true),
            (most.as_str(), true),
            (over.as_str(), false),
            ("two\nlines", false),
            ("tab\there", false),
            ("\u{1b}[2Jgone", false),
            ("\u{7f}", false),
            ("\u{9b}2J", false),
        ];
        let data = tempfile::tempdir().unwrap();
        let mut log = make_log(data.path()).unwrap();
        let mut accounts = Accounts::open(&mut log).unwrap();
        let user = accounts.add_user("olha@example.com", "olha", Plan::Pro).unwrap();
        for (name, allowed) in cases {
            match accounts.create_token(&user, name, None, AskedScope::All) {
                Ok(_) => assert!(allowed, "{name:?}"),
                Err(error) => {
                    assert!(!allowed, "{name:?}: {error}");
                    assert_eq!(error.name(), "bad_request.invalid_token_name");
                }
            }
        }
        assert_eq!(accounts.tokens(&user).unwrap().len(), 4);
    }
}
