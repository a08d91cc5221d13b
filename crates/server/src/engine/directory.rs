//! People and their tokens. Every request looks here first, without waiting for the engine.

use super::clock;
use super::protocol::Caller;
use graph::batch::{Batch, Change, Subject};
use graph::model::{Key, KeyHash, KeyPurpose, Token, TokenHash, TokenKind, TokenScope, User};
use graph::ops::is_in_force;
use graph::tokens::{self, TokenRefusal};
use graph::{Timestamp, TokenId, UserId, World};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The owner of a token.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The user and the token, by id.
    pub caller: Caller,
    /// The user for whom the token's holder acts.
    pub user: Arc<User>,
}

/// A token, and when it was last used.
#[derive(Clone, Debug)]
pub struct KnownToken {
    /// The token.
    pub token: Arc<Token>,
    /// When it was last used, in milliseconds; `None` for never.
    pub last_used: Option<Timestamp>,
}

/// Every token with its owner, or with the reason why it is refused; every account and key; and when each token was
/// last used.
pub(super) struct Directory {
    tokens: RwLock<Tokens>,
    people: RwLock<People>,
    uses: Mutex<HashMap<TokenId, Use>>,
    /// How long a session lives after it was last used, in milliseconds.
    session_ms: i64,
}

#[derive(Default)]
struct Tokens {
    by_hash: HashMap<TokenHash, Entry>,
    by_user: HashMap<UserId, BTreeSet<TokenHash>>,
}

/// A token and its owner.
#[derive(Debug)]
struct Entry {
    token: Arc<Token>,
    known: Known,
}

/// The owner of a token, or why it is refused.
type Known = Result<Identity, TokenRefusal>;

#[derive(Default)]
struct People {
    by_id: HashMap<UserId, Arc<User>>,
    /// By email in lower case.
    by_email: HashMap<String, UserId>,
    /// By issuer and subject.
    by_identity: HashMap<(String, String), UserId>,
    keys: HashMap<KeyHash, Arc<Key>>,
}

/// When a token was last used.
struct Use {
    at: Timestamp,
    /// Whether it is yet to be stored.
    is_new: bool,
}

/// What a batch changes in the directory.
#[derive(Debug, Default)]
pub(super) struct DirectoryChange {
    /// The tokens concerned; `None` for one that is gone.
    tokens: Vec<(TokenHash, Option<Entry>)>,
    /// Tokens that are gone: their uses are forgotten.
    ended: Vec<TokenId>,
    people: Vec<Change<Arc<User>>>,
    keys: Vec<(KeyHash, Option<Arc<Key>>)>,
}

impl DirectoryChange {
    /// What a batch changes that was applied last to the World.
    pub(super) fn by(world: &World, batch: &Batch) -> Self {
        let mut change = DirectoryChange::default();
        for entry in &batch.entries {
            match &entry.subject {
                Subject::Token(Change { before, after }) => {
                    let hashes = [before, after].into_iter().flatten().map(|token| token.hash);
                    change.tokens.extend(hashes.map(|hash| (hash, known(world, &hash))));
                    if let (Some(token), None) = (before, after) {
                        change.ended.push(token.id);
                    }
                }
                Subject::User(user) => {
                    // Nobody is shown a guest.
                    if user.latest().is_none_or(|user| user.is_guest()) {
                        continue;
                    }
                    change.people.push(user.clone());
                    let slot = user.latest().and_then(|user| world.user(user.id));
                    if let Some(slot) = slot {
                        change.tokens.extend(slot.tokens.iter().map(|hash| (*hash, known(world, hash))));
                    }
                }
                Subject::Key(Change { before, after }) => {
                    let hashes = [before, after].into_iter().flatten().map(|key| key.hash);
                    change.keys.extend(hashes.map(|hash| (hash, world.key(&hash).cloned())));
                }
                _ => {}
            }
        }
        change
    }
}

impl Directory {
    pub(super) fn of(world: &World, used: HashMap<TokenId, Timestamp>, session_ms: i64) -> Self {
        let (tokens, people) = Default::default();
        let uses = used.into_iter().map(|(token, at)| (token, Use { at, is_new: false })).collect();
        let directory = Directory { tokens, people, uses: Mutex::new(uses), session_ms };
        directory.replace(world);
        directory
    }

    fn tokens(&self) -> RwLockReadGuard<'_, Tokens> {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn people(&self) -> RwLockReadGuard<'_, People> {
        self.people.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn people_mut(&self) -> RwLockWriteGuard<'_, People> {
        self.people.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces everything by what a reloaded World has.
    pub(super) fn replace(&self, world: &World) {
        let mut tokens = Tokens::default();
        for token in world.tokens() {
            tokens.put(token.hash, known(world, &token.hash));
        }
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens;
        let mut people = People::default();
        for slot in world.users().filter(|slot| !slot.user.is_guest()) {
            people.list(&slot.user);
        }
        people.keys = world.keys().map(|key| (key.hash, Arc::clone(key))).collect();
        *self.people_mut() = people;
    }

    /// Follows a committed batch.
    pub(super) fn follow(&self, DirectoryChange { tokens, ended, people, keys }: DirectoryChange) {
        // People first: whoever is let in by a new token is there.
        if !people.is_empty() || !keys.is_empty() {
            let mut all = self.people_mut();
            people.iter().for_each(|change| all.change(change));
            for (hash, key) in keys {
                match key {
                    Some(key) => all.keys.insert(hash, key),
                    None => all.keys.remove(&hash),
                };
            }
        }
        if !tokens.is_empty() {
            let mut all = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
            tokens.into_iter().for_each(|(hash, token)| all.put(hash, token));
        }
        if !ended.is_empty() {
            let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
            for token in &ended {
                uses.remove(token);
            }
        }
    }

    /// Whether the token that a caller presented is in force, with the secret that they presented.
    pub(super) fn holds(&self, caller: Caller) -> bool {
        let tokens = self.tokens();
        let Some(Entry { token, known: Ok(it) }) = tokens.by_hash.get(&caller.hash) else { return false };
        it.caller == caller && (token.expires.is_none() || !token.is_over(clock::now()))
    }

    /// When the token that a caller presented ends by itself; `None` for never.
    pub(super) fn expires(&self, caller: Caller) -> Option<Timestamp> {
        self.tokens().by_hash.get(&caller.hash)?.token.expires
    }

    pub(super) fn authenticate(&self, hash: &TokenHash, now: Timestamp) -> Result<Identity, TokenRefusal> {
        let (identity, created) = {
            let tokens = self.tokens();
            let entry = tokens.by_hash.get(hash).filter(|entry| !entry.token.is_over(now));
            let Entry { token, known } = entry.ok_or(TokenRefusal::Unknown)?;
            (known.clone()?, token.created)
        };
        let caller = identity.caller;
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let last = uses.entry(caller.token).or_insert(Use { at: created, is_new: false });
        if caller.kind == TokenKind::Session && self.is_idle(last.at, now) {
            return Err(TokenRefusal::Unknown);
        }
        *last = Use { at: now, is_new: true };
        Ok(identity)
    }

    /// Whether a session that was last used then has ended by now.
    fn is_idle(&self, last_used: Timestamp, now: Timestamp) -> bool {
        now.ms().saturating_sub(last_used.ms()) >= self.session_ms
    }

    /// The sessions that have ended because they were not used, as far as it is known here.
    pub(super) fn idle_sessions(&self, now: Timestamp) -> Vec<TokenId> {
        let tokens = self.tokens();
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions = tokens.by_hash.values().map(|entry| &entry.token).filter(|token| token.is_session());
        let last_used = |token: &Token| uses.get(&token.id).map_or(token.created, |last| last.at);
        sessions.filter(|token| self.is_idle(last_used(token), now)).map(|token| token.id).collect()
    }

    /// Notes that tokens are in use.
    pub(super) fn note_used(&self, used: impl IntoIterator<Item = TokenId>, now: Timestamp) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.extend(used.into_iter().map(|token| (token, Use { at: now, is_new: true })));
    }

    /// Learns when tokens were last used according to the storage: at other servers, too.
    pub(super) fn learn_used(&self, stored: HashMap<TokenId, Timestamp>) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        for (token, at) in stored {
            let last = uses.entry(token).or_insert(Use { at, is_new: false });
            last.at = last.at.max(at);
        }
    }

    /// The uses noted since the last call.
    pub(super) fn take_used(&self) -> Vec<(TokenId, Timestamp)> {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let new = uses
            .iter_mut()
            .filter_map(|(token, last)| std::mem::take(&mut last.is_new).then_some((*token, last.at)));
        new.collect()
    }

    /// A user's sessions that have not ended by now, the oldest first.
    pub(super) fn sessions_of(&self, user: UserId, now: Timestamp) -> Vec<KnownToken> {
        let mut sessions = self.tokens_of(user);
        sessions.retain(|KnownToken { token, last_used }| {
            let idle = self.is_idle(last_used.unwrap_or(token.created), now);
            token.is_session() && !token.is_over(now) && !idle
        });
        sessions
    }

    /// A user's tokens, sessions included, the oldest first.
    pub(super) fn tokens_of(&self, user: UserId) -> Vec<KnownToken> {
        let mut found: Vec<KnownToken> = {
            let tokens = self.tokens();
            let hashes = tokens.by_user.get(&user).into_iter().flatten();
            let found = hashes.filter_map(|hash| tokens.by_hash.get(hash));
            found.map(|entry| KnownToken { token: Arc::clone(&entry.token), last_used: None }).collect()
        };
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        for known in &mut found {
            known.last_used = uses.get(&known.token.id).map(|last| last.at);
        }
        found.sort_unstable_by_key(|known| (known.token.created, known.token.id));
        found
    }

    /// The accounts of these users, as far as they exist.
    pub(super) fn users(&self, ids: &HashSet<UserId>) -> HashMap<UserId, Arc<User>> {
        let people = self.people();
        ids.iter().filter_map(|id| Some((*id, Arc::clone(people.by_id.get(id)?)))).collect()
    }

    /// Every account that was not removed, in order of creation. Guests are none.
    pub(super) fn everyone(&self) -> Vec<Arc<User>> {
        let mut users: Vec<_> =
            self.people().by_id.values().filter(|user| user.has_email()).cloned().collect();
        users.sort_unstable_by(|a, b| (a.created, &a.username).cmp(&(b.created, &b.username)));
        users
    }

    pub(super) fn user(&self, id: UserId) -> Option<Arc<User>> {
        self.people().by_id.get(&id).cloned()
    }

    pub(super) fn user_by_email(&self, email: &str) -> Option<Arc<User>> {
        let people = self.people();
        people.by_id.get(people.by_email.get(&email.to_lowercase())?).cloned()
    }

    pub(super) fn user_by_identity(&self, issuer: &str, subject: &str) -> Option<Arc<User>> {
        let people = self.people();
        let id = people.by_identity.get(&(issuer.to_owned(), subject.to_owned()))?;
        people.by_id.get(id).cloned()
    }

    /// A key that still works.
    pub(super) fn key(&self, hash: &KeyHash, now: Timestamp) -> Option<Arc<Key>> {
        self.people().keys.get(hash).filter(|key| is_in_force(key, now)).cloned()
    }

    /// The invitations that still work, the oldest first.
    pub(super) fn invitations(&self, now: Timestamp) -> Vec<Arc<Key>> {
        let people = self.people();
        let invites = people.keys.values().filter(|key| matches!(key.purpose, KeyPurpose::Invite { .. }));
        let mut found: Vec<_> = invites.filter(|key| is_in_force(key, now)).cloned().collect();
        found.sort_unstable_by_key(|key| (key.created, key.id));
        found
    }

    /// The keys of a user that still work, the oldest first.
    pub(super) fn keys_of(&self, user: UserId, now: Timestamp) -> Vec<Arc<Key>> {
        let people = self.people();
        let theirs = people.keys.values().filter(|key| key.purpose.user() == Some(user));
        let mut found: Vec<_> = theirs.filter(|key| is_in_force(key, now)).cloned().collect();
        found.sort_unstable_by_key(|key| (key.created, key.id));
        found
    }
}

impl Tokens {
    fn put(&mut self, hash: TokenHash, entry: Option<Entry>) {
        match entry {
            Some(entry) => {
                self.by_user.entry(entry.token.user).or_default().insert(hash);
                self.by_hash.insert(hash, entry);
            }
            None => {
                let Some(Entry { token, .. }) = self.by_hash.remove(&hash) else { return };
                if let Some(theirs) = self.by_user.get_mut(&token.user) {
                    theirs.remove(&hash);
                    if theirs.is_empty() {
                        self.by_user.remove(&token.user);
                    }
                }
            }
        }
    }
}

impl People {
    fn change(&mut self, Change { before, after }: &Change<Arc<User>>) {
        if let Some(user) = before {
            if user.has_email() {
                self.by_email.remove(&user.email.to_lowercase());
            }
            for identity in &user.identities {
                self.by_identity.remove(&(identity.issuer.clone(), identity.subject.clone()));
            }
            self.by_id.remove(&user.id);
        }
        if let Some(user) = after {
            self.list(user);
        }
    }

    fn list(&mut self, user: &Arc<User>) {
        if user.has_email() {
            self.by_email.insert(user.email.to_lowercase(), user.id);
        }
        for identity in &user.identities {
            self.by_identity.insert((identity.issuer.clone(), identity.subject.clone()), user.id);
        }
        self.by_id.insert(user.id, Arc::clone(user));
    }
}

/// A token and its owner; `None` if there is no such token.
fn known(world: &World, hash: &TokenHash) -> Option<Entry> {
    let token = Arc::clone(world.token(hash)?);
    Some(Entry { token, known: identity(world, hash) })
}

fn identity(world: &World, hash: &TokenHash) -> Result<Identity, TokenRefusal> {
    let (user, token) = tokens::in_force(world, hash)?;
    let caller = Caller {
        user: user.id,
        account: token.user,
        token: token.id,
        hash: token.hash,
        kind: token.kind,
        reads_only: token.scope == TokenScope::Read,
    };
    Ok(Identity { caller, user: Arc::clone(user) })
}
