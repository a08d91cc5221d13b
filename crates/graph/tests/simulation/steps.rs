//! Steps: small numbers that shrink well, interpreted as operations on the current state.

use super::values::sample;
use super::{NAMES, New, Remembered, Simulation, user_id};
use crate::model::Model;
use graph::model::{Level, LinkType, Plan, Status, TokenScope};
use graph::ops::{
    AccessAdd, AccessUpdate, LinkAdd, LinkUpdate, NodeAdd, NodeDuplicate, NodePublish, NodePublishUpdate,
    NodeUpdate, TokenCreate, TokenSet, UserSet,
};
use graph::{
    BatchId, LinkId, NODE_FIELDS, NodeFields, NodeId, Operation, Root, Timestamp, TokenId, UserId,
    each_node_field,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The data of one step.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub what: u16,
    pub who: u8,
    pub a: u8,
    pub b: u8,
    pub c: u8,
    pub d: u8,
}

pub fn step() -> impl Strategy<Value = Step> {
    (0..TOTAL, any::<[u8; 5]>()).prop_map(|(what, [who, a, b, c, d])| Step { what, who, a, b, c, d })
}

#[derive(Clone, Copy, Debug)]
enum What {
    NodeAdd,
    NodeAddUnder,
    NodeStatus,
    NodeUpdate,
    NodeDuplicate,
    NodeTrash,
    NodeTrashBranch,
    NodeRestore,
    NodeDelete,
    Purge,
    TrashRestore,
    LinkAdd,
    LinkUpdate,
    LinkSwap,
    LinkTrash,
    LinkRestore,
    LinkDelete,
    Publish,
    PublishUpdate,
    Unpublish,
    Embed,
    Unembed,
    AccessAdd,
    AccessUpdate,
    AccessDelete,
    AccessVisibility,
    Username,
    Apply,
    UserSet,
    UserState,
    UserRemove,
    Token,
    Undo,
    Redo,
    Time,
}

const WEIGHTS: [(What, u16); 35] = [
    (What::NodeAdd, 14),
    (What::NodeAddUnder, 14),
    (What::NodeStatus, 14),
    (What::NodeUpdate, 8),
    (What::NodeDuplicate, 6),
    (What::NodeTrash, 12),
    (What::NodeTrashBranch, 4),
    (What::NodeRestore, 14),
    (What::NodeDelete, 3),
    (What::Purge, 2),
    (What::TrashRestore, 10),
    (What::LinkAdd, 34),
    (What::LinkUpdate, 12),
    (What::LinkSwap, 10),
    (What::LinkTrash, 8),
    (What::LinkRestore, 10),
    (What::LinkDelete, 4),
    (What::Publish, 7),
    (What::PublishUpdate, 5),
    (What::Unpublish, 3),
    (What::Embed, 8),
    (What::Unembed, 3),
    (What::AccessAdd, 22),
    (What::AccessUpdate, 8),
    (What::AccessDelete, 5),
    (What::AccessVisibility, 7),
    (What::Username, 2),
    (What::Apply, 24),
    (What::UserSet, 6),
    (What::UserState, 1),
    (What::UserRemove, 1),
    (What::Token, 12),
    (What::Undo, 34),
    (What::Redo, 20),
    (What::Time, 6),
];

const TOTAL: u16 = total();

const fn total() -> u16 {
    let (mut sum, mut at) = (0, 0);
    while at < WEIGHTS.len() {
        sum += WEIGHTS[at].1;
        at += 1;
    }
    sum
}

/// Worlds stay small, so that operations interact.
const NODES_MAX: usize = 12;

fn what(step: &Step) -> What {
    let mut left = step.what;
    for (what, weight) in WEIGHTS {
        if left < weight {
            return what;
        }
        left -= weight;
    }
    What::Time
}

fn pick<T: Copy>(items: &[T], byte: u8) -> Option<T> {
    items.get(usize::from(byte) % items.len().max(1)).copied()
}

fn never_used() -> Uuid {
    Uuid::from_u128(0xDEAD)
}

/// Mostly an existing node; sometimes one deleted for good, or one that never existed.
fn node(model: &Model, byte: u8) -> NodeId {
    let known: Vec<NodeId> = model.nodes.keys().copied().collect();
    let gone: Vec<Uuid> = model.gone.iter().copied().collect();
    let missing = pick(&gone, byte).filter(|_| byte % 2 == 0).unwrap_or(never_used());
    pick(&known, byte).filter(|_| byte < 250).unwrap_or(NodeId(missing))
}

fn link(model: &Model, byte: u8) -> LinkId {
    let known: Vec<LinkId> = model.links.keys().copied().collect();
    let gone: Vec<Uuid> = model.gone.iter().copied().collect();
    let missing = pick(&gone, byte).filter(|_| byte % 2 == 0).unwrap_or(never_used());
    pick(&known, byte).filter(|_| byte < 250).unwrap_or(LinkId(missing))
}

fn anyone(byte: u8) -> UserId {
    user_id(usize::from(byte) % NAMES.len())
}

/// A few users own most nodes, so that the nodes interact.
fn founder(byte: u8) -> UserId {
    match byte % 16 {
        0..9 => user_id(0),
        9..13 => user_id(1),
        _ => anyone(byte / 16),
    }
}

/// Mostly a user with a say: the node's owner or a user with access.
fn caller(model: &Model, node: NodeId, who: u8) -> UserId {
    let Some(node) = model.nodes.get(&node) else { return founder(who) };
    match who {
        0..70 => node.owner,
        70..220 => {
            let people: Vec<UserId> =
                model.users.keys().copied().filter(|u| model.placement(*u, node.id).is_some()).collect();
            pick(&people, who).unwrap_or(node.owner)
        }
        _ => anyone(who),
    }
}

fn link_caller(model: &Model, link: LinkId, who: u8) -> UserId {
    let Some(link) = model.links.get(&link) else { return anyone(who) };
    match who {
        0..60 => link.owner,
        60..90 => model.nodes[&link.target].owner,
        90..105 => model.nodes[&link.source].owner,
        _ => caller(model, link.target, who),
    }
}

fn email(byte: u8) -> String {
    match byte {
        250.. => "nobody@example.org".to_owned(),
        _ => format!("{}@example.ORG", NAMES[usize::from(byte) % NAMES.len()]),
    }
}

/// Forever, past, or soon.
fn due(model: &Model, byte: u8) -> Option<Timestamp> {
    match byte % 8 {
        0..4 => None,
        4 if byte % 16 < 8 => Some(model.now),
        left => Some(model.now.plus_ms(i64::from(left) * 700)),
    }
}

fn settable_status(byte: u8) -> Status {
    sample(&NODE_FIELDS.status, byte)
}

fn level(byte: u8) -> Level {
    [Level::Viewer, Level::Editor, Level::Editor, Level::Admin][usize::from(byte % 4)]
}

fn some_if<T>(condition: bool, value: T) -> Option<T> {
    condition.then_some(value)
}

fn kind(byte: u8) -> LinkType {
    if byte % 3 == 0 { LinkType::Secondary } else { LinkType::Primary }
}

fn new_fields(simulation: &mut Simulation, byte: u8) -> NodeFields {
    NodeFields {
        title: Some(format!("canary {}", simulation.new_id())),
        status: some_if(byte % 4 == 1, settable_status(byte / 4)),
        independent: some_if(byte % 8 == 3, true),
        ..NodeFields::default()
    }
}

fn changed_fields(model: &Model, id: NodeId, step: &Step) -> NodeFields {
    NodeFields {
        title: some_if(step.b % 2 == 0, format!("canary {id} {}", step.c % 4)),
        description: some_if(step.b % 16 == 1, "long".to_owned()),
        status: some_if(step.d % 3 == 0, settable_status(step.d / 3)),
        due_date: some_if(step.b % 16 == 3, due(model, step.c).map(Timestamp::whole_seconds)),
        tags: some_if(step.b % 16 == 5, sample(&NODE_FIELDS.tags, step.c)),
        priority: some_if(step.b % 16 == 7, step.c % 10),
        volume: some_if(step.b % 16 == 9, step.c % 10),
        independent: some_if(step.d % 2 == 0, step.c % 2 == 0),
        assignee: some_if(step.b % 16 == 11, vec!["carol".to_owned()]),
        x: some_if(step.b % 16 == 13, f64::from(step.c)),
        y: some_if(step.b % 16 == 13, 0.5),
        z: some_if(step.b % 16 == 13, -1.0),
        ..any_fields(step)
    }
}

/// Every field, on every sixteenth step.
fn any_fields(step: &Step) -> NodeFields {
    macro_rules! any {
        ($($field:ident)*) => {
            NodeFields { $($field: some_if(step.b % 16 == 15, sample(&NODE_FIELDS.$field, step.c)),)* }
        };
    }
    each_node_field!(any)
}

fn node_id(simulation: &mut Simulation, byte: u8) -> Option<NodeId> {
    match byte % 8 {
        0 => Some(NodeId(simulation.new_id())),
        1 if byte % 32 == 1 => Some(node(&simulation.model, byte)),
        2 if byte % 32 == 2 => Some(NodeId(link(&simulation.model, byte).0)),
        3 if byte % 32 == 3 => simulation.model.gone.first().copied().map(NodeId),
        _ => None,
    }
}

fn root(model: &Model, id: NodeId, byte: u8) -> Root {
    let token = model.nodes.get(&id).and_then(|node| node.publication.as_ref());
    match token {
        Some(publication) if byte % 2 == 0 => Root::Token(publication.token.clone()),
        None if byte % 8 == 0 => Root::Token("no such token".to_owned()),
        _ => Root::Node(id),
    }
}

/// A node that has (or has not) the property, if there is one and the byte permits.
fn node_such(model: &Model, byte: u8, such: impl Fn(&graph::model::Node) -> bool) -> NodeId {
    let fitting: Vec<NodeId> = model.nodes.values().filter(|node| such(node)).map(|node| node.id).collect();
    pick(&fitting, byte).filter(|_| byte < 215).unwrap_or_else(|| node(model, byte))
}

fn link_such(model: &Model, byte: u8, such: impl Fn(&graph::model::Link) -> bool) -> LinkId {
    let fitting: Vec<LinkId> = model.links.values().filter(|link| such(link)).map(|link| link.id).collect();
    pick(&fitting, byte).filter(|_| byte < 215).unwrap_or_else(|| link(model, byte))
}

/// The meaning of a step: a user requests something, or time passes.
pub enum Read {
    Ask(UserId, Operation),
    /// With the new ids that it was made up for.
    AskWith(UserId, Operation, New),
    Operate(Operation),
    Wait(i64),
}

/// Interprets a step in the current state.
pub fn interpret(simulation: &mut Simulation, step: &Step) -> Read {
    let Step { who, a, b, c, d, .. } = *step;
    let mut what = what(step);
    let full = simulation.model.nodes.len() >= NODES_MAX;
    if full && matches!(what, What::NodeAdd | What::NodeAddUnder | What::NodeDuplicate) {
        what = if a % 2 == 0 { What::NodeDelete } else { What::NodeTrash };
    }
    if matches!(what, What::Time) {
        return Read::Wait(i64::from(a) * 20);
    }
    if matches!(what, What::Token) {
        return Read::Operate(token(simulation, step));
    }
    if let Some(operation) = of_operator(&simulation.model, what, step) {
        return Read::Operate(operation);
    }
    if matches!(what, What::NodeAdd) {
        let fields = Box::new(new_fields(simulation, b));
        let id = node_id(simulation, c);
        return Read::Ask(founder(who), Operation::NodeAdd(NodeAdd { id, target: None, fields }));
    }
    if matches!(what, What::NodeAddUnder) {
        let target = node_such(&simulation.model, a, |node| !node.in_trash);
        let fields = Box::new(new_fields(simulation, b));
        let id = node_id(simulation, c);
        let caller = caller(&simulation.model, target, who);
        return Read::Ask(caller, Operation::NodeAdd(NodeAdd { id, target: Some(target), fields }));
    }
    if matches!(what, What::NodeDuplicate) {
        return node_duplicate(simulation, step);
    }
    if matches!(what, What::Apply) {
        return apply(simulation, step);
    }
    if matches!(what, What::Undo | What::Redo) {
        let (caller, batch) = history_operation(simulation, what, step);
        let undo = matches!(what, What::Undo);
        return Read::Ask(
            caller,
            if undo { Operation::HistoryUndo { batch } } else { Operation::HistoryRedo { batch } },
        );
    }
    let new_link = LinkId(simulation.new_id());
    let model = &simulation.model;
    let (caller, operation) = match what {
        What::LinkAdd => link_add(model, step, new_link),
        What::LinkUpdate | What::LinkSwap | What::LinkTrash | What::LinkRestore | What::LinkDelete => {
            link_operation(model, what, step)
        }
        What::Username => {
            let names = ["eve", "alice", "mallory", "x", "Bob", "bob-2", "EVE", "Mallory"];
            let username = names[usize::from(a) % names.len()].to_owned();
            (anyone(who), Operation::SettingsUsername { username })
        }
        What::Purge => {
            let ids = [node(model, a).0, link(model, b).0];
            let ids = match d % 4 {
                0 => None,
                1 => Some(vec![ids[0]]),
                2 => Some(vec![link_such(model, c, |link| link.in_trash).0]),
                _ => Some(ids.to_vec()),
            };
            (anyone(who), Operation::TrashPurge { ids })
        }
        What::TrashRestore => trash_restore(model, step),
        What::Publish
        | What::PublishUpdate
        | What::Unpublish
        | What::Embed
        | What::Unembed
        | What::AccessAdd
        | What::AccessUpdate
        | What::AccessDelete
        | What::AccessVisibility => share_operation(model, what, step),
        _ => node_operation(model, what, step),
    };
    Read::Ask(caller, operation)
}

/// Several operations of one user, each made up as the former leave everything; now and then one that is refused.
fn apply(simulation: &mut Simulation, step: &Step) -> Read {
    let new = simulation.new_ids();
    let before = simulation.model.clone();
    let mut operations: Vec<Operation> = Vec::new();
    let mut caller = None;
    for nth in 0_u8..10 {
        let mixed = |byte: u8| byte.wrapping_mul(31).wrapping_add(nth.wrapping_mul(57));
        let kind = (step.what * 7 + u16::from(mixed(step.a)) * 11) % TOTAL;
        // Whoever it is, it is one; and they have a say, mostly, in what they themselves made.
        let inner = Step {
            what: kind,
            who: mixed(step.who) % 70,
            a: mixed(step.b),
            b: mixed(step.c),
            c: mixed(step.d),
            d: mixed(step.a ^ step.b),
        };
        let odd = matches!(what(&inner), What::Apply | What::Undo | What::Redo | What::Time);
        if odd || operations.len() > usize::from(step.d % 5) {
            continue;
        }
        let Read::Ask(asked_by, operation) = interpret(simulation, &inner) else { continue };
        let caller = *caller.get_or_insert(asked_by);
        let together = operations.iter().cloned().chain([operation.clone()]).collect();
        match before.act(caller, &Operation::GraphApply { operations: together }, &new) {
            Ok(done) => simulation.model = done.model,
            Err(_) if step.c % 16 != 0 => continue,
            Err(_) => {}
        }
        operations.push(operation);
    }
    simulation.model = before;
    Read::AskWith(caller.unwrap_or_else(|| anyone(step.who)), Operation::GraphApply { operations }, new)
}

fn node_duplicate(simulation: &mut Simulation, step: &Step) -> Read {
    let Step { who, a, b, c, d, .. } = *step;
    let id = node_such(&simulation.model, a, |node| !node.in_trash);
    let target = node_such(&simulation.model, d, |node| !node.in_trash);
    let mut names = BTreeMap::new();
    if c % 4 == 0 {
        let link = link(&simulation.model, d);
        let named = node_id(simulation, c / 4).map_or_else(|| simulation.new_id(), |id| id.0);
        names.insert(id.0, named);
        names.insert(link.0, if c % 16 == 0 { named } else { simulation.new_id() });
    }
    let caller = caller(&simulation.model, id, who);
    let asked =
        NodeDuplicate { id, branch: c % 8 != 1, target: some_if(b % 2 == 0, target), names: Some(names) };
    Read::Ask(caller, Operation::NodeDuplicate(asked))
}

/// How many accounts stay, so that there is something left to see.
const USERS_LEAST: usize = 3;

fn of_operator(model: &Model, what: What, step: &Step) -> Option<Operation> {
    let Step { who, a, b, c, .. } = *step;
    let user = anyone(who);
    match what {
        What::UserSet => {
            let emails = ["bob@new.example", "<b@c>", "Alice@Example.org", "carol@Example.ORG", "x@y"];
            let usernames = ["eve", "ben", "x", "alice-2"];
            let plans = [Plan::Basic, Plan::Plus, Plan::Pro, Plan::Pro];
            Some(Operation::UserSet(UserSet {
                user,
                email: some_if(a % 3 == 0, emails[usize::from(a / 3) % emails.len()].to_owned()),
                username: some_if(b % 3 == 0, usernames[usize::from(b / 3) % usernames.len()].to_owned()),
                plan: some_if(c % 2 == 0, plans[usize::from(c / 2) % plans.len()]),
                admin: None,
            }))
        }
        What::UserState if a % 2 == 0 => Some(Operation::UserDisable { user }),
        What::UserState => Some(Operation::UserEnable { user }),
        What::UserRemove => {
            let left = model.users.values().filter(|user| !user.is_removed()).count();
            let gone = model.users[&user].is_removed();
            // The installation's last few are left in peace.
            let user = if left > USERS_LEAST || gone { user } else { UserId(never_used()) };
            Some(Operation::UserRemove { user })
        }
        _ => None,
    }
}

/// How many guests there are in one run, and how many tokens at once.
const GUESTS_MAX: usize = 6;
const TOKENS_MAX: usize = 4;

/// A new branch token, mostly on a node with a branch of its owner's; or an old one with another expiry, or none of it.
fn token(simulation: &mut Simulation, step: &Step) -> Operation {
    let Step { who, a, b, c, d, .. } = *step;
    let id = TokenId(simulation.new_id());
    let model = &simulation.model;
    let known: Vec<TokenId> = model.tokens.keys().copied().collect();
    let one = pick(&known, a).unwrap_or(TokenId(never_used()));
    let full = model.guests.len() >= GUESTS_MAX || known.len() >= TOKENS_MAX;
    if full || d % 4 == 0 {
        let expires = some_if(c % 2 == 0, due(model, c / 2));
        let revokes = if full { d % 3 == 0 } else { d % 8 == 0 };
        return match revokes {
            true => Operation::TokenRevoke { ids: vec![one] },
            false => Operation::TokenSet(TokenSet { id: one, name: None, expires }),
        };
    }
    let below = |id: NodeId| model.links.values().any(|link| link.target == id && !link.private);
    let node = node_such(model, a, |node| !node.in_trash && below(node.id));
    let owner = model.nodes.get(&node).map(|node| node.owner).filter(|_| who < 235);
    let user = owner.unwrap_or_else(|| anyone(who));
    let guest = user_id(NAMES.len() + model.guests.len());
    let scope = match b {
        250.. => TokenScope::Read,
        _ => TokenScope::Branch { node, level: level(b), guest },
    };
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(id.0.as_bytes());
    Operation::TokenCreate(TokenCreate { id, user, name: String::new(), hash, expires: due(model, c), scope })
}

fn node_operation(model: &Model, what: What, step: &Step) -> (UserId, Operation) {
    let trashed = matches!(what, What::NodeRestore | What::NodeDelete);
    let id = node_such(model, step.a, |node| node.in_trash == trashed);
    let caller = caller(model, id, step.who);
    let operation = match what {
        What::NodeStatus => {
            let status = Some(settable_status(step.b));
            let fields = Box::new(NodeFields { status, ..NodeFields::default() });
            Operation::NodeUpdate(NodeUpdate { id, fields, version: None })
        }
        What::NodeUpdate => {
            let version = model.nodes.get(&id).map(|node| node.version);
            let version = match step.who % 4 {
                0 => version,
                1 => Some(u64::from(step.c % 4)),
                _ => None,
            };
            Operation::NodeUpdate(NodeUpdate {
                id,
                fields: Box::new(changed_fields(model, id, step)),
                version,
            })
        }
        What::NodeTrash => Operation::NodeTrash { id, branch: false },
        What::NodeTrashBranch => Operation::NodeTrash { id, branch: true },
        What::NodeRestore => Operation::NodeRestore { id },
        _ => Operation::NodeDelete { id },
    };
    (caller, operation)
}

/// Mostly by what something in the trash was changed by last.
fn trash_restore(model: &Model, step: &Step) -> (UserId, Operation) {
    let id = node_such(model, step.a, |node| node.in_trash);
    let link = link_such(model, step.a, |link| link.in_trash && !link.cascade);
    let by_link = model.links.get(&link).filter(|_| step.b % 4 == 0);
    let batch = model.nodes.get(&id).map(|node| node.last_batch);
    let batch = by_link.map(|link| link.last_batch).or(batch).unwrap_or(BatchId(never_used()));
    let caller = by_link.map_or_else(|| caller(model, id, step.who), |_| link_caller(model, link, step.who));
    (caller, Operation::TrashRestore { batch })
}

fn link_add(model: &Model, step: &Step, new_link: LinkId) -> (UserId, Operation) {
    let Step { who, a, b, c, d, .. } = *step;
    let active = |node: &graph::model::Node| !node.in_trash;
    let first = node_such(model, a, active);
    let caller = caller(model, first, who);
    // Few links are requested between nodes the caller does not see, or from a node to itself.
    let second = match b {
        0..200 => node_such(model, b, |node| {
            active(node) && node.id != first && model.placement(caller, node.id).is_some()
        }),
        _ => node_such(model, b, active),
    };
    let (source, target) = if d % 2 == 0 { (first, second) } else { (second, first) };
    let id = match d / 2 % 16 {
        0..2 => Some(new_link),
        2 => Some(link(model, d)),
        3 => Some(LinkId(node(model, d).0)),
        _ => None,
    };
    (caller, Operation::LinkAdd(LinkAdd { id, source, target, kind: kind(c / 5), private: c % 5 == 0 }))
}

fn link_operation(model: &Model, what: What, step: &Step) -> (UserId, Operation) {
    let trashed = matches!(what, What::LinkRestore | What::LinkDelete);
    let id = link_such(model, step.a, |link| link.in_trash == trashed);
    let caller = link_caller(model, id, step.who);
    let operation = match what {
        What::LinkUpdate => Operation::LinkUpdate(LinkUpdate {
            id,
            kind: some_if(step.b % 2 == 0, kind(step.b / 2)),
            private: some_if(step.c % 2 == 0, step.c % 4 == 0),
        }),
        What::LinkSwap => Operation::LinkSwap { id },
        What::LinkTrash => Operation::LinkTrash { id },
        What::LinkRestore => Operation::LinkRestore { id },
        _ => Operation::LinkDelete { id },
    };
    (caller, operation)
}

fn share_operation(model: &Model, what: What, step: &Step) -> (UserId, Operation) {
    let Step { who, a, b, c, d, .. } = *step;
    let published = !matches!(what, What::Publish);
    let public = |node: &graph::model::Node| node.publication.is_some() == published;
    let granted: Vec<(NodeId, UserId)> = model.grants.keys().copied().collect();
    let grant = pick(&granted, a).filter(|_| a < 200);
    let grantee = |user: UserId| model.users[&user].email.clone();
    match what {
        What::Publish => {
            let id = node_such(model, a, public);
            let operation =
                Operation::NodePublish(NodePublish { id, branch: b % 4 != 0, due: due(model, c) });
            (caller(model, id, who), operation)
        }
        What::PublishUpdate => {
            let id = node_such(model, a, public);
            let branch = some_if(b % 2 == 0, b % 4 == 0);
            let due = some_if(d % 2 == 0, due(model, c));
            (caller(model, id, who), Operation::NodePublishUpdate(NodePublishUpdate { id, branch, due }))
        }
        What::Unpublish => {
            let id = node_such(model, a, public);
            (caller(model, id, who), Operation::NodeUnpublish { id })
        }
        What::Embed => {
            let id = node_such(model, a, public);
            (anyone(who), Operation::NodeEmbed { root: root(model, id, b) })
        }
        What::Unembed => {
            let embed = model.embeds.iter().nth(usize::from(a) % model.embeds.len().max(1));
            let (user, id) = embed.copied().unwrap_or((anyone(who), node(model, a)));
            let user = if who < 200 { user } else { anyone(who) };
            (user, Operation::NodeUnembed { root: root(model, id, b) })
        }
        What::AccessAdd => {
            let id = node_such(model, a, |node| !node.in_trash);
            let level = level(d);
            let operation = Operation::AccessAdd(AccessAdd {
                id,
                email: email(b),
                level,
                branch: d % 5 != 0,
                due: due(model, c),
            });
            (caller(model, id, who), operation)
        }
        What::AccessUpdate => {
            let (id, email) = grant.map_or((node(model, a), email(b)), |(node, user)| (node, grantee(user)));
            let level = some_if(b % 2 == 0, level(d));
            let due = some_if(c % 2 == 0, due(model, c / 2));
            let branch = some_if(d % 3 == 0, d % 2 == 0);
            (caller(model, id, who), Operation::AccessUpdate(AccessUpdate { id, email, level, branch, due }))
        }
        What::AccessDelete => {
            let (id, email) = grant.map_or((node(model, a), email(b)), |(node, user)| (node, grantee(user)));
            let user = grant.filter(|_| b % 4 == 0).map(|(_, user)| user);
            (user.unwrap_or_else(|| caller(model, id, who)), Operation::AccessDelete { id, email })
        }
        _ => {
            let (id, user) = grant.unwrap_or((node(model, a), anyone(b)));
            let user = if who < 220 { user } else { anyone(who) };
            (user, Operation::AccessVisibility { id, showing: c % 2 == 0 })
        }
    }
}

/// Mostly a recent batch that may be undone or redone, of any user.
fn history_operation(simulation: &Simulation, what: What, step: &Step) -> (UserId, BatchId) {
    let Step { who, a, b, c, .. } = *step;
    let history = &simulation.history;
    let undone = matches!(what, What::Redo);
    let fitting: Vec<&Remembered> =
        history.iter().filter(|it| b >= 225 || it.past.undone == undone).collect();
    let back = match a {
        0..120 => usize::from(a) % 3,
        120..200 => usize::from(a) % 12,
        _ => usize::from(a) * 7,
    };
    let Some(found) = fitting.len().checked_sub(1 + back % fitting.len().max(1)).map(|at| fitting[at]) else {
        return (anyone(who), BatchId(never_used()));
    };
    let past = &found.past;
    let caller = match who {
        0..150 => past.actor.unwrap_or(anyone(b)),
        150..230 => {
            let people: Vec<UserId> = simulation
                .model
                .users
                .keys()
                .copied()
                .filter(|user| simulation.model.knows_past(*user, past))
                .collect();
            pick(&people, who).or(past.actor).unwrap_or(anyone(b))
        }
        _ => anyone(who),
    };
    // A redo by the id of the latest undo, and so on.
    let turns: Vec<BatchId> = past.turns.iter().map(|(id, _)| *id).collect();
    let named = pick(&turns, c).filter(|_| c % 3 == 0).unwrap_or(past.root);
    (caller, named)
}

/// The same operation on an id that was never used, if the operation names just one.
pub fn with_missing_id(operation: &Operation) -> Option<Operation> {
    let mut operation = operation.clone();
    use Operation as O;
    match &mut operation {
        O::NodeUpdate(NodeUpdate { id, .. })
        | O::NodeTrash { id, .. }
        | O::NodeRestore { id }
        | O::NodeDelete { id }
        | O::NodePublish(NodePublish { id, .. })
        | O::NodePublishUpdate(NodePublishUpdate { id, .. })
        | O::NodeUnpublish { id }
        | O::AccessVisibility { id, .. }
        | O::NodeEmbed { root: Root::Node(id) }
        | O::NodeUnembed { root: Root::Node(id) }
        | O::NodeAdd(NodeAdd { target: Some(id), .. }) => id.0 = Uuid::from_u128(0xBEEF),
        O::LinkUpdate(LinkUpdate { id, .. })
        | O::LinkSwap { id }
        | O::LinkTrash { id }
        | O::LinkRestore { id }
        | O::LinkDelete { id } => id.0 = Uuid::from_u128(0xBEEF),
        O::NodeDuplicate(NodeDuplicate { id, target: None, .. }) => id.0 = Uuid::from_u128(0xBEEF),
        O::TrashRestore { batch } => batch.0 = Uuid::from_u128(0xBEEF),
        _ => return None,
    }
    Some(operation)
}
