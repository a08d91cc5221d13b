//! Undo and redo (SPEC.md, H): the inverse of what was meant.

use super::ops_link::keeps_privacy;
use super::{Model, Turn, refuse_if};
use graph::IdSupply;
use graph::model::{Grant, Level, Link, LinkType, Node, Publication, Status};
use graph::{BatchId, LinkId, NodeId, Reason, UserId, each_node_field};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

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
    /// How everything stood before it and after it.
    pub before: Rc<Model>,
    pub after: Rc<Model>,
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
    pub fn add(&mut self, more: &Touched) {
        self.nodes.extend(&more.nodes);
        self.links.extend(&more.links);
        self.grants.extend(&more.grants);
        self.embeds.extend(&more.embeds);
        self.users.extend(&more.users);
    }

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
        if self.guests.contains_key(&grantee) {
            return false;
        }
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
            || past.actor.is_some_and(|actor| self.person(actor) == user)
            || touched.nodes.iter().any(|id| self.knows_node(user, *id))
            || touched.links.iter().any(|id| self.knows_link(user, *id))
            || touched.grants.iter().any(|grant| self.knows_grant(user, *grant))
            || touched.embeds.iter().any(|embed| self.knows_embed(user, *embed))
            || (touched.users.contains(&user) && !self.guests.contains_key(&user))
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
        read(past, backward).iter().any(|step| match step {
            Step::Status(_, to) => {
                unheld(to) == Status::Completed && self.nodes[&to.id].status != Status::Completed
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
    Publication(Node, Node),
    /// The link as it should be now and as it shall be; whether it was meant to go to the trash or to leave it.
    Link(Link, Link, bool),
    Grant(NodeId, UserId, Option<Grant>, Option<Grant>),
    Embed(UserId, NodeId, bool),
    Username(UserId, String, String),
    Account(UserId),
    /// A node, a link or an account deleted for good.
    Gone,
}

/// What a deed is about: everything that was meant of it counts together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Node(NodeId),
    Link(LinkId),
    Grant(NodeId, UserId),
    Embed(UserId, NodeId),
    User(UserId),
    Account(UserId),
    Removed,
}

fn about(deed: &Deed) -> About {
    match deed {
        Deed::Node { id, .. } => About::Node(*id),
        Deed::Link { id, .. } => About::Link(*id),
        Deed::Grant { id, user, .. } => About::Grant(*id, *user),
        Deed::Embed { user, id, .. } => About::Embed(*user, *id),
        Deed::Username { user, .. } => About::User(*user),
        Deed::Account { user } => About::Account(*user),
        Deed::Removed => About::Removed,
    }
}

/// The steps, what was done last first when they lead back.
fn read(past: &Past, backward: bool) -> Vec<Step> {
    let mut things: Vec<About> = Vec::new();
    let deeds: Vec<&Deed> = match backward {
        true => past.deeds.iter().rev().collect(),
        false => past.deeds.iter().collect(),
    };
    for deed in deeds {
        if !things.contains(&about(deed)) {
            things.push(about(deed));
        }
    }
    let mut steps = Vec::new();
    for thing in things {
        let deeds: Vec<&Deed> = past.deeds.iter().filter(|deed| about(deed) == thing).collect();
        read_one(past, thing, &deeds, backward, &mut steps);
    }
    steps
}

fn read_one(past: &Past, thing: About, deeds: &[&Deed], backward: bool, steps: &mut Vec<Step>) {
    let (from, to) = if backward { (&past.after, &past.before) } else { (&past.before, &past.after) };
    match thing {
        About::Node(id) => {
            let (from, to, last) = (from.nodes.get(&id), to.nodes.get(&id), past.after.nodes.get(&id));
            if from.is_none() && to.is_none() {
                return;
            }
            if last.is_none() {
                return steps.push(Step::Gone);
            }
            match (from.is_none_or(|it| it.in_trash), to.is_none_or(|it| it.in_trash)) {
                (false, true) => steps.push(Step::Trash(id)),
                (true, false) => steps.push(Step::Restore(id)),
                _ => {}
            }
            let (Some(from), Some(to)) = (from, to) else { return };
            let meant = |differ: fn(&Node, &Node) -> bool| {
                deeds.iter().any(|deed| match deed {
                    Deed::Node { before: Some(before), after: Some(after), .. } => differ(before, after),
                    _ => false,
                })
            };
            let settled = |node: &Node| Node { status: Status::Available, ..node.clone() };
            let fields = |a: &Node, b: &Node| {
                let (a, b) = (settled(a), settled(b));
                macro_rules! differs {
                    ($($field:ident)*) => { false $(|| a.$field != b.$field)* };
                }
                each_node_field!(differs)
            };
            if meant(|a, b| {
                a.status == b.status && a.in_trash == b.in_trash && a.publication == b.publication
            }) && fields(from, to)
            {
                steps.push(Step::Fields(settled(from), settled(to)));
            }
            if meant(|a, b| a.publication != b.publication) && from.publication != to.publication {
                steps.push(Step::Publication(from.clone(), to.clone()));
            }
            if meant(|a, b| a.status != b.status) && unheld(from) != unheld(to) {
                steps.push(Step::Status(from.clone(), to.clone()));
            }
        }
        About::Link(id) => {
            let (from, to) = (from.links.get(&id), to.links.get(&id));
            if from.is_none() && to.is_none() {
                return;
            }
            if !past.after.links.contains_key(&id) {
                return steps.push(Step::Gone);
            }
            let moved = deeds.iter().any(|deed| match deed {
                Deed::Link { before: Some(before), after: Some(after), .. } => {
                    before.in_trash != after.in_trash
                }
                _ => true,
            });
            let (from, to) = link_sides(from, to);
            let in_trash = |model: &Model, id| model.nodes.get(&id).is_none_or(|node| node.in_trash);
            let (then, now) =
                if backward { (&past.before, &past.after) } else { (&past.after, &past.before) };
            let returns = |end: NodeId| in_trash(now, end) && !in_trash(then, end);
            let stays = from.cascade && (returns(to.source) || returns(to.target));
            let moves = match (from.in_trash, to.in_trash) {
                (true, true) => stays && !to.cascade,
                (false, true) => !to.cascade,
                (was, is) => was != is,
            };
            let fields = |link: &Link| (link.source, link.private, link.kind);
            if fields(&from) != fields(&to) || (moved && moves) {
                steps.push(Step::Link(from, to, moved && moves));
            }
        }
        About::Grant(id, user) => {
            let (from, to) = (from.grants.get(&(id, user)), to.grants.get(&(id, user)));
            let gives = |grant: &Grant| (grant.level, grant.branch, grant.due, grant.showing);
            if from.map(gives) != to.map(gives) {
                steps.push(Step::Grant(id, user, from.cloned(), to.cloned()));
            }
        }
        About::Embed(user, id) => {
            let (from, to) = (from.embeds.contains(&(user, id)), to.embeds.contains(&(user, id)));
            if from != to {
                steps.push(Step::Embed(user, id, to));
            }
        }
        About::Account(user) => steps.push(Step::Account(user)),
        About::Removed => steps.push(Step::Gone),
        About::User(user) => {
            let (from, to) = (&from.users[&user].username, &to.users[&user].username);
            if from != to {
                steps.push(Step::Username(user, from.clone(), to.clone()));
            }
        }
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

/// Whether no more than being shown or hidden differs.
fn only_showing(from: &Grant, to: &Grant) -> bool {
    let rest = |grant: &Grant| (grant.level, grant.branch, grant.due);
    from.showing != to.showing && rest(from) == rest(to)
}

/// A link that was added or deleted counts as one in the trash.
fn link_sides(from: Option<&Link>, to: Option<&Link>) -> (Link, Link) {
    let trashed = |link: &Link| Link { in_trash: true, cascade: false, ..link.clone() };
    let known = from.or(to).unwrap();
    (from.cloned().unwrap_or_else(|| trashed(known)), to.cloned().unwrap_or_else(|| trashed(known)))
}

/// The grants and the embeds.
type Shares = (BTreeMap<(NodeId, UserId), Grant>, BTreeSet<(UserId, NodeId)>);

impl Turn {
    pub fn turn(&mut self, past: &Past, backward: bool) -> Result<(), Reason> {
        let steps = read(past, backward);
        refuse_if(steps.iter().any(|step| self.is_gone(step)), Reason::CannotRestorePurged)?;
        let refused = steps.iter().filter_map(|step| self.may_turn(step).err());
        if let Some(reason) = refused.min_by_key(|reason| *reason != Reason::NoPermission) {
            return Err(reason);
        }
        refuse_if(steps.iter().any(|step| self.is_overtaken(step)), Reason::VersionConflict)?;
        self.note_given_back(past, &steps);
        let going: BTreeSet<NodeId> = steps
            .iter()
            .filter_map(|step| if let Step::Trash(id) = step { Some(*id) } else { None })
            .collect();
        let before = self.m.links.clone();
        let shares = (self.m.grants.clone(), self.m.embeds.clone());
        // Links as they lie, then what is about to go, before it goes.
        self.turn_link_fields(&steps, false);
        self.turn_rest(&steps, |id| going.contains(&id))?;
        let then = if backward { &past.before } else { &past.after };
        // A link that came with one of its ends goes along with it, unless its other end goes too and was there before.
        let came_with_end = |link: &Link| {
            let is_new = |end: NodeId| !then.nodes.contains_key(&end);
            let mut ends =
                [link.source, link.target].into_iter().filter(|end| going.contains(end)).peekable();
            !then.links.contains_key(&link.id) && ends.peek().is_some() && ends.all(is_new)
        };
        self.turn_links_to_trash(&steps, |link| !came_with_end(link));
        for id in &going {
            self.put_in_trash(*id);
        }
        self.turn_links_to_trash(&steps, came_with_end);
        let returning = steps.iter().filter_map(|step| match step {
            Step::Restore(id) => Some(*id),
            _ => None,
        });
        let returning: Vec<NodeId> = returning.collect();
        self.take_all_from_trash(&returning);
        for step in &steps {
            if let Step::Link(from, to, true) = step
                && from.in_trash
                && !to.in_trash
                && self.m.links[&to.id].in_trash
            {
                let both = self.m.is_active(to.source) && self.m.is_active(to.target);
                refuse_if(!both, Reason::InactiveEnd)?;
                self.link_entry(to.id, |link| {
                    link.in_trash = false;
                    link.cascade = false;
                });
            }
        }
        self.turn_link_fields(&steps, true);
        self.turn_rest(&steps, |id| !going.contains(&id))?;
        for step in &steps {
            if let Step::Link(from, to, _) = step {
                self.judge_link(&before[&to.id], (from, to), &shares)?;
            }
        }
        refuse_if(self.m.has_primary_cycle(), Reason::DependencyCycle)
    }

    /// Trashes such links on their own.
    fn turn_links_to_trash(&mut self, steps: &[Step], such: impl Fn(&Link) -> bool) {
        for step in steps {
            let Step::Link(from, to, true) = step else { continue };
            let now = &self.m.links[&to.id];
            if to.in_trash && such(now) && (!now.in_trash || (now.cascade && from.in_trash)) {
                self.link_entry(to.id, |link| {
                    link.in_trash = true;
                    link.cascade = false;
                });
            }
        }
    }

    /// Sets back the fields of links that lay in the trash by themselves (`alone`), or of the others.
    fn turn_link_fields(&mut self, steps: &[Step], alone: bool) {
        for step in steps {
            let Step::Link(from, to, _) = step else { continue };
            let differs = (from.source, from.private, from.kind) != (to.source, to.private, to.kind);
            if differs && alone == (from.in_trash && !from.cascade) {
                self.link_entry(to.id, |link| {
                    set_changed!(link, from, to; source target kind private);
                    link.was_blocker &= link.kind == LinkType::Primary;
                });
            }
        }
    }

    /// Sets back what is about such nodes, or about none, statuses last: as in an update, fields come before the status.
    fn turn_rest(&mut self, steps: &[Step], such: impl Fn(NodeId) -> bool) -> Result<(), Reason> {
        let (statuses, others): (Vec<&Step>, Vec<&Step>) =
            steps.iter().partition(|step| matches!(step, Step::Status(..)));
        for step in others.into_iter().chain(statuses) {
            let id = match step {
                Step::Fields(node, _) | Step::Status(node, _) | Step::Publication(node, _) => Some(node.id),
                Step::Grant(id, ..) | Step::Embed(_, id, _) => Some(*id),
                _ => None,
            };
            if id.is_some_and(&such) {
                self.turn_node(step)?;
                self.turn_other(step)?;
            } else if id.is_none() && such(NodeId(uuid::Uuid::nil())) {
                self.turn_other(step)?;
            }
        }
        Ok(())
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
            Step::Link(link, _, _) => !self.m.links.contains_key(&link.id),
            Step::Fields(node, _) | Step::Status(node, _) | Step::Publication(node, _) => {
                !self.m.nodes.contains_key(&node.id)
            }
            Step::Trash(id) | Step::Restore(id) | Step::Embed(_, id, _) => !self.m.nodes.contains_key(id),
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
            Step::Publication(_, to) => {
                self.needs(to.id, Level::Admin)?;
                refuse_if(to.publication.is_some() && !self.is_pro(), Reason::PlanLimit)
            }
            Step::Link(from, to, moved) => {
                let link = &self.m.links[&to.id];
                refuse_if(!self.m.sees_link(self.caller, link), Reason::NoPermission)?;
                self.may_change(link)?;
                let closes_or_opens = from.private != to.private;
                let owns = self.m.owns_link(self.caller, link);
                refuse_if(closes_or_opens && !owns, Reason::NoPermission)?;
                let returns = *moved && from.in_trash && !to.in_trash;
                if returns || from.source != to.source {
                    let mut without = self.m.clone();
                    without.links.remove(&to.id);
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
            (Some(from), Some(to)) if only_showing(from, to) => {
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
            Step::Publication(from, to) => {
                let now = self.m.nodes[&to.id].publication.as_deref();
                match (now, from.publication.as_deref(), to.publication.as_deref()) {
                    (Some(now), Some(from), Some(to)) => overtaken!(now, from, to; token branch due),
                    (now, from, _) => now != from,
                }
            }
            Step::Link(from, to, moved) => {
                let now = &self.m.links[&to.id];
                overtaken!(now, from, to; source target kind private)
                    || (*moved && overtaken!(now, from, to; in_trash))
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
            Step::Fields(from, to) => {
                self.still_there(from)?;
                self.node_entry(from.id, |node| {
                    macro_rules! set_fields {
                        ($($field:ident)*) => { set_changed!(node, from, to; $($field)*) };
                    }
                    each_node_field!(set_fields);
                });
            }
            Step::Status(from, to) => {
                self.still_there(from)?;
                let status = unheld(to);
                let held = self.m.held(to.id) && status != Status::Completed;
                let waits = held && self.m.nodes[&to.id].status == Status::Blocked;
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

    /// What a batch left in the trash can be set back there.
    fn still_there(&self, from: &Node) -> Result<(), Reason> {
        refuse_if(!self.m.is_active(from.id) && !from.in_trash, Reason::NodeInTrash)
    }

    fn turn_other(&mut self, step: &Step) -> Result<(), Reason> {
        match step {
            Step::Publication(_, Node { id, publication: None, .. }) => {
                self.node_entry(*id, |node| node.publication = None);
                self.m.embeds.retain(|(_, node)| node != id);
            }
            Step::Publication(from, Node { id, publication: Some(to), .. }) => {
                refuse_if(!self.m.is_active(*id), Reason::NodeInTrash)?;
                let from = from.publication.as_deref();
                let mut new = match (self.m.nodes[id].publication.as_deref(), from) {
                    (Some(now), Some(from)) => {
                        let mut new = now.clone();
                        set_changed!(new, from, to; token branch due);
                        new
                    }
                    _ => Publication::clone(to),
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
                // Hiding and showing work in the trash as well.
                let gives = (from.level, from.branch, from.due) != (to.level, to.branch, to.due);
                refuse_if(gives && !self.m.is_active(id), Reason::NodeInTrash)?;
                let mut new = now.clone();
                set_changed!(new, from, to; level branch due showing);
                let shows = new.showing && !now.showing;
                refuse_if(shows && !self.may_show_one_more(user), Reason::PlanLimit)?;
                new.version += 1;
                new
            }
            _ => {
                refuse_if(!self.m.is_active(id), Reason::NodeInTrash)?;
                let showing = to.showing && self.may_show_one_more(user);
                let given = !self.m.users[&to.granted_by].is_removed();
                let granted_by = if given { to.granted_by } else { self.m.person(self.caller) };
                Grant { showing, granted_by, version: 1, ..to.clone() }
            }
        };
        self.set_grant(id, user, Some(new));
        Ok(())
    }

    /// Whether the caller could make the link, which was `now`, what it is at last.
    fn judge_link(&self, now: &Link, (from, to): (&Link, &Link), shares: &Shares) -> Result<(), Reason> {
        let last = &self.m.links[&now.id];
        let set_back = (from.source, from.private, from.kind) != (to.source, to.private, to.kind);
        refuse_if(set_back && last.in_trash && !to.in_trash, Reason::LinkInTrash)?;
        if last.in_trash {
            return Ok(());
        }
        // What lay in the trash with an end of it returns with that.
        let returns = now.in_trash && !now.cascade;
        let turns = now.source != last.source;
        let becomes_primary = now.kind != last.kind && last.kind == LinkType::Primary;
        let opens = now.private && !last.private;
        let mut with = self.m.clone();
        (with.grants, with.embeds) = shares.clone();
        let mut without = with.clone();
        without.links.remove(&now.id);
        let judged = if turns || returns || opens { &without } else { &with };
        let source = judged.placement(self.caller, last.source);
        let target = judged.placement(self.caller, last.target);
        let primary = last.kind == LinkType::Primary && (returns || turns || opens || becomes_primary);
        let judges = returns || turns || opens || becomes_primary;
        refuse_if(judges && target.is_none(), Reason::NoPermission)?;
        refuse_if(primary && target == Some(Level::Viewer), Reason::ForbiddenType)?;
        let kept = source.zip(target).is_some_and(|(source, target)| keeps_privacy(source, target));
        let made_public = !last.private && (returns || turns || opens);
        refuse_if(made_public && source.is_none(), Reason::NoPermission)?;
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
