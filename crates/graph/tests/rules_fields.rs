//! The consequences of the declaration of a node's fields: checks of stored values, defaults, and reading nodes
//! that were stored before a field existed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use graph::field_rules::{Finite, Flag, Integer8, Integer16, Moment, NodeField};
use graph::model::{Node, Plan, User};
use graph::world::Counts;
use graph::{
    BatchId, Entity, NODE_FIELDS, NodeFields, NodeId, Op, Reason, Timestamp, UserId, World, each_node_field,
};
use std::sync::Arc;
use uuid::Uuid;

fn node() -> Node {
    let id = Uuid::from_u128;
    Node::new(NodeId(id(1)), UserId(id(2)), BatchId(id(3)), Timestamp::from_ms(0), 1)
}

/// The output of `synaptask check` for a log with one node.
fn problems(node: Node) -> Vec<String> {
    let (username, email) = ("alice".to_owned(), "alice@example.org".to_owned());
    let owner = User::new(node.owner, username, email, Plan::Pro, node.created);
    let entities = [Entity::User(Arc::new(owner)), Entity::Node(Arc::new(node))];
    graph::check::problems(&World::load(entities, 0, Counts::default()))
}

// Rules: C6, N3, N4, N7, N9, N10, N11, N13, N14, N21.
#[test]
fn c6_a_stored_field_is_held_to_the_rule_that_its_input_is_held_to() {
    let texts = |text: &str, count: usize| vec![text.to_owned(); count];
    let numbered = |count: usize| (0..count).map(|nth| nth.to_string()).collect::<Vec<_>>();
    type Plant = Box<dyn Fn(&mut Node)>;
    let bad: Vec<(&str, &str, Plant)> = vec![
        ("title", "title_too_long", Box::new(|node| node.title = "é".repeat(81))),
        ("title", "invalid_text", Box::new(|node| node.title = "a\0".to_owned())),
        ("description", "description_too_long", Box::new(|node| node.description = "x".repeat(401))),
        ("description", "invalid_text", Box::new(|node| node.description = "\u{1b}".to_owned())),
        ("dueDate", "invalid_due_datetime", Box::new(|node| node.due_date = Some(Timestamp::from_ms(1)))),
        ("tags", "too_many_tags", Box::new(move |node| node.tags = numbered(33))),
        ("tags", "tag_too_long", Box::new(|node| node.tags = vec!["x".repeat(51)])),
        ("tags", "tag_empty", Box::new(move |node| node.tags = texts("", 1))),
        ("tags", "invalid_tags", Box::new(move |node| node.tags = texts("twice", 2))),
        ("tags", "invalid_tags", Box::new(move |node| node.tags = texts(" a", 1))),
        ("tags", "invalid_text", Box::new(move |node| node.tags = texts("a\u{7}", 1))),
        ("priority", "invalid_priority", Box::new(|node| node.priority = 10)),
        ("volume", "invalid_volume", Box::new(|node| node.volume = 255)),
        ("assignee", "invalid_assignee", Box::new(move |node| node.assignee = texts("ann", 33))),
        ("assignee", "invalid_assignee", Box::new(move |node| node.assignee = texts("", 1))),
        ("assignee", "invalid_assignee", Box::new(|node| node.assignee = vec!["x".repeat(255)])),
        ("assignee", "invalid_text", Box::new(move |node| node.assignee = texts("a\n\0", 1))),
        ("x", "invalid_position", Box::new(|node| node.x = f64::INFINITY)),
        ("y", "invalid_position", Box::new(|node| node.y = f64::NAN)),
        ("z", "invalid_position", Box::new(|node| node.z = -0.0)),
    ];
    for (field, code, plant) in bad {
        let reason = Reason::ALL.iter().find(|reason| reason.code() == code).unwrap();
        let mut planted = node();
        plant(&mut planted);
        let said = problems(planted);
        assert_eq!(said.len(), 1, "{field}: {said:?}");
        let about = format!("the {field} of node {} ", node().id);
        assert!(said[0].starts_with(&about) && said[0].contains(reason.message()), "{field}: {said:?}");
    }
    assert_eq!(problems(node()), Vec::<String>::new());
    let most = Node {
        title: "é".repeat(80),
        description: "\r\n\t".repeat(133),
        due_date: Some(Timestamp::parse("9999-12-31T23:59:59Z").unwrap()),
        tags: (0..32).map(|nth| format!("{nth:-<50}")).collect(),
        priority: 9,
        volume: 9,
        assignee: vec!["x".repeat(254); 32],
        x: f64::MAX,
        y: f64::MIN_POSITIVE,
        ..node()
    };
    assert_eq!(problems(most), Vec::<String>::new());
}

// Rules: D16.
#[test]
fn d16_a_field_that_a_stored_node_lacks_stands_at_its_default() {
    let stored = serde_json::to_value(node()).unwrap();
    let mut changed = node();
    (changed.title, changed.volume, changed.due_date) = ("a".to_owned(), 9, Some(Timestamp::from_ms(1000)));
    macro_rules! lacking {
        ($($field:ident)*) => {$(
            let mut lacking = serde_json::to_value(&changed).unwrap();
            let gone = lacking.as_object_mut().unwrap().remove(stringify!($field));
            assert!(gone.is_some(), stringify!($field));
            let read: Node = serde_json::from_value(lacking.clone()).unwrap();
            assert_eq!(read, Node { $field: node().$field, ..changed.clone() }, stringify!($field));
            // A field that exists must be of its type.
            lacking[stringify!($field)] = serde_json::json!({});
            assert!(serde_json::from_value::<Node>(lacking).is_err(), stringify!($field));
        )*};
    }
    each_node_field!(lacking);
    for needed in ["id", "owner", "version", "created", "last_batch", "resume"] {
        let mut lacking = stored.clone();
        assert!(lacking.as_object_mut().unwrap().remove(needed).is_some(), "{needed}");
        assert!(serde_json::from_value::<Node>(lacking).is_err(), "{needed}");
    }
}

// Rules: O21.
#[test]
fn an_empty_patch_has_no_field_and_a_patch_with_one_has() {
    assert!(NodeFields::default().is_empty());
    macro_rules! one {
        ($($field:ident)*) => {$(
            let patch = NodeFields { $field: Some(node().$field), ..NodeFields::default() };
            assert!(!patch.is_empty(), stringify!($field));
        )*};
    }
    each_node_field!(one);
}

#[test]
fn no_two_fields_share_a_name_and_only_status_has_entries_of_its_own() {
    let mut declared = Vec::new();
    macro_rules! declare {
        ($($field:ident)*) => { $(declared.push((NODE_FIELDS.$field.wire, NODE_FIELDS.$field.entry));)* };
    }
    each_node_field!(declare);
    let own: Vec<_> = declared.iter().filter(|(_, entry)| *entry != Op::NodeUpdate).collect();
    assert_eq!(own, [&("status", Op::NodeStatus)]);
    let mut names: Vec<_> = declared.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), declared.len());
}

fn field<R>(rule: R) -> NodeField<R> {
    let (wire, words, entry, invalid) = ("some", "some", Op::NodeUpdate, Reason::InvalidPriority);
    NodeField { wire, words, about: "", entry, invalid, rule }
}

#[test]
fn numbers_are_admitted_within_their_range_alone() {
    let refused = Err(Reason::InvalidPriority.into());
    let small = field(Integer8 { least: 2, most: 9 });
    for (given, want) in [(2, Ok(2)), (9, Ok(9)), (1, refused.clone()), (10, refused.clone())] {
        assert_eq!(small.admit(given), want, "{given}");
    }
    for given in [-1, 256 + 2, i64::MAX, i64::MIN] {
        assert_eq!(small.admit(given), refused, "{given}");
    }
    let large = field(Integer16 { least: 0, most: 999 });
    assert_eq!(large.admit(999), Ok(999));
    assert!(large.admit(1000).is_err() && large.check(&1000).is_err() && large.check(&999).is_ok());
    let zero = field(Finite).admit(-0.0).unwrap();
    assert_eq!(zero.to_bits(), 0);
    assert!(field(Flag).check(&true).is_ok());
    let at = Timestamp::from_ms(1999);
    assert_eq!(field(Moment).admit(Some(at)), Some(Timestamp::from_ms(1000)));
}
