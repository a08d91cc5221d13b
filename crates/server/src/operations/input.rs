//! The inputs of operations: fields that know their name, their kind, the refusal of a wrong value, and the type of
//! a decoded value. A row combines them with [`input!`]. A row that lacks a field does not compile.

use super::kinds::{Kind, Named, Schema};
use crate::wire::payload::Json;
use crate::wire::{PayloadFault, PayloadRefusal};
use serde::Serialize;

/// One field of an operation's payload, as shown in the table.
#[derive(Clone, Debug)]
pub struct Field {
    /// The field's name in JSON.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// The type and limits of a value.
    pub schema: Schema,
    /// The refusal when it is missing; `None` if it is optional.
    pub missing: Option<PayloadFault>,
    /// The refusal of a value of the wrong type or out of range.
    pub invalid: PayloadFault,
    /// The meaning of `null`.
    pub null: Null,
    /// The default as JSON text; `None` if absence has a meaning of its own.
    pub default: Option<String>,
    /// True for a field that an update changes. An update takes at least one of these and leaves the others as they
    /// are.
    pub changes: bool,
}

/// The meaning of `null` in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Null {
    /// A value of the wrong type.
    Wrong,
    /// The same as leaving the field out.
    LeftOut,
    /// A value: it clears what is there.
    Clears,
}

impl Field {
    /// The JSON type, in words.
    pub fn json_type(&self) -> String {
        match self.null {
            Null::Wrong => self.schema.json_type.to_owned(),
            Null::LeftOut | Null::Clears => format!("{} or null", self.schema.json_type),
        }
    }

    /// The field's value in a payload; `None` when it is absent.
    pub(super) fn given<'p>(&self, payload: &'p Json) -> Option<&'p Json> {
        payload.get(self.name).filter(|json| self.null != Null::LeftOut || **json != Json::Null)
    }
}

/// A part of an operation's input: a field, or a group of fields.
pub(super) trait Input {
    /// The decoded value.
    type Value;

    /// Adds its fields to a list, in the order in which they are read.
    fn describe(&self, fields: &mut Vec<Field>);

    /// Its fields, in the order in which they are read.
    fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        self.describe(&mut fields);
        fields
    }

    /// Reads it from a payload, which is an object.
    ///
    /// # Errors
    /// The refusal of the first wrong field.
    fn read(&self, payload: &Json) -> Result<Self::Value, PayloadRefusal>;
}

/// A required field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Required<K> {
    named: Named,
    kind: K,
    missing: PayloadFault,
}

/// A required field.
pub(super) const fn required<K>(
    name: &'static str,
    kind: K,
    missing: PayloadFault,
    invalid: PayloadFault,
) -> Required<K> {
    Required { named: Named { name, about: "", invalid }, kind, missing }
}

impl<K: Copy> Required<K> {
    /// The field with what it is, in a sentence.
    pub const fn about(self, about: &'static str) -> Required<K> {
        Required { named: Named { about, ..self.named }, ..self }
    }

    /// The field's name in JSON.
    pub const fn name(&self) -> &'static str {
        self.named.name
    }
}

impl<K: Kind> Input for Required<K> {
    type Value = K::Value;

    fn describe(&self, fields: &mut Vec<Field>) {
        fields.push(Field { missing: Some(self.missing), ..field(self.named, &self.kind, Null::Wrong) });
    }

    fn read(&self, payload: &Json) -> Result<K::Value, PayloadRefusal> {
        let json = payload.get(self.named.name).ok_or(self.missing)?;
        self.kind.read(self.named, json)
    }
}

/// An optional field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Optional<K> {
    named: Named,
    kind: K,
    null: Null,
}

/// An optional field whose value is never null.
pub(super) const fn optional<K>(name: &'static str, kind: K, invalid: PayloadFault) -> Optional<K> {
    Optional { named: Named { name, about: "", invalid }, kind, null: Null::Wrong }
}

/// An optional field in which null means absence.
pub(super) const fn nullable<K: Copy>(name: &'static str, kind: K, invalid: PayloadFault) -> Optional<K> {
    Optional { null: Null::LeftOut, ..optional(name, kind, invalid) }
}

impl<K: Copy> Optional<K> {
    /// The field with what it is, in a sentence.
    pub const fn about(self, about: &'static str) -> Optional<K> {
        Optional { named: Named { about, ..self.named }, ..self }
    }

    /// The field's name in JSON.
    pub const fn name(&self) -> &'static str {
        self.named.name
    }

    /// The field with a default.
    pub const fn or<V>(self, default: V) -> Defaulted<K, V> {
        Defaulted { field: self, default }
    }

    /// The field in an update, where null clears the value.
    pub const fn clearable(self) -> Clearable<K> {
        Clearable { named: self.named, kind: self.kind }
    }
}

impl<K: Kind> Input for Optional<K> {
    type Value = Option<K::Value>;

    fn describe(&self, fields: &mut Vec<Field>) {
        let default = (self.null == Null::LeftOut).then(|| "null".to_owned());
        fields.push(Field { default, ..field(self.named, &self.kind, self.null) });
    }

    fn read(&self, payload: &Json) -> Result<Option<K::Value>, PayloadRefusal> {
        match payload.get(self.named.name) {
            None => Ok(None),
            Some(Json::Null) if self.null == Null::LeftOut => Ok(None),
            Some(json) => self.kind.read(self.named, json).map(Some),
        }
    }
}

/// A field with a default.
#[derive(Clone, Copy, Debug)]
pub(super) struct Defaulted<K, V> {
    field: Optional<K>,
    default: V,
}

impl<K: Kind<Value = V>, V: Copy + Serialize> Input for Defaulted<K, V> {
    type Value = V;

    fn describe(&self, fields: &mut Vec<Field>) {
        let default = serde_json::to_string(&self.default).ok();
        fields.push(Field { default, ..field(self.field.named, &self.field.kind, self.field.null) });
    }

    fn read(&self, payload: &Json) -> Result<V, PayloadRefusal> {
        Ok(self.field.read(payload)?.unwrap_or(self.default))
    }
}

/// A field of an update that null clears.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clearable<K> {
    named: Named,
    kind: K,
}

impl<K: Kind> Input for Clearable<K> {
    type Value = Option<Option<K::Value>>;

    fn describe(&self, fields: &mut Vec<Field>) {
        fields.push(field(self.named, &self.kind, Null::Clears));
    }

    fn read(&self, payload: &Json) -> Result<Self::Value, PayloadRefusal> {
        match payload.get(self.named.name) {
            None => Ok(None),
            Some(Json::Null) => Ok(Some(None)),
            Some(json) => self.kind.read(self.named, json).map(|value| Some(Some(value))),
        }
    }
}

fn field<K: Kind>(named: Named, kind: &K, null: Null) -> Field {
    let Named { name, about, invalid } = named;
    Field { name, about, schema: kind.schema(), missing: None, invalid, null, default: None, changes: false }
}

/// The fields that an update changes; see [`Field::changes`].
pub(super) struct Changes<I>(pub I);

impl<I: Input> Input for Changes<I> {
    type Value = I::Value;

    fn describe(&self, fields: &mut Vec<Field>) {
        let first = fields.len();
        self.0.describe(fields);
        for field in fields.iter_mut().skip(first) {
            field.changes = true;
            field.default = None;
        }
    }

    fn read(&self, payload: &Json) -> Result<I::Value, PayloadRefusal> {
        self.0.read(payload)
    }
}

/// A value that the row itself provides, without reading the payload.
pub(super) struct Given<V>(pub V);

impl<V: Clone> Input for Given<V> {
    type Value = V;

    fn describe(&self, _fields: &mut Vec<Field>) {}

    fn read(&self, _payload: &Json) -> Result<V, PayloadRefusal> {
        Ok(self.0.clone())
    }
}

/// A decoder of payloads, with the fields that it reads.
#[derive(Clone, Debug)]
pub struct Reading<T> {
    /// In the order in which they are read.
    pub fields: Vec<Field>,
    pub(super) read: fn(&Json) -> Result<T, PayloadRefusal>,
}

/// Builds a decoder for a variant. Each field of the variant is read from the input named beside it, in that order.
///
/// ```ignore
/// input!(Operation::NodeTrash { id: NODE_ID, branch: BRANCH.or(false) })
/// input!(Operation::LinkUpdate(LinkUpdate { id: LINK_ID, kind: Changes(LINK_TYPE), private: Changes(LINK_PRIVATE) }))
/// ```
macro_rules! input {
    ($outer:ident :: $variant:ident ( $inner:ident { $($field:ident: $from:expr),* $(,)? } )) => {
        input!(@ [$($from),*] |payload| $outer::$variant($inner { $($field: Input::read(&$from, payload)?),* }))
    };
    ($outer:ident :: $variant:ident { $($field:ident: $from:expr),* $(,)? }) => {
        input!(@ [$($from),*] |payload| $outer::$variant { $($field: Input::read(&$from, payload)?),* })
    };
    ($outer:ident :: $variant:ident) => {
        Reading { fields: Vec::new(), read: |_| Ok($outer::$variant) }
    };
    (@ [$($from:expr),*] |$payload:ident| $made:expr) => {
        Reading {
            fields: {
                let mut fields = Vec::new();
                $(Input::describe(&$from, &mut fields);)*
                fields
            },
            read: |$payload| Ok($made),
        }
    };
}
pub(super) use input;
