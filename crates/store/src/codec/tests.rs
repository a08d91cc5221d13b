use super::{CodecError, Decoded, arbitrary, decode, decode_entity, encode, encode_entity, json};
use graph::batch::{Change, Lineage};
use graph::model::Node;
use graph::{Batch, BatchId, Entry, NodeId, Op, Subject, Timestamp, UserId};
use proptest::prelude::*;
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
        guest: None,
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
        let Decoded { lineage, guest, entries } = decode(&encode(&batch).unwrap()).unwrap();
        prop_assert_eq!(Batch { lineage, guest, entries, ..batch.clone() }, batch);
    }

    #[test]
    fn a_batch_is_read_as_an_earlier_version_wrote_it(batch in arbitrary::batch()) {
        // Earlier versions knew no guests.
        let batch = Batch { guest: None, ..batch };
        let Decoded { lineage, guest, entries } =
            decode(json::tests::encode(&batch).unwrap().body.as_bytes()).unwrap();
        prop_assert_eq!(Batch { lineage, guest, entries, ..batch.clone() }, batch);
    }

    #[test]
    fn an_entity_is_read_as_it_was_written(node in arbitrary::node(), link in arbitrary::link()) {
        prop_assert_eq!(&decode_entity::<Node>(&encode_entity(&*node).unwrap()).unwrap(), &*node);
        prop_assert_eq!(&decode_entity::<graph::model::Link>(&encode_entity(&*link).unwrap()).unwrap(), &*link);
    }

    #[test]
    fn damage_is_an_error_and_no_panic(batch in arbitrary::batch(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = encode(&batch).unwrap();
        let at = at.index(body.len());
        body[at] = byte;
        let _ = decode(&body);
        let _ = decode(&body[..at]);
    }
}

#[test]
fn of_what_was_only_the_difference_is_stored() {
    let (before, mut after) = (node(), node());
    after.title = "Set up CI".into();
    after.version = 2;
    let body = encode(&batch_of(Some(before), Some(after))).unwrap();
    let was = [&[0x82, 5, 1, 0xA5][..], b"title", &[0xA0]].concat();
    assert!(body.ends_with(&was), "{body:?}");
}

/// D16: a stored entity lacks what has its default, and what was declared later.
#[test]
fn d16_a_field_that_is_missing_has_its_default() {
    let row = encode_entity(&Node { title: "A".into(), ..node() }).unwrap();
    let names: Vec<_> =
        [&b"title"[..], b"status", b"volume"].map(|name| row.windows(name.len()).any(|it| it == name)).into();
    assert_eq!(names, [true, false, false]);
    assert_eq!(decode_entity::<Node>(&row).unwrap().volume, 5);
    // What a later version added is ignored.
    let mut row = row;
    row[0] += 2;
    row.extend([100, 0x92, 1, 2, 0xA5, b'n', b'e', b'w', b'e', b'r', 0xC0]);
    assert_eq!(decode_entity::<Node>(&row).unwrap().title, "A");
    assert!(matches!(decode_entity::<Node>(&[0x80]), Err(CodecError::NoId)));
}

/// What is stored now must be read by every later version: the numbers and names of fields, and the defaults that
/// are left out, never change.
#[test]
fn d16_what_was_stored_is_read_by_later_versions() {
    let node =
        Node { title: "Paint".into(), x: 0.5, edited: Timestamp::from_ms(7), in_trash: true, ..node() };
    let batch = batch_of(None, Some(node));
    let id = |n: u8| [&[0xC4, 16][..], &[0; 15], &[n]].concat();
    let row = [
        &[0x89, 0][..],
        &id(1),
        &[1],
        &id(2),
        &[2],
        &id(3),
        &[3, 4, 4, 5, 7, 0xC3, 0xA5],
        b"title",
        &[0xA5],
        b"Paint",
        &[0xA1],
        b"x",
        &[0xCB, 0x3F, 0xE0, 0, 0, 0, 0, 0, 0],
        &[127, 3],
    ]
    .concat();
    let body = [&[1, 0x92, 0xC0, 0x91, 0x95, 0, 1, 0xC0, 0xC4, row.len() as u8][..], &row, &[0xC0]].concat();
    assert_eq!(encode(&batch).unwrap(), body);
    let entries = decode(&body).unwrap().entries;
    assert_eq!(entries, batch.entries);
    let defaults = graph::node_fields::NodeFields::defaults();
    assert_eq!(
        format!("{defaults:?}"),
        "NodeFields { title: Some(\"\"), description: Some(\"\"), status: Some(Available), due_date: Some(None), \
         tags: Some([]), priority: Some(0), volume: Some(5), independent: Some(false), assignee: Some([]), \
         x: Some(0.0), y: Some(0.0), z: Some(0.0), pinned: Some(false), collapsed: Some(false) }",
        "a new field goes into this list; a default that was released never changes"
    );
}

/// A small mutation takes little room.
#[test]
fn a_small_batch_is_small() {
    let time = Timestamp::from_ms(1_900_000_000_000);
    let id = |n: u128| Uuid::from_u128(n << 64 | n);
    let added = Node {
        title: "Paint the walls".into(),
        x: 1.1,
        y: 2.2,
        created: time,
        edited: time,
        seq: 1_000_000,
        ..Node::new(NodeId(id(1)), UserId(id(2)), BatchId(id(3)), time, 1_000_000)
    };
    let edited =
        Node { title: "Paint".into(), version: 2, edited: time.plus_ms(86_400_000), ..added.clone() };
    let size = |before, after| encode(&batch_of(before, after)).unwrap().len();
    assert!(size(None, Some(added.clone())) < 140, "{}", size(None, Some(added.clone())));
    assert!(size(Some(added.clone()), Some(edited)) < 180);
}

#[test]
fn what_no_answer_can_hold_is_refused_before_it_is_written() {
    for bad in [f64::NAN, f64::INFINITY] {
        let after = Node { y: bad, ..node() };
        assert!(matches!(encode(&batch_of(None, Some(after))), Err(CodecError::NotFinite(_))));
    }
}
