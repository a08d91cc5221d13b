//! A second, naive implementation of SPEC.md: plain maps of plain structs, with everything computed from scratch.
//!
//! It shares only the shapes of data with the crate under test (entities, operations, reasons), never a rule. Where
//! the two disagree, one of them has misread the specification.

// Each test file uses a part of the model.
#![allow(dead_code)]

pub mod access;
pub mod blocking;
pub mod undo;
pub mod view;

mod ops_link;
mod ops_node;
mod ops_share;
mod ops_user;

use crate::simulation::New;
use crate::supply::Supply;
use graph::model::{Grant, Link, LinkType, Node, Status, Token, User};
use graph::ops::{
    AccessAdd, AccessUpdate, LinkAdd, LinkUpdate, NodeAdd, NodePublish, NodePublishUpdate, NodeUpdate,
};
use graph::{BatchId, LinkId, NodeId, Operation, Reason, Timestamp, TokenId, UserId};
use std::collections::{BTreeMap, BTreeSet};
use undo::{Deed, Past, Touched};
use uuid::Uuid;

/// The whole state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    pub now: Timestamp,
    pub users: BTreeMap<UserId, User>,
    pub nodes: BTreeMap<NodeId, Node>,
    pub links: BTreeMap<LinkId, Link>,
    pub grants: BTreeMap<(NodeId, UserId), Grant>,
    pub embeds: BTreeSet<(UserId, NodeId)>,
    pub tokens: BTreeMap<TokenId, Token>,
    /// Everyone who is or was the guest of a branch token, with the token's owner.
    pub guests: BTreeMap<UserId, UserId>,
    /// Ids deleted for good.
    pub gone: BTreeSet<Uuid>,
    pub next_seq: u64,
    pub branches: access::Branches,
}

/// One operation, executed on a copy.
struct Turn {
    m: Model,
    caller: UserId,
    batch: BatchId,
    ids: Supply,
    /// Links with an entry of their own in this batch. A change of wasBlocker is folded into it.
    own_entry: BTreeSet<LinkId>,
    /// What the caller has meant so far.
    deeds: Vec<Deed>,
    /// Whether changes are meant now, or derived.
    meant: bool,
    /// Nodes that the cascade reopens.
    ended: BTreeSet<NodeId>,
    /// Nodes to complete again where no node holds them, and whether each was active before.
    given_back: BTreeMap<NodeId, bool>,
}

/// The result of an operation.
#[derive(Default)]
pub struct Done {
    pub model: Model,
    /// What was meant.
    pub deeds: Vec<Deed>,
    /// Nodes that the cascade reopened.
    pub ended: BTreeSet<NodeId>,
    /// Everything that it changed, if only for a while.
    pub touched: Touched,
}

impl Model {
    /// Executes an operation, or says why it is refused.
    pub fn act(&self, caller: UserId, operation: &Operation, new: &New) -> Result<Done, Reason> {
        let operations = match operation {
            Operation::GraphApply { operations } => operations.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut all = Done { model: self.clone(), ..Done::default() };
        let mut ids = new.ids.clone();
        let several = matches!(operation, Operation::GraphApply { .. });
        for operation in operations {
            use Operation as O;
            let never = matches!(
                operation,
                O::TrashPurge { .. }
                    | O::SettingsUsername { .. }
                    | O::HistoryUndo { .. }
                    | O::HistoryRedo { .. }
            );
            refuse_if(several && never, Reason::UnknownOperation)?;
            let mut turn = Turn::new(&all.model, caller, &New { batch: new.batch, ids });
            turn.perform(operation)?;
            ids = turn.ids.clone();
            let done = turn.finish();
            all.touched.add(&Touched::between(&all.model, &done.model));
            all.deeds.extend(done.deeds);
            all.ended.extend(done.ended);
            all.model = done.model;
        }
        let is_complete = |model: &Model, id: &NodeId| {
            model.nodes.get(id).is_some_and(|node: &Node| node.status == Status::Completed)
        };
        all.ended.retain(|id| is_complete(self, id) && !is_complete(&all.model, id));
        Ok(all)
    }

    /// Executes an operation of the operator, or says why it is refused.
    pub fn operate(&self, operation: &Operation, new: &New) -> Result<Done, Reason> {
        // No operation of the operator asks who the caller is.
        let mut turn = Turn::new(self, UserId(Uuid::nil()), new);
        turn.perform_for_operator(operation)?;
        Ok(turn.finish())
    }

    /// Executes an undo or redo, or says why it is refused.
    pub fn turn(
        &self,
        caller: UserId,
        past: &Past,
        named: BatchId,
        asked: graph::ops::UndoKind,
        new: &New,
    ) -> Result<Done, Reason> {
        let backward = self.direction(caller, past, named, asked)?;
        let mut turn = Turn::new(self, caller, new);
        turn.turn(past, backward)?;
        let done = turn.finish();
        refuse_if(done.model.holds_back(past, backward), Reason::NodeBlocked)?;
        Ok(done)
    }

    // Rules: N32, O10.
    pub fn id_taken(&self, id: Uuid) -> bool {
        self.nodes.contains_key(&NodeId(id))
            || self.links.contains_key(&LinkId(id))
            || self.gone.contains(&id)
    }

    // Rules: N27.
    pub fn is_active(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(|node| !node.in_trash)
    }

    /// A link is active when it is not in the trash and both its ends are active.
    // Rules: N27.
    pub fn is_link_active(&self, link: &Link) -> bool {
        !link.in_trash && self.is_active(link.source) && self.is_active(link.target)
    }

    /// The owner of the token that acts as this guest, or the user.
    // Rules: Y10.
    pub fn person(&self, user: UserId) -> UserId {
        self.guests.get(&user).copied().unwrap_or(user)
    }

    // Rules: N1, S16.
    pub fn user_by_email(&self, email: &str) -> Option<UserId> {
        let same = |user: &&User| {
            user.email.to_lowercase() == email.to_lowercase() && !user.is_removed() && !user.is_guest()
        };
        self.users.values().find(same).map(|user| user.id)
    }
}

impl Turn {
    fn new(model: &Model, caller: UserId, new: &New) -> Self {
        Turn {
            m: model.clone(),
            caller,
            batch: new.batch,
            ids: new.ids.clone(),
            own_entry: BTreeSet::new(),
            deeds: Vec::new(),
            meant: true,
            ended: BTreeSet::new(),
            given_back: BTreeMap::new(),
        }
    }

    fn finish(mut self) -> Done {
        self.settle();
        let model = Model { branches: access::Branches::default(), ..self.m };
        Done { model, deeds: self.deeds, ended: self.ended, touched: Touched::default() }
    }

    fn perform(&mut self, operation: &Operation) -> Result<(), Reason> {
        use Operation as O;
        match operation {
            O::NodeAdd(NodeAdd { id, target, fields }) => self.node_add(*id, *target, fields),
            O::NodeUpdate(NodeUpdate { id, fields, version }) => self.node_update(*id, fields, *version),
            O::NodeTrash { id, branch: false } => self.node_trash(*id),
            O::NodeTrash { id, branch: true } => self.node_trash_branch(*id),
            O::NodeDuplicate(asked) => self.node_duplicate(asked),
            O::NodeRestore { id } => self.node_restore(*id),
            O::NodeDelete { id } => self.node_delete(*id),
            O::TrashPurge { ids } => self.purge(ids.as_deref()),
            O::TrashRestore { batch } => self.trash_restore(*batch),
            O::LinkAdd(LinkAdd { id, source, target, kind, private }) => {
                self.link_add(*id, *source, *target, *kind, *private)
            }
            O::LinkUpdate(LinkUpdate { id, kind, private }) => self.link_update(*id, *kind, *private),
            O::LinkSwap { id } => self.link_swap(*id),
            O::LinkTrash { id } => self.link_trash(*id),
            O::LinkRestore { id } => self.link_restore(*id),
            O::LinkDelete { id } => self.link_delete(*id),
            O::NodePublish(NodePublish { id, branch, due }) => self.publish(*id, *branch, *due),
            O::NodePublishUpdate(NodePublishUpdate { id, branch, due }) => {
                self.publish_update(*id, *branch, *due)
            }
            O::NodeUnpublish { id } => self.unpublish(*id),
            O::NodeEmbed { root } => self.embed(root),
            O::NodeUnembed { root } => self.unembed(root),
            O::AccessAdd(AccessAdd { id, email, level, branch, due }) => {
                self.access_add(*id, email, *level, *branch, *due)
            }
            O::AccessUpdate(AccessUpdate { id, email, level, branch, due }) => {
                self.access_update(*id, email, *level, *branch, *due)
            }
            O::AccessDelete { id, email } => self.access_delete(*id, email),
            O::AccessVisibility { id, showing } => self.access_visibility(*id, *showing),
            O::SettingsUsername { username } => self.rename(username),
            O::GraphApply { .. } => Err(Reason::UnknownOperation),
            O::HistoryUndo { .. } | O::HistoryRedo { .. } => Err(Reason::BatchNotFound),
            O::UserAdd(_)
            | O::UserSet(_)
            | O::UserDisable { .. }
            | O::UserEnable { .. }
            | O::UserRemove { .. }
            | O::TokenCreate(_)
            | O::TokenSet(_)
            | O::Account(_)
            | O::TokenRevoke { .. }
            | O::TokenRotate { .. } => Err(Reason::NoPermission),
        }
    }

    /// One entry that changes the node.
    // Rules: N16, N17, N20.
    fn node_entry(&mut self, id: NodeId, edit: impl FnOnce(&mut Node)) {
        let (now, batch) = (self.m.now, self.batch);
        let node = self.m.nodes.get_mut(&id).unwrap();
        let before = node.clone();
        edit(node);
        node.version += 1;
        node.edited = now;
        node.last_batch = batch;
        let after = node.clone();
        self.note(Deed::Node { id, before: Some(before), after: Some(after) });
    }

    /// A branch token makes nothing that would be its guest's alone.
    // Rules: Y12.
    pub fn refuse_guest(&self) -> Result<(), Reason> {
        refuse_if(self.m.guests.contains_key(&self.caller), Reason::NoPermission)
    }

    fn note(&mut self, deed: Deed) {
        if self.meant {
            self.deeds.push(deed);
        }
    }

    /// Everything that happens in it is derived.
    fn unmeant(&mut self, happens: impl FnOnce(&mut Self)) {
        let meant = std::mem::replace(&mut self.meant, false);
        happens(self);
        self.meant = meant;
    }

    fn set_grant(&mut self, id: NodeId, user: UserId, after: Option<Grant>) {
        let before = match after.clone() {
            Some(grant) => self.m.grants.insert((id, user), grant),
            None => self.m.grants.remove(&(id, user)),
        };
        self.note(Deed::Grant { id, user, before, after });
    }

    fn set_embed(&mut self, user: UserId, id: NodeId, present: bool) {
        match present {
            true => self.m.embeds.insert((user, id)),
            false => self.m.embeds.remove(&(user, id)),
        };
        self.note(Deed::Embed { user, id, present });
    }

    fn set_username(&mut self, user: UserId, username: &str) {
        let before =
            std::mem::replace(&mut self.m.users.get_mut(&user).unwrap().username, username.to_owned());
        if before != username {
            self.note(Deed::Username { user, before, after: username.to_owned() });
        }
    }

    /// One entry that changes the link.
    // Rules: N16, N17, N20.
    fn link_entry(&mut self, id: LinkId, edit: impl FnOnce(&mut Link)) {
        let (now, batch) = (self.m.now, self.batch);
        let link = self.m.links.get_mut(&id).unwrap();
        let before = link.clone();
        edit(link);
        link.version += 1;
        link.edited = now;
        link.last_batch = batch;
        let after = link.clone();
        self.own_entry.insert(id);
        self.note(Deed::Link { id, before: Some(before), after: Some(after) });
    }

    // Rules: N17, N25.
    fn make_link(&mut self, id: LinkId, source: NodeId, target: NodeId, kind: LinkType, private: bool) {
        let link = Link {
            id,
            owner: self.caller,
            source,
            target,
            kind,
            private,
            was_blocker: false,
            in_trash: false,
            cascade: false,
            version: 1,
            created: self.m.now,
            edited: self.m.now,
            seq: self.seq(),
            last_batch: self.batch,
        };
        self.note(Deed::Link { id, before: None, after: Some(link.clone()) });
        self.m.links.insert(id, link);
        self.own_entry.insert(id);
    }

    fn seq(&mut self) -> u64 {
        self.m.next_seq += 1;
        self.m.next_seq - 1
    }
}

fn refuse_if(condition: bool, reason: Reason) -> Result<(), Reason> {
    if condition { Err(reason) } else { Ok(()) }
}
