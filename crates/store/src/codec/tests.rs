use super::{CodecError, arbitrary, decode, encode};
use graph::batch::{Change, Lineage};
use graph::model::Node;
use graph::{Batch, BatchId, Entry, NodeId, Op, Subject, Timestamp, UserId};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

fn node() -> Node {
    let id = |n| Uuid::from_u128(n);
    Node::new(NodeId(id(1)), UserId(id(2)), BatchId(id(3)), Timestamp::from_ms(4), 5)
}

fn batch_of(before: Option<Node>, after: Option<Node>) -> Batch {
    let change = Change { before: before.map(Arc::new), after: after.map(Arc::new) };
    Batch {
        id: BatchId(Uuid::from_u128(9)),
        actor: None,
        at: Timestamp::from_ms(1),
        lineage: Lineage::Fresh,
        entries: vec![Entry {
            op: Op::NodeUpdate,
            derived: false,
            subject: Subject::Node(change),
            copy_of: None,
        }],
    }
}

proptest! {
    // Rules: N31, H1.
    #[test]
    fn a_batch_is_read_as_it_was_written(batch in arbitrary::batch()) {
        let encoded = encode(&batch).unwrap();
        let (lineage, entries) = decode(&encoded.body).unwrap();
        prop_assert_eq!(Batch { lineage, entries, ..batch.clone() }, batch);
    }

    #[test]
    fn an_entity_is_read_as_it_was_written(node in arbitrary::node(), link in arbitrary::link()) {
        let written = serde_json::to_string(&node).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Node>(&written).unwrap(), &*node);
        let written = serde_json::to_string(&link).unwrap();
        prop_assert_eq!(&serde_json::from_str::<graph::model::Link>(&written).unwrap(), &*link);
    }

    #[test]
    fn damage_is_an_error_and_no_panic(batch in arbitrary::batch(), at in any::<prop::sample::Index>(), byte in any::<char>()) {
        let mut body: Vec<char> = encode(&batch).unwrap().body.chars().collect();
        let at = at.index(body.len());
        body[at] = byte;
        let _ = decode(&body.iter().collect::<String>());
        let _ = decode(&body[..at].iter().collect::<String>());
    }
}

#[test]
fn of_what_was_only_the_difference_is_stored() {
    let (before, mut after) = (node(), node());
    after.title = "Set up CI".into();
    after.version = 2;
    let encoded = encode(&batch_of(Some(before), Some(after))).unwrap();
    let body: Value = serde_json::from_str(&encoded.body).unwrap();
    assert_eq!(body["entries"][0]["was"], json!({"title": "", "version": 1}));
    assert_eq!(body["entries"][0]["after"]["title"], "Set up CI");
}

#[test]
fn a_row_holds_what_the_entry_leads_to() {
    let added = encode(&batch_of(None, Some(node()))).unwrap();
    let row: Node = serde_json::from_str(added.rows[0].after.as_ref().unwrap().get()).unwrap();
    assert_eq!(row, node());
    let deleted = encode(&batch_of(Some(node()), None)).unwrap();
    assert!(deleted.rows[0].after.is_none());
    assert!(encode(&batch_of(None, None)).unwrap().rows.is_empty());
}

#[test]
fn what_json_cannot_hold_is_refused_before_it_is_written() {
    for bad in [f64::NAN, f64::INFINITY] {
        let after = Node { y: bad, ..node() };
        assert!(matches!(encode(&batch_of(None, Some(after))), Err(CodecError::NotFinite(_))));
    }
}
