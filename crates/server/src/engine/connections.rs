//! Who is connected, and what each connection is sent.

use super::message::{Caller, ConnectionId, Line, Published};
use graph::batch::{Batch, Subject};
use graph::view::Load;
use graph::{Diff, TokenId, UserId, World};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

/// A live connection.
pub(super) struct Connection {
    caller: Caller,
    line: Box<dyn Line>,
    /// A load under way, and until when its list is kept.
    pub(super) load: Option<(Load, Instant)>,
}

/// Every live connection, by user.
#[derive(Default)]
pub(super) struct Connections {
    by_id: HashMap<ConnectionId, Connection>,
    by_user: HashMap<UserId, BTreeSet<ConnectionId>>,
    users: HashSet<UserId>,
}

impl Connections {
    pub(super) fn add(&mut self, world: &World, id: ConnectionId, caller: Caller, line: Box<dyn Line>) {
        if !holds(world, caller) {
            // Revoked between the handshake and here.
            line.close();
            return;
        }
        self.by_id.insert(id, Connection { caller, line, load: None });
        self.by_user.entry(caller.user).or_default().insert(id);
        self.users.insert(caller.user);
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        let Some(connection) = self.by_id.remove(&id) else { return };
        let user = connection.caller.user;
        if let Some(ids) = self.by_user.get_mut(&user) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_user.remove(&user);
                self.users.remove(&user);
            }
        }
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.by_id.get_mut(&id)
    }

    /// Everyone connected.
    pub(super) fn users(&self) -> &HashSet<UserId> {
        &self.users
    }

    /// Everyone connected, and one more.
    pub(super) fn users_and(&self, user: Option<UserId>) -> HashSet<UserId> {
        let mut users = self.users.clone();
        users.extend(user);
        users
    }

    /// Sends the parts of a diff to every connection of its user but one.
    pub(super) fn tell(&self, user: UserId, parts: &[Arc<Diff>], besides: Option<ConnectionId>) {
        for id in self.by_user.get(&user).into_iter().flatten().filter(|id| Some(**id) != besides) {
            self.send(*id, parts);
        }
    }

    /// Sends parts of a diff on one connection.
    pub(super) fn send(&self, id: ConnectionId, parts: &[Arc<Diff>]) {
        if let Some(connection) = self.by_id.get(&id) {
            for part in parts {
                connection.line.diff(Arc::clone(part));
            }
        }
    }

    /// Tells users that a node has become public, on every connection but one.
    pub(super) fn announce(
        &self,
        users: &[UserId],
        published: &Arc<Published>,
        besides: Option<ConnectionId>,
    ) {
        let ids = users.iter().filter_map(|user| self.by_user.get(user)).flatten();
        for connection in ids.filter(|id| Some(**id) != besides).filter_map(|id| self.by_id.get(id)) {
            connection.line.published(Arc::clone(published));
        }
    }

    /// Ends the connections whose token a committed batch revoked.
    pub(super) fn follow(&mut self, batch: &Batch) {
        let revoked: HashSet<TokenId> = batch
            .entries
            .iter()
            .filter_map(|entry| match &entry.subject {
                Subject::Token(change) if change.after.is_none() => change.before.as_ref(),
                _ => None,
            })
            .map(|token| token.id)
            .collect();
        if !revoked.is_empty() {
            self.close_where(|caller| revoked.contains(&caller.token));
        }
    }

    /// Ends every connection: they reconnect and load anew.
    pub(super) fn close_all(&mut self) {
        self.close_where(|_| true);
    }

    fn close_where(&mut self, ends: impl Fn(Caller) -> bool) {
        let ended: Vec<ConnectionId> =
            self.by_id.iter().filter(|(_, c)| ends(c.caller)).map(|(id, _)| *id).collect();
        for id in ended {
            if let Some(connection) = self.by_id.get(&id) {
                connection.line.close();
            }
            self.remove(id);
        }
    }

    /// Lets go of the lists of loads that were not continued in time.
    pub(super) fn drop_stale_loads(&mut self, now: Instant) {
        for connection in self.by_id.values_mut() {
            connection.load.take_if(|(_, until)| *until < now);
        }
    }
}

fn holds(world: &World, caller: Caller) -> bool {
    world.user(caller.user).is_some_and(|slot| {
        slot.tokens.iter().filter_map(|hash| world.token(hash)).any(|token| token.id == caller.token)
    })
}

/// What is told of a batch once it is on disk, in order of users.
pub(super) type Telling = BTreeMap<UserId, Vec<Arc<Diff>>>;
