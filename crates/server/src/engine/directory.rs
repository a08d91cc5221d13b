//! Users by their tokens. Every request looks here first, without waiting for the engine.

use super::protocol::Caller;
use graph::batch::{Batch, Subject};
use graph::model::{TokenHash, User};
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
    identities: RwLock<HashMap<TokenHash, Result<Identity, TokenRefusal>>>,
    people: RwLock<HashMap<UserId, Arc<User>>>,
    used: Mutex<HashMap<TokenId, Timestamp>>,
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
        let people = world.users().map(|slot| (slot.user.id, Arc::clone(&slot.user)));
        *self.people.write().unwrap_or_else(PoisonError::into_inner) = people.collect();
    }

    /// Follows a committed batch.
    pub(super) fn follow(&self, world: &World, batch: &Batch) {
        for entry in &batch.entries {
            match &entry.subject {
                Subject::Token(change) => {
                    for token in [&change.before, &change.after].into_iter().flatten() {
                        self.refresh(world, token.hash);
                    }
                }
                Subject::User(change) => {
                    let user = change.latest().and_then(|user| world.user(user.id));
                    if let Some(slot) = user {
                        let mut people = self.people.write().unwrap_or_else(PoisonError::into_inner);
                        people.insert(slot.user.id, Arc::clone(&slot.user));
                    }
                    for hash in user.into_iter().flat_map(|slot| &slot.tokens) {
                        self.refresh(world, *hash);
                    }
                }
                _ => {}
            }
        }
    }

    fn refresh(&self, world: &World, hash: TokenHash) {
        let mut identities = self.identities.write().unwrap_or_else(PoisonError::into_inner);
        match identity(world, &hash) {
            Err(TokenRefusal::Unknown) => identities.remove(&hash),
            known => identities.insert(hash, known),
        };
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

fn identity(world: &World, hash: &TokenHash) -> Result<Identity, TokenRefusal> {
    let (user, token) = tokens::in_force(world, hash)?;
    let caller = Caller { user: user.id, token: token.id, hash: token.hash };
    Ok(Identity { caller, user: Arc::clone(user) })
}
