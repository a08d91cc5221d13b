//! One World and one model, driven by the same steps and compared after each.

#![allow(dead_code)]

mod by_snapshot;
pub mod replica;
pub mod retrace;
pub mod steps;
pub mod telling;
pub mod values;

use crate::model::undo::{Deed, Past, Touched};
use crate::model::view::Seen;
use crate::model::{Done, Model};
use crate::supply::Supply;
use graph::batch::{Change, Lineage, Subject};
use graph::diff::{Diff, LinkChange, NodeChange};
use graph::hash::HashSet;
use graph::load::Load;
use graph::model::{Embed, Node, Plan, Status, TokenScope, User};
use graph::ops::{self, Chain, TokenCreate};
use graph::projection::{Projection, SharedDiff};
use graph::published::PublishedList;
use graph::world::Counts;
use graph::{
    Batch, BatchId, Class, Entity, Graph, LinkId, NodeId, Operation, Reason, Refusal, Timestamp, UserId,
    World, access, decide, trash,
};
use replica::Replica;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use steps::Step;
use uuid::Uuid;

/// A complete event: it can be replayed without the events before it.
#[derive(Clone, Debug)]
pub enum Event {
    Asked(UserId, Operation, New),
    /// The operator did something.
    Operated(Operation, New),
    Waited(i64),
}

/// What an operation gets: its batch's id, and a supply of ids.
#[derive(Clone, Debug)]
pub struct New {
    pub batch: BatchId,
    pub ids: Supply,
}

pub const BEGIN_MS: i64 = 1_700_000_000_000;

/// Users' names; the last has the basic plan.
pub const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "eve"];

#[derive(Clone)]
pub struct Simulation {
    pub world: World,
    pub model: Model,
    next_id: u128,
    /// How often each outcome occurred: the code of the refusal, or the operation's name.
    pub outcomes: BTreeMap<String, usize>,
    /// Everyone's client.
    replicas: Vec<Replica>,
    /// What every user saw, in the graph and in their trash, at the last comparison.
    views: Vec<View>,
    /// The state at that time.
    past: Model,
    viewers: HashSet<UserId>,
    events: usize,
    /// Every batch, with its undos and redos.
    pub history: Vec<Remembered>,
    /// The publications, each as listed when a batch last changed what it covers.
    lists: BTreeMap<NodeId, Rc<PublishedList>>,
    /// Whether this one only tries what would happen. It does not try further.
    aside: bool,
}

/// A batch as decided, and as the model remembers it.
#[derive(Clone)]
pub struct Remembered {
    pub batch: Batch,
    pub past: Past,
    /// Its last undo or redo.
    pub latest: Option<Batch>,
}

/// What a user sees, and what their trash shows.
type View = (Seen, (BTreeSet<NodeId>, BTreeSet<LinkId>));

pub fn user_id(index: usize) -> UserId {
    UserId(Uuid::from_u128(0xA_0000_0000 + index as u128))
}

/// A person's name; a guest's number.
pub fn name_of(user: UserId) -> String {
    let index = (user.0.as_u128() - user_id(0).0.as_u128()) as usize;
    NAMES.get(index).map_or_else(|| format!("guest {index}"), |name| (*name).to_owned())
}

fn users() -> Vec<User> {
    let plan = |index| if index == NAMES.len() - 1 { Plan::Basic } else { Plan::Pro };
    NAMES
        .iter()
        .enumerate()
        .map(|(index, name)| {
            User::new(
                user_id(index),
                (*name).to_owned(),
                format!("{name}@Example.org"),
                plan(index),
                Timestamp::from_ms(BEGIN_MS),
            )
        })
        .collect()
}

impl Default for Simulation {
    fn default() -> Self {
        let mut world =
            World::load(users().into_iter().map(|user| Entity::User(Arc::new(user))), 0, Counts::default());
        let now = Timestamp::from_ms(BEGIN_MS);
        world.advance(now);
        let model = Model {
            now,
            users: users().into_iter().map(|user| (user.id, user)).collect(),
            next_seq: world.next_seq(),
            ..Model::default()
        };
        let everyone = || (0..NAMES.len()).map(user_id);
        Simulation {
            world,
            past: model.clone(),
            model,
            next_id: 1,
            outcomes: BTreeMap::new(),
            replicas: everyone().map(Replica::new).collect(),
            views: everyone().map(|_| View::default()).collect(),
            viewers: everyone().collect(),
            events: 0,
            history: Vec::new(),
            lists: BTreeMap::new(),
            aside: false,
        }
    }
}

impl Simulation {
    pub fn index(&self, user: UserId) -> usize {
        self.replicas.iter().position(|replica| replica.user == user).unwrap()
    }

    pub fn new_id(&mut self) -> Uuid {
        self.next_id += 1;
        Uuid::from_u128(0xF000_0000_0000 + self.next_id)
    }

    fn new_ids(&mut self) -> New {
        let batch = BatchId(self.new_id());
        let mut ids = Supply::new(self.next_id);
        if let Some(token) = self.ended_token() {
            ids.public_token = token;
        }
        New { batch, ids }
    }

    fn in_use(&self, token: &str) -> bool {
        let publications = self.model.nodes.values().filter_map(|node| node.publication.as_ref());
        publications.into_iter().any(|publication| publication.token == token)
    }

    /// Sometimes a token of a publication that has ended.
    fn ended_token(&self) -> Option<String> {
        let known = self.history.iter().flat_map(|it| &it.past.deeds).filter_map(|deed| match deed {
            Deed::Node { after: Some(node), .. } => node.publication.as_ref().map(|it| &it.token),
            _ => None,
        });
        known.filter(|token| !self.in_use(token)).last().filter(|_| self.next_id % 3 == 0).cloned()
    }

    /// Lets time pass. What expires is sent like a batch.
    fn wait(&mut self, ms: i64) -> Result<(), String> {
        let now = self.model.now.plus_ms(ms);
        self.model.now = now;
        self.model.branches = Default::default();
        let viewers = self.viewers.clone();
        let dues = self.world.due_by(now);
        let [shared, plain] = [(); 2].map(|()| Projection::before_due(&self.world, &dues, &viewers));
        self.world.advance(now);
        let diffs = checked(shared.after(&self.world), plain.after_for_each(&self.world))?;
        self.tell(None, diffs)
    }

    /// Gives every client its diff, and compares what it has then with what it should see.
    fn tell(&mut self, caller: Option<UserId>, diffs: Vec<(UserId, Diff)>) -> Result<(), String> {
        self.events += 1;
        let mut diffs: BTreeMap<UserId, Diff> = diffs.into_iter().collect();
        for at in 0..self.replicas.len() {
            let user = self.replicas[at].user;
            let new: View = (self.model.visible(user), self.model.trash(user));
            self.tell_one(at, caller, &new, diffs.remove(&user))
                .map_err(|problem| format!("{}: {problem}", name_of(user)))?;
            self.views[at] = new;
        }
        self.past = self.model.clone();
        if diffs.is_empty() { Ok(()) } else { Err(format!("told who did not ask: {diffs:?}")) }
    }

    // Rules: P1, P6, V9, V11.
    fn tell_one(
        &mut self,
        at: usize,
        caller: Option<UserId>,
        new: &View,
        diff: Option<Diff>,
    ) -> Result<(), String> {
        let user = self.replicas[at].user;
        let want = replica::expected(&self.model, &new.0);
        if let Some(diff) = diff {
            let old = &self.views[at];
            let before = telling::Readable { model: &self.past, seen: &old.0, trash: &old.1 };
            let after = telling::Readable { model: &self.model, seen: &new.0, trash: &new.1 };
            telling::check(user, caller, &diff, &before, &after)?;
            let news = diff.nodes.iter().any(|change| !matches!(change, NodeChange::Deleted { .. }))
                || diff.links.iter().any(|change| !matches!(change, LinkChange::Deleted { .. }));
            if news && replica::expected(&self.past, &old.0) == want {
                return Err(format!("told of what changed nothing: {diff:?}"));
            }
            for part in in_parts(&diff, 1 + self.events % 5) {
                self.replicas[at].apply(&part)?;
            }
        }
        replica::check_load(&self.world, user, &new.0, &want)
            .map_err(|problem| format!("load: {problem}"))?;
        let everyone = self.replicas.len();
        if self.events % everyone == at {
            by_snapshot::check(&self.world, user, self.events / everyone)
                .map_err(|problem| format!("load: {problem}"))?;
        }
        let replica = &mut self.replicas[at];
        let was_loading = replica.is_loading();
        replica.page(&self.world, 1 + self.events % 4)?;
        if !replica.is_loading() {
            let when = if was_loading { "at the end of a load" } else { "live" };
            replica::same(&replica.graph, &want).map_err(|problem| format!("{when}: {problem}"))?;
        }
        if self.events % 40 == 7 * at {
            replica.begin_load(&self.world);
        }
        Ok(())
    }

    /// What a step becomes in the current state.
    pub fn read(&mut self, step: &Step) -> Event {
        match steps::interpret(self, step) {
            steps::Read::Ask(caller, operation) => Event::Asked(caller, operation, self.new_ids()),
            steps::Read::AskWith(caller, operation, new) => Event::Asked(caller, operation, new),
            steps::Read::Operate(operation) => Event::Operated(operation, self.new_ids()),
            steps::Read::Wait(ms) => Event::Waited(ms),
        }
    }

    /// Executes an event on both sides. A difference is the error.
    pub fn run(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Waited(ms) => {
                self.wait(*ms)?;
                self.compare()?;
                self.check_lists()
            }
            // A removed user asks for nothing any more: no token of theirs is in force.
            Event::Asked(caller, ..) if self.is_gone(*caller) => Ok(()),
            Event::Asked(caller, operation, new) => self.perform(*caller, operation, new),
            Event::Operated(operation, new) => self.operate(operation, new),
        }
    }

    /// Whether the user was removed, or the token revoked that acted as this guest.
    fn is_gone(&self, user: UserId) -> bool {
        self.model.users.get(&user).is_none_or(User::is_removed)
    }

    /// Connects the guest of a new branch token.
    fn connect_guest(&mut self, operation: &Operation) {
        if let Operation::TokenCreate(TokenCreate { scope: TokenScope::Branch { guest, .. }, .. }) = operation
        {
            self.replicas.push(Replica::new(*guest));
            self.views.push(View::default());
            self.viewers.insert(*guest);
        }
    }

    fn perform(&mut self, caller: UserId, operation: &Operation, new: &New) -> Result<(), String> {
        // With events left out, a token that had ended may still be in use.
        if self.in_use(&new.ids.public_token) {
            return Ok(());
        }
        let turned = match operation {
            Operation::HistoryUndo { batch } => Some((*batch, ops::UndoKind::Undo)),
            Operation::HistoryRedo { batch } => Some((*batch, ops::UndoKind::Redo)),
            _ => None,
        };
        // With events left out, the named batch may not exist.
        let at = turned.map(|(named, _)| self.remembered(named));
        if at == Some(None) {
            return Ok(());
        }
        let at = at.flatten();
        let (got, want) = match (turned, at) {
            (Some((named, asked)), Some(at)) => {
                let Remembered { batch, past, .. } = &self.history[at];
                let names_undo = past.turns.contains(&(named, true));
                let latest = self.history[at].latest.clone();
                let chain = Chain { root: batch.clone(), undone: past.undone, names_undo, latest };
                let got =
                    ops::undo_or_redo(&self.world, caller, &chain, asked, new.batch, &mut new.ids.clone());
                (got, self.model.turn(caller, past, named, asked, new))
            }
            _ => (self.decide(caller, operation, new)?, self.model.act(caller, operation, new)),
        };
        self.count(operation, want.as_ref().err().copied());
        if self.model.guests.contains_key(&caller) {
            let outcome = if want.is_ok() { "a guest is obeyed" } else { "a guest is refused" };
            *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
        }
        match (got, want) {
            (Err(refusal), Err(reason)) if refusal.reason == reason => {
                self.check_refusal(caller, operation, &refusal)
            }
            (Err(refusal), Err(reason))
                if at.is_some() && is_of_a_step(refusal.reason) && is_of_a_step(reason) =>
            {
                self.check_refusal(caller, operation, &refusal)
            }
            (Err(refusal), Err(reason)) => Err(format!("refused with {:?}, not {reason:?}", refusal.reason)),
            (Err(refusal), Ok(_)) => Err(format!("refused with {:?}, not done", refusal.reason)),
            (Ok(_), Err(reason)) => Err(format!("done, not refused with {reason:?}")),
            (Ok(batch), Ok(Done { model, deeds, ended, touched })) => {
                let quiet = model == self.model && deeds.is_empty();
                if batch.entries.is_empty() != quiet {
                    return Err(format!("{} entries, not {quiet}", batch.entries.len()));
                }
                self.check_revert(&batch)?;
                if quiet {
                    self.model = model;
                    return self.compare();
                }
                let before = (!self.aside).then(|| self.clone());
                let stood = Rc::new(self.model.clone());
                self.model = model;
                self.commit(caller, &batch)?;
                match at {
                    None => {
                        let (root, actor) = (batch.id, Some(caller));
                        let after = Rc::new(self.model.clone());
                        let ended = self.as_left(ended);
                        let past = Past {
                            root,
                            actor,
                            deeds,
                            touched,
                            before: stood,
                            after,
                            undone: false,
                            ended,
                            ended_by_last: BTreeSet::new(),
                            turns: Vec::new(),
                        };
                        self.history.push(Remembered { batch, past, latest: None });
                    }
                    Some(at) => self.note_turn(at, batch, ended)?,
                }
                if let Some(before) = before {
                    retrace::check_history(self)?;
                    retrace::there_and_back(&before, self, caller, operation)?;
                }
                Ok(())
            }
        }
    }

    /// Decides an operation on the World, which stays as it is.
    // Rules: O1, O33.
    fn decide(
        &mut self,
        caller: UserId,
        operation: &Operation,
        new: &New,
    ) -> Result<Result<Batch, Refusal>, String> {
        let mut ids = new.ids.clone();
        let Operation::GraphApply { operations } = operation else {
            return Ok(decide(&self.world, Some(caller), operation, new.batch, &mut ids));
        };
        let before = self.world.clone();
        let decided = ops::apply(&mut self.world, caller, operations, new.batch, &mut ids, || true);
        let kept = same_entities(&self.world, &before).and_then(|()| same_indices(&self.world, &before));
        kept.map_err(|problem| format!("the World after graph:apply: {problem}"))?;
        if self.world.next_seq() != before.next_seq() {
            return Err("graph:apply has used up numbers of the order of creation".to_owned());
        }
        if let Err(refusal) = &decided {
            // What comes before the refused one could be done.
            let index = refusal.index.ok_or("a refusal without index")?;
            let former = Operation::GraphApply { operations: operations[..index].to_vec() };
            if self.model.act(caller, &former, new).is_err() {
                return Err(format!("refused at {index}, not before"));
            }
        }
        Ok(decided)
    }

    fn operate(&mut self, operation: &Operation, new: &New) -> Result<(), String> {
        let got = decide(&self.world, None, operation, new.batch, &mut new.ids.clone());
        let want = self.model.operate(operation, new);
        self.count(operation, want.as_ref().err().copied());
        match (got, want) {
            (Err(refusal), Err(reason)) if refusal.reason == reason => Ok(()),
            (Ok(batch), Ok(Done { model, deeds, ended, .. })) => {
                let quiet = model == self.model;
                if batch.entries.is_empty() != quiet {
                    return Err(format!("{} entries, not {quiet}", batch.entries.len()));
                }
                self.check_revert(&batch)?;
                if quiet {
                    return self.compare();
                }
                let touched = Touched::between(&self.model, &model);
                self.connect_guest(operation);
                let before = Rc::new(std::mem::replace(&mut self.model, model));
                let after = Rc::new(self.model.clone());
                let viewers = self.viewers.clone();
                let [shared, plain] = [(); 2].map(|()| Projection::before(&self.world, &batch, &viewers));
                self.world.apply(&batch);
                self.lists.retain(|_, list| list.outlives(&batch));
                self.lists.retain(|_, list| list.outlives(&batch));
                let diffs = checked(shared.after(&self.world), plain.after_for_each(&self.world))?;
                check_order(&batch, &diffs)?;
                self.tell(None, diffs)?;
                self.compare()?;
                self.check_lists()?;
                let (root, actor) = (batch.id, None);
                let ended = self.as_left(ended);
                let (ended_by_last, turns) = (BTreeSet::new(), Vec::new());
                let undone = false;
                let past =
                    Past { root, actor, deeds, touched, before, after, undone, ended, ended_by_last, turns };
                self.history.push(Remembered { batch, past, latest: None });
                retrace::check_history(self)
            }
            (got, want) => Err(format!("{:?}, not {:?}", got.map(|it| it.entries.len()), want.map(|_| ()))),
        }
    }

    /// Nodes with their versions now.
    fn as_left(&self, nodes: BTreeSet<NodeId>) -> BTreeMap<NodeId, u64> {
        nodes.into_iter().filter_map(|id| Some((id, self.model.nodes.get(&id)?.version))).collect()
    }

    fn remembered(&self, named: BatchId) -> Option<usize> {
        self.history
            .iter()
            .position(|it| it.past.root == named || it.past.turns.iter().any(|(turn, _)| *turn == named))
    }

    /// Applies the batch to the World, sends it to every client, and replays it to its author.
    fn commit(&mut self, caller: UserId, batch: &Batch) -> Result<(), String> {
        let viewers = self.viewers.clone();
        let [shared, plain] = [(); 2].map(|()| Projection::before(&self.world, batch, &viewers));
        self.world.apply(batch);
        self.lists.retain(|_, list| list.outlives(batch));
        let diffs = checked(shared.after(&self.world), plain.after_for_each(&self.world))?;
        check_order(batch, &diffs)?;
        let told = diffs.iter().find(|(user, _)| *user == caller).map(|(_, diff)| diff.clone());
        self.tell(Some(caller), diffs)?;
        self.compare()?;
        self.check_lists()?;
        retrace::check_replay(self, batch, caller, told.as_ref())
    }

    /// What is listed of publications is what a load of each brings now.
    // Rules: G14.
    fn check_lists(&mut self) -> Result<(), String> {
        for node in self.model.nodes.keys() {
            let Some(fresh) = PublishedList::of(&self.world, *node) else { continue };
            let list = self.lists.entry(*node).or_insert_with(|| Rc::new(fresh));
            if Some(&**list) != PublishedList::of(&self.world, *node).as_ref() {
                return Err(format!("the list of {node} has outlived what it lists"));
            }
            for (limit, offset) in [(100, 0), (1 + self.events % 3, self.events % 5)] {
                let mut load = Load::of_publication(&self.world, *node);
                load.skip(offset);
                let (got, want) = (list.page(&self.world, limit, offset), load.next(&self.world, limit));
                if got != want {
                    return Err(format!(
                        "{limit} of the list of {node} from {offset}: {got:?}, not {want:?}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The chain has changed state. The new batch names what it undoes or redoes.
    fn note_turn(&mut self, at: usize, batch: Batch, ended: BTreeSet<NodeId>) -> Result<(), String> {
        let past = &mut self.history[at].past;
        past.undone = !past.undone;
        past.ended_by_last = ended;
        let root = past.root;
        let lineage = if past.undone { Lineage::UndoOf(root) } else { Lineage::RedoOf(root) };
        past.turns.push((batch.id, past.undone));
        let got = batch.lineage;
        self.history[at].latest = Some(batch);
        if got == lineage { Ok(()) } else { Err(format!("lineage {got:?}, not {lineage:?}")) }
    }

    fn count(&mut self, operation: &Operation, reason: Option<Reason>) {
        let name = format!("{operation:?}");
        let name = name.split([' ', '{']).next().unwrap_or_default().to_owned();
        let outcome = reason.map_or("done", Reason::code);
        *self.outcomes.entry(format!("{name} {outcome}")).or_default() += 1;
    }

    /// A hidden entity is refused like one that never existed, and the details of a refusal name only what the
    /// caller sees.
    // Rules: A9, T22, B9.
    fn check_refusal(&self, caller: UserId, operation: &Operation, refusal: &Refusal) -> Result<(), String> {
        let detail = refusal.detail.clone().unwrap_or_default();
        for word in detail.split(|c: char| !c.is_ascii_hexdigit() && c != '-') {
            if let Ok(id) = Uuid::parse_str(word)
                && self.model.placement(caller, NodeId(id)).is_none()
                && !self.model.links.get(&LinkId(id)).is_some_and(|link| self.model.sees_link(caller, link))
                && !(self.named_by(caller, operation) && self.model.gone.contains(&id))
            {
                return Err(format!("the refusal names {id}, which the caller does not see: {detail}"));
            }
        }
        if refusal.reason.class() == Class::NotFound
            && let Some(missing) = steps::with_missing_id(operation)
        {
            let batch = BatchId(Uuid::from_u128(1));
            let other = decide(&self.world, Some(caller), &missing, batch, &mut Supply::new(0));
            if other.as_ref().err() != Some(refusal) {
                return Err(format!("hidden: {refusal:?}, never used: {other:?}"));
            }
        }
        Ok(())
    }

    // Rules: O1.
    /// Whether the caller made the batch to be undone or redone: then they are told what of it was deleted.
    fn named_by(&self, caller: UserId, operation: &Operation) -> bool {
        match operation {
            Operation::HistoryUndo { batch } | Operation::HistoryRedo { batch } => {
                self.remembered(*batch).is_some_and(|at| self.history[at].past.actor == Some(caller))
            }
            _ => false,
        }
    }

    fn check_revert(&self, batch: &Batch) -> Result<(), String> {
        let mut world = self.world.clone();
        world.apply(batch);
        world.revert(batch);
        same_entities(&world, &self.world).map_err(|problem| format!("apply and revert: {problem}"))?;
        same_indices(&world, &self.world).map_err(|problem| format!("apply and revert: {problem}"))
    }

    /// Compares the World with the model and with itself.
    pub fn compare(&self) -> Result<(), String> {
        self.compare_entities()?;
        self.compare_views()?;
        self.check_invariants()?;
        let rebuilt = rebuild(&self.world, &self.model);
        same_entities(&rebuilt, &self.world).map_err(|problem| format!("rebuilt: {problem}"))?;
        same_indices(&rebuilt, &self.world).map_err(|problem| format!("rebuilt: {problem}"))
    }

    fn compare_entities(&self) -> Result<(), String> {
        let (world, model) = (&self.world, &self.model);
        let nodes = nodes_of(world);
        differ("node", &nodes, &model.nodes.values().map(|n| (n.id, comparable(n))).collect())?;
        let links: BTreeMap<_, _> = world.links().map(|link| (link.id, (**link).clone())).collect();
        differ("link", &links, &model.links)?;
        differ("grant", &grants_of(world), &model.grants)?;
        let users: BTreeMap<_, _> = world.users().map(|slot| (slot.user.id, (*slot.user).clone())).collect();
        differ("user", &users, &model.users)?;
        let tokens: BTreeMap<_, _> = world.tokens().map(|token| (token.id, (**token).clone())).collect();
        differ("token", &tokens, &model.tokens)?;
        if embeds_of(world) != model.embeds {
            return Err(format!("embeds {:?}, not {:?}", embeds_of(world), model.embeds));
        }
        match model.gone.iter().find(|id| !world.is_gone(**id)) {
            Some(id) => Err(format!("{id} is not remembered as gone")),
            None => Ok(()),
        }
    }

    /// Access of every user to every node.
    fn compare_views(&self) -> Result<(), String> {
        for user in self.model.users.keys().copied() {
            self.compare_trash(user)?;
            for node in self.model.nodes.keys().copied() {
                let active = self.model.is_active(node);
                let got = access::placement(&self.world, user, node);
                let want = self.model.placement(user, node);
                if got != want {
                    return Err(format!("placement of {user} to {node}: {got:?}, not {want:?}"));
                }
                let got = access::level(&self.world, user, node);
                if active && got != want {
                    return Err(format!("access of {user} to {node}: {got:?}, not {want:?}"));
                }
            }
        }
        Ok(())
    }

    fn compare_trash(&self, user: UserId) -> Result<(), String> {
        let (nodes, links) = self.model.trash(user);
        let whole = trash::trash_page(&self.world, user, usize::MAX, 0);
        let got: BTreeSet<NodeId> = whole.nodes.iter().map(|seen| seen.node.id).collect();
        let got_links: BTreeSet<LinkId> = whole.links.iter().map(|seen| seen.link.id).collect();
        if (&got, &got_links) != (&nodes, &links) {
            return Err(format!("the trash of {user}: {got:?} {got_links:?}, not {nodes:?} {links:?}"));
        }
        for seen in &whole.nodes {
            if seen.level() != self.model.placement(user, seen.node.id) {
                return Err(format!("access of {user} to {} in the trash", seen.node.id));
            }
        }
        let (mut paged, mut offset) = (Vec::new(), 0);
        loop {
            let page = trash::trash_page(&self.world, user, 3, offset);
            paged.extend(page.nodes.iter().map(|seen| seen.node.id.0));
            paged.extend(page.links.iter().map(|seen| seen.link.id.0));
            offset += 3;
            if !page.has_more {
                break;
            }
        }
        let order = whole.nodes.iter().map(|seen| seen.node.id.0);
        if order.chain(whole.links.iter().map(|seen| seen.link.id.0)).eq(paged) {
            Ok(())
        } else {
            Err(format!("the pages of the trash of {user}"))
        }
    }

    // Rules: B2, B11, N26, N27, B9.
    fn check_invariants(&self) -> Result<(), String> {
        let model = &self.model;
        let problems = graph::check::problems(&self.world);
        if !problems.is_empty() {
            return Err(format!("synaptask check: {problems:?}"));
        }
        for node in self.world.nodes().filter(|node| !node.in_trash) {
            if (node.status == Status::Blocked) != model.held(node.id) {
                return Err(format!("{} is {:?}, held: {}", node.id, node.status, model.held(node.id)));
            }
        }
        let mut places = BTreeSet::new();
        for link in self.world.links() {
            let ends = (link.source.min(link.target), link.source.max(link.target));
            if !places.insert((ends, link.private.then_some(link.owner))) {
                return Err(format!("the place of {} holds two links", link.id));
            }
            let both = model.is_active(link.source) && model.is_active(link.target);
            if !link.in_trash && !both {
                return Err(format!("{} is not in the trash, but an end of it is", link.id));
            }
            if link.cascade && (!link.in_trash || both) {
                return Err(format!("{} went by cascade, but no end of it is in the trash", link.id));
            }
        }
        if model.has_primary_cycle() { Err("a cycle of primary links".to_owned()) } else { Ok(()) }
    }
}

/// Whether an undo or redo is refused so for one of its steps: of several such, any may be named.
// Rules: H6.
fn is_of_a_step(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::BatchNotFound
            | Reason::AlreadyUndone
            | Reason::NotUndone
            | Reason::CannotRestorePurged
            | Reason::NoPermission
            | Reason::VersionConflict
    )
}

/// The resume status has a meaning only while the node is blocked.
fn comparable(node: &Node) -> Node {
    let mut node = node.clone();
    if node.status != Status::Blocked {
        node.resume = Status::Available;
    }
    node
}

fn nodes_of(world: &World) -> BTreeMap<NodeId, Node> {
    world.nodes().map(|node| (node.id, comparable(node))).collect()
}

fn grants_of(world: &World) -> BTreeMap<(NodeId, UserId), graph::model::Grant> {
    world
        .nodes()
        .flat_map(|node| world.grants_on(node.id))
        .map(|grant| ((grant.node, grant.user), (**grant).clone()))
        .collect()
}

fn embeds_of(world: &World) -> BTreeSet<(UserId, NodeId)> {
    world.nodes().flat_map(|node| world.embedders(node.id).map(|user| (user, node.id))).collect()
}

fn differ<K, V>(what: &str, got: &BTreeMap<K, V>, want: &BTreeMap<K, V>) -> Result<(), String>
where
    K: Ord + std::fmt::Debug,
    V: PartialEq + std::fmt::Debug,
{
    for (key, value) in want {
        if got.get(key) != Some(value) {
            return Err(format!("{what} {key:?}:\n  is        {:?}\n  should be {value:?}", got.get(key)));
        }
    }
    match got.keys().find(|key| !want.contains_key(key)) {
        Some(key) => Err(format!("{what} {key:?} should not be there")),
        None => Ok(()),
    }
}

fn same_entities(got: &World, want: &World) -> Result<(), String> {
    let nodes = |world: &World| -> BTreeMap<NodeId, Node> {
        world.nodes().map(|node| (node.id, (**node).clone())).collect()
    };
    differ("node", &nodes(got), &nodes(want))?;
    let links =
        |world: &World| -> BTreeMap<_, _> { world.links().map(|link| (link.id, (**link).clone())).collect() };
    differ("link", &links(got), &links(want))?;
    differ("grant", &grants_of(got), &grants_of(want))?;
    if embeds_of(got) != embeds_of(want) {
        return Err("embeds".to_owned());
    }
    if (got.rev(), got.clock()) != (want.rev(), want.clock()) {
        return Err(format!("rev {} and clock {:?}", got.rev(), got.clock()));
    }
    Ok(())
}

/// The answers that come from an index.
fn same_indices(got: &World, want: &World) -> Result<(), String> {
    for slot in want.users() {
        let other = got.user(slot.user.id).ok_or("a user is missing")?;
        let indices = |slot: &graph::world::UserSlot| {
            (
                slot.user.clone(),
                slot.trashed_nodes.clone(),
                slot.trashed_links.clone(),
                slot.shared.clone(),
                slot.granted.clone(),
                slot.given.clone(),
                slot.embedded.clone(),
                slot.holds_of.clone(),
                slot.tokens.clone(),
                slot.links_elsewhere.clone(),
            )
        };
        let owned = |world: &World| world.owned(slot.user.id).map(|node| node.id).collect::<Vec<_>>();
        if owned(got) != owned(want) || slot.owned() != owned(want).len() || other.owned() != slot.owned() {
            return Err(format!("the nodes of {}", slot.user.username));
        }
        if indices(slot) != indices(other) {
            return Err(format!("what is {}'s:\n  {other:?}\n  {slot:?}", slot.user.username));
        }
        let by_email = got.user_by_email(&slot.user.email).map(|slot| slot.user.id);
        let by_name = got.user_by_username(&slot.user.username).map(|slot| slot.user.id);
        // A guest is found by neither.
        let name = (!slot.user.is_guest()).then_some(slot.user.id);
        let email = name.filter(|_| !slot.user.is_removed());
        if by_email != email || by_name != name {
            return Err(format!("{} is not found by name or email", slot.user.username));
        }
    }
    for node in want.nodes() {
        let links = |world: &World| world.link_ids_at(node.id).collect::<BTreeSet<_>>();
        let twice = got.link_ids_at(node.id).count() != links(got).len();
        if links(got) != links(want) || twice {
            return Err(format!("links at {}", node.id));
        }
        if got.blockers(node.id) != want.blockers(node.id) {
            return Err(format!("blockers of {}", node.id));
        }
        if let Some(publication) = &node.publication
            && got.published(&publication.token).map(|found| found.id) != Some(node.id)
        {
            return Err(format!("{} is not found by its public token", node.id));
        }
    }
    // After an edit or a revert a due time that has passed may be in the index again: it passes once more.
    let dues = |world: &World| {
        let mut world = world.clone();
        world.advance(want.clock());
        (world.due_by(Timestamp::from_ms(i64::MAX)), world.next_due())
    };
    if dues(got) != dues(want) {
        return Err(format!("due times {:?}, not {:?}", dues(got), dues(want)));
    }
    Ok(())
}

fn rebuild(world: &World, model: &Model) -> World {
    let users = world.users().map(|slot| Entity::User(Arc::clone(&slot.user)));
    let nodes = world.nodes().map(|node| Entity::Node(Arc::clone(node)));
    let links = world.links().map(|link| Entity::Link(Arc::clone(link)));
    let grants = grants_of(world).into_values().map(|grant| Entity::Grant(Arc::new(grant)));
    let embeds = embeds_of(world).into_iter().map(|(user, node)| Entity::Embed(Embed { user, node }));
    let gone = model.gone.iter().map(|id| Entity::Gone(*id, 1));
    let tokens = world.tokens().map(|token| Entity::Token(Arc::clone(token)));
    let entities = users.chain(nodes).chain(links).chain(grants).chain(embeds).chain(tokens).chain(gone);
    let mut rebuilt = World::load(entities, world.rev(), Counts::default());
    rebuilt.advance(world.clock());
    rebuilt
}

/// Each user with their diff: the one that they share must be the one that is made for them alone.
// Rules: P35.
fn checked(shared: Vec<SharedDiff>, plain: Vec<(UserId, Diff)>) -> Result<Vec<(UserId, Diff)>, String> {
    let each = |SharedDiff { users, diff }| users.into_iter().map(move |user| (user, diff.clone()));
    let mut each: Vec<_> = shared.into_iter().flat_map(each).collect();
    each.sort_by_key(|(user, _)| *user);
    if each == plain { Ok(plain) } else { Err(format!("shared diffs {each:?}, not {plain:?}")) }
}

/// Every user reads status changes in the order of the batch.
// Rules: B6.
fn check_order(batch: &Batch, diffs: &[(UserId, Diff)]) -> Result<(), String> {
    let changes = batch.entries.iter().filter_map(|entry| match &entry.subject {
        Subject::Node(Change { before: Some(before), after: Some(after) }) => {
            (before.status != after.status).then_some(after.id)
        }
        _ => None,
    });
    let order: Vec<NodeId> = changes.collect();
    for (user, diff) in diffs {
        let read = diff.nodes.iter().filter_map(|change| match change {
            NodeChange::Edited { before, after, .. } => (before.status != after.status).then_some(after.id),
            NodeChange::PhantomStatus { id, .. } => Some(*id),
            _ => None,
        });
        let mut rest = order.iter();
        if let Some(id) = read.into_iter().find(|id| !rest.any(|next| next == id)) {
            return Err(format!("{user} reads the status of {id} out of order: {diff:?}"));
        }
    }
    Ok(())
}

/// A large diff comes in parts: nodes, then links, so many at a time, and the rest.
// Rules: P17.
fn in_parts(diff: &Diff, most: usize) -> Vec<Diff> {
    let bare =
        Diff { nodes: Vec::new(), links: Vec::new(), user: Vec::new(), access: Vec::new(), ..diff.clone() };
    let nodes = diff.nodes.chunks(most).map(|nodes| Diff { nodes: nodes.to_vec(), ..bare.clone() });
    let links = diff.links.chunks(most).map(|links| Diff { links: links.to_vec(), ..bare.clone() });
    let rest = Diff { user: diff.user.clone(), access: diff.access.clone(), ..bare.clone() };
    nodes.chain(links).chain([rest]).collect()
}
