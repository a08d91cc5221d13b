//! An entity as a map. A field of the model has a number as its key, and a field that users set, which is declared in
//! [`graph::node_fields`], has its name. A field with its default is left out: reading begins with every field at its
//! default. For the entity before a change the entity after it takes the place of the defaults.
//!
//! A field may be added at any time, with a default: what was stored before then lacks it. A number or name is never
//! given another meaning, and a default never changes. Unknown fields are ignored.

use super::CodecError;
use graph::model::{
    Embed, Grant, Key as OneTimeKey, KeyPurpose, Level, Link, LinkType, Node, Plan, Status, Token, User,
};
use graph::{BatchId, KeyId, LinkId, NodeId, Timestamp, TokenId, UserId};
use rmp_serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::LazyLock;
use uuid::Uuid;

/// The key of what is stored in place of `edited`: by how many milliseconds it is later than `created`. Most
/// entities are never edited.
const EDITED_AFTER: u8 = 127;

/// The key of the field that every entity has: (part of) its id.
const ID: u8 = 0;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Number(u8),
    Name(&'a str),
}

/// An entity that can be stored.
pub(crate) trait Stored: Clone + Send + Sync + 'static {
    /// The entity with every field at its default.
    fn blank() -> &'static Self;

    /// Puts each field in which this differs from `base`, and the id if `whole`.
    fn put_all(&self, base: &Self, whole: bool, to: &mut impl PutField) -> Result<(), CodecError>;

    /// Sets one field.
    fn set<'de, A: MapAccess<'de>>(&mut self, key: Key<'de>, from: &mut A) -> Result<(), A::Error>;

    /// By how many milliseconds `edited` is later than `created`, where there are such fields.
    fn edited_after(&self) -> i64 {
        0
    }

    /// Sets `edited` by it.
    fn set_edited_after(&mut self, _after: i64) {}
}

/// Takes fields.
pub(crate) trait PutField {
    fn put(&mut self, key: Key<'_>, value: &impl Serialize) -> Result<(), CodecError>;
}

/// Counts the fields: a map begins with their number.
struct Count(u32);

impl PutField for Count {
    fn put(&mut self, _: Key<'_>, _: &impl Serialize) -> Result<(), CodecError> {
        self.0 += 1;
        Ok(())
    }
}

impl PutField for Vec<u8> {
    fn put(&mut self, key: Key<'_>, value: &impl Serialize) -> Result<(), CodecError> {
        match key {
            Key::Number(number) => rmp_serde::encode::write(self, &number)?,
            Key::Name(name) => rmp_serde::encode::write(self, name)?,
        }
        Ok(rmp_serde::encode::write(self, value)?)
    }
}

/// Appends an entity: whole, or the fields in which it differs from another form of it.
pub(super) fn write<T: Stored>(entity: &T, base: Option<&T>, row: &mut Vec<u8>) -> Result<(), CodecError> {
    fn put_all<T: Stored>(entity: &T, base: Option<&T>, to: &mut impl PutField) -> Result<(), CodecError> {
        let (whole, base) = (base.is_none(), base.unwrap_or(T::blank()));
        entity.put_all(base, whole, to)?;
        let after = entity.edited_after();
        if after != base.edited_after() { to.put(Key::Number(EDITED_AFTER), &after) } else { Ok(()) }
    }
    let mut count = Count(0);
    put_all(entity, base, &mut count)?;
    rmp::encode::write_map_len(row, count.0)?;
    put_all(entity, base, row)
}

/// Reads what [`write`] wrote, with the same base.
pub(super) fn read<T: Stored>(row: &[u8], base: Option<&T>) -> Result<T, CodecError> {
    // Of the entity before a change, the id is left out: it is the same.
    let reading = Reading { base: base.unwrap_or(T::blank()), has_id: base.is_some() };
    let mut from = Deserializer::from_read_ref(row);
    let (entity, has_id) = reading.deserialize(&mut from)?;
    if has_id { Ok(entity) } else { Err(CodecError::NoId) }
}

struct Reading<'b, T> {
    base: &'b T,
    has_id: bool,
}

impl<'de, T: Stored> DeserializeSeed<'de> for Reading<'_, T> {
    type Value = (T, bool);

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, T: Stored> Visitor<'de> for Reading<'_, T> {
    type Value = (T, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entity")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let (mut entity, mut has_id, mut after) = (self.base.clone(), self.has_id, self.base.edited_after());
        while let Some(key) = from.next_key()? {
            match key {
                Key::Number(EDITED_AFTER) => after = from.next_value()?,
                key => entity.set(key, &mut from)?,
            }
            has_id |= key == Key::Number(ID);
        }
        entity.set_edited_after(after);
        Ok((entity, has_id))
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number or the name of a field")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Key<'de>, E> {
                u8::try_from(number).map(Key::Number).map_err(E::custom)
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Key<'de>, E> {
                Ok(Key::Name(name))
            }
        }
        from.deserialize_any(KeyVisitor)
    }
}

/// Whether two values of a field are the same to the bit: of two zeros, the sign may differ.
trait IsSame {
    fn is_same(&self, other: &Self) -> bool;
}

macro_rules! is_same_if_equal {
    ($($type:ty)*) => {$(
        impl IsSame for $type {
            fn is_same(&self, other: &Self) -> bool {
                self == other
            }
        }
    )*};
}

is_same_if_equal! { String Vec<String> Status Option<Timestamp> u8 u16 bool }

impl IsSame for f64 {
    fn is_same(&self, other: &Self) -> bool {
        self.to_bits() == other.to_bits()
    }
}

const NIL: Uuid = Uuid::nil();

fn epoch() -> Timestamp {
    Timestamp::from_ms(0)
}

/// Declares the numbers of an entity's fields, and its form with every field at its default.
macro_rules! stored {
    ($type:ident: $id:ident $(, $number:literal $field:ident)*; $($also:ident $also_set:ident;)? = $blank:expr) => {
        impl Stored for $type {
            fn blank() -> &'static Self {
                static BLANK: LazyLock<$type> = LazyLock::new(|| $blank);
                &BLANK
            }

            fn put_all(&self, base: &Self, whole: bool, to: &mut impl PutField) -> Result<(), CodecError> {
                if whole || self.$id != base.$id {
                    to.put(Key::Number(ID), &self.$id)?;
                }
                $(if self.$field != base.$field {
                    to.put(Key::Number($number), &self.$field)?;
                })*
                $($also(self, base, to)?;)?
                Ok(())
            }

            fn set<'de, A: MapAccess<'de>>(&mut self, key: Key<'de>, from: &mut A) -> Result<(), A::Error> {
                match key {
                    Key::Number(ID) => self.$id = from.next_value()?,
                    $(Key::Number($number) => self.$field = from.next_value()?,)*
                    $(Key::Name(name) => $also_set(self, name, from)?,)?
                    #[allow(unreachable_patterns)]
                    Key::Number(_) | Key::Name(_) => ignore(from)?,
                }
                Ok(())
            }

            stored!(@edited $type);
        }
    };
    (@edited Node) => { stored!(@edited_is_stored); };
    (@edited Link) => { stored!(@edited_is_stored); };
    (@edited $other:ident) => {};
    (@edited_is_stored) => {
        fn edited_after(&self) -> i64 {
            self.edited.ms().wrapping_sub(self.created.ms())
        }

        fn set_edited_after(&mut self, after: i64) {
            self.edited = Timestamp::from_ms(self.created.ms().wrapping_add(after));
        }
    };
}

fn ignore<'de, A: MapAccess<'de>>(from: &mut A) -> Result<(), A::Error> {
    from.next_value::<IgnoredAny>().map(drop)
}

stored! {
    Node: id, 1 owner, 2 last_batch, 3 created, 4 seq, 5 version, 6 resume, 7 in_trash, 8 publication;
    put_users_fields set_users_field;
    = Node::new(NodeId(NIL), UserId(NIL), BatchId(NIL), epoch(), 0)
}

fn put_users_fields(node: &Node, base: &Node, to: &mut impl PutField) -> Result<(), CodecError> {
    macro_rules! put {
        ($($field:ident)*) => {$(
            if !node.$field.is_same(&base.$field) {
                to.put(Key::Name(stringify!($field)), &node.$field)?;
            }
        )*};
    }
    graph::each_node_field!(put);
    Ok(())
}

fn set_users_field<'de, A: MapAccess<'de>>(
    node: &mut Node,
    name: &str,
    from: &mut A,
) -> Result<(), A::Error> {
    macro_rules! set {
        ($($field:ident)*) => {
            match name {
                $(stringify!($field) => node.$field = from.next_value()?,)*
                _ => ignore(from)?,
            }
        };
    }
    graph::each_node_field!(set);
    Ok(())
}

stored! {
    Link: id, 1 owner, 2 last_batch, 3 created, 4 seq, 5 version, 6 source, 7 target, 8 kind, 9 private, 10 was_blocker,
    11 in_trash, 12 cascade;
    = Link {
        id: LinkId(NIL),
        owner: UserId(NIL),
        source: NodeId(NIL),
        target: NodeId(NIL),
        kind: LinkType::Primary,
        private: false,
        was_blocker: false,
        in_trash: false,
        cascade: false,
        version: 1,
        created: epoch(),
        edited: epoch(),
        seq: 0,
        last_batch: BatchId(NIL),
    }
}

stored! {
    Grant: node, 1 user, 2 granted_by, 3 level, 4 branch, 5 due, 6 showing, 7 version;
    = Grant {
        node: NodeId(NIL),
        user: UserId(NIL),
        level: Level::Viewer,
        branch: false,
        due: None,
        showing: false,
        granted_by: UserId(NIL),
        version: 1,
    }
}

stored! { Embed: user, 1 node; = Embed { user: UserId(NIL), node: NodeId(NIL) } }

stored! {
    User: id, 1 username, 2 email, 3 plan, 4 created, 5 state, 6 admin, 7 password, 8 identities, 9 view, 10 closing,
    11 guest_of;
    = User::new(UserId(NIL), String::new(), String::new(), Plan::Pro, epoch())
}

stored! {
    Token: id, 1 user, 2 name, 3 hash, 4 created, 5 kind, 6 expires, 7 scope, 8 agent;
    = Token::api(TokenId(NIL), UserId(NIL), String::new(), [0; 32], epoch())
}

stored! {
    OneTimeKey: id, 1 hash, 2 purpose, 3 created, 4 expires;
    = OneTimeKey {
        id: KeyId(NIL),
        hash: [0; 32],
        purpose: KeyPurpose::Setup,
        created: epoch(),
        expires: epoch(),
    }
}
