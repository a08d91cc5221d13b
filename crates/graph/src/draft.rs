//! A draft: the World with the changes of one operation on top. Operations write entries here. The World itself
//! stays as it is until the finished batch is applied.

use crate::batch::{Batch, Change, Entry, Lineage, Op, Subject};
use crate::blockers::{Blockers, is_open};
use crate::hash::{HashMap, HashSet};
use crate::id::{BatchId, LinkId, NodeId, UserId};
use crate::model::{Embed, Grant, Key, Link, Node, Status, Token, User};
use crate::time::Timestamp;
use crate::world::{Graph, World};
use smallvec::SmallVec;
use std::sync::Arc;
use uuid::Uuid;

/// A link with an entry.
struct DraftLink {
    /// `None` once it is deleted.
    link: Option<Arc<Link>>,
    /// The index of its last entry, so that a cascade need not search for it.
    entry: usize,
}

/// A batch in the making.
pub struct Draft<'w> {
    world: &'w World,
    batch: BatchId,
    /// Who acts: the user, or the guest as which a token acts.
    caller: Option<UserId>,
    nodes: HashMap<NodeId, Option<Arc<Node>>>,
    links: HashMap<LinkId, DraftLink>,
    /// For each node, its links that the World does not list there in their current direction: added or swapped.
    listed: HashMap<NodeId, Vec<LinkId>>,
    turned: HashSet<LinkId>,
    blockers: HashMap<NodeId, Blockers>,
    /// Nodes that opened, in order. Links from them may hold their targets now.
    opened: Vec<NodeId>,
    /// Nodes that were completed or ceased to be independent, in order. What links to them mean may have changed.
    exposed: Vec<NodeId>,
    /// By user, how many more grants to them show than in the World.
    showing: HashMap<UserId, isize>,
    next_seq: u64,
    lineage: Lineage,
    entries: Vec<Entry>,
}

impl Graph for Draft<'_> {
    fn world(&self) -> &World {
        self.world
    }

    fn node(&self, id: NodeId) -> Option<&Arc<Node>> {
        match self.nodes.get(&id) {
            Some(changed) => changed.as_ref(),
            None => self.world.node(id),
        }
    }

    fn link(&self, id: LinkId) -> Option<&Arc<Link>> {
        match self.links.get(&id) {
            Some(changed) => changed.link.as_ref(),
            None => self.world.link(id),
        }
    }

    fn links_up(&self, id: NodeId) -> impl Iterator<Item = &Arc<Link>> {
        let below = self.world.links_up(id).filter_map(|link| self.laid_over(link));
        // A link that was swapped twice has the direction of the World again.
        let listed = self.listed_at(id).filter(move |link| !self.lies_as_below(link));
        below.chain(listed).filter(move |link| link.source == id)
    }

    fn links_down(&self, id: NodeId) -> impl Iterator<Item = &Arc<Link>> {
        let below = self.world.links_down(id).filter_map(|link| self.laid_over(link));
        let listed = self.listed_at(id).filter(move |link| !self.lies_as_below(link));
        below.chain(listed).filter(move |link| link.target == id)
    }

    fn blockers(&self, id: NodeId) -> Blockers {
        let mut blockers = self.world.blockers(id);
        blockers += self.blockers.get(&id).copied().unwrap_or_default();
        blockers
    }
}

/// Whether the caller meant an entry or the rules caused it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The caller requested it.
    Meant,
    /// The rules caused it.
    Derived,
}

impl Draft<'_> {
    /// A link of the World as it is in the draft.
    fn laid_over<'l>(&'l self, link: &'l Arc<Link>) -> Option<&'l Arc<Link>> {
        self.links.get(&link.id).map_or(Some(link), |changed| changed.link.as_ref())
    }

    fn listed_at(&self, id: NodeId) -> impl Iterator<Item = &Arc<Link>> {
        self.listed.get(&id).into_iter().flatten().filter_map(|link| self.link(*link))
    }

    fn lies_as_below(&self, link: &Link) -> bool {
        self.world.link(link.id).is_some_and(|below| below.source == link.source)
    }

    fn list(&mut self, link: &Link) {
        for end in [link.source, link.target] {
            self.listed.entry(end).or_default().push(link.id);
        }
    }
}

impl<'w> Draft<'w> {
    /// A draft without changes.
    pub fn new(world: &'w World, batch: BatchId, caller: Option<UserId>) -> Self {
        Draft {
            world,
            batch,
            caller,
            nodes: HashMap::default(),
            links: HashMap::default(),
            listed: HashMap::default(),
            turned: HashSet::default(),
            blockers: HashMap::default(),
            opened: Vec::new(),
            exposed: Vec::new(),
            showing: HashMap::default(),
            next_seq: world.next_seq(),
            lineage: Lineage::Fresh,
            entries: Vec::new(),
        }
    }

    /// The World below, with its own lifetime, so that the draft can be written while the World is being read.
    pub fn world(&self) -> &'w World {
        self.world
    }

    /// The time of the batch.
    pub fn now(&self) -> Timestamp {
        self.world.clock()
    }

    /// The person who acts, by a token perhaps; `None` for the operator.
    pub fn actor(&self) -> Option<UserId> {
        self.caller.map(|caller| self.world.person(caller))
    }

    /// The batch's id.
    pub fn batch(&self) -> BatchId {
        self.batch
    }

    /// Whether nothing was changed so far.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many more grants to the user show than in the World below.
    pub fn showing_more(&self, user: UserId) -> isize {
        self.showing.get(&user).copied().unwrap_or_default()
    }

    /// Marks the batch as an undo or redo of another.
    pub fn set_lineage(&mut self, lineage: Lineage) {
        self.lineage = lineage;
    }

    /// The next number in the order of creation.
    pub fn take_seq(&mut self) -> u64 {
        self.next_seq += 1;
        self.next_seq - 1
    }

    /// The batch, with its entries in the order they were written.
    pub fn finish(self) -> Batch {
        Batch {
            id: self.batch,
            actor: self.actor(),
            guest: self.caller.filter(|caller| self.world.is_guest(*caller)),
            at: self.world.clock(),
            lineage: self.lineage,
            entries: self.entries,
        }
    }

    /// Adds a node (NODE_ADD).
    pub fn add_node(&mut self, node: Node) {
        let node = Arc::new(node);
        self.nodes.insert(node.id, Some(Arc::clone(&node)));
        self.write(Op::NodeAdd, Cause::Meant, Subject::Node(Change { before: None, after: Some(node) }));
    }

    /// Adds a node that copies another (NODE_ADD).
    pub fn add_node_copy(&mut self, of: NodeId, node: Node) {
        self.add_node(node);
        self.note_copy(of.0);
    }

    /// Adds a link that copies another (LINK_ADD).
    pub fn add_link_copy(&mut self, of: LinkId, link: Link) {
        self.add_link(link);
        self.note_copy(of.0);
    }

    fn note_copy(&mut self, of: Uuid) {
        if let Some(entry) = self.entries.last_mut() {
            entry.copy_of = Some(of);
        }
    }

    /// Changes a node by one entry and updates its version, times and batch. A missing node is ignored.
    pub fn edit_node(&mut self, op: Op, cause: Cause, id: NodeId, edit: impl FnOnce(&mut Node)) {
        let Some(before) = self.node(id).cloned() else { return };
        let mut after = Node::clone(&before);
        edit(&mut after);
        after.version += 1;
        after.edited = self.now();
        after.last_batch = self.batch;
        let after = Arc::new(after);
        self.nodes.insert(id, Some(Arc::clone(&after)));
        self.note_status(&before, &after);
        self.write(op, cause, Subject::Node(Change { before: Some(before), after: Some(after) }));
    }

    /// Notes what a change of a node means for links at it.
    fn note_status(&mut self, before: &Node, after: &Node) {
        let (was_open, is_open) = (is_open(before), is_open(after));
        if was_open != is_open {
            let changes = self.links_up(after.id).map(|link| (link.target, Blockers::of_opening(link)));
            let changes: SmallVec<[(NodeId, Blockers); 4]> = changes.collect();
            for (target, change) in changes {
                *self.blockers.entry(target).or_default() += if is_open { change } else { -change };
            }
        }
        if is_open && !was_open {
            self.opened.push(after.id);
        }
        let completed = |node: &Node| node.status == Status::Completed;
        if (completed(after) && !completed(before)) || (before.independent && !after.independent) {
            self.exposed.push(after.id);
        }
    }

    /// Lays a link over the World. Its entry is the next one.
    fn put_link(&mut self, id: LinkId, link: Option<Arc<Link>>) {
        self.links.insert(id, DraftLink { link, entry: self.entries.len() });
    }

    /// Notes what a change of a link means for its target.
    fn note_link(&mut self, before: Option<&Link>, after: Option<&Link>) {
        let open = |link: &Link| self.node(link.source).is_some_and(|node| is_open(node));
        if let (Some(before), Some(after)) = (before, after)
            && (before.source, before.target) == (after.source, after.target)
        {
            let open = open(after);
            let mut change = Blockers::of(after, open);
            change += -Blockers::of(before, open);
            if change != Blockers::default() {
                *self.blockers.entry(after.target).or_default() += change;
            }
            return;
        }
        let before = before.map(|link| (link.target, -Blockers::of(link, open(link))));
        let after = after.map(|link| (link.target, Blockers::of(link, open(link))));
        for (target, change) in before.into_iter().chain(after) {
            *self.blockers.entry(target).or_default() += change;
        }
    }

    /// The nodes that opened, in order. Some may have closed again.
    pub fn opened(&self) -> &[NodeId] {
        &self.opened
    }

    /// The nodes that were completed or ceased to be independent, in order.
    pub fn exposed(&self) -> &[NodeId] {
        &self.exposed
    }

    /// The links with an entry, in the order of the entries.
    pub fn links_written(&self) -> impl Iterator<Item = LinkId> {
        self.entries.iter().filter_map(|entry| match &entry.subject {
            Subject::Link(change) => change.latest().map(|link| link.id),
            _ => None,
        })
    }

    /// Deletes a node for good (NODE_DELETE). Its links, grants and embeds must have been deleted before.
    pub fn delete_node(&mut self, id: NodeId) {
        let Some(before) = self.node(id).cloned() else { return };
        // No link leads from it any more.
        self.nodes.insert(id, None);
        self.write(Op::NodeDelete, Cause::Meant, Subject::Node(Change { before: Some(before), after: None }));
    }

    /// Adds a link (LINK_ADD).
    pub fn add_link(&mut self, link: Link) {
        let link = Arc::new(link);
        self.list(&link);
        self.note_link(None, Some(&link));
        self.put_link(link.id, Some(Arc::clone(&link)));
        self.write(Op::LinkAdd, Cause::Meant, Subject::Link(Change { before: None, after: Some(link) }));
    }

    /// Changes a link by one entry and updates its version, times and batch. A missing link is ignored.
    pub fn edit_link(&mut self, op: Op, cause: Cause, id: LinkId, edit: impl FnOnce(&mut Link)) {
        let Some(before) = self.link(id).cloned() else { return };
        let mut after = Link::clone(&before);
        edit(&mut after);
        after.version += 1;
        after.edited = self.now();
        after.last_batch = self.batch;
        let after = Arc::new(after);
        if before.source != after.source && self.world.link(id).is_some() && self.turned.insert(id) {
            self.list(&after);
        }
        self.note_link(Some(&before), Some(&after));
        self.put_link(id, Some(Arc::clone(&after)));
        self.write(op, cause, Subject::Link(Change { before: Some(before), after: Some(after) }));
    }

    /// Sets whether a link has held its target. The change is folded into the link's entry if this batch has one;
    /// otherwise it is an entry of its own.
    pub fn set_was_blocker(&mut self, id: LinkId, was_blocker: bool) {
        let Some(DraftLink { link: Some(link), entry }) = self.links.get_mut(&id) else {
            return self.edit_link(Op::LinkUpdate, Cause::Derived, id, |link| link.was_blocker = was_blocker);
        };
        let folded = Arc::new(Link { was_blocker, ..Link::clone(link) });
        let before = std::mem::replace(link, Arc::clone(&folded));
        let entry = self.entries.get_mut(*entry).map(|entry| &mut entry.subject);
        if let Some(Subject::Link(Change { after, .. })) = entry {
            *after = Some(Arc::clone(&folded));
        }
        self.note_link(Some(&before), Some(&folded));
    }

    /// Deletes a link for good (LINK_DELETE).
    pub fn delete_link(&mut self, id: LinkId, cause: Cause) {
        let Some(before) = self.link(id).cloned() else { return };
        self.note_link(Some(&before), None);
        self.put_link(id, None);
        self.write(Op::LinkDelete, cause, Subject::Link(Change { before: Some(before), after: None }));
    }

    /// Makes, changes or ends a grant. Access is judged on the World below, so the draft does not overlay grants.
    pub fn set_grant(&mut self, op: Op, cause: Cause, before: Option<Arc<Grant>>, after: Option<Grant>) {
        let after = after.map(Arc::new);
        for (grant, more) in [(&before, -1), (&after, 1)] {
            if let Some(grant) = grant.as_ref().filter(|grant| grant.showing) {
                *self.showing.entry(grant.user).or_default() += more;
            }
        }
        self.write(op, cause, Subject::Grant(Change { before, after }));
    }

    /// Makes or ends an embed (USER_UPDATE).
    pub fn set_embed(&mut self, cause: Cause, embed: Embed, present: bool) {
        let change = match present {
            true => Change { before: None, after: Some(embed) },
            false => Change { before: Some(embed), after: None },
        };
        self.write(Op::UserUpdate, cause, Subject::Embed(change));
    }

    /// Changes a user (USER_UPDATE).
    pub fn set_user(&mut self, before: &Arc<User>, after: User) {
        self.set_account(Op::UserUpdate, before, after);
    }

    /// Changes a user by an entry of that kind. The World below has the user as they were before the batch.
    pub fn set_account(&mut self, op: Op, before: &Arc<User>, after: User) {
        let change = Change { before: Some(Arc::clone(before)), after: Some(Arc::new(after)) };
        self.write(op, Cause::Meant, Subject::User(change));
    }

    /// Makes a token, changes it or ends it: SESSION_UPDATE for a session, TOKEN_UPDATE for another.
    pub fn set_token(&mut self, cause: Cause, before: Option<&Arc<Token>>, after: Option<Token>) {
        let change = Change { before: before.cloned(), after: after.map(Arc::new) };
        let is_session = change.latest().is_some_and(|token| token.is_session());
        let op = if is_session { Op::SessionUpdate } else { Op::TokenUpdate };
        self.write(op, cause, Subject::Token(change));
    }

    /// Issues a key, or ends it (KEY_UPDATE).
    pub fn set_key(&mut self, cause: Cause, before: Option<&Arc<Key>>, after: Option<Key>) {
        let change = Change { before: before.cloned(), after: after.map(Arc::new) };
        self.write(Op::KeyUpdate, cause, Subject::Key(change));
    }

    /// Writes an entry that does not affect the draft's view of nodes and links.
    pub fn write(&mut self, op: Op, cause: Cause, subject: Subject) {
        self.entries.push(Entry { op, derived: cause == Cause::Derived, subject, copy_of: None });
    }
}
