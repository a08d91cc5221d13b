//! Arbitrary entities and batches, for property tests.

use graph::batch::{Change, Lineage};
use graph::model::{
    AccountState, Embed, Grant, Identity, Key, KeyPurpose, Level, Link, LinkType, Node, PasswordHash, Plan,
    Publication, Status, Token, TokenKind, TokenScope, User, ViewSettings,
};
use graph::{Batch, BatchId, Entry, KeyId, LinkId, NodeId, Op, Subject, Timestamp, TokenId, UserId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_ms)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), any::<String>(), Just("\0\"\\\u{2028}\r\n😀".to_owned())]
}

fn number() -> impl Strategy<Value = f64> {
    use proptest::num::f64;
    f64::NORMAL | f64::SUBNORMAL | f64::ZERO | f64::NEGATIVE
}

fn status() -> impl Strategy<Value = Status> {
    prop::sample::select(vec![Status::Available, Status::InProgress, Status::Blocked, Status::Completed])
}

fn publication() -> impl Strategy<Value = Option<Box<Publication>>> {
    option::of(
        (text(), any::<bool>(), option::of(time()))
            .prop_map(|(token, branch, due)| Box::new(Publication { token, branch, due })),
    )
}

/// The type of a node's field, with any of its values.
trait AnyValue: Sized + std::fmt::Debug {
    fn any() -> BoxedStrategy<Self>;
}

macro_rules! any_value {
    ($($type:ty: $strategy:expr;)*) => {$(
        impl AnyValue for $type {
            fn any() -> BoxedStrategy<Self> {
                $strategy.boxed()
            }
        }
    )*};
}

any_value! {
    String: text();
    Vec<String>: vec(text(), 0..3);
    Status: status();
    Option<Timestamp>: option::of(time());
    u8: any::<u8>();
    u16: any::<u16>();
    f64: number();
    bool: any::<bool>();
}

pub(crate) fn node() -> impl Strategy<Value = Arc<Node>> + Clone {
    let ids = (uuid(), uuid(), uuid());
    let states = (status(), publication(), any::<bool>());
    let numbers = (time(), time(), any::<u64>(), any::<u64>());
    let node = (ids, states, numbers).prop_map(|(ids, states, numbers)| {
        let (created, edited, seq, version) = numbers;
        let mut node = Node::new(NodeId(ids.0), UserId(ids.1), BatchId(ids.2), created, seq);
        (node.edited, node.version) = (edited, version);
        (node.resume, node.publication, node.in_trash) = states;
        node
    });
    let mut node = node.boxed();
    macro_rules! any_fields {
        ($($field:ident)*) => {$(
            let one_more = (node, AnyValue::any()).prop_map(|(mut node, value)| {
                node.$field = value;
                node
            });
            node = one_more.boxed();
        )*};
    }
    graph::each_node_field!(any_fields);
    node.prop_map(Arc::new)
}

pub(crate) fn link() -> impl Strategy<Value = Arc<Link>> {
    let ids = (uuid(), uuid(), uuid(), uuid(), uuid());
    (ids, any::<[bool; 5]>(), any::<[u64; 2]>(), time(), time()).prop_map(
        |(ids, flags, [version, seq], created, edited)| {
            let [primary, private, was_blocker, in_trash, cascade] = flags;
            Arc::new(Link {
                id: LinkId(ids.0),
                owner: UserId(ids.1),
                source: NodeId(ids.2),
                target: NodeId(ids.3),
                kind: if primary { LinkType::Primary } else { LinkType::Secondary },
                private,
                was_blocker,
                in_trash,
                cascade,
                version,
                created,
                edited,
                seq,
                last_batch: BatchId(ids.4),
            })
        },
    )
}

fn grant() -> impl Strategy<Value = Arc<Grant>> {
    let level = prop::sample::select(vec![Level::Owner, Level::Admin, Level::Editor, Level::Viewer]);
    ((uuid(), uuid(), uuid()), level, any::<[bool; 2]>(), option::of(time()), any::<u64>()).prop_map(
        |(ids, level, [branch, showing], due, version)| {
            Arc::new(Grant {
                node: NodeId(ids.0),
                user: UserId(ids.1),
                level,
                branch,
                due,
                showing,
                granted_by: UserId(ids.2),
                version,
            })
        },
    )
}

fn embed() -> impl Strategy<Value = Embed> {
    (uuid(), uuid()).prop_map(|(user, node)| Embed { user: UserId(user), node: NodeId(node) })
}

fn user() -> impl Strategy<Value = Arc<User>> {
    let plan = prop::sample::select(vec![Plan::Basic, Plan::Plus, Plan::Pro]);
    let states = vec![AccountState::Active, AccountState::Disabled, AccountState::Removed];
    let state = prop::sample::select(states);
    let names = (uuid(), text(), text(), plan, time());
    let password = option::of(text().prop_map(PasswordHash::from_phc));
    let identity = (text(), text(), text(), time()).prop_map(|(provider, issuer, subject, since)| Identity {
        provider,
        issuer,
        subject,
        since,
    });
    let view = (option::of(text()), any::<bool>());
    let more = (state, any::<bool>(), password, vec(identity, 0..3), view);
    let rest = (option::of(time()), option::of(uuid()));
    (names, more, rest).prop_map(|((id, username, email, plan, created), more, (closing, guest_of))| {
        let (state, admin, password, identities, (camera_position, show_all_cards)) = more;
        let view = ViewSettings { camera_position, show_all_cards };
        let guest_of = guest_of.map(UserId);
        let blank = User::new(UserId(id), username, email, plan, created);
        Arc::new(User { state, admin, password, identities, view, closing, guest_of, ..blank })
    })
}

fn token() -> impl Strategy<Value = Arc<Token>> {
    let kind = prop::sample::select(vec![TokenKind::Api, TokenKind::Session]);
    let level = prop::sample::select(vec![Level::Admin, Level::Editor, Level::Viewer]);
    let scope = prop_oneof![
        Just(TokenScope::All),
        Just(TokenScope::Read),
        (uuid(), level, uuid()).prop_map(|(node, level, guest)| TokenScope::Branch {
            node: NodeId(node),
            level,
            guest: UserId(guest)
        }),
    ];
    let names = (uuid(), uuid(), text(), any::<[u8; 32]>(), time());
    (names, kind, option::of(time()), scope, option::of(text())).prop_map(
        |((id, user, name, hash, created), kind, expires, scope, agent)| {
            let blank = Token::api(TokenId(id), UserId(user), name, hash, created);
            Arc::new(Token { kind, expires, scope, agent, ..blank })
        },
    )
}

fn key() -> impl Strategy<Value = Arc<Key>> {
    let purpose = prop_oneof![
        Just(KeyPurpose::Setup),
        (option::of(text()), option::of(uuid()))
            .prop_map(|(email, by)| KeyPurpose::Invite { email, by: by.map(UserId) }),
        uuid().prop_map(|user| KeyPurpose::Reset { user: UserId(user) }),
        (uuid(), text()).prop_map(|(user, email)| KeyPurpose::Email { user: UserId(user), email }),
    ];
    (uuid(), any::<[u8; 32]>(), purpose, time(), time()).prop_map(|(id, hash, purpose, created, expires)| {
        Arc::new(Key { id: KeyId(id), hash, purpose, created, expires })
    })
}

/// Any change: mostly between different forms, sometimes to the same form, sometimes from or to nothing.
fn change<T: Clone + std::fmt::Debug>(
    of: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Change<T>> {
    let unrelated = (option::weighted(0.8, of.clone()), option::weighted(0.8, of.clone()))
        .prop_map(|(before, after)| Change { before, after });
    let same = of.prop_map(|it| Change { before: Some(it.clone()), after: Some(it) });
    prop_oneof![4 => unrelated, 1 => same]
}

/// A node of which few fields change, including its publication and due date from set to unset and back.
fn node_edit() -> impl Strategy<Value = Change<Arc<Node>>> {
    (node(), publication(), option::of(time()), vec(text(), 0..3), number()).prop_map(
        |(before, publication, due_date, tags, x)| {
            let mut after = Node::clone(&before);
            (after.publication, after.due_date, after.tags, after.x) = (publication, due_date, tags, x);
            after.version = after.version.wrapping_add(1);
            Change { before: Some(before), after: Some(Arc::new(after)) }
        },
    )
}

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        node_edit().prop_map(Subject::Node),
        change(node().boxed()).prop_map(Subject::Node),
        change(link().boxed()).prop_map(Subject::Link),
        change(grant().boxed()).prop_map(Subject::Grant),
        change(embed().boxed()).prop_map(Subject::Embed),
        change(user().boxed()).prop_map(Subject::User),
        change(token().boxed()).prop_map(Subject::Token),
        change(key().boxed()).prop_map(Subject::Key),
    ]
}

pub(crate) fn batch() -> impl Strategy<Value = Batch> {
    let op =
        (0..=u8::MAX).prop_filter_map("not every number is an operation", |code| Op::try_from(code).ok());
    let entry = (op, any::<bool>(), subject(), option::of(uuid()))
        .prop_map(|(op, derived, subject, copy_of)| Entry { op, derived, subject, copy_of });
    let lineage = prop_oneof![
        Just(Lineage::Fresh),
        uuid().prop_map(|id| Lineage::UndoOf(BatchId(id))),
        uuid().prop_map(|id| Lineage::RedoOf(BatchId(id))),
    ];
    let people = (option::of(uuid()), option::of(uuid()));
    (uuid(), people, time(), lineage, vec(entry, 0..6)).prop_map(
        |(id, (actor, guest), at, lineage, entries)| Batch {
            id: BatchId(id),
            actor: actor.map(UserId),
            guest: guest.map(UserId),
            at,
            lineage,
            entries,
        },
    )
}
