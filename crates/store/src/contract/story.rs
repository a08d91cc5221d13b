//! The content that the suite writes: a short story in which every kind of entity is added, changed and deleted.

use graph::batch::{Change, Lineage};
use graph::model::{
    Embed, Grant, Identity, Key, KeyPurpose, Level, Link, LinkType, Node, PasswordHash, Plan, Publication,
    Rev, Status, Token, TokenKind, User, ViewSettings,
};
use graph::{Batch, BatchId, Entry, KeyId, LinkId, NodeId, Op, Subject, Timestamp, TokenId, UserId, World};
use std::fmt::Write;
use std::sync::Arc;
use uuid::Uuid;

/// The ids that the story deletes for good: a node's and a link's.
pub const DELETED: [u64; 2] = [14, 22];

/// The batch that deletes them.
pub const DELETED_AT: Rev = 7;

const ANN: UserId = UserId(uuid(1));
const BOB: UserId = UserId(uuid(2));

/// An id that shows its number.
pub const fn uuid(n: u64) -> Uuid {
    Uuid::from_u128(0x5157_0000_0000_4000_8000_0000_0000_0000 | n as u128)
}

fn node_id(n: u64) -> NodeId {
    NodeId(uuid(n))
}

fn batch(n: u64, actor: Option<UserId>, entries: Vec<Entry>) -> Batch {
    let at = Timestamp::from_ms(1_000 * n as i64);
    Batch { id: BatchId(uuid(1_000 + n)), actor, guest: None, at, lineage: Lineage::Fresh, entries }
}

/// A batch without entries.
pub fn nothing(n: u64) -> Batch {
    batch(1_000 + n, Some(ANN), Vec::new())
}

/// A batch that adds one node, with ids that depend only on `n`.
pub fn add_node(n: u64) -> Batch {
    let id = BatchId(uuid(1_000_000 + n));
    let node = Node {
        title: format!("Task {n}"),
        x: n as f64 / 3.0,
        ..Node::new(node_id(2_000_000_000 + n), ANN, id, Timestamp::from_ms(n as i64), n)
    };
    Batch { id, ..batch(n, Some(ANN), vec![node_entry(Op::NodeAdd, None, Some(node))]) }
}

/// A batch that gives a token another name.
pub fn rename_token(token: &Token) -> Batch {
    let renamed = Token { name: "renamed".into(), ..token.clone() };
    batch(900, Some(token.user), vec![token_entry(Some(token.clone()), Some(renamed))])
}

fn entry(op: Op, subject: Subject) -> Entry {
    Entry { op, derived: false, subject, copy_of: None }
}

fn change<T>(before: Option<T>, after: Option<T>) -> Change<Arc<T>> {
    Change { before: before.map(Arc::new), after: after.map(Arc::new) }
}

fn node_entry(op: Op, before: Option<Node>, after: Option<Node>) -> Entry {
    entry(op, Subject::Node(change(before, after)))
}

fn link_entry(op: Op, before: Option<Link>, after: Option<Link>) -> Entry {
    entry(op, Subject::Link(change(before, after)))
}

fn token_entry(before: Option<Token>, after: Option<Token>) -> Entry {
    entry(Op::TokenUpdate, Subject::Token(change(before, after)))
}

fn user(id: UserId, name: &str) -> User {
    let email = format!("{name}@example.org");
    let created = Timestamp::from_ms(1);
    let identity = Identity {
        provider: "forge".into(),
        issuer: "https://forge.example".into(),
        subject: id.to_string(),
        since: created,
    };
    let view = ViewSettings { camera_position: Some("{\"x\":1}".into()), show_all_cards: true };
    User {
        password: Some(PasswordHash::from_phc(format!("$argon2id${name}"))),
        identities: vec![identity],
        view,
        closing: (id == BOB).then_some(Timestamp::from_ms(9_000_000)),
        ..User::new(id, name.into(), email, Plan::Pro, created)
    }
}

fn token(n: u64, user: UserId) -> Token {
    let created = Timestamp::from_ms(2);
    Token::api(TokenId(uuid(n)), user, format!("token {n}"), [n as u8; 32], created)
}

fn session(n: u64, user: UserId) -> Token {
    let agent = Some("Browser/1.0".into());
    Token { kind: TokenKind::Session, expires: Some(Timestamp::from_ms(9_000)), agent, ..token(n, user) }
}

fn key(n: u64, purpose: KeyPurpose) -> Key {
    let (created, expires) = (Timestamp::from_ms(3), Timestamp::from_ms(4_000));
    Key { id: KeyId(uuid(n)), hash: [n as u8; 32], purpose, created, expires }
}

fn node(n: u64, seq: u64) -> Node {
    let made = Node::new(node_id(n), ANN, BatchId(uuid(1_002)), Timestamp::from_ms(2_000), seq);
    Node { title: format!("Task {n} – “ünïcode” \0"), x: 0.1 + seq as f64, y: -1e-7, ..made }
}

pub(super) fn link(n: u64, source: u64, target: u64, seq: u64) -> Link {
    let at = Timestamp::from_ms(2_000);
    Link {
        id: LinkId(uuid(n)),
        owner: ANN,
        source: node_id(source),
        target: node_id(target),
        kind: LinkType::Primary,
        private: false,
        was_blocker: true,
        in_trash: false,
        cascade: false,
        version: 1,
        created: at,
        edited: at,
        seq,
        last_batch: BatchId(uuid(1_002)),
    }
}

fn grant(level: Level, version: u64) -> Grant {
    Grant {
        node: node_id(12),
        user: BOB,
        level,
        branch: true,
        due: Some(Timestamp::from_ms(9_000_000)),
        showing: true,
        granted_by: ANN,
        version,
    }
}

/// The story, one batch per step.
pub fn story() -> Vec<Batch> {
    let published = Node {
        publication: Some(Box::new(Publication {
            token: "public".into(),
            branch: true,
            due: Some(Timestamp::from_ms(8_000_000)),
        })),
        due_date: Some(Timestamp::from_ms(7_000_000)),
        tags: vec!["ci".into(), "a,b".into()],
        version: 2,
        ..node(11, 0)
    };
    let kept = Node { due_date: None, publication: None, version: 3, ..published.clone() };
    let waiting = Node { status: Status::Blocked, resume: Status::InProgress, version: 2, ..node(13, 2) };
    let trashed_node = Node { in_trash: true, version: 2, ..node(14, 3) };
    let trashed_link = Link { in_trash: true, cascade: true, version: 2, ..link(22, 14, 13, 5) };
    let embed = Embed { user: BOB, node: node_id(11) };
    let grants = |before, after| Subject::Grant(change(before, after));
    let embeds = |before, after| entry(Op::NodeUpdate, Subject::Embed(Change { before, after }));
    let users = |op, before, after| entry(op, Subject::User(change(before, after)));
    let ann = || Some(user(ANN, "ann"));
    let keys = |before, after| entry(Op::KeyUpdate, Subject::Key(change(before, after)));
    let reset = KeyPurpose::Reset { user: BOB };
    let steps = [
        vec![
            users(Op::UserAdd, None, ann()),
            users(Op::UserAdd, None, Some(user(BOB, "bob"))),
            token_entry(None, Some(token(31, ANN))),
            token_entry(None, Some(token(32, BOB))),
            token_entry(None, Some(session(33, ANN))),
            token_entry(None, Some(session(34, BOB))),
            keys(None, Some(key(41, reset.clone()))),
            keys(None, Some(key(42, KeyPurpose::Invite { email: None, by: Some(ANN) }))),
        ],
        vec![
            node_entry(Op::NodeAdd, None, Some(node(11, 0))),
            node_entry(Op::NodeAdd, None, Some(node(12, 1))),
            node_entry(Op::NodeAdd, None, Some(node(13, 2))),
            node_entry(Op::NodeAdd, None, Some(node(14, 3))),
            link_entry(Op::LinkAdd, None, Some(link(21, 11, 12, 4))),
            link_entry(Op::LinkAdd, None, Some(link(22, 14, 13, 5))),
        ],
        vec![
            node_entry(Op::NodePublish, Some(node(11, 0)), Some(published.clone())),
            Entry { derived: true, ..node_entry(Op::NodeStatus, Some(node(13, 2)), Some(waiting)) },
        ],
        vec![entry(Op::GrantUpsert, grants(None, Some(grant(Level::Viewer, 1)))), embeds(None, Some(embed))],
        vec![
            node_entry(Op::NodePublish, Some(published), Some(kept)),
            embeds(Some(embed), None),
            entry(Op::GrantUpdate, grants(Some(grant(Level::Viewer, 1)), Some(grant(Level::Admin, 2)))),
        ],
        vec![
            node_entry(Op::NodeTrash, Some(node(14, 3)), Some(trashed_node.clone())),
            link_entry(Op::LinkTrash, Some(link(22, 14, 13, 5)), Some(trashed_link.clone())),
        ],
        vec![
            link_entry(Op::LinkDelete, Some(trashed_link), None),
            node_entry(Op::NodeDelete, Some(trashed_node), None),
        ],
        vec![
            users(Op::UserUpdate, ann(), Some(user(ANN, "anna"))),
            token_entry(Some(token(32, BOB)), None),
            token_entry(Some(session(34, BOB)), None),
            keys(Some(key(41, reset)), None),
        ],
        vec![],
        vec![entry(Op::GrantDelete, grants(Some(grant(Level::Admin, 2)), None)), embeds(None, Some(embed))],
    ];
    let batches = (1..).zip(steps).map(|(n, entries)| batch(n, (n > 1).then_some(ANN), entries));
    let mut batches: Vec<_> = batches.collect();
    if let Some(last) = batches.last_mut() {
        last.lineage = Lineage::UndoOf(BatchId(uuid(1_004)));
    }
    batches
}

/// Everything in a World, with its indices, as text in a fixed order.
pub fn picture(world: &World) -> String {
    let mut lines: Vec<String> = Vec::new();
    for slot in world.users() {
        let user = &slot.user;
        let found = (world.user_by_email(&user.email), world.user_by_username(&user.username));
        let known = |it: &Identity| world.user_by_identity(&it.issuer, &it.subject).is_some();
        let found = found.0.is_some() && found.1.is_some() && user.identities.iter().all(known);
        lines.push(format!("{} {found}", without_places(&format!("{slot:?}"))));
    }
    for node in world.nodes() {
        let mut line = format!("{node:?}");
        let mut links: Vec<_> = world.link_ids_at(node.id).collect();
        links.sort_unstable();
        let embedders: Vec<_> = world.embedders(node.id).collect();
        let grants: Vec<_> = world.grants_on(node.id).collect();
        let published = node.publication.as_ref().and_then(|it| world.published(&it.token)).is_some();
        let _ = write!(line, " {links:?} {embedders:?} {grants:?} {published}");
        lines.push(line);
    }
    lines.extend(world.links().map(|link| format!("{link:?}")));
    lines.extend(world.tokens().map(|token| format!("{token:?}")));
    lines
        .extend(world.keys().map(|key| format!("{key:?} {:?}", world.key_by_id(key.id).map(|key| key.hash))));
    let late = Timestamp::from_ms(i64::MAX);
    lines.push(format!("{:?}", world.closed_by(late).collect::<Vec<_>>()));
    lines.push(format!("{:?}", world.keys_over_by(late).map(|key| key.id).collect::<Vec<_>>()));
    lines.extend(DELETED.map(|id| format!("{id} is gone: {}", world.is_gone(uuid(id)))));
    lines.sort_unstable();
    lines.push(format!("rev {}, next due {:?}", world.rev(), world.next_due()));
    lines.join("\n")
}

/// The text without the places of entities in the World's memory, which depend on the order of loading.
fn without_places(text: &str) -> String {
    let mut parts = text.split("At(");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(')').map_or(part, |(_, rest)| rest))
}

/// Entries that add the n-th of many nodes, and two links from it to others of them.
pub fn node_with_links(n: u64, nodes: u64) -> Vec<Entry> {
    let id = |n| 2_000_000_000 + n % nodes;
    let mut entries = add_node(n).entries;
    for (i, step) in [1, 7_919].into_iter().enumerate() {
        let number = 2 * n + i as u64;
        let made = link(4_000_000_000 + number, id(n), id(n + step), number);
        entries.push(link_entry(Op::LinkAdd, None, Some(made)));
    }
    entries
}
