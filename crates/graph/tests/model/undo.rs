//! Undo and redo (SPEC.md, H): the inverse of what was meant.

use super::ops_link::keeps_privacy;
use super::{Model, Turn, refuse_if};
use graph::IdSupply;
use graph::model::{Grant, Level, Link, LinkType, Node, Publication, Status};
use graph::{BatchId, LinkId, NodeId, Reason, UserId, each_node_field};
use std::collections::{BTreeMap, BTreeSet};

/// One change that was meant. Derived changes are left out.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    Node {
        id: NodeId,
        before: Option<Node>,
        after: Option<Node>,
    },
    Link {
        id: LinkId,
        before: Option<Link>,
        after: Option<Link>,
    },
    Grant {
        id: NodeId,
        user: UserId,
        before: Option<Grant>,
        after: Option<Grant>,
    },
    Embed {
        user: UserId,
        id: NodeId,
        present: bool,
    },
    Username {
        user: UserId,
        before: String,
        after: String,
    },
    /// What only the operator changes of an account.
    Account {
        user: UserId,
    },
    /// An account was removed.
    Removed,
}

/// A batch as the model remembers it, with its undos and redos.
#[derive(Clone, Debug)]
pub struct Past {
    pub root: BatchId,
    /// `None` for the operator.
    pub actor: Option<UserId>,
    pub deeds: Vec<Deed>,
    pub touched: Touched,
    pub undone: bool,
    /// Nodes that its own cascade reopened, with the version it left them.
    pub ended: BTreeMap<NodeId, u64>,
    /// Nodes that the cascade of its last undo or redo reopened.
    pub ended_by_last: BTreeSet<NodeId>,
    /// Its undos (true) and redos.
    pub turns: Vec<(BatchId, bool)>,
}

/// Everything that has changed, whether meant or derived.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    pub nodes: BTreeSet<NodeId>,
    pub links: BTreeSet<LinkId>,
    pub grants: BTreeSet<(NodeId, UserId)>,
    pub embeds: BTreeSet<(UserId, NodeId)>,
    pub users: BTreeSet<UserId>,
}

fn changed<K: Ord + Copy, V: PartialEq>(before: &BTreeMap<K, V>, after: &BTreeMap<K, V>) -> BTreeSet<K> {
    before.keys().chain(after.keys()).filter(|key| before.get(key) != after.get(key)).copied().collect()
}

impl Touched {
    pub fn between(before: &Model, after: &Model) -> Self {
        Touched {
            nodes: changed(&before.nodes, &after.nodes),
            links: changed(&before.links, &after.links),
            grants: changed(&before.grants, &after.grants),
            embeds: before.embeds.symmetric_difference(&after.embeds).copied().collect(),
            users: changed(&before.users, &after.users),
        }
    }
}

impl Model {
    /// Whether history shows the user a node's changes: they see the node, in the graph or in their trash.
    pub fn knows_node(&self, user: UserId, id: NodeId) -> bool {
        self.access(user, id).is_some() || self.trash_shows_node(user, id)
    }

    pub fn knows_link(&self, user: UserId, id: LinkId) -> bool {
        let active = |link: &Link| self.is_link_active(link) && self.sees_link(user, link);
        self.links.get(&id).is_some_and(active) || self.trash_shows_link(user, id)
    }

    pub fn knows_grant(&self, user: UserId, (id, grantee): (NodeId, UserId)) -> bool {
        let runs = self.placement(user, id).is_some_and(|level| level <= Level::Admin);
        let holds = grantee == user && self.grants.contains_key(&(id, user));
        self.nodes.contains_key(&id) && (holds || runs)
    }

    pub fn knows_embed(&self, user: UserId, (embedder, id): (UserId, NodeId)) -> bool {
        embedder == user && (self.embeds.contains(&(user, id)) || self.knows_node(user, id))
    }

    pub fn knows_past(&self, user: UserId, past: &Past) -> bool {
        let touched = &past.touched;
        past.actor == Some(user)
            || touched.nodes.iter().any(|id| self.knows_node(user, *id))
            || touched.links.iter().any(|id| self.knows_link(user, *id))
            || touched.grants.iter().any(|grant| self.knows_grant(user, *grant))
            || touched.embeds.iter().any(|embed| self.knows_embed(user, *embed))
            || touched.users.contains(&user)
    }

    /// Whether the request means to undo (true) or to redo, if either is possible.
    pub fn direction(
        &self,
        caller: UserId,
        past: &Past,
        named: BatchId,
        asked: graph::ops::UndoKind,
    ) -> Result<bool, Reason> {
        refuse_if(!self.knows_past(caller, past), Reason::BatchNotFound)?;
        let is_undo = past.turns.contains(&(named, true));
        let backward = asked == graph::ops::UndoKind::Undo && !is_undo;
        match (backward, past.undone) {
            (true, true) => Err(Reason::AlreadyUndone),
            (false, false) => Err(Reason::NotUndone),
            _ => Ok(backward),
        }
    }

    /// Whether a node to be completed again is not, because it is held.
    // Rules: H14.
    pub fn holds_back(&self, past: &Past, backward: bool) -> bool {
        past.deeds.iter().any(|deed| match read(deed, backward) {
            Step::Status(_, to) => {
                unheld(&to) == Status::Completed && self.nodes[&to.id].status != Status::Completed
            }
            _ => false,
        })
    }
}

/// The status of the node when it is not held.
fn unheld(node: &Node) -> Status {
    if node.status == Status::Blocked { node.resume } else { node.status }
}

/// A meant change in the direction of the undo or redo.
#[derive(Clone, Debug)]
enum Step {
    Trash(NodeId),
    Restore(NodeId),
    Fields(Node, Node),
    Status(Node, Node),
    Publication(NodeId, Option<Publication>, Option<Publication>),
    Link(LinkId, Option<Link>, Option<Link>),
    Grant(NodeId, UserId, Option<Grant>, Option<Grant>),
    Embed(UserId, NodeId, bool),
    Username(UserId, String, String),
    Account(UserId),
    /// A node or an account deleted for good.
    Gone,
}

fn read(deed: &Deed, backward: bool) -> Step {
    fn sides<T: Clone>(before: &T, after: &T, backward: bool) -> (T, T) {
        if backward { (after.clone(), before.clone()) } else { (before.clone(), after.clone()) }
    }
    match deed {
        Deed::Node { id, before: None, .. } if backward => Step::Trash(*id),
        Deed::Node { id, before: None, .. } => Step::Restore(*id),
        Deed::Node { id, before: Some(before), after: Some(after) } => {
            let (from, to) = sides(before, after, backward);
            if from.in_trash != to.in_trash {
                if to.in_trash { Step::Trash(*id) } else { Step::Restore(*id) }
            } else if from.publication != to.publication {
                Step::Publication(*id, from.publication.map(|it| *it), to.publication.map(|it| *it))
            } else if from.status != to.status {
                Step::Status(from, to)
            } else {
                Step::Fields(from, to)
            }
        }
        Deed::Node { after: None, .. } => Step::Gone,
        Deed::Link { id, before, after } => {
            let (from, to) = sides(before, after, backward);
            Step::Link(*id, from, to)
        }
        Deed::Grant { id, user, before, after } => {
            let (from, to) = sides(before, after, backward);
            Step::Grant(*id, *user, from, to)
        }
        Deed::Embed { user, id, present } => Step::Embed(*user, *id, *present != backward),
        Deed::Username { user, before, after } => {
            let (from, to) = sides(before, after, backward);
            Step::Username(*user, from, to)
        }
        Deed::Account { user } => Step::Account(*user),
        Deed::Removed => Step::Gone,
    }
}

/// Sets those of the differing fields to their values in `$to`.
macro_rules! set_changed {
    ($into:expr, $from:expr, $to:expr; $($field:ident)*) => {$(
        if $from.$field != $to.$field {
            $into.$field = $to.$field.clone();
        }
    )*};
}

/// Whether a differing field no longer has its value in `$from`.
macro_rules! overtaken {
    ($now:expr, $from:expr, $to:expr; $($field:ident)*) => {
        false $(|| ($from.$field != $to.$field && $now.$field != $from.$field))*
    };
}

/// A link that was added or deleted counts as one in the trash.
fn link_sides(from: Option<&Link>, to: Option<&Link>) -> (Link, Link) {
    let trashed = |link: &Link| Link { in_trash: true, ..link.clone() };
    let known = from.or(to).unwrap();
    (from.cloned().unwrap_or_else(|| trashed(known)), to.cloned().unwrap_or_else(|| trashed(known)))
}

impl Turn {
    pub fn turn(&mut self, past: &Past, backward: bool) -> Result<(), Reason> {
        let mut steps: Vec<Step> = past.deeds.iter().map(|deed| read(deed, backward)).collect();
        if backward {
            steps.reverse();
        }
        refuse_if(steps.iter().any(|step| self.is_gone(step)), Reason::CannotRestorePurged)?;
        for step in &steps {
            self.may_turn(step)?;
        }
        refuse_if(steps.iter().any(|step| self.is_overtaken(step)), Reason::VersionConflict)?;
        self.note_given_back(past, &steps);
        // As in an update, fields come before the status.
        let is_status = |step: &&Step| matches!(step, Step::Status(..));
        for step in steps.iter().filter(|step| !is_status(step)).chain(steps.iter().filter(is_status)) {
            self.turn_node(step)?;
        }
        for step in &steps {
            self.turn_other(step)?;
        }
        self.turn_links(&steps)?;
        refuse_if(self.m.has_primary_cycle(), Reason::DependencyCycle)
    }

    /// What the cascade of the chain's last batch reopened, where no status was set since: the cascade left the status
    /// Available, held or not. For an undo also what that of its first reopened and nothing has changed since.
    // Rules: H21.
    fn note_given_back(&mut self, past: &Past, steps: &[Step]) {
        let mut ended = past.ended_by_last.clone();
        if !past.undone {
            let as_left = |id: &NodeId, version: u64| {
                past.turns.is_empty() || self.m.nodes.get(id).is_some_and(|node| node.version == version)
            };
            ended.extend(past.ended.iter().filter(|(id, version)| as_left(id, **version)).map(|(id, _)| *id));
        }
        for step in steps {
            if let Step::Status(_, to) = step {
                ended.remove(&to.id);
            }
        }
        let now = ended.into_iter().filter_map(|id| self.m.nodes.get(&id));
        let untouched = now.filter(|node| unheld(node) == Status::Available);
        self.given_back = untouched.map(|node| (node.id, !node.in_trash)).collect();
    }

    fn is_gone(&self, step: &Step) -> bool {
        match step {
            Step::Gone => true,
            Step::Link(id, _, _) => !self.m.links.contains_key(id),
            Step::Fields(node, _) | Step::Status(node, _) => !self.m.nodes.contains_key(&node.id),
            Step::Trash(id) | Step::Restore(id) | Step::Publication(id, _, _) | Step::Embed(_, id, _) => {
                !self.m.nodes.contains_key(id)
            }
            Step::Grant(id, user, _, _) => !self.m.nodes.contains_key(id) || self.m.users[user].is_removed(),
            Step::Username(..) | Step::Account(_) => false,
        }
    }

    fn needs(&self, id: NodeId, needed: Level) -> Result<(), Reason> {
        let has = self.m.placement(self.caller, id).is_some_and(|level| level <= needed);
        refuse_if(!has, Reason::NoPermission)
    }

    fn may_turn(&self, step: &Step) -> Result<(), Reason> {
        match step {
            Step::Trash(id) | Step::Restore(id) => self.needs(*id, Level::Editor),
            Step::Fields(node, _) | Step::Status(node, _) => self.needs(node.id, Level::Editor),
            Step::Publication(id, _, to) => {
                self.needs(*id, Level::Admin)?;
                refuse_if(to.is_some() && !self.is_pro(), Reason::PlanLimit)
            }
            Step::Link(id, from, to) => {
                let link = &self.m.links[id];
                refuse_if(!self.m.sees_link(self.caller, link), Reason::NoPermission)?;
                self.may_change(link)?;
                let (from, to) = link_sides(from.as_ref(), to.as_ref());
                let closes_or_opens = from.private != to.private;
                let owns = self.m.owns_link(self.caller, link);
                refuse_if(closes_or_opens && !owns, Reason::NoPermission)?;
                let returns = from.in_trash && !to.in_trash;
                if returns || from.source != to.source {
                    let mut without = self.m.clone();
                    without.links.remove(id);
                    let source = without.placement(self.caller, link.source);
                    let target = without.placement(self.caller, link.target);
                    let turns = from.source != to.source;
                    let (source, target) = match turns {
                        true => (source, target),
                        false => (
                            self.m.placement(self.caller, link.source),
                            self.m.placement(self.caller, link.target),
                        ),
                    };
                    refuse_if(source.is_none() || target.is_none(), Reason::NoPermission)?;
                    let may = link.owner == self.caller || target.is_some_and(|level| level <= Level::Editor);
                    refuse_if(turns && !may, Reason::NoPermission)?;
                }
                Ok(())
            }
            Step::Grant(id, user, from, to) => self.may_turn_grant(*id, *user, from.as_ref(), to.as_ref()),
            Step::Embed(user, _, _) | Step::Username(user, _, _) => {
                refuse_if(*user != self.caller, Reason::NoPermission)
            }
            Step::Account(_) => Err(Reason::NoPermission),
            Step::Gone => Ok(()),
        }
    }

    fn may_turn_grant(
        &self,
        id: NodeId,
        user: UserId,
        from: Option<&Grant>,
        to: Option<&Grant>,
    ) -> Result<(), Reason> {
        let own = user == self.caller;
        match (from, to) {
            // A grantee may leave as long as the grant exists.
            (_, None) if own && self.m.grants.contains_key(&(id, user)) => Ok(()),
            (_, None) => self.needs(id, Level::Admin),
            (Some(from), Some(to)) if from.showing != to.showing => {
                refuse_if(!own, Reason::NoPermission)?;
                refuse_if(to.showing && !self.may_show_one_more(user), Reason::PlanLimit)
            }
            _ => {
                self.needs(id, Level::Admin)?;
                refuse_if(own, Reason::NoPermission)?;
                refuse_if(!self.is_pro(), Reason::PlanLimit)
            }
        }
    }

    fn is_overtaken(&self, step: &Step) -> bool {
        match step {
            Step::Trash(id) => self.m.nodes[id].in_trash,
            Step::Restore(id) => !self.m.nodes[id].in_trash,
            Step::Fields(from, to) => {
                let now = &self.m.nodes[&from.id];
                macro_rules! fields_overtaken {
                    ($($field:ident)*) => { overtaken!(now, from, to; $($field)*) };
                }
                each_node_field!(fields_overtaken)
            }
            Step::Status(from, _) => unheld(&self.m.nodes[&from.id]) != unheld(from),
            Step::Publication(id, from, to) => {
                let now = self.m.nodes[id].publication.as_deref();
                match (now, from, to) {
                    (Some(now), Some(from), Some(to)) => overtaken!(now, from, to; branch due),
                    (now, from, _) => now != from.as_ref(),
                }
            }
            Step::Link(id, from, to) => {
                let (from, to) = link_sides(from.as_ref(), to.as_ref());
                let now = &self.m.links[id];
                overtaken!(now, from, to; in_trash source target kind private)
            }
            Step::Grant(id, user, from, to) => {
                let now = self.m.grants.get(&(*id, *user));
                match (now, from, to) {
                    (None, None, _) => false,
                    (Some(now), Some(from), None) => {
                        (now.level, now.branch, now.due) != (from.level, from.branch, from.due)
                    }
                    (Some(now), Some(from), Some(to)) => {
                        overtaken!(now, from, to; level branch due showing)
                    }
                    _ => true,
                }
            }
            Step::Embed(user, id, to) => self.m.embeds.contains(&(*user, *id)) == *to,
            Step::Username(user, from, _) => self.m.users[user].username != *from,
            Step::Account(_) | Step::Gone => false,
        }
    }

    fn turn_node(&mut self, step: &Step) -> Result<(), Reason> {
        match step {
            Step::Trash(id) => self.put_in_trash(*id),
            Step::Restore(id) => self.take_from_trash(*id),
            Step::Fields(from, to) => {
                refuse_if(!self.m.is_active(from.id), Reason::NodeInTrash)?;
                self.node_entry(from.id, |node| {
                    macro_rules! set_fields {
                        ($($field:ident)*) => { set_changed!(node, from, to; $($field)*) };
                    }
                    each_node_field!(set_fields);
                });
            }
            Step::Status(_, to) => {
                refuse_if(!self.m.is_active(to.id), Reason::NodeInTrash)?;
                let status = unheld(to);
                let held = self.m.held(to.id);
                // A held node can resume as available or in progress. Whether it can be complete is judged in the
                // end.
                let blocked = self.m.nodes[&to.id].status == Status::Blocked;
                let waits = held && blocked && status != Status::Completed;
                self.node_entry(to.id, |node| match (waits, status) {
                    (false, _) => node.status = status,
                    (true, Status::InProgress) => node.resume = status,
                    (true, _) => node.resume = Status::Available,
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn turn_other(&mut self, step: &Step) -> Result<(), Reason> {
        match step {
            Step::Publication(id, _, None) => {
                self.node_entry(*id, |node| node.publication = None);
                self.m.embeds.retain(|(_, node)| node != id);
            }
            Step::Publication(id, from, Some(to)) => {
                refuse_if(!self.m.is_active(*id), Reason::NodeInTrash)?;
                let mut new = match (self.m.nodes[id].publication.as_deref(), from) {
                    (Some(now), Some(from)) => {
                        let mut new = now.clone();
                        set_changed!(new, from, to; branch due);
                        new
                    }
                    _ => to.clone(),
                };
                let reused = self.m.nodes.values().any(|node| {
                    node.id != *id && node.publication.as_ref().is_some_and(|it| it.token == new.token)
                });
                if reused {
                    new.token = self.ids.next_public_token();
                }
                self.node_entry(*id, |node| node.publication = Some(Box::new(new)));
            }
            Step::Grant(id, user, _, None) => self.set_grant(*id, *user, None),
            Step::Grant(id, user, from, Some(to)) => self.turn_grant(*id, *user, from.as_ref(), to)?,
            Step::Embed(user, id, false) => self.set_embed(*user, *id, false),
            Step::Embed(user, id, true) => {
                refuse_if(self.m.publication_in_force(*id).is_none(), Reason::NotPublic)?;
                refuse_if(self.m.has_access_without_embed(*user, *id), Reason::HasAccess)?;
                self.set_embed(*user, *id, true);
            }
            Step::Username(user, _, to) => {
                let other =
                    |other: &graph::model::User| other.id != *user && other.username.eq_ignore_ascii_case(to);
                refuse_if(self.m.users.values().any(other), Reason::UsernameTaken)?;
                self.set_username(*user, to);
            }
            _ => {}
        }
        Ok(())
    }

    fn turn_grant(
        &mut self,
        id: NodeId,
        user: UserId,
        from: Option<&Grant>,
        to: &Grant,
    ) -> Result<(), Reason> {
        let new = match (self.m.grants.get(&(id, user)), from) {
            (Some(now), Some(from)) => {
                // Hiding and showing also work in the trash.
                let gives = from.showing == to.showing;
                refuse_if(gives && !self.m.is_active(id), Reason::NodeInTrash)?;
                let mut new = now.clone();
                set_changed!(new, from, to; level branch due showing);
                new.version += 1;
                new
            }
            _ => {
                refuse_if(!self.m.is_active(id), Reason::NodeInTrash)?;
                let showing = to.showing && self.may_show_one_more(user);
                let given = !self.m.users[&to.granted_by].is_removed();
                let granted_by = if given { to.granted_by } else { self.caller };
                Grant { showing, granted_by, version: 1, ..to.clone() }
            }
        };
        self.set_grant(id, user, Some(new));
        Ok(())
    }

    fn turn_links(&mut self, steps: &[Step]) -> Result<(), Reason> {
        let ids: BTreeSet<LinkId> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Link(id, _, _) => Some(*id),
                _ => None,
            })
            .collect();
        for id in ids {
            let now = self.m.links[&id].clone();
            let mut last = now.clone();
            let mut entries = Vec::new();
            for step in steps {
                if let Step::Link(link, from, to) = step
                    && *link == id
                {
                    let (from, to) = link_sides(from.as_ref(), to.as_ref());
                    // A link that went or returned with its node is where it should be.
                    if last.in_trash != to.in_trash {
                        last.cascade = false;
                    }
                    let before = last.clone();
                    set_changed!(last, from, to; in_trash source target kind private);
                    if before != last {
                        entries.push(last.clone());
                    }
                }
            }
            self.judge_link(&now, &last)?;
            for entry in entries {
                self.link_entry(id, |link| {
                    link.in_trash = entry.in_trash;
                    link.cascade = entry.cascade;
                    (link.source, link.target) = (entry.source, entry.target);
                    (link.kind, link.private) = (entry.kind, entry.private);
                    link.was_blocker &= entry.kind == LinkType::Primary;
                });
            }
        }
        Ok(())
    }

    /// Whether the caller could make the link as it is to be now.
    fn judge_link(&self, now: &Link, last: &Link) -> Result<(), Reason> {
        if now == last || (last.in_trash && !now.in_trash) {
            return Ok(());
        }
        let returns = now.in_trash && !last.in_trash;
        let turns = now.source != last.source;
        let becomes_primary = now.kind != last.kind && last.kind == LinkType::Primary;
        let opens = now.private && !last.private;
        refuse_if(last.in_trash, Reason::LinkInTrash)?;
        let ends_active = self.m.is_active(last.source) && self.m.is_active(last.target);
        refuse_if(returns && !ends_active, Reason::InactiveEnd)?;
        let mut without = self.m.clone();
        without.links.remove(&now.id);
        let judged = if turns { &without } else { &self.m };
        let source = judged.placement(self.caller, last.source);
        let target = judged.placement(self.caller, last.target);
        let primary = last.kind == LinkType::Primary && (returns || turns || opens || becomes_primary);
        refuse_if(primary && target == Some(Level::Viewer), Reason::ForbiddenType)?;
        let kept = source.zip(target).is_some_and(|(source, target)| keeps_privacy(source, target));
        let made_public = !last.private && (returns || turns || opens);
        refuse_if(made_public && !kept, Reason::ForbiddenPrivate)?;
        let hidden = last.private
            && last.owner != self.caller
            && !(last.kind == LinkType::Primary && self.m.nodes[&last.target].owner == self.caller);
        refuse_if(turns && hidden, Reason::ForbiddenPrivate)?;
        let would_share = made_public && without.would_share(self.caller, last.source, last.target);
        refuse_if(would_share, Reason::WouldShare)?;
        let place = last.private.then_some(last.owner);
        let taken = self.at_place(last.source, last.target, place, Some(last.id));
        refuse_if(taken.is_some(), Reason::DuplicateLink)
    }
}
