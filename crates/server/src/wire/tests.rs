use super::*;
use crate::engine::protocol::{Account, Failure};
use crate::engine::{DiffPart, SharedText};
use graph::diff::{AccessChange, LinkChange, NodeChange, UserChange};
use graph::model::{Grant, Level, Link, LinkType, Node, Plan, Publication, Status, User};
use graph::view::{SeenLink, SeenNode, Sight};
use graph::{BatchId, Diff, LinkId, Op, Reason, Refusal};
use insta::assert_snapshot;
use std::sync::Arc;
use uuid::Uuid;

const TRACE: &str = "c7a81f04b921";

/// The texts as strings.
macro_rules! as_strings {
    ($($name:ident($($of:ident: $type:ty),*);)*) => {
        $(fn $name($($of: $type),*) -> String {
            into_string(super::$name($($of),*))
        })*
    };
}

as_strings! {
    diff_event(diff: &DiffPart);
    graph_init(page: &Page, rev: Rev, trace_id: &str);
    graph_error(problem: &Problem, trace_id: &str);
    error_event(problem: &Problem, event: &str, trace_id: &str);
    published_event(published: &Published);
    connected(user: UserId, client: &str, now: Timestamp);
    not_connected(problem: &Problem);
    pong(now: Timestamp);
    pong_ack(now: Timestamp, trace_id: &str);
}

fn answer(outcome: &Outcome, trace_id: &str) -> (u16, String) {
    let (status, text) = super::answer(outcome, trace_id);
    (status, into_string(text))
}

fn refused(problem: &Problem, trace_id: &str) -> (u16, String) {
    let (status, text) = super::refused(problem, trace_id);
    (status, into_string(text))
}

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0x1111_0000_0000_4000_8000_0000_0000_0000 + n)
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn ann() -> Arc<User> {
    Arc::new(User::new(
        UserId(uuid(1)),
        "ann".to_owned(),
        "ann@example.org".to_owned(),
        Plan::Pro,
        at("2025-01-01T00:00:00.5Z"),
    ))
}

fn ben() -> Arc<User> {
    let (id, username, email) = (UserId(uuid(2)), "ben".to_owned(), "ben@example.org".to_owned());
    Arc::new(User { id, username, email, ..User::clone(&ann()) })
}

/// A node with every field different from its default.
fn node() -> Node {
    let mut node =
        Node::new(NodeId(uuid(10)), ann().id, BatchId(uuid(90)), at("2025-09-13T10:00:00.123Z"), 1);
    node.title = "Buy \"paint\"\n".to_owned();
    node.description = "two litres – blue".to_owned();
    node.status = Status::InProgress;
    node.due_date = Some(at("2025-10-01T12:00:00Z"));
    node.tags = vec!["home".to_owned(), "red, blue".to_owned()];
    node.priority = 3;
    node.assignee = vec!["ben".to_owned()];
    (node.x, node.y, node.z) = (1.5, -2.0, 1e-7);
    node.pinned = true;
    node.version = 4;
    node.edited = at("2025-09-14T08:30:00.999Z");
    node
}

fn published() -> Node {
    let due = Some(at("2025-11-01T12:00:00.250Z"));
    let publication = Publication { token: "xyz123abc".to_owned(), branch: true, due };
    Node { publication: Some(Box::new(publication)), version: 5, ..node() }
}

fn link() -> Link {
    Link {
        id: LinkId(uuid(30)),
        owner: ann().id,
        source: NodeId(uuid(10)),
        target: NodeId(uuid(11)),
        kind: LinkType::Primary,
        private: false,
        was_blocker: true,
        in_trash: false,
        cascade: false,
        version: 1,
        created: at("2025-09-13T10:00:00Z"),
        edited: at("2025-09-13T10:00:00Z"),
        seq: 2,
        last_batch: BatchId(uuid(90)),
    }
}

fn grant() -> Grant {
    Grant {
        node: NodeId(uuid(10)),
        user: ben().id,
        level: Level::Viewer,
        branch: true,
        due: Some(at("2026-01-01T00:00:00.5Z")),
        showing: true,
        granted_by: ann().id,
        version: 1,
    }
}

fn roots() -> Arc<[NodeId]> {
    [NodeId(uuid(10))].into()
}

fn seen(node: Node, level: Level) -> SeenNode {
    SeenNode { node: Arc::new(node), owner: Some(ann()), sight: Sight::Full { level, roots: roots() } }
}

fn phantom() -> SeenNode {
    SeenNode { node: Arc::new(node()), owner: Some(ann()), sight: Sight::Phantom }
}

fn seen_link(link: Link) -> SeenLink {
    SeenLink { link: Arc::new(link), roots: roots() }
}

fn diff() -> Diff {
    Diff {
        lineage: Default::default(),
        batch: Some(BatchId(uuid(90))),
        rev: 7,
        actor: Some(ann()),
        at: at("2025-10-04T18:00:00.777Z"),
        nodes: Vec::new(),
        links: Vec::new(),
        user: Vec::new(),
        access: Vec::new(),
        copies: Vec::new(),
    }
}

/// The text as sent, laid out for reading. The order of keys is the order sent.
fn pretty(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).expect("a JSON text");
    serde_json::to_string_pretty(&value).expect("a JSON text")
}

/// Entries one to a line, as they are sent.
fn lines<T>(list: &[T], text: impl Fn(&T) -> String) -> String {
    list.iter().map(text).collect::<Vec<String>>().join("\n")
}

fn nodes_told(nodes: Vec<NodeChange>) -> String {
    told(&Diff { nodes, ..diff() }, "nodes")
}

fn links_told(links: Vec<LinkChange>) -> String {
    told(&Diff { links, ..diff() }, "links")
}

fn told(diff: &Diff, list: &str) -> String {
    let value: serde_json::Value =
        serde_json::from_str(&diff_event(&diff.clone().into())).expect("a JSON text");
    lines(value[list].as_array().expect("a list"), ToString::to_string)
}

fn edited(op: Op, before: Node, after: Node, level: Level) -> NodeChange {
    NodeChange::Edited { op, before: Arc::new(before), after: Arc::new(after), level, roots: roots() }
}

fn ok(outcome: &Outcome) -> String {
    let (status, text) = answer(outcome, TRACE);
    assert_eq!(status, 200);
    pretty(&text)
}

// Rules: W1, W2.
#[test]
fn w1_the_ack_of_a_mutation() {
    let nodes = vec![
        NodeChange::Whole { op: Op::NodeAdd, seen: seen(Node { version: 1, ..published() }, Level::Owner) },
        edited(Op::NodeStatus, node(), Node { status: Status::Blocked, version: 5, ..node() }, Level::Owner),
    ];
    let links = vec![LinkChange::Whole { op: Op::LinkAdd, seen: seen_link(link()) }];
    let diff = Arc::new(Diff { nodes, links, ..diff() }.into());
    assert_snapshot!("w1_ack", ok(&Outcome::Changed { diff: Arc::clone(&diff), replayed: false }));
    let (_, text) = answer(&Outcome::Changed { diff, replayed: true }, TRACE);
    assert!(text.contains(r#""rev":7,"replayed":true,"trace_id":"#), "{text}");
}

// Rules: W1, O2, W9, P17.
#[test]
fn w1_o2_the_diff_of_nothing_changed_and_of_due_times_and_in_parts() {
    let nothing = Diff { batch: None, ..diff() };
    let due =
        Diff { batch: None, actor: None, nodes: vec![NodeChange::Hidden { id: NodeId(uuid(10)) }], ..diff() };
    let nodes = [10, 11].map(|n| NodeChange::Hidden { id: NodeId(uuid(n)) }).to_vec();
    let links = vec![LinkChange::Hidden { id: LinkId(uuid(30)) }];
    let parts = DiffPart::split(Diff { nodes, links, ..diff() }, 1);
    let all = [nothing.into(), due.into()].into_iter().chain(parts.iter().map(|part| DiffPart::clone(part)));
    assert_snapshot!("w1_diffs", lines(&all.collect::<Vec<_>>(), diff_event));
}

#[test]
fn w3_changes_of_nodes_hold_the_changed_fields_alone() {
    let all = Node {
        title: "Paint".to_owned(),
        description: String::new(),
        due_date: None,
        tags: Vec::new(),
        priority: 0,
        volume: 9,
        independent: true,
        assignee: Vec::new(),
        x: 0.0,
        y: 0.0,
        z: 0.0,
        pinned: false,
        collapsed: true,
        version: 5,
        ..node()
    };
    let trashed = Node { in_trash: true, version: 5, last_batch: BatchId(uuid(91)), ..node() };
    assert_snapshot!(
        "w3_nodes",
        nodes_told(vec![
            edited(Op::NodeUpdate, node(), all, Level::Owner),
            edited(
                Op::NodeStatus,
                node(),
                Node { status: Status::Blocked, version: 5, ..node() },
                Level::Editor
            ),
            edited(Op::NodeTrash, node(), trashed.clone(), Level::Editor),
            NodeChange::Whole {
                op: Op::NodeRestore,
                seen: seen(Node { in_trash: false, version: 6, ..trashed }, Level::Editor)
            },
        ])
    );
}

#[test]
fn v10_the_public_token_is_told_to_those_who_may_publish() {
    let unpublished = Node { publication: None, version: 6, ..published() };
    let told = nodes_told(vec![
        edited(Op::NodePublish, node(), published(), Level::Admin),
        edited(Op::NodePublish, node(), published(), Level::Editor),
        edited(Op::NodePublish, published(), unpublished, Level::Viewer),
        NodeChange::Whole { op: Op::NodeShow, seen: seen(published(), Level::Viewer) },
    ]);
    assert_eq!(told.matches("xyz123abc").count(), 1);
    assert_snapshot!("v10_publication", told);
}

// Rules: P8, P9, P10, V3.
#[test]
fn p8_to_p10_what_enters_leaves_and_changes_a_view() {
    let access = |node: Node, before, after| NodeChange::Access {
        node: Arc::new(node),
        before,
        after,
        roots: roots(),
    };
    let id = NodeId(uuid(10));
    assert_snapshot!(
        "p8_view",
        nodes_told(vec![
            NodeChange::Whole { op: Op::NodeShow, seen: seen(node(), Level::Viewer) },
            NodeChange::Whole { op: Op::NodeShow, seen: phantom() },
            NodeChange::Whole { op: Op::NodeAccess, seen: seen(node(), Level::Editor) },
            access(node(), Level::Viewer, Level::Editor),
            access(published(), Level::Viewer, Level::Admin),
            access(published(), Level::Admin, Level::Viewer),
            NodeChange::PhantomStatus { id, before: Status::Available, after: Status::Completed },
            NodeChange::Faded { id, status: Status::InProgress },
            NodeChange::Hidden { id },
        ])
    );
}

#[test]
fn w4_of_a_deletion_the_whole_entity_stands_before() {
    let trashed = Node { in_trash: true, last_batch: BatchId(uuid(91)), ..node() };
    let links = vec![LinkChange::Deleted { before: Arc::new(Link { in_trash: true, ..link() }) }];
    let diff =
        Diff { nodes: vec![NodeChange::Deleted { before: seen(trashed, Level::Owner) }], links, ..diff() };
    assert_snapshot!("w4_deletions", lines(&[diff.into()], diff_event));
}

// Rules: P11, W3.
#[test]
fn p11_w3_changes_of_links() {
    let edited = |op, after: Link| LinkChange::Edited {
        op,
        before: Arc::new(link()),
        after: Arc::new(Link { version: 2, ..after }),
        roots: roots(),
    };
    let swapped = Link { source: link().target, target: link().source, ..link() };
    let trashed = Link { in_trash: true, cascade: true, last_batch: BatchId(uuid(91)), ..link() };
    assert_snapshot!(
        "p11_links",
        links_told(vec![
            LinkChange::Whole { op: Op::LinkShow, seen: seen_link(link()) },
            LinkChange::Whole { op: Op::LinkRestore, seen: seen_link(Link { version: 3, ..link() }) },
            edited(
                Op::LinkUpdate,
                Link { kind: LinkType::Secondary, private: true, was_blocker: false, ..link() }
            ),
            edited(Op::LinkSwap, swapped),
            edited(Op::LinkTrash, trashed),
            LinkChange::Hidden { id: link().id },
        ])
    );
}

// Rules: S21, O26, S9.
#[test]
fn s21_o26_changes_of_grants_and_users() {
    let change = |op, before: Option<Grant>, after: Option<Grant>| AccessChange {
        op,
        grantee: ben(),
        before: before.map(Arc::new),
        after: after.map(Arc::new),
    };
    let changed = Grant { level: Level::Admin, branch: false, due: None, version: 2, ..grant() };
    let hidden = Grant { showing: false, version: 2, ..grant() };
    let access = vec![
        change(Op::GrantUpsert, None, Some(grant())),
        change(Op::GrantUpdate, Some(grant()), Some(changed)),
        change(Op::GrantUpdate, Some(grant()), Some(hidden)),
        change(Op::GrantDelete, Some(grant()), None),
    ];
    let renamed = User { username: "anna".to_owned(), ..User::clone(&ann()) };
    let embed = |present| UserChange::Embed { user: ben(), node: NodeId(uuid(10)), present };
    let user =
        vec![UserChange::Renamed { before: ann(), after: Arc::new(renamed) }, embed(true), embed(false)];
    let diff = Diff { user, access, ..diff() };
    assert_snapshot!("s21_access", told(&diff, "access"));
    assert_snapshot!("o26_user", told(&diff, "user"));
}

fn page() -> Page {
    let bare = SeenNode { owner: None, ..seen(Node { tags: Vec::new(), ..node() }, Level::Viewer) };
    let nodes = vec![seen(published(), Level::Owner), bare, phantom()];
    Page { nodes, links: vec![seen_link(link())], has_more: true }
}

// Rules: T7, W7, W8, V3, N18, N19.
#[test]
fn t7_w7_w8_a_page_of_the_graph() {
    assert_snapshot!("t7_graph", ok(&Outcome::Graph { page: page(), rev: 7 }));
}

#[test]
fn t6_a_page_of_the_graph_as_an_event() {
    assert_snapshot!("t6_init", pretty(&graph_init(&page(), 7, TRACE)));
    let problem = Problem::from(PayloadFault::OutOfRange);
    assert_snapshot!(graph_error(&problem, TRACE), @r#"{"error":"bad_request.out_of_range","message":"limit/offset out of range","trace_id":"c7a81f04b921"}"#);
}

#[test]
fn t6_what_separates_tags_is_escaped_inside_of_them() {
    let mut tagged = node();
    tagged.tags = ["a\\b,c", "\\", "plain", "\\,"].map(str::to_owned).into();
    let page = Page { nodes: vec![seen(tagged, Level::Owner)], links: Vec::new(), has_more: false };
    let init: serde_json::Value = serde_json::from_str(&graph_init(&page, 7, TRACE)).expect("JSON");
    assert_eq!(init["graph"]["nodes"][0]["tags"], "a\\\\b\\,c,\\\\,plain,\\\\\\,");
}

#[test]
fn g8_callers_without_an_account_are_shown_no_email() {
    let mut assigned = published();
    let names = ["carol@example.org", "ben", "Carol <carol@example.org>", "@handle", "a@b@c"];
    assigned.assignee = names.map(str::to_owned).into();
    let page =
        || Page { nodes: vec![seen(assigned.clone(), Level::Viewer)], links: Vec::new(), has_more: false };
    let shown = |anonymous| {
        let (_, text) = answer(&Outcome::Branch { page: page(), rev: 7, anonymous }, TRACE);
        let answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        answer["nodes"][0].clone()
    };
    assert_eq!(shown(true)["assignee"], serde_json::json!(["carol", "ben", "Carol <carol", "@handle", "a"]));
    assert_eq!(shown(true).get("ownerEmail"), None);
    assert_eq!(shown(false)["assignee"], serde_json::json!(names));
}

// Rules: G9, V14.
#[test]
fn g9_a_page_of_the_trash() {
    let nodes = vec![seen(Node { in_trash: true, ..node() }, Level::Owner)];
    let links = vec![SeenLink { link: Arc::new(Link { in_trash: true, ..link() }), roots: Arc::default() }];
    let page = TrashPage { nodes, links, has_more: false };
    assert_snapshot!("g9_trash", ok(&Outcome::Trash { page, rev: 7 }));
}

#[test]
fn o27_an_account() {
    let account = Account {
        user: ann(),
        granted_by: vec![(Arc::new(grant()), ben())],
        granted_to: vec![(Arc::new(Grant { due: None, showing: false, ..grant() }), ben())],
        embeds: vec![NodeId(uuid(10))],
    };
    assert_snapshot!("o27_account", ok(&Outcome::Account { account: Box::new(account), rev: 7 }));
}

// Rules: T17, T18.
#[test]
fn t17_t18_every_problem_has_its_class_status_and_sentence() {
    let problems = [
        Problem::from(PayloadFault::Domain(Reason::TitleTooLong)),
        Problem::from(PayloadFault::MissingId),
        Problem::from(Reason::WouldShare),
        Problem::from(Reason::NodeNotFound),
        Problem::from(Refusal::with(Reason::VersionConflict, "The node's version is 4.")),
        Problem::malformed("a key is given twice"),
        Problem::PayloadTooLarge,
        Problem::Encoding,
        Problem::Unauthorized,
        Problem::AuthMissing,
        Problem::AuthInvalid,
        Problem::Origin,
        Problem::Route,
        Problem::Method,
        Problem::Event,
        Problem::TooManyConnections,
        Problem::limited(3),
        Problem::unavailable(),
        Problem::storage(),
        Problem::exception(),
    ];
    let shown = lines(&problems, |problem| {
        let (status, text) = refused(problem, TRACE);
        format!("{status} {text}")
    });
    assert_snapshot!("t17_problems", shown);
    let (status, text) = answer(&Outcome::Failed(Failure::RateLimited { retry_after_s: 3 }), TRACE);
    assert_eq!((status, text), refused(&Problem::limited(3), TRACE));
}

#[test]
fn t17_every_reason_has_one_code_and_the_status_of_its_class() {
    let of_domain = Reason::ALL.iter().map(|reason| (Problem::from(*reason), reason.code()));
    let of_form = PayloadFault::OF_FORM.iter().map(|fault| (Problem::from(*fault), fault.code()));
    let mut codes = std::collections::HashSet::new();
    for (problem, code) in of_domain.chain(of_form) {
        assert!(codes.insert(code), "{code} is listed twice");
        let status = match problem.class() {
            "bad_request" => 400,
            "forbidden" => 403,
            "not_found" => 404,
            "conflict" => 409,
            other => panic!("{other}"),
        };
        assert_eq!(problem.status(), status, "{}", problem.name());
        assert_eq!(problem.name(), format!("{}.{}", problem.class(), code));
    }
}

#[test]
fn p26_the_other_events() {
    let now = at("2025-10-04T18:00:00.777Z");
    let published = Published {
        id: NodeId(uuid(10)),
        branch: true,
        due: Some(at("2025-11-01T12:00:00.250Z")),
        actor: Some(ann()),
        at: now,
        text: SharedText::default(),
    };
    let events = [
        published_event(&published),
        published_event(&Published { branch: false, due: None, actor: None, ..published }),
        connected(ann().id, "api", now),
        not_connected(&Problem::AuthMissing),
        not_connected(&Problem::limited(3)),
        error_event(&Problem::from(Reason::NodeNotFound), "node:trash", TRACE),
        pong(now),
        pong_ack(now, TRACE),
        health().to_owned(),
    ];
    assert_snapshot!("p26_events", events.join("\n"));
}

#[test]
fn t16_a_trace_id_is_12_hex_digits() {
    let (one, other) = (trace_id(), trace_id());
    assert!(one.len() == 12 && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
    assert_ne!(one, other);
}

// Rules: P14, W5.
#[test]
fn p14_what_returns_says_that_it_is_not_in_the_trash_and_by_what_batch() {
    let diff = Diff {
        nodes: vec![NodeChange::Whole { op: Op::NodeRestore, seen: seen(node(), Level::Editor) }],
        links: vec![LinkChange::Whole { op: Op::LinkRestore, seen: seen_link(link()) }],
        ..diff()
    };
    let told: serde_json::Value = serde_json::from_str(&diff_event(&diff.into())).expect("JSON");
    for list in ["nodes", "links"] {
        let entry = &told[list][0];
        assert_eq!(entry["before"]["inTrash"], true, "{list}");
        assert_eq!(entry["after"]["inTrash"], false, "{list}");
        assert_eq!(entry["after"]["lastBatchID"], uuid(90).to_string(), "{list}");
    }
}
