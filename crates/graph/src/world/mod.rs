//! The World: every entity and its indices. Batches change it by [`World::apply`], and its inverse [`World::revert`];
//! time changes it by [`World::set_clock`]. A revert takes back everything with two exceptions: `next_seq`, because
//! no number is used twice, and what the batch removed from [`World::expired`].

mod put;
mod table;

use crate::batch::Batch;
use crate::blockers::Blockers;
use crate::effort;
use crate::hash::HashMap;
use crate::id::{KeyId, LinkId, NodeId, TokenId, UserId};
use crate::model::{
    Embed, Grant, Identity, Key, KeyHash, Link, Node, Publication, Rev, Token, TokenHash, User,
};
use crate::time::Timestamp;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use table::{At, Row, Table};
use uuid::Uuid;

/// Read access to nodes and links: of the World, or of a [`Draft`](crate::draft::Draft) over it.
pub trait Graph {
    /// The World below: users, shares and the clock.
    fn world(&self) -> &World;
    /// A node, in the trash or not.
    fn node(&self, id: NodeId) -> Option<&Arc<Node>>;
    /// A link, in the trash or not.
    fn link(&self, id: LinkId) -> Option<&Arc<Link>>;
    /// Every link that a node is the source of, in the trash or not; in no particular order.
    fn links_up(&self, id: NodeId) -> impl Iterator<Item = &Arc<Link>>;
    /// Every link that a node is the target of, in the trash or not; in no particular order.
    fn links_down(&self, id: NodeId) -> impl Iterator<Item = &Arc<Link>>;
    /// Counts of the active primary links to a node.
    fn blockers(&self, id: NodeId) -> Blockers;

    /// Every link at a node, in either direction, in the trash or not; in no particular order.
    fn links_at(&self, id: NodeId) -> impl Iterator<Item = &Arc<Link>> {
        self.links_up(id).chain(self.links_down(id))
    }

    /// A node, if it is not in the trash.
    fn active_node(&self, id: NodeId) -> Option<&Arc<Node>> {
        self.node(id).filter(|node| !node.in_trash)
    }

    /// The node's active links. A link at a node in the trash is itself in the trash.
    fn active_links_at(&self, id: NodeId) -> impl Iterator<Item = &Arc<Link>> {
        self.links_at(id).filter(|link| !link.in_trash)
    }

    /// The active links from the node.
    fn active_links_up(&self, id: NodeId) -> impl Iterator<Item = &Arc<Link>> {
        self.links_up(id).filter(|link| !link.in_trash)
    }

    /// The active links to the node.
    fn active_links_down(&self, id: NodeId) -> impl Iterator<Item = &Arc<Link>> {
        self.links_down(id).filter(|link| !link.in_trash)
    }
}

/// By how many milliseconds a clock may be set back before the World's clock follows it.
const CLOCK_SLACK_MS: i64 = 60_000;

/// How many links are loaded together: enough to wait for the memory of many of their ends at once, and few enough
/// that all of these stay in the cache.
const LINKS_AT_ONCE: usize = 256;

/// Something that ends at a due time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A grant on the node to the user.
    Grant(NodeId, UserId),
    /// The node's publication.
    Publication(NodeId),
}

/// A stored entity, from which a [`World`] is loaded. It is already in its final allocation, so that entities can
/// be decoded on many threads.
#[derive(Clone, Debug)]
pub enum Entity {
    /// Users come first, then nodes, then everything else.
    User(Arc<User>),
    /// A node.
    Node(Arc<Node>),
    /// A link.
    Link(Arc<Link>),
    /// A grant.
    Grant(Arc<Grant>),
    /// An embed.
    Embed(Embed),
    /// A token: of a program, or a session.
    Token(Arc<Token>),
    /// A one-time key.
    Key(Arc<Key>),
    /// An id that was deleted for good by the batch at that rev.
    Gone(Uuid, Rev),
}

/// The expected numbers of entities when a [`World`] is loaded. They affect only speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Nodes, in the trash or not.
    pub nodes: usize,
    /// Links, in the trash or not.
    pub links: usize,
}

#[derive(Clone, Debug, Default)]
struct Shares {
    grants: BTreeMap<UserId, Arc<Grant>>,
    embeds: BTreeSet<UserId>,
}

/// Links at a node. Most lists are short, there are a great many, and two links need no room of their own.
type Listed = SmallVec<[Arc<Link>; 2]>;

#[derive(Clone, Debug)]
struct NodeSlot {
    node: Arc<Node>,
    // Two lists, because nearly every walk goes in one direction. They hold the links themselves, so that a walk
    // needs no look-up.
    up: Listed,
    down: Listed,
    blockers: Blockers,
    // Few nodes have shares, so most carry only a null here.
    shares: Option<Box<Shares>>,
}

#[derive(Clone, Debug)]
struct LinkSlot {
    link: Arc<Link>,
    // Where its source and target are, and its positions in their lists: removing it from a long list takes no search.
    source: At,
    target: At,
    up_at: u32,
    down_at: u32,
}

impl Row for NodeSlot {
    type Id = NodeId;

    fn id(&self) -> NodeId {
        self.node.id
    }
}

impl Row for LinkSlot {
    type Id = LinkId;

    fn id(&self) -> LinkId {
        self.link.id
    }
}

impl NodeSlot {
    fn links(&self) -> NodeLinks<'_> {
        let is_shared = self.shares.is_some() || self.node.publication.is_some();
        NodeLinks { node: &self.node, up: &self.up, down: &self.down, is_shared }
    }
}

/// A node and its links, found by one look-up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeLinks<'w> {
    pub(crate) node: &'w Arc<Node>,
    /// Every link from the node, in the trash or not; in no particular order.
    pub(crate) up: &'w [Arc<Link>],
    /// Every link to the node, in the trash or not; in no particular order.
    pub(crate) down: &'w [Arc<Link>],
    /// Whether it has a publication, a grant or an embed, in force or not.
    pub(crate) is_shared: bool,
}

/// A user and what belongs to them.
#[derive(Clone, Debug)]
pub struct UserSlot {
    /// The account.
    pub user: Arc<User>,
    /// Nodes owned, by order of creation; see [`World::owned`].
    owned: BTreeSet<(u64, At)>,
    /// Owned nodes in the trash.
    pub trashed_nodes: BTreeSet<NodeId>,
    /// Links in the trash that the user owns or that lead to a node of theirs.
    pub trashed_links: BTreeSet<LinkId>,
    /// Owned nodes with a grant or a publication, in force or not.
    pub shared: BTreeSet<NodeId>,
    /// Nodes with a grant to the user, in force or not.
    pub granted: BTreeSet<NodeId>,
    /// Grants the user gave.
    pub given: BTreeSet<(NodeId, UserId)>,
    /// Nodes the user has embedded.
    pub embedded: BTreeSet<NodeId>,
    /// The owners of the nodes that the user has a grant on or has embedded, and how many of each.
    pub holds_of: BTreeMap<UserId, usize>,
    /// The user's tokens, sessions among them.
    pub tokens: BTreeSet<TokenHash>,
    /// The keys for the user's account, and the user's invitations.
    pub keys: BTreeSet<KeyHash>,
    /// The user's links of which they own neither end.
    pub links_elsewhere: BTreeSet<LinkId>,
}

/// Every entity, indexed. Cloning copies the indices, not the entities.
#[derive(Clone, Debug, Default)]
pub struct World {
    clock: Timestamp,
    rev: Rev,
    next_seq: u64,
    nodes: Table<NodeSlot>,
    links: Table<LinkSlot>,
    users: HashMap<UserId, UserSlot>,
    /// In lower case, each with its user: from before usernames had to be unique without regard to case, several
    /// users may have names that differ only in case.
    usernames: BTreeSet<(String, UserId)>,
    emails: HashMap<String, UserId>,
    /// By issuer and subject.
    identities: HashMap<(String, String), UserId>,
    tokens: HashMap<TokenHash, Arc<Token>>,
    token_hashes: HashMap<TokenId, TokenHash>,
    keys: HashMap<KeyHash, Arc<Key>>,
    key_hashes: HashMap<KeyId, KeyHash>,
    key_ends: BTreeSet<(Timestamp, KeyHash)>,
    /// The accounts that were closed, by when they go for good.
    closings: BTreeSet<(Timestamp, UserId)>,
    public_tokens: HashMap<String, NodeId>,
    dues: BTreeSet<(Timestamp, Due)>,
    /// What had expired when the clock was set back to before its due time, with that time.
    expired: BTreeSet<(Due, Timestamp)>,
    gone: HashMap<Uuid, Rev>,
}

impl Graph for World {
    fn world(&self) -> &World {
        self
    }

    fn node(&self, id: NodeId) -> Option<&Arc<Node>> {
        effort::note();
        self.nodes.get(&id).map(|slot| &slot.node)
    }

    fn link(&self, id: LinkId) -> Option<&Arc<Link>> {
        effort::note();
        self.links.get(&id).map(|slot| &slot.link)
    }

    fn links_up(&self, id: NodeId) -> impl Iterator<Item = &Arc<Link>> {
        self.up(id).iter().inspect(|_| effort::note())
    }

    fn links_down(&self, id: NodeId) -> impl Iterator<Item = &Arc<Link>> {
        let down = self.nodes.get(&id).map(|slot| slot.down.as_slice());
        down.unwrap_or_default().iter().inspect(|_| effort::note())
    }

    fn blockers(&self, id: NodeId) -> Blockers {
        effort::note();
        self.nodes.get(&id).map(|slot| slot.blockers).unwrap_or_default()
    }
}

impl UserSlot {
    /// The user's sessions, in no particular order.
    pub fn sessions<'w>(&'w self, world: &'w World) -> impl Iterator<Item = &'w Arc<Token>> {
        self.tokens.iter().filter_map(|hash| world.token(hash)).filter(|token| token.is_session())
    }

    /// How many nodes the user owns.
    pub fn owned(&self) -> usize {
        self.owned.len()
    }
}

impl World {
    /// Builds a World from stored entities: users first, then nodes, then the rest. `rev` is the last batch they
    /// include.
    pub fn load(entities: impl IntoIterator<Item = Entity>, rev: Rev, expected: Counts) -> World {
        let mut world = World {
            rev,
            nodes: Table::with_capacity(expected.nodes),
            links: Table::with_capacity(expected.links),
            ..World::default()
        };
        let mut links: Vec<Arc<Link>> = Vec::with_capacity(LINKS_AT_ONCE);
        for entity in entities {
            match entity {
                Entity::Link(link) => links.push(link),
                other => world.insert(other),
            }
            if links.len() == LINKS_AT_ONCE {
                world.load_links(links.drain(..));
            }
        }
        world.load_links(links.drain(..));
        world.settle_in();
        world
    }

    fn insert(&mut self, entity: Entity) {
        match entity {
            Entity::User(user) => self.put_user(None, Some(&user)),
            Entity::Node(node) => self.load_node(&node),
            Entity::Link(link) => self.put_link(None, Some(&link)),
            Entity::Grant(grant) => self.put_grant(None, Some(&grant)),
            Entity::Embed(embed) => self.put_embed(None, Some(&embed)),
            Entity::Token(token) => self.put_token(None, Some(&token)),
            Entity::Key(key) => self.put_key(None, Some(&key)),
            Entity::Gone(id, rev) => {
                self.gone.insert(id, rev);
            }
        }
    }

    /// How many nodes, links and users there are, whatever their state.
    pub fn sizes(&self) -> [usize; 3] {
        [self.nodes.len(), self.links.len(), self.users.len()]
    }

    /// The time up to which due times have passed. It is the time of the next batch.
    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// The World's position in the order of commits.
    pub fn rev(&self) -> Rev {
        self.rev
    }

    /// The next number in the order of creation.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// What expires by `now`, without letting it expire: what it affects must be looked at before and after.
    pub fn due_by(&self, now: Timestamp) -> Vec<Due> {
        self.dues.iter().take_while(|(at, _)| *at <= now).map(|(_, due)| *due).collect()
    }

    /// When the next grant or publication expires.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.dues.first().map(|(at, _)| *at)
    }

    /// Lets time pass up to `now`. An earlier time is ignored, see [`World::set_clock`].
    pub fn advance(&mut self, now: Timestamp) {
        self.clock = self.clock.max(now);
        while self.dues.first().is_some_and(|(at, _)| *at <= self.clock) {
            self.dues.pop_first();
        }
    }

    /// Sets the clock: forward as [`World::advance`] does, and back if it is by more than a minute. If `now` is
    /// behind by less, the clock stands still until time has caught up with it. What has expired stays expired until
    /// its due time is changed.
    pub fn set_clock(&mut self, now: Timestamp) {
        if self.would_set_back(now) {
            let passed = self.due_times().filter(|(_, at)| *at > now && *at <= self.clock);
            let passed: Vec<(Due, Timestamp)> = passed.collect();
            self.expired.extend(passed);
            self.clock = now;
        }
        self.advance(now);
    }

    /// Whether [`World::set_clock`] would set the clock back.
    pub fn would_set_back(&self, now: Timestamp) -> bool {
        self.clock.ms().saturating_sub(now.ms()) > CLOCK_SLACK_MS
    }

    /// The due time of every grant and publication that has one.
    fn due_times(&self) -> impl Iterator<Item = (Due, Timestamp)> {
        self.nodes.values().flat_map(|slot| {
            let publication = slot.node.publication.as_deref().and_then(|publication| publication.due);
            let grants = slot.shares.iter().flat_map(|shares| shares.grants.values());
            let grants = grants.filter_map(|grant| Some((Due::Grant(grant.node, grant.user), grant.due?)));
            publication.map(|at| (Due::Publication(slot.node.id), at)).into_iter().chain(grants)
        })
    }

    /// What has expired although the clock, which was set back, has not reached its due time again; with that due
    /// time.
    pub fn expired(&self) -> impl Iterator<Item = (Due, Timestamp)> {
        self.expired.iter().copied()
    }

    /// Notes that something with that due time expired, under a clock that has been set back since. Nothing is noted
    /// if its due time is another one by now.
    pub fn expire(&mut self, due: Due, at: Timestamp) {
        let now = match due {
            Due::Grant(node, user) => self.grant(node, user).and_then(|grant| grant.due),
            Due::Publication(node) => self.node(node).and_then(|node| node.publication.as_deref()?.due),
        };
        if now == Some(at) {
            self.dues.remove(&(at, due));
            self.expired.insert((due, at));
        }
    }

    /// Whether something with that due time has expired.
    pub(crate) fn is_over(&self, due: Due, at: Option<Timestamp>) -> bool {
        at.is_some_and(|at| at <= self.clock || self.expired.contains(&(due, at)))
    }

    /// Applies a batch decided on this World.
    pub fn apply(&mut self, batch: &Batch) {
        self.rev += 1;
        for entry in &batch.entries {
            self.put(entry, put::Direction::Forward);
        }
    }

    /// Reverts the batch applied last.
    pub fn revert(&mut self, batch: &Batch) {
        for entry in batch.entries.iter().rev() {
            self.put(entry, put::Direction::Backward);
        }
        self.rev -= 1;
    }

    /// Sets the next number in the order of creation back to what it was before batches that have been reverted.
    pub(crate) fn set_next_seq(&mut self, next_seq: u64) {
        self.next_seq = next_seq;
    }

    /// Forgets ids deleted for good at or before `rev`, because history no longer remembers them.
    pub fn forget_gone(&mut self, rev: Rev) {
        self.gone.retain(|_, at| *at > rev);
    }

    /// True while an id is in use, or while history remembers that it was.
    pub fn id_taken(&self, id: Uuid) -> bool {
        self.nodes.contains_key(&NodeId(id))
            || self.links.contains_key(&LinkId(id))
            || self.gone.contains_key(&id)
    }

    /// True when the id was deleted for good and history remembers it.
    pub fn is_gone(&self, id: Uuid) -> bool {
        self.gone.contains_key(&id)
    }

    /// The ids of every link at a node.
    pub fn link_ids_at(&self, id: NodeId) -> impl Iterator<Item = LinkId> {
        self.links_at(id).map(|link| link.id)
    }

    /// How many links there are at a node, counting the trash.
    pub fn degree(&self, id: NodeId) -> usize {
        self.nodes.get(&id).map_or(0, |slot| slot.up.len() + slot.down.len())
    }

    /// A node with its links.
    pub(crate) fn node_links(&self, id: NodeId) -> Option<NodeLinks<'_>> {
        effort::note();
        self.nodes.get(&id).map(NodeSlot::links)
    }

    /// The nodes a user owns with their links, in order of creation.
    pub(crate) fn owned_links(&self, user: UserId) -> impl Iterator<Item = NodeLinks<'_>> {
        let owned = self.user(user).into_iter().flat_map(|slot| &slot.owned);
        owned.filter_map(|(_, at)| self.nodes.at(*at)).map(NodeSlot::links).inspect(|_| effort::note())
    }

    /// Every link from a node, as in [`Graph::links_up`], for walks that pause in between.
    pub(crate) fn up(&self, id: NodeId) -> &[Arc<Link>] {
        self.nodes.get(&id).map_or(&[], |slot| &slot.up)
    }

    /// The total number of entries in the nodes' lists of links.
    pub fn listings(&self) -> usize {
        self.nodes.values().map(|slot| slot.up.len() + slot.down.len()).sum()
    }

    /// Whether a link, in its current state, is at its recorded positions in the lists of its ends.
    pub fn lists(&self, id: LinkId) -> bool {
        self.links.get(&id).is_some_and(|slot| {
            let (source, target) = (self.nodes.at(slot.source), self.nodes.at(slot.target));
            let up = source.and_then(|source| source.up.get(slot.up_at as usize));
            let down = target.and_then(|target| target.down.get(slot.down_at as usize));
            [up, down].into_iter().all(|listed| listed.is_some_and(|link| Arc::ptr_eq(link, &slot.link)))
        })
    }

    /// A user by id.
    pub fn user(&self, id: UserId) -> Option<&UserSlot> {
        self.users.get(&id)
    }

    /// The person behind a user: the owner of the token that acts as this guest, or the user.
    pub fn person(&self, id: UserId) -> UserId {
        self.user(id).and_then(|slot| slot.user.guest_of).unwrap_or(id)
    }

    /// The account of the person behind a user, as others are told of them.
    pub fn account(&self, id: UserId) -> Option<&Arc<User>> {
        self.user(self.person(id)).map(|slot| &slot.user)
    }

    /// Whether this is the guest that a branch token acts as.
    pub fn is_guest(&self, id: UserId) -> bool {
        self.user(id).is_some_and(|slot| slot.user.is_guest())
    }

    /// The nodes a user owns, in order of creation.
    pub fn owned(&self, user: UserId) -> impl DoubleEndedIterator<Item = &Arc<Node>> {
        let owned = self.user(user).into_iter().flat_map(|slot| &slot.owned);
        owned.filter_map(|(_, at)| self.nodes.at(*at)).map(|slot| &slot.node).inspect(|_| effort::note())
    }

    /// Every user, in no particular order.
    pub fn users(&self) -> impl Iterator<Item = &UserSlot> {
        self.users.values()
    }

    /// Every node, in no particular order.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.values().map(|slot| &slot.node)
    }

    /// Every link, in no particular order.
    pub fn links(&self) -> impl Iterator<Item = &Arc<Link>> {
        self.links.values().map(|slot| &slot.link)
    }

    /// A user by email, in any case. A removed user has none.
    pub fn user_by_email(&self, email: &str) -> Option<&UserSlot> {
        self.emails.get(&email.to_lowercase()).and_then(|id| self.users.get(id))
    }

    /// Users by username, without regard to case: at most one, except where names that differ only in case were given
    /// when that was still allowed. A removed user is found by the name that stands for them.
    pub fn users_named(&self, username: &str) -> impl Iterator<Item = &UserSlot> {
        let name = username.to_lowercase();
        let from = (name.clone(), UserId(Uuid::nil()));
        let named = self.usernames.range(from..).take_while(move |(other, _)| *other == name);
        named.filter_map(|(_, id)| self.users.get(id))
    }

    /// A user by their exact username.
    pub fn user_by_username(&self, username: &str) -> Option<&UserSlot> {
        self.users_named(username).find(|slot| slot.user.username == username)
    }

    /// The user who is known by that subject to that issuer.
    pub fn user_by_identity(&self, issuer: &str, subject: &str) -> Option<&UserSlot> {
        let id = self.identities.get(&(issuer.to_owned(), subject.to_owned()))?;
        self.users.get(id)
    }

    /// The accounts that were closed and go for good by `now`, the first one first.
    pub fn closed_by(&self, now: Timestamp) -> impl Iterator<Item = UserId> {
        self.closings.iter().take_while(move |(at, _)| *at <= now).map(|(_, user)| *user)
    }

    /// When the next closed account goes for good.
    pub fn next_closing(&self) -> Option<Timestamp> {
        self.closings.first().map(|(at, _)| *at)
    }

    /// A key by the hash of its secret, in force or not.
    pub fn key(&self, hash: &KeyHash) -> Option<&Arc<Key>> {
        self.keys.get(hash)
    }

    /// A key by its id, in force or not.
    pub fn key_by_id(&self, id: KeyId) -> Option<&Arc<Key>> {
        self.keys.get(self.key_hashes.get(&id)?)
    }

    /// Every key, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.values()
    }

    /// The API tokens that have ended by `now`, in no particular order.
    pub fn tokens_over_by(&self, now: Timestamp) -> impl Iterator<Item = &Arc<Token>> {
        self.tokens().filter(move |token| !token.is_session() && token.is_over(now))
    }

    /// The keys that have ended by `now`, the first one first.
    pub fn keys_over_by(&self, now: Timestamp) -> impl Iterator<Item = &Arc<Key>> {
        let over = self.key_ends.iter().take_while(move |(at, _)| *at <= now);
        over.filter_map(|(_, hash)| self.keys.get(hash))
    }

    /// A token by the hash of its secret.
    pub fn token(&self, hash: &TokenHash) -> Option<&Arc<Token>> {
        self.tokens.get(hash)
    }

    /// A token by its id.
    pub fn token_by_id(&self, id: TokenId) -> Option<&Arc<Token>> {
        self.tokens.get(self.token_hashes.get(&id)?)
    }

    /// By what a user is found who is known to an identity provider.
    fn identity_key(identity: &Identity) -> (String, String) {
        (identity.issuer.clone(), identity.subject.clone())
    }

    /// Every token, sessions included, in no particular order.
    pub fn tokens(&self) -> impl Iterator<Item = &Arc<Token>> {
        self.tokens.values()
    }

    /// The node of a public token, in force or not.
    pub fn published(&self, token: &str) -> Option<&Arc<Node>> {
        self.public_tokens.get(token).and_then(|id| self.node(*id))
    }

    /// The grant on a node to a user, in force or not.
    pub fn grant(&self, node: NodeId, user: UserId) -> Option<&Arc<Grant>> {
        self.shares(node).and_then(|shares| shares.grants.get(&user))
    }

    /// Every grant on a node, by grantee.
    pub fn grants_on(&self, node: NodeId) -> impl Iterator<Item = &Arc<Grant>> {
        let grants = self.shares(node).into_iter().flat_map(|shares| shares.grants.values());
        grants.inspect(|_| effort::note())
    }

    /// The users who have embedded a node.
    pub fn embedders(&self, node: NodeId) -> impl Iterator<Item = UserId> {
        let embeds = self.shares(node).into_iter().flat_map(|shares| shares.embeds.iter().copied());
        embeds.inspect(|_| effort::note())
    }

    /// Whether a user has embedded a node.
    pub fn has_embed(&self, node: NodeId, user: UserId) -> bool {
        self.shares(node).is_some_and(|shares| shares.embeds.contains(&user))
    }

    /// How many users have a grant on a node or have embedded it. A user with both counts twice.
    pub fn holders(&self, node: NodeId) -> usize {
        self.shares(node).map_or(0, |shares| shares.grants.len() + shares.embeds.len())
    }

    /// Whether a grant counts at this time, if its node is active.
    pub fn grant_counts(&self, grant: &Grant) -> bool {
        grant.showing && !self.is_over(Due::Grant(grant.node, grant.user), grant.due)
    }

    /// The publication of a node while it is in force.
    pub fn publication_in_force<'a>(&self, node: &'a Node) -> Option<&'a Publication> {
        node.publication
            .as_deref()
            .filter(|publication| !node.in_trash && !self.is_over(Due::Publication(node.id), publication.due))
    }

    fn shares(&self, node: NodeId) -> Option<&Shares> {
        effort::note();
        self.nodes.get(&node).and_then(|slot| slot.shares.as_deref())
    }
}
