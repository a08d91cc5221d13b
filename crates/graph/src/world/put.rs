//! Changes entities and indices: one function per entity.

use super::table::At;
use super::{Due, Graph, LINKS_AT_ONCE, LinkSlot, Listed, NodeSlot, UserSlot, World};
use crate::batch::{Change, Entry, Subject};
use crate::blockers::{Blockers, is_open};
use crate::hash::HashMap;
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Embed, Grant, Key, Link, Node, Token, User};
use crate::time::Timestamp;
use smallvec::SmallVec;
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
                if let (None, Some(user), Direction::Backward) = (was, is, direction) {
                    self.give_back_links(user.id);
                }
            }
            Subject::Token(change) => {
                let (was, is) = direction.of(change);
                self.put_token(was, is);
            }
            Subject::Key(change) => {
                let (was, is) = direction.of(change);
                self.put_key(was, is);
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

    /// Changes a node. Indices of which nothing changes are left alone: most changes are of fields.
    pub(super) fn put_node(&mut self, was: Option<&Arc<Node>>, is: Option<&Arc<Node>>) {
        let Some(node) = is.or(was) else { return };
        let publishes = match (was, is) {
            (Some(was), Some(is)) => was.publication != is.publication,
            (one, other) => one.or(other).is_some_and(|node| node.publication.is_some()),
        };
        if let Some(was) = was.filter(|_| publishes) {
            self.index_publication(was, false);
        }
        let at = match is {
            Some(node) => self.place_node(node),
            None => self.nodes.find(node.id).unwrap_or(At::NOWHERE),
        };
        if was.map(|node| node.in_trash) != is.map(|node| node.in_trash) {
            self.index_owned(node, at, is.map(|node| node.in_trash));
        }
        match is {
            Some(node) => {
                self.next_seq = self.next_seq.max(node.seq + 1);
                if publishes {
                    self.index_publication(node, true);
                }
            }
            None => self.displace_node(at),
        }
        if publishes || is.is_none() {
            self.index_shared(node.id, node.owner);
        }
    }

    /// Notes at the owner of a node whether it is there and in the trash; `None` if it is not there.
    fn index_owned(&mut self, node: &Node, at: At, in_trash: Option<bool>) {
        let Some(owner) = self.users.get_mut(&node.owner) else { return };
        match in_trash {
            Some(true) => owner.trashed_nodes.insert(node.id),
            _ => owner.trashed_nodes.remove(&node.id),
        };
        match in_trash {
            Some(_) => owner.owned.insert((node.seq, at)),
            None => owner.owned.remove(&(node.seq, at)),
        };
    }

    /// Puts a node in its row, or in a new one.
    fn place_node(&mut self, node: &Arc<Node>) -> At {
        let Some(at) = self.nodes.find(node.id) else { return self.nodes.insert(NodeSlot::new(node)) };
        if let Some(slot) = self.nodes.at_mut(at) {
            let opens = is_open(&slot.node) != is_open(node);
            slot.node.clone_from(node);
            if opens {
                self.count_opening(at, is_open(node));
            }
        }
        at
    }

    /// Removes the row of a node. Links at it, which should be gone already, lead nowhere from then on.
    fn displace_node(&mut self, at: At) {
        if self.nodes.at(at).is_some_and(|slot| is_open(&slot.node)) {
            self.count_opening(at, false);
        }
        let Some(slot) = self.nodes.remove(at) else { return };
        for link in &slot.up {
            if let Some(listed) = self.links.get_mut(&link.id) {
                listed.source = At::NOWHERE;
            }
        }
        for link in &slot.down {
            if let Some(listed) = self.links.get_mut(&link.id) {
                listed.target = At::NOWHERE;
            }
        }
    }

    /// Counts at the targets of a node that it has opened, or that it is open no more.
    fn count_opening(&mut self, at: At, open: bool) {
        let Some(up) = self.nodes.at_mut(at).map(|slot| std::mem::take(&mut slot.up)) else { return };
        for link in &up {
            let change = Blockers::of_opening(link);
            if change == Blockers::default() {
                continue;
            }
            if let Some(target) = self.nodes.get_mut(&link.target) {
                target.blockers += if open { change } else { -change };
            }
        }
        if let Some(slot) = self.nodes.at_mut(at) {
            slot.up = up;
        }
    }

    /// Adds a node while the World is loaded, without noting at its owner that they own it.
    pub(super) fn load_node(&mut self, node: &Arc<Node>) {
        self.next_seq = self.next_seq.max(node.seq + 1);
        self.place_node(node);
        if node.in_trash
            && let Some(owner) = self.users.get_mut(&node.owner)
        {
            owner.trashed_nodes.insert(node.id);
        }
        if node.publication.is_some() {
            self.index_publication(node, true);
            self.index_shared(node.id, node.owner);
        }
    }

    /// Adds links while the World is loaded. All their ends are found first: the look-ups do not wait for each other.
    pub(super) fn load_links(&mut self, links: impl ExactSizeIterator<Item = Arc<Link>>) {
        let mut found: SmallVec<[(Arc<Link>, At, At); LINKS_AT_ONCE]> = SmallVec::new();
        found.extend(links.map(|link| {
            let (source, target) = self.ends(&link);
            (link, source, target)
        }));
        for (link, source, target) in found {
            if self.links.contains_key(&link.id) {
                self.unlist(link.id);
            }
            self.list(&link, source, target);
            self.note_listed(&link);
        }
    }

    /// Brings a World that was loaded into its final form: notes what users own, and ends the spare room of lists.
    pub(super) fn settle_in(&mut self) {
        let mut owned: HashMap<UserId, Vec<(u64, At)>> = HashMap::default();
        for (at, slot) in self.nodes.rows() {
            owned.entry(slot.node.owner).or_default().push((slot.node.seq, at));
        }
        for (user, mut owned) in owned {
            owned.sort_unstable();
            if let Some(user) = self.users.get_mut(&user) {
                user.owned = owned.into_iter().collect();
            }
        }
        for slot in self.nodes.values_mut() {
            for list in [&mut slot.up, &mut slot.down] {
                if list.spilled() {
                    list.shrink_to_fit();
                }
            }
        }
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
                    let (source, target) = self.ends(link);
                    self.list(link, source, target);
                }
            }
        }
        if let Some(link) = is {
            self.note_listed(link);
        }
    }

    fn note_listed(&mut self, link: &Link) {
        self.next_seq = self.next_seq.max(link.seq + 1);
        if link.in_trash {
            self.index_trashed_link(link, true);
        }
    }

    /// The rows of a link's ends.
    fn ends(&self, link: &Link) -> (At, At) {
        let at = |node| self.nodes.find(node).unwrap_or(At::NOWHERE);
        (at(link.source), at(link.target))
    }

    fn list(&mut self, link: &Arc<Link>, source: At, target: At) {
        let (mut up_at, mut down_at) = (NOWHERE, NOWHERE);
        let (mut elsewhere, mut open) = (true, false);
        if let Some(slot) = self.nodes.at_mut(source) {
            elsewhere = slot.node.owner != link.owner;
            open = is_open(&slot.node);
            up_at = add_to(&mut slot.up, link);
        }
        if let Some(slot) = self.nodes.at_mut(target) {
            elsewhere &= slot.node.owner != link.owner;
            slot.blockers += Blockers::of(link, open);
            down_at = add_to(&mut slot.down, link);
        }
        if elsewhere && let Some(owner) = self.users.get_mut(&link.owner) {
            owner.links_elsewhere.insert(link.id);
        }
        self.links.insert(LinkSlot { link: Arc::clone(link), source, target, up_at, down_at });
    }

    /// Replaces an earlier state of a link in the lists.
    fn relist(&mut self, link: &Arc<Link>) {
        let Some(slot) = self.links.get_mut(&link.id) else { return };
        let was = std::mem::replace(&mut slot.link, Arc::clone(link));
        let LinkSlot { source, target, up_at, down_at, .. } = *slot;
        let mut open = false;
        if let Some(slot) = self.nodes.at_mut(source) {
            open = is_open(&slot.node);
            if let Some(listed) = slot.up.get_mut(up_at as usize) {
                listed.clone_from(link);
            }
        }
        if let Some(slot) = self.nodes.at_mut(target) {
            slot.blockers += -Blockers::of(&was, open);
            slot.blockers += Blockers::of(link, open);
            if let Some(listed) = slot.down.get_mut(down_at as usize) {
                listed.clone_from(link);
            }
        }
    }

    /// Removes a link from both lists. The last link of each list takes its position.
    fn unlist(&mut self, id: LinkId) {
        let Some(slot) = self.links.find(id).and_then(|at| self.links.remove(at)) else { return };
        let LinkSlot { link, source, target, up_at, down_at } = slot;
        if let Some(owner) = self.users.get_mut(&link.owner) {
            owner.links_elsewhere.remove(&id);
        }
        let mut open = false;
        if let Some(slot) = self.nodes.at_mut(source) {
            open = is_open(&slot.node);
            let moved = take_from(&mut slot.up, up_at);
            if let Some(moved) = moved.and_then(|moved| self.links.get_mut(&moved)) {
                moved.up_at = up_at;
            }
        }
        if let Some(slot) = self.nodes.at_mut(target) {
            slot.blockers += -Blockers::of(&link, open);
            let moved = take_from(&mut slot.down, down_at);
            if let Some(moved) = moved.and_then(|moved| self.links.get_mut(&moved)) {
                moved.down_at = down_at;
            }
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
        if let Some(user) = was {
            self.unlist_user(user);
        }
        match (was, is) {
            (_, Some(user)) => {
                self.list_user(user);
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

    /// Makes a user be found by what they are known by. Nobody finds a guest.
    fn list_user(&mut self, user: &User) {
        if user.is_guest() {
            return;
        }
        self.usernames.insert((user.username.to_lowercase(), user.id));
        if user.has_email() {
            self.emails.insert(user.email.to_lowercase(), user.id);
        }
        for identity in &user.identities {
            self.identities.insert(World::identity_key(identity), user.id);
        }
        self.closings.extend(user.closing.map(|at| (at, user.id)));
    }

    fn unlist_user(&mut self, user: &User) {
        if user.is_guest() {
            return;
        }
        self.usernames.remove(&(user.username.to_lowercase(), user.id));
        if user.has_email() {
            self.emails.remove(&user.email.to_lowercase());
        }
        for identity in &user.identities {
            self.identities.remove(&World::identity_key(identity));
        }
        if let Some(at) = user.closing {
            self.closings.remove(&(at, user.id));
        }
    }

    /// Notes at a guest, whose end was reverted, the links that had stayed without it.
    fn give_back_links(&mut self, user: UserId) {
        let links: Vec<Arc<Link>> =
            self.links.values().map(|slot| &slot.link).filter(|link| link.owner == user).cloned().collect();
        for link in links {
            let owns = |end: &NodeId| self.node(*end).is_some_and(|node| node.owner == user);
            let elsewhere = ![link.source, link.target].iter().any(owns);
            let Some(slot) = self.users.get_mut(&user) else { return };
            if elsewhere {
                slot.links_elsewhere.insert(link.id);
            }
            if link.in_trash {
                slot.trashed_links.insert(link.id);
            }
        }
    }

    pub(super) fn put_token(&mut self, was: Option<&Arc<Token>>, is: Option<&Arc<Token>>) {
        if let Some(token) = was {
            self.tokens.remove(&token.hash);
            self.token_hashes.remove(&token.id);
            if let Some(user) = self.users.get_mut(&token.user) {
                user.tokens.remove(&token.hash);
            }
        }
        if let Some(token) = is {
            self.tokens.insert(token.hash, Arc::clone(token));
            self.token_hashes.insert(token.id, token.hash);
            if let Some(user) = self.users.get_mut(&token.user) {
                user.tokens.insert(token.hash);
            }
        }
    }

    pub(super) fn put_key(&mut self, was: Option<&Arc<Key>>, is: Option<&Arc<Key>>) {
        if let Some(key) = was {
            self.keys.remove(&key.hash);
            self.key_hashes.remove(&key.id);
            self.key_ends.remove(&(key.expires, key.hash));
            if let Some(user) = key.purpose.user().and_then(|user| self.users.get_mut(&user)) {
                user.keys.remove(&key.hash);
            }
        }
        if let Some(key) = is {
            self.keys.insert(key.hash, Arc::clone(key));
            self.key_hashes.insert(key.id, key.hash);
            self.key_ends.insert((key.expires, key.hash));
            if let Some(user) = key.purpose.user().and_then(|user| self.users.get_mut(&user)) {
                user.keys.insert(key.hash);
            }
        }
    }
}

/// The recorded position of a link whose end does not exist.
const NOWHERE: u32 = u32::MAX;

fn add_to(list: &mut Listed, link: &Arc<Link>) -> u32 {
    list.push(Arc::clone(link));
    u32::try_from(list.len() - 1).unwrap_or(NOWHERE)
}

/// Removes the link at a position, and returns the link that is there now.
fn take_from(list: &mut Listed, at: u32) -> Option<LinkId> {
    let at = at as usize;
    if at < list.len() {
        list.swap_remove(at);
    }
    list.get(at).map(|link| link.id)
}

impl NodeSlot {
    fn new(node: &Arc<Node>) -> Self {
        NodeSlot {
            node: Arc::clone(node),
            up: Listed::new(),
            down: Listed::new(),
            blockers: Blockers::default(),
            shares: None,
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
            keys: BTreeSet::new(),
            links_elsewhere: BTreeSet::new(),
        }
    }
}
