//! Changes entities and indices: one function per entity.

use super::{Due, Graph, LinkSlot, NodeSlot, UserSlot, World};
use crate::batch::{Change, Entry, Subject};
use crate::blockers::{Blockers, is_open};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Embed, Grant, Link, Node, Token, User};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

impl Direction {
    fn of<T>(self, change: &Change<T>) -> (Option<&T>, Option<&T>) {
        match self {
            Direction::Forward => (change.before.as_ref(), change.after.as_ref()),
            Direction::Backward => (change.after.as_ref(), change.before.as_ref()),
        }
    }
}

/// The one place where entities and indices change, one function per entity. Each removes the old state and inserts
/// the new.
impl World {
    pub(super) fn put(&mut self, entry: &Entry, direction: Direction) {
        match &entry.subject {
            Subject::Node(change) => {
                self.note_gone(change.latest().map(|node| node.id.0), change, direction);
                let (was, is) = direction.of(change);
                if let Some(node) = is.filter(|_| direction == Direction::Forward) {
                    let due = |node: &Node| node.publication.as_deref().map(|publication| publication.due);
                    self.forget_expired(Due::Publication(node.id), was.and_then(|was| due(was)), due(node));
                }
                self.put_node(was, is);
            }
            Subject::Link(change) => {
                self.note_gone(change.latest().map(|link| link.id.0), change, direction);
                let (was, is) = direction.of(change);
                self.put_link(was, is);
            }
            Subject::Grant(change) => {
                let (was, is) = direction.of(change);
                if let Some(grant) = is.filter(|_| direction == Direction::Forward) {
                    let due = Due::Grant(grant.node, grant.user);
                    self.forget_expired(due, was.map(|was| was.due), Some(grant.due));
                }
                self.put_grant(was, is);
            }
            Subject::Embed(change) => {
                let (was, is) = direction.of(change);
                self.put_embed(was, is);
            }
            Subject::User(change) => {
                let (was, is) = direction.of(change);
                self.put_user(was, is);
            }
            Subject::Token(change) => {
                let (was, is) = direction.of(change);
                self.put_token(was, is);
            }
        }
    }

    /// Forgets that a grant or publication had expired, if it is made anew or gets another due time.
    fn forget_expired(&mut self, ends: Due, was: Option<Option<Timestamp>>, is: Option<Option<Timestamp>>) {
        if !self.expired.is_empty() && is.is_some() && was != is {
            self.expired.retain(|(due, _)| *due != ends);
        }
    }

    fn note_gone<T>(&mut self, id: Option<Uuid>, change: &Change<T>, direction: Direction) {
        let (Some(id), None) = (id, &change.after) else { return };
        match direction {
            Direction::Forward => self.gone.insert(id, self.rev),
            Direction::Backward => self.gone.remove(&id),
        };
    }

    pub(super) fn put_node(&mut self, was: Option<&Arc<Node>>, is: Option<&Arc<Node>>) {
        if let Some(node) = was {
            self.index_publication(node, false);
            if let Some(owner) = self.users.get_mut(&node.owner) {
                owner.trashed_nodes.remove(&node.id);
                if is.is_none() {
                    owner.owned.remove(&(node.seq, node.id));
                }
            }
        }
        match (was, is) {
            (_, Some(node)) => {
                let opened = match self.nodes.get_mut(&node.id) {
                    Some(slot) => {
                        let was_open = is_open(&slot.node);
                        slot.node = Arc::clone(node);
                        was_open != is_open(node)
                    }
                    None => {
                        self.nodes.insert(node.id, NodeSlot::new(node));
                        false
                    }
                };
                if opened {
                    self.count_opening(node.id, is_open(node));
                }
                self.next_seq = self.next_seq.max(node.seq + 1);
                self.index_publication(node, true);
                if let Some(owner) = self.users.get_mut(&node.owner) {
                    owner.owned.insert((node.seq, node.id));
                    if node.in_trash {
                        owner.trashed_nodes.insert(node.id);
                    }
                }
            }
            (Some(node), None) => {
                self.nodes.remove(&node.id);
            }
            (None, None) => {}
        }
        if let Some(node) = is.or(was) {
            self.index_shared(node.id, node.owner);
        }
    }

    /// Counts at the targets of a node that it has opened, or that it is open no more.
    fn count_opening(&mut self, id: NodeId, open: bool) {
        let Some(up) = self.nodes.get_mut(&id).map(|slot| std::mem::take(&mut slot.up)) else { return };
        for link in &up {
            let change = Blockers::of_opening(link);
            if let Some(target) = self.nodes.get_mut(&link.target) {
                target.blockers += if open { change } else { -change };
            }
        }
        if let Some(slot) = self.nodes.get_mut(&id) {
            slot.up = up;
        }
    }

    /// Whether the source of a link is open.
    fn is_source_open(&self, link: &Link) -> bool {
        self.nodes.get(&link.source).is_some_and(|slot| is_open(&slot.node))
    }

    fn index_publication(&mut self, node: &Node, present: bool) {
        let Some(publication) = node.publication.as_deref() else { return };
        let due = publication.due.map(|at| (at, Due::Publication(node.id)));
        if present {
            self.public_tokens.insert(publication.token.clone(), node.id);
            self.note_due(due);
        } else {
            self.public_tokens.remove(&publication.token);
            due.map(|due| self.dues.remove(&due));
        }
    }

    /// Adds a due time, unless it has passed: a due time passes once.
    fn note_due(&mut self, due: Option<(Timestamp, Due)>) {
        self.dues.extend(due.filter(|(at, due)| !self.is_over(*due, Some(*at))));
    }

    /// Updates `shared` by whether the node has grants or a publication.
    fn index_shared(&mut self, id: NodeId, owner: UserId) {
        let shared = self.nodes.get(&id).is_some_and(|slot| {
            slot.node.publication.is_some()
                || slot.shares.as_ref().is_some_and(|shares| !shares.grants.is_empty())
        });
        if let Some(owner) = self.users.get_mut(&owner) {
            if shared {
                owner.shared.insert(id);
            } else {
                owner.shared.remove(&id);
            }
        }
    }

    pub(super) fn put_link(&mut self, was: Option<&Arc<Link>>, is: Option<&Arc<Link>>) {
        if let Some(link) = was.filter(|link| link.in_trash) {
            self.index_trashed_link(link, false);
        }
        match (was, is) {
            (Some(was), Some(is)) if was.source == is.source && was.target == is.target => self.relist(is),
            _ => {
                if let Some(link) = was {
                    self.unlist(link.id);
                }
                if let Some(link) = is {
                    self.list(link);
                }
            }
        }
        if let Some(link) = is {
            self.next_seq = self.next_seq.max(link.seq + 1);
            if link.in_trash {
                self.index_trashed_link(link, true);
            }
        }
    }

    fn list(&mut self, link: &Arc<Link>) {
        let mut elsewhere = true;
        let counts = Blockers::of(link, self.is_source_open(link));
        if let Some(target) = self.nodes.get_mut(&link.target) {
            target.blockers += counts;
        }
        let mut place = |slot: Option<&mut NodeSlot>, list: fn(&mut NodeSlot) -> &mut Vec<Arc<Link>>| {
            let Some(slot) = slot else { return NOWHERE };
            elsewhere &= slot.node.owner != link.owner;
            add_to(list(slot), link)
        };
        let up_at = place(self.nodes.get_mut(&link.source), |slot| &mut slot.up);
        let down_at = place(self.nodes.get_mut(&link.target), |slot| &mut slot.down);
        if let Some(owner) = self.users.get_mut(&link.owner).filter(|_| elsewhere) {
            owner.links_elsewhere.insert(link.id);
        }
        self.links.replace(LinkSlot { link: Arc::clone(link), up_at, down_at });
    }

    /// Replaces an earlier state of a link in the lists.
    fn relist(&mut self, link: &Arc<Link>) {
        let Some(&LinkSlot { up_at, down_at, .. }) = self.links.get(&link.id) else { return self.list(link) };
        self.links.replace(LinkSlot { link: Arc::clone(link), up_at, down_at });
        let mut open = false;
        if let Some(source) = self.nodes.get_mut(&link.source) {
            open = is_open(&source.node);
            let listed = source.up.get_mut(up_at as usize);
            if let Some(listed) = listed.filter(|listed| listed.id == link.id) {
                listed.clone_from(link);
            }
        }
        if let Some(target) = self.nodes.get_mut(&link.target) {
            let listed = target.down.get_mut(down_at as usize);
            if let Some(listed) = listed.filter(|listed| listed.id == link.id) {
                target.blockers += -Blockers::of(listed, open);
                target.blockers += Blockers::of(link, open);
                listed.clone_from(link);
            }
        }
    }

    /// Removes a link from both lists. The last link of each list takes its position.
    fn unlist(&mut self, id: LinkId) {
        let Some(LinkSlot { link, up_at, down_at }) = self.links.take(&id) else { return };
        if let Some(owner) = self.users.get_mut(&link.owner) {
            owner.links_elsewhere.remove(&id);
        }
        let counts = Blockers::of(&link, self.is_source_open(&link));
        let source = self.nodes.get_mut(&link.source);
        let moved = source.and_then(|slot| take_from(&mut slot.up, up_at, id));
        if let Some(slot) = moved.and_then(|moved| self.links.take(&moved)) {
            self.links.insert(LinkSlot { up_at, ..slot });
        }
        let target = self.nodes.get_mut(&link.target);
        let moved = target.and_then(|slot| {
            slot.blockers += -counts;
            take_from(&mut slot.down, down_at, id)
        });
        if let Some(slot) = moved.and_then(|moved| self.links.take(&moved)) {
            self.links.insert(LinkSlot { down_at, ..slot });
        }
    }

    fn index_trashed_link(&mut self, link: &Link, present: bool) {
        let target_owner = self.node(link.target).map(|node| node.owner);
        for user in [Some(link.owner), target_owner].into_iter().flatten() {
            if let Some(slot) = self.users.get_mut(&user) {
                if present {
                    slot.trashed_links.insert(link.id);
                } else {
                    slot.trashed_links.remove(&link.id);
                }
            }
        }
    }

    pub(super) fn put_grant(&mut self, was: Option<&Arc<Grant>>, is: Option<&Arc<Grant>>) {
        if let Some(grant) = was {
            grant.due.map(|at| self.dues.remove(&(at, Due::Grant(grant.node, grant.user))));
            if let Some(giver) = self.users.get_mut(&grant.granted_by) {
                giver.given.remove(&(grant.node, grant.user));
            }
            self.note_held(grant.user, grant.node, |grantee| grantee.granted.remove(&grant.node), false);
        }
        if let Some(grant) = is {
            self.note_due(grant.due.map(|at| (at, Due::Grant(grant.node, grant.user))));
            if let Some(giver) = self.users.get_mut(&grant.granted_by) {
                giver.given.insert((grant.node, grant.user));
            }
            self.note_held(grant.user, grant.node, |grantee| grantee.granted.insert(grant.node), true);
        }
        let Some(grant) = is.or(was) else { return };
        let Some(slot) = self.nodes.get_mut(&grant.node) else { return };
        let owner = slot.node.owner;
        let shares = slot.shares.get_or_insert_default();
        match is {
            Some(grant) => shares.grants.insert(grant.user, Arc::clone(grant)),
            None => shares.grants.remove(&grant.user),
        };
        slot.drop_empty_shares();
        self.index_shared(grant.node, owner);
    }

    pub(super) fn put_embed(&mut self, was: Option<&Embed>, is: Option<&Embed>) {
        let Some(embed) = is.or(was) else { return };
        let note = |user: &mut UserSlot| match is {
            Some(_) => user.embedded.insert(embed.node),
            None => user.embedded.remove(&embed.node),
        };
        self.note_held(embed.user, embed.node, note, is.is_some());
        if let Some(slot) = self.nodes.get_mut(&embed.node) {
            let shares = slot.shares.get_or_insert_default();
            match is {
                Some(_) => shares.embeds.insert(embed.user),
                None => shares.embeds.remove(&embed.user),
            };
            slot.drop_empty_shares();
        }
    }

    /// Notes whether a user holds a share of a node, and counts it under the node's owner if `note` changed
    /// something.
    fn note_held(
        &mut self,
        user: UserId,
        node: NodeId,
        note: impl FnOnce(&mut UserSlot) -> bool,
        present: bool,
    ) {
        let owner = self.nodes.get(&node).map(|slot| slot.node.owner);
        let Some(slot) = self.users.get_mut(&user) else { return };
        if !note(slot) {
            return;
        }
        let Some(owner) = owner else { return };
        let count = slot.holds_of.entry(owner).or_default();
        *count = if present { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            slot.holds_of.remove(&owner);
        }
    }

    pub(super) fn put_user(&mut self, was: Option<&Arc<User>>, is: Option<&Arc<User>>) {
        if let Some(user) = was.filter(|user| !user.is_removed()) {
            self.emails.remove(&user.email.to_lowercase());
        }
        if let Some(user) = was {
            self.usernames.remove(&(user.username.to_lowercase(), user.id));
        }
        match (was, is) {
            (_, Some(user)) => {
                self.usernames.insert((user.username.to_lowercase(), user.id));
                if !user.is_removed() {
                    self.emails.insert(user.email.to_lowercase(), user.id);
                }
                match self.users.get_mut(&user.id) {
                    Some(slot) => slot.user = Arc::clone(user),
                    None => {
                        self.users.insert(user.id, UserSlot::new(user));
                    }
                }
            }
            (Some(user), None) => {
                self.users.remove(&user.id);
            }
            (None, None) => {}
        }
    }

    pub(super) fn put_token(&mut self, was: Option<&Arc<Token>>, is: Option<&Arc<Token>>) {
        if let Some(token) = was {
            self.tokens.remove(&token.hash);
            if let Some(user) = self.users.get_mut(&token.user) {
                user.tokens.remove(&token.hash);
            }
        }
        if let Some(token) = is {
            self.tokens.insert(token.hash, Arc::clone(token));
            if let Some(user) = self.users.get_mut(&token.user) {
                user.tokens.insert(token.hash);
            }
        }
    }
}

/// The recorded position of a link whose end does not exist.
const NOWHERE: u32 = u32::MAX;

/// The initial capacity of a list. Most lists are short and there are a great many. A smaller capacity would take
/// no less memory.
const LIST_LEAST: usize = 3;

fn add_to(list: &mut Vec<Arc<Link>>, link: &Arc<Link>) -> u32 {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().max(LIST_LEAST));
    }
    list.push(Arc::clone(link));
    u32::try_from(list.len() - 1).unwrap_or(NOWHERE)
}

/// Removes a link from a list, and returns the link that is at its position now.
fn take_from(list: &mut Vec<Arc<Link>>, at: u32, id: LinkId) -> Option<LinkId> {
    let at = at as usize;
    list.get(at).filter(|link| link.id == id)?;
    list.swap_remove(at);
    list.get(at).map(|link| link.id)
}

impl NodeSlot {
    fn new(node: &Arc<Node>) -> Self {
        NodeSlot {
            node: Arc::clone(node),
            up: Vec::new(),
            down: Vec::new(),
            blockers: Blockers::default(),
            shares: None,
        }
    }

    /// Releases the lists' spare capacity.
    pub(super) fn shrink(&mut self) {
        for list in [&mut self.up, &mut self.down] {
            list.shrink_to(LIST_LEAST);
        }
    }

    fn drop_empty_shares(&mut self) {
        if self.shares.as_ref().is_some_and(|shares| shares.grants.is_empty() && shares.embeds.is_empty()) {
            self.shares = None;
        }
    }
}

impl UserSlot {
    fn new(user: &Arc<User>) -> Self {
        UserSlot {
            user: Arc::clone(user),
            owned: BTreeSet::new(),
            trashed_nodes: BTreeSet::new(),
            trashed_links: BTreeSet::new(),
            shared: BTreeSet::new(),
            granted: BTreeSet::new(),
            given: BTreeSet::new(),
            embedded: BTreeSet::new(),
            holds_of: BTreeMap::new(),
            tokens: BTreeSet::new(),
            links_elsewhere: BTreeSet::new(),
        }
    }
}
