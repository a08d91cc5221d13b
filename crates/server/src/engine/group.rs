//! A group: mutations decided in order on the World, committed together and then reported.

use super::EngineSettings;
use super::connections::{Connections, holds};
use super::diff_part::{DiffPart, SharedParts};
use super::directory::DirectoryChange;
use super::durable::Step;
use super::ids::RandomIds;
use super::protocol::{
    Actor, Administration, Caller, ConnectionId, Failure, IdempotencyKey, Mutation, OnOutcome, Outcome,
    Published, Relay,
};
use super::relay_audience::{self, AddressedRelay};
use super::shared_text::SharedText;
use graph::batch::{Lineage, Op, Subject};
use graph::model::{Node, Rev, User};
use graph::ops::{Chain, UndoKind, apply, undo_or_redo};
use graph::world::{Due, Graph};
use graph::{
    Batch, BatchId, Diff, NodeId, Operation, Projection, Reason, SharedDiff, Timestamp, UserId, World, decide,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Fingerprint, LogError, Past, Proposal, Remembered};
use uuid::Uuid;

/// What is decided as part of a group.
pub(super) enum Decision {
    /// A mutation.
    Mutation(Box<Mutation>),
    /// A change of accounts.
    Administration(Box<Administration>),
}

impl Decision {
    /// The connection that it came on.
    pub(super) fn connection(&self) -> Option<ConnectionId> {
        match self {
            Decision::Mutation(mutation) => mutation.connection,
            Decision::Administration(_) => None,
        }
    }
}

/// What is to be decided, and its waiting caller.
pub(super) struct Pending {
    /// What is to be decided.
    pub(super) decision: Decision,
    /// Where the outcome goes, once it is on disk.
    pub(super) answer: OnOutcome,
}

/// A relay event that is sent after a group.
pub(super) struct PendingRelay {
    /// The sender.
    pub(super) caller: Caller,
    /// What is relayed.
    pub(super) relay: Relay,
    /// The connection it came on.
    pub(super) from: ConnectionId,
    /// Where the outcome goes.
    pub(super) answer: OnOutcome,
}

impl PendingRelay {
    /// Finds out who may receive the event now.
    pub(super) fn address(
        &self,
        world: &World,
        connections: &Connections,
    ) -> Result<AddressedRelay, Failure> {
        relay_audience::address(world, connections, self.caller, self.relay.clone(), self.from)
    }

    /// Sends the event, and answers.
    pub(super) fn send(self, addressed: Result<AddressedRelay, Failure>, connections: &mut Connections) {
        let outcome = match addressed {
            Ok(addressed) => {
                addressed.send(connections);
                Outcome::PassedOn
            }
            Err(failure) => Outcome::Failed(failure),
        };
        connections.answer(Some(self.from), self.answer, outcome);
    }
}

/// What has been decided so far. None of it is reported before it is on disk.
#[derive(Default)]
pub(super) struct Group {
    /// Groups are numbered in the order in which they are begun.
    pub(super) number: u64,
    /// The mutations that were decided, in order.
    pub(super) asked: Vec<Pending>,
    /// Relay events that came after the group had begun, with who may receive them after it.
    pub(super) relays: Vec<(PendingRelay, Result<AddressedRelay, Failure>)>,
    /// Batches applied to the World, with the fingerprints of their requests.
    pub(super) applied: Vec<Proposal>,
    /// What each of these batches changes in the directory.
    directory: Vec<DirectoryChange>,
    /// Batches by id, for a request sent twice within the group.
    named: HashMap<BatchId, usize>,
    /// One for each mutation, in order.
    outputs: Vec<Output>,
    /// The rev of the World before the group.
    pub(super) first_rev: Rev,
    /// What had expired before the group under a clock that was set back since.
    pub(super) expired: Vec<(Due, Timestamp)>,
    /// How long deciding it has taken.
    pub(super) spent: Duration,
    /// The number of the look at the log that its transaction is.
    pub(super) look: Option<u64>,
}

/// What a mutation is decided by besides the World.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// Who is connected.
    pub(super) connections: &'a Connections,
    /// Committed batches.
    pub(super) past: &'a dyn Past,
    /// The group in flight: it is applied to the World, and perhaps not yet on disk.
    pub(super) in_flight: Option<&'a Group>,
    /// The most entries of a part of a diff.
    pub(super) part_entries_max: usize,
}

/// What to report about one mutation.
struct Output {
    outcome: Outcome,
    origin: Option<ConnectionId>,
    /// The relay event sent before the diff, to the users who see the node at this point in the order.
    passed_on: Option<AddressedRelay>,
    /// What follows the answer to the origin: the further parts of its diff.
    rest: Arc<[Arc<DiffPart>]>,
    diffs: Vec<SharedParts>,
    published: Announcements,
    /// Users whose view settings are others now.
    viewed: Vec<Arc<User>>,
}

/// Nodes that were made public, each with the connected users who have access to it.
pub(super) type Announcements = Vec<(Arc<Published>, Vec<UserId>)>;

/// How long the engine works at one graph:apply. Nobody else is served meanwhile.
const APPLY_TIME_MAX: Duration = Duration::from_secs(2);

impl Group {
    pub(super) fn new(number: u64, world: &World) -> Self {
        Group { number, first_rev: world.rev(), expired: world.expired().collect(), ..Group::default() }
    }

    /// Whether another mutation fits, by number and by the time that deciding has taken.
    pub(super) fn has_room(&self, settings: &EngineSettings) -> bool {
        self.asked.len() < settings.group_max && self.spent < settings.group_time
    }

    /// Decides one mutation or change of accounts, and applies it.
    pub(super) fn take(&mut self, world: &mut World, context: Context<'_>, decision: &Decision) {
        match decision {
            Decision::Mutation(mutation) => self.mutate(world, context, mutation),
            Decision::Administration(asked) => self.administer(world, context, asked),
        }
    }

    fn administer(&mut self, world: &mut World, context: Context<'_>, asked: &Administration) {
        let output = match decide_for_accounts(world, asked) {
            Err(failure) => Output::of(Outcome::Failed(failure), None),
            Ok(batch) if batch.entries.is_empty() => Output::of(Outcome::Administered(Arc::new(batch)), None),
            Ok(batch) => {
                let Context { connections, part_entries_max, .. } = context;
                let diffs = {
                    let projection = Projection::before(world, &batch, connections.users());
                    world.apply(&batch);
                    projection.after(world)
                };
                let diffs = diffs.into_iter().map(|shared| SharedParts::of(shared, part_entries_max));
                let diffs = diffs.collect();
                let batch = self.record(world, batch, None);
                Output { diffs, ..Output::of(Outcome::Administered(batch), None) }
            }
        };
        self.outputs.push(output);
    }

    fn mutate(&mut self, world: &mut World, context: Context<'_>, mutation: &Mutation) {
        let mut output = match self.decide(world, context, mutation) {
            Err(failure) => Output::of(Outcome::Failed(failure), mutation.origin),
            Ok(Decided::Replay(diff)) => {
                let outcome = Outcome::Changed { diff: Arc::new(diff.into()), replayed: true };
                Output::of(outcome, mutation.origin)
            }
            Ok(Decided::Nothing(batch)) => {
                let mut diff = Diff::empty(world, None);
                diff.actor = world.account(mutation.caller.user).cloned();
                if let Some(batch) = batch {
                    world.apply(&batch);
                    self.record(world, batch, mutation.idempotency_key);
                    diff.rev = world.rev();
                }
                Output::of(Outcome::Changed { diff: Arc::new(diff.into()), replayed: false }, mutation.origin)
            }
            Ok(Decided::Batch(batch)) => self.project(world, context, mutation, batch),
        };
        if let (Outcome::Changed { replayed: false, .. }, Some((event, from))) =
            (&output.outcome, &mutation.passed_on)
        {
            // The permission for node:update covers the relay.
            output.passed_on =
                relay_audience::address(world, context.connections, mutation.caller, event.clone(), *from)
                    .ok();
        }
        self.outputs.push(output);
    }

    fn decide(
        &self,
        world: &mut World,
        context: Context<'_>,
        mutation: &Mutation,
    ) -> Result<Decided, Failure> {
        let user = mutation.caller.user;
        if !holds(world, mutation.caller) {
            return Err(Failure::Revoked);
        }
        if let Some(request) = mutation.idempotency_key
            && let Some(done) = self.remembered(context, request.batch)?
        {
            let is_own = done.batch.caller() == Some(user) || done.batch.is_view_of(user);
            if !is_own || done.fingerprint != Some(request.fingerprint) {
                return Err(Failure::Refused(Reason::BatchIdConflict.into()));
            }
            let mut diff = graph::replay::replay(world, &done.batch, done.rev, user);
            if done.batch.actor == Some(UserId::VIEWS) {
                diff.actor = world.user(user).map(|slot| Arc::clone(&slot.user));
            }
            return Ok(Decided::Replay(diff));
        }
        if let Some(retry_after_s) = mutation.limited {
            return Err(Failure::RateLimited { retry_after_s });
        }
        let id = mutation.idempotency_key.map_or_else(RandomIds::batch, |request| request.batch);
        let batch = match mutation.operation {
            Operation::HistoryUndo { batch } => {
                self.undo_or_redo(world, context, user, batch, UndoKind::Undo, id)?
            }
            Operation::HistoryRedo { batch } => {
                self.undo_or_redo(world, context, user, batch, UndoKind::Redo, id)?
            }
            Operation::GraphApply { ref operations } => {
                let until = Instant::now() + APPLY_TIME_MAX;
                let has_time = || Instant::now() < until;
                apply(world, user, operations, id, &mut RandomIds, has_time).map_err(Failure::Refused)?
            }
            ref operation => {
                decide(world, Some(user), operation, id, &mut RandomIds).map_err(Failure::Refused)?
            }
        };
        if !batch.entries.is_empty() {
            return Ok(Decided::Batch(batch));
        }
        // A request with a batchId that changed nothing is remembered too: its retry must not do more.
        Ok(Decided::Nothing(mutation.idempotency_key.map(|_| batch)))
    }

    fn remembered(&self, context: Context<'_>, id: BatchId) -> Result<Option<Remembered>, Failure> {
        match self.uncommitted(context, id) {
            Some(pending) => Ok(Some(pending)),
            None => context.past.batch(id).map_err(|error| unreadable(&error)),
        }
    }

    /// A batch of this group or of the one in flight.
    fn uncommitted(&self, context: Context<'_>, id: BatchId) -> Option<Remembered> {
        self.pending(id).or_else(|| context.in_flight?.pending(id))
    }

    /// A batch of this group.
    fn pending(&self, id: BatchId) -> Option<Remembered> {
        let nth = *self.named.get(&id)?;
        self.applied.get(nth).map(|proposal| Remembered {
            rev: self.first_rev + nth as u64 + 1,
            batch: Batch::clone(&proposal.batch),
            fingerprint: proposal.fingerprint,
        })
    }

    fn undo_or_redo(
        &self,
        world: &World,
        context: Context<'_>,
        user: UserId,
        named: BatchId,
        way: UndoKind,
        id: BatchId,
    ) -> Result<Batch, Failure> {
        let chain = self.chain(context, named)?.ok_or(Failure::Refused(Reason::BatchNotFound.into()))?;
        undo_or_redo(world, user, &chain, way, id, &mut RandomIds).map_err(Failure::Refused)
    }

    /// The chain of a batch, on disk, in the group in flight or in this group.
    fn chain(&self, context: Context<'_>, id: BatchId) -> Result<Option<Chain>, Failure> {
        let stored = context.past.chain(id).map_err(|error| unreadable(&error))?;
        // An undo on disk whose root is no longer kept has no chain: the root's id may now name another batch.
        let (mut chain, root) = match (stored, self.uncommitted(context, id)) {
            (Some(stored), _) => {
                let undone = matches!(stored.latest, Lineage::UndoOf(_));
                let names_undo = matches!(stored.named, Lineage::UndoOf(_));
                let root = stored.root.batch.id;
                (Chain { root: stored.root.batch, undone, names_undo, latest: stored.last }, root)
            }
            (None, Some(pending)) => {
                let names_undo = matches!(pending.batch.lineage, Lineage::UndoOf(_));
                let root = match pending.batch.lineage {
                    Lineage::Fresh => pending.batch.id,
                    Lineage::UndoOf(root) | Lineage::RedoOf(root) => root,
                };
                let Some(begun) = self.remembered(context, root)? else { return Ok(None) };
                (Chain { root: begun.batch, undone: false, names_undo, latest: None }, root)
            }
            (None, None) => return Ok(None),
        };
        // The group in flight may be on disk by now. Then the stored chain includes it, and it is last in the chain.
        let mut latest = None;
        let in_flight = context.in_flight.iter().flat_map(|group| &group.applied);
        for proposal in in_flight.chain(&self.applied) {
            match proposal.batch.lineage {
                Lineage::UndoOf(of) if of == root => chain.undone = true,
                Lineage::RedoOf(of) if of == root => chain.undone = false,
                _ => continue,
            }
            latest = Some(&proposal.batch);
        }
        chain.latest = latest.map(|latest| Batch::clone(latest)).or(chain.latest);
        Ok(Some(chain))
    }

    /// Records a batch that was just applied.
    fn record(&mut self, world: &World, batch: Batch, key: Option<IdempotencyKey>) -> Arc<Batch> {
        self.directory.push(DirectoryChange::by(world, &batch));
        self.named.insert(batch.id, self.applied.len());
        let fingerprint: Option<Fingerprint> = key.map(|request| request.fingerprint);
        let batch = Arc::new(batch);
        self.applied.push(Proposal { batch: Arc::clone(&batch), fingerprint });
        batch
    }

    fn project(
        &mut self,
        world: &mut World,
        context: Context<'_>,
        mutation: &Mutation,
        batch: Batch,
    ) -> Output {
        let Context { connections, part_entries_max, .. } = context;
        let caller = mutation.caller.user;
        let viewers = connections.users_and(caller);
        let mut diffs = {
            let projection = Projection::before(world, &batch, viewers);
            world.apply(&batch);
            projection.after(world)
        };
        let published = published(world, connections, &batch);
        let copies = graph::replay::copies(world, &batch, caller);
        if !copies.is_empty() {
            name_copies(&mut diffs, caller, copies);
        }
        let diffs: Vec<SharedParts> =
            diffs.into_iter().map(|shared| SharedParts::of(shared, part_entries_max)).collect();
        let own = diffs.iter().find(|shared| shared.users.binary_search(&caller).is_ok());
        // Over a socket the answer is the first part and the rest follows. Over REST the answer is the whole diff.
        let (first, rest) = match (mutation.origin, own) {
            (Some(_), Some(own)) => (own.parts.first().map(Arc::clone), own.parts.get(1..)),
            (None, Some(own)) => (own.parts.first().map(|part| Arc::new(part.as_whole())), None),
            (_, None) => (None, None),
        };
        let first = first.unwrap_or_else(|| {
            let actor = world.user(caller).map(|slot| Arc::clone(&slot.user));
            Arc::new(Diff { actor, ..Diff::empty(world, Some(&batch)) }.into())
        });
        let viewed = viewed(&batch).collect();
        let rest = rest.unwrap_or_default().into();
        self.record(world, batch, mutation.idempotency_key);
        let outcome = Outcome::Changed { diff: first, replayed: false };
        Output { outcome, origin: mutation.origin, passed_on: None, rest, diffs, published, viewed }
    }

    /// Takes the group back: it is not committed. Groups decided later must have been taken back before.
    pub(super) fn revert(&self, world: &mut World) {
        for proposal in self.applied.iter().rev() {
            world.revert(&proposal.batch);
        }
        self.restore_expired(world);
    }

    /// Marks as expired again what had expired before the group and was given another due time by it. A World that
    /// was reverted or reloaded does not know that.
    fn restore_expired(&self, world: &mut World) {
        self.expired.iter().for_each(|(due, at)| world.expire(*due, *at));
    }

    /// Its batches as steps of what is durable.
    pub(super) fn steps(&mut self) -> impl Iterator<Item = Step<'static>> {
        let batches = self.applied.iter().map(|proposal| Arc::clone(&proposal.batch));
        let batches = batches.zip(self.directory.drain(..));
        (self.first_rev + 1..).zip(batches).map(|(rev, (batch, directory))| Step::Batch {
            rev,
            batch,
            directory,
        })
    }

    /// Answers and sends the diffs, in order: the group is on disk.
    pub(super) fn tell(self, connections: &mut Connections) {
        for (output, asked) in self.outputs.into_iter().zip(self.asked) {
            if let Some(addressed) = output.passed_on {
                addressed.send(connections);
            }
            connections.answer(asked.decision.connection(), asked.answer, output.outcome);
            if let Some(origin) = output.origin {
                connections.send(origin, &output.rest);
            }
            for diff in &output.diffs {
                connections.tell(diff, output.origin);
            }
            for (published, users) in &output.published {
                connections.announce(users, published, output.origin);
            }
            for user in &output.viewed {
                connections.tell_view(user, output.origin);
            }
        }
        for (relay, addressed) in self.relays {
            relay.send(addressed, connections);
        }
    }
}

/// Names to the caller, and to nobody else, what the batch copied.
fn name_copies(diffs: &mut Vec<SharedDiff>, caller: UserId, copies: Vec<(Uuid, Uuid)>) {
    let own = diffs.iter_mut().find_map(|SharedDiff { users, diff }| {
        let at = users.binary_search(&caller).ok()?;
        Some(SharedDiff { users: vec![users.remove(at)], diff: diff.clone() })
    });
    diffs.retain(|shared| !shared.users.is_empty());
    diffs.extend(own.map(|own| SharedDiff { diff: Diff { copies, ..own.diff }, ..own }));
}

enum Decided {
    /// The answer to a request already executed under the same batchId.
    Replay(Diff),
    /// Nothing changed; the empty batch is kept if the request had a batchId.
    Nothing(Option<Batch>),
    Batch(Batch),
}

impl Output {
    fn of(outcome: Outcome, origin: Option<ConnectionId>) -> Self {
        Output {
            outcome,
            origin,
            passed_on: None,
            rest: Arc::default(),
            diffs: Vec::new(),
            published: Announcements::new(),
            viewed: Vec::new(),
        }
    }
}

/// Decides a change of accounts. What is kept of it in the log has an actor only where history may name one.
fn decide_for_accounts(world: &World, asked: &Administration) -> Result<Batch, Failure> {
    let actor = match asked.actor {
        Actor::Server => None,
        Actor::Caller(caller) if holds(world, caller) => Some(caller.user),
        Actor::Caller(_) => return Err(Failure::Revoked),
    };
    decide(world, actor, &asked.operation, RandomIds::batch(), &mut RandomIds).map_err(Failure::Refused)
}

/// History that cannot be read concerns only the request that reads it. It is read on a connection of its own, so an
/// error does not touch the transaction.
fn unreadable(error: &LogError) -> Failure {
    tracing::error!(%error, "cannot read history");
    Failure::Storage
}

/// The users whose view settings a batch has changed.
pub(super) fn viewed(batch: &Batch) -> impl Iterator<Item = Arc<User>> {
    let changed = batch.entries.iter().filter(|entry| entry.op == Op::ViewUpdate);
    changed.filter_map(|entry| match &entry.subject {
        Subject::User(change) => change.after.clone(),
        _ => None,
    })
}

/// The announcements of the nodes that are public now and were not before the batch.
pub(super) fn published(world: &World, connections: &Connections, batch: &Batch) -> Announcements {
    let mut was: HashMap<NodeId, bool> = HashMap::new();
    for entry in batch.entries.iter().filter(|entry| matches!(entry.op, Op::NodePublish)) {
        if let Subject::Node(change) = &entry.subject
            && let Some(node) = change.latest()
        {
            let public = change.before.as_ref().is_some_and(|node| node.publication.is_some());
            was.entry(node.id).or_insert(public);
        }
    }
    let mut made: Vec<&Arc<Node>> =
        was.into_iter().filter(|(_, was)| !was).filter_map(|(id, _)| world.node(id)).collect();
    made.sort_unstable_by_key(|node| node.seq);
    let actor = batch.actor.and_then(|id| world.account(id)).cloned();
    let covers = graph::cover::covers(world, made.iter().map(|node| node.id), connections.users().into());
    let announcement = |node: &Arc<Node>| {
        let publication = node.publication.as_deref()?;
        let (branch, due, actor) = (publication.branch, publication.due, actor.clone());
        let text = SharedText::default();
        let published = Published { id: node.id, branch, due, actor, at: batch.at, text };
        let sees = covers.get(&node.id).into_iter().flat_map(|cover| cover.users());
        let users = sees.filter(|user| connections.users().contains(user)).collect();
        Some((Arc::new(published), users))
    };
    made.into_iter().filter_map(announcement).collect()
}
