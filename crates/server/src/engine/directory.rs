//! Users by their tokens. Every request looks here first, without waiting for the engine.

use super::protocol::Caller;
use graph::batch::{Batch, Subject};
use graph::model::{TokenHash, TokenScope, User};
use graph::tokens::{self, TokenRefusal};
use graph::{Timestamp, TokenId, UserId, World};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The owner of a token.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The user and the token, by id.
    pub caller: Caller,
    /// The account.
    pub user: Arc<User>,
}

/// Every token with its owner, or with the reason why it is refused; every account; and when each token was last
/// used.
pub(super) struct Directory {
    identities: RwLock<HashMap<TokenHash, Known>>,
    people: RwLock<HashMap<UserId, Arc<User>>>,
    used: Mutex<HashMap<TokenId, Timestamp>>,
}

/// The owner of a token, or why it is refused.
type Known = Result<Identity, TokenRefusal>;

/// What a batch changes in the directory.
#[derive(Debug, Default)]
pub(super) struct DirectoryChange {
    /// The tokens concerned; `None` for one that is gone.
    identities: Vec<(TokenHash, Option<Known>)>,
    people: Vec<Arc<User>>,
}

impl DirectoryChange {
    /// What a batch changes that was applied last to the World.
    pub(super) fn by(world: &World, batch: &Batch) -> Self {
        let mut change = DirectoryChange::default();
        for entry in &batch.entries {
            match &entry.subject {
                Subject::Token(token) => {
                    let hashes = [&token.before, &token.after].into_iter().flatten().map(|token| token.hash);
                    change.identities.extend(hashes.map(|hash| (hash, known(world, &hash))));
                }
                Subject::User(user) => {
                    // Nobody is shown a guest.
                    let person = user.latest().filter(|user| !user.is_guest());
                    if let Some(slot) = person.and_then(|user| world.user(user.id)) {
                        change.people.push(Arc::clone(&slot.user));
                        change.identities.extend(slot.tokens.iter().map(|hash| (*hash, known(world, hash))));
                    }
                }
                _ => {}
            }
        }
        change
    }
}

impl Directory {
    pub(super) fn of(world: &World) -> Self {
        let directory =
            Directory { identities: RwLock::default(), people: RwLock::default(), used: Mutex::default() };
        directory.replace(world);
        directory
    }

    /// Replaces the tokens by those of a reloaded World.
    pub(super) fn replace(&self, world: &World) {
        let identities = world.tokens().map(|token| (token.hash, identity(world, &token.hash)));
        *self.identities.write().unwrap_or_else(PoisonError::into_inner) = identities.collect();
        let people = world
            .users()
            .filter(|slot| !slot.user.is_guest())
            .map(|slot| (slot.user.id, Arc::clone(&slot.user)));
        *self.people.write().unwrap_or_else(PoisonError::into_inner) = people.collect();
    }

    /// Follows a committed batch.
    pub(super) fn follow(&self, DirectoryChange { identities, people }: DirectoryChange) {
        if !identities.is_empty() {
            let mut all = self.identities.write().unwrap_or_else(PoisonError::into_inner);
            for (hash, known) in identities {
                match known {
                    Some(known) => all.insert(hash, known),
                    None => all.remove(&hash),
                };
            }
        }
        if !people.is_empty() {
            let mut all = self.people.write().unwrap_or_else(PoisonError::into_inner);
            all.extend(people.into_iter().map(|user| (user.id, user)));
        }
    }

    /// Whether the token that a caller presented is in force, with the secret that they presented.
    pub(super) fn holds(&self, caller: Caller) -> bool {
        let identities = self.identities.read().unwrap_or_else(PoisonError::into_inner);
        identities.get(&caller.hash).is_some_and(|known| known.as_ref().is_ok_and(|it| it.caller == caller))
    }

    pub(super) fn authenticate(&self, hash: &TokenHash, now: Timestamp) -> Result<Identity, TokenRefusal> {
        let known = self.identities.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned();
        let identity = known.unwrap_or(Err(TokenRefusal::Unknown))?;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.insert(identity.caller.token, now);
        Ok(identity)
    }

    /// The accounts of these users, as far as they exist.
    pub(super) fn people(&self, ids: &HashSet<UserId>) -> HashMap<UserId, Arc<User>> {
        let people = self.people.read().unwrap_or_else(PoisonError::into_inner);
        ids.iter().filter_map(|id| Some((*id, Arc::clone(people.get(id)?)))).collect()
    }

    /// The uses noted since the last call.
    pub(super) fn take_used(&self) -> Vec<(TokenId, Timestamp)> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }
}

/// The owner of a token; `None` if there is no such token.
fn known(world: &World, hash: &TokenHash) -> Option<Known> {
    match identity(world, hash) {
        Err(TokenRefusal::Unknown) => None,
        known => Some(known),
    }
}

fn identity(world: &World, hash: &TokenHash) -> Result<Identity, TokenRefusal> {
    let (user, token) = tokens::in_force(world, hash)?;
    let caller = Caller {
        user: token.scope.guest().unwrap_or(user.id),
        person: user.id,
        reads_only: token.scope == TokenScope::Read,
        token: token.id,
        hash: token.hash,
    };
    Ok(Identity { caller, user: Arc::clone(user) })
}
