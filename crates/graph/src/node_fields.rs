//! The fields of a node that users set: the one place where they are declared.
//!
//! The table determines the fields of [`Node`] with their defaults, the patch [`NodeFields`] and its application,
//! how undo sets a field back, what `synaptask check` verifies, and how nodes and changes are read, written and put
//! in words. All of these use [`each_node_field!`](crate::each_node_field), so none can omit a field.

use crate::batch::Op;
use crate::field_rules::*;
use crate::model::{Node, Status};
use crate::refusal::{Reason, Refusal};
use crate::time::Timestamp;

/// The table: `name: Type = default => {a NodeField}`, in the order in which fields are checked and written
/// (N3–N15, W7).
#[doc(hidden)]
#[macro_export]
macro_rules! node_field_table {
    ([$($visit:tt)+] $($with:ident)?) => {
        $($visit)+! {
            $($with;)?
            /// The title; at most 80 Unicode scalar values.
            title: String = String::new() => {
                wire "title", words "title", entry NodeUpdate, invalid InvalidText,
                rule Text { chars_max: 80, too_long: Reason::TitleTooLong }
            }
            /// The description; at most 400 Unicode scalar values.
            description: String = String::new() => {
                wire "description", words "description", entry NodeUpdate, invalid InvalidText,
                rule Text { chars_max: 400, too_long: Reason::DescriptionTooLong }
            }
            /// The status. Users set any value but `Blocked`, which follows from what the node depends on.
            status: Status = Status::Available => {
                wire "status", words "status", entry NodeStatus, invalid InvalidStatus,
                rule SettableStatus {}
            }
            /// The due date, in whole seconds; `None` if there is none.
            due_date: Option<Timestamp> = None => {
                wire "dueDate", words "due date", entry NodeUpdate, invalid InvalidDueDatetime,
                rule Moment {}
            }
            /// At most 32 tags, each trimmed and of 1 to 50 Unicode scalar values, without duplicates.
            tags: Vec<String> = Vec::new() => {
                wire "tags", words "tags", entry NodeUpdate, invalid InvalidTags,
                rule Tags { tags_max: 32, given_max: 1_000, chars_max: 50 }
            }
            /// 0 to 9; 9 is the most urgent.
            priority: u8 = 0 => {
                wire "priority", words "priority", entry NodeUpdate, invalid InvalidPriority,
                rule Integer8 { least: 0, most: 9 }
            }
            /// The visual size, 0 to 9.
            volume: u8 = 5 => {
                wire "volume", words "volume", entry NodeUpdate, invalid InvalidVolume,
                rule Integer8 { least: 0, most: 9 }
            }
            /// True for a node that is never blocked by what it depends on.
            independent: bool = false => {
                wire "independent", words "independence", entry NodeUpdate, invalid InvalidIndependent,
                rule Flag {}
            }
            /// Names, usernames or emails, not checked against users: at most 32, each of 1 to 254 Unicode scalar values.
            assignee: Vec<String> = Vec::new() => {
                wire "assignee", words "assignees", entry NodeUpdate, invalid InvalidAssignee,
                rule Names { names_max: 32, chars_max: 254 }
            }
            /// The first coordinate in graph space; finite.
            x: f64 = 0.0 => {
                wire "x", words "position", entry NodeUpdate, invalid InvalidPosition, rule Finite {}
            }
            /// The second coordinate; finite.
            y: f64 = 0.0 => {
                wire "y", words "position", entry NodeUpdate, invalid InvalidPosition, rule Finite {}
            }
            /// The third coordinate; finite.
            z: f64 = 0.0 => {
                wire "z", words "position", entry NodeUpdate, invalid InvalidPosition, rule Finite {}
            }
            /// A mark for clients: a layout does not move the node.
            pinned: bool = false => {
                wire "pinned", words "pin", entry NodeUpdate, invalid InvalidPinned, rule Flag {}
            }
            /// A mark for clients: the nodes it depends on are folded away.
            collapsed: bool = false => {
                wire "collapsed", words "folding", entry NodeUpdate, invalid InvalidCollapsed, rule Flag {}
            }
        }
    };
}

/// Calls a macro with the names of all the fields that users set: `visit!(title description …)`.
#[macro_export]
macro_rules! each_node_field {
    ($visit:ident) => {
        $crate::node_field_table! { [$crate::node_field_names] $visit }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! node_field_names {
    ($visit:ident; $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr => $declared:tt)*) => {
        $visit! { $($field)* }
    };
}

macro_rules! declare {
    ($(
        $(#[doc = $doc:literal])*
        $field:ident: $type:ty = $default:expr => {
            wire $wire:literal, words $words:literal, entry $entry:ident, invalid $invalid:ident,
            rule $rule:ident $limits:tt
        }
    )*) => {
        /// The declaration of each field.
        #[derive(Clone, Copy, Debug)]
        pub struct NodeFieldTable {
            $($(#[doc = $doc])* pub $field: NodeField<$rule>,)*
        }

        /// The declaration of each field.
        pub const NODE_FIELDS: NodeFieldTable = NodeFieldTable {
            $($field: NodeField {
                wire: $wire,
                words: $words,
                about: concat!($($doc),*).trim_ascii_start(),
                entry: Op::$entry,
                invalid: Reason::$invalid,
                rule: $rule $limits,
            },)*
        };

        /// A patch: the fields of a node to set. `None` leaves a field as it is.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct NodeFields {
            $($(#[doc = $doc])* pub $field: Option<$type>,)*
        }

        impl NodeFields {
            /// Every field at its default.
            pub fn defaults() -> Self {
                NodeFields { $($field: Some($default),)* }
            }
        }
    };
}
node_field_table!([declare]);

impl NodeFields {
    /// True when no field is set.
    pub fn is_empty(&self) -> bool {
        macro_rules! empty {
            ($($field:ident)*) => { true $(&& self.$field.is_none())* };
        }
        each_node_field!(empty)
    }

    /// Sets all given fields, for a new node.
    pub(crate) fn set_all(&self, node: &mut Node) {
        self.set(node, None);
    }

    /// Sets the given fields whose changes are written as a NODE_UPDATE.
    pub(crate) fn set_updated(&self, node: &mut Node) {
        self.set(node, Some(Op::NodeUpdate));
    }

    fn set(&self, node: &mut Node, entry: Option<Op>) {
        macro_rules! set {
            ($($field:ident)*) => {$(
                if let Some(value) = &self.$field
                    && entry.is_none_or(|entry| entry == NODE_FIELDS.$field.entry)
                {
                    node.$field.clone_from(value);
                }
            )*};
        }
        each_node_field!(set);
    }
}

/// Sets each field in which `from` and `to` differ, and whose changes are written as a NODE_UPDATE, to its value in
/// `to`.
pub(crate) fn set_back(node: &mut Node, from: &Node, to: &Node) {
    macro_rules! set_back {
        ($($field:ident)*) => {$(
            if NODE_FIELDS.$field.entry == Op::NodeUpdate && from.$field != to.$field {
                node.$field.clone_from(&to.$field);
            }
        )*};
    }
    each_node_field!(set_back);
}

/// Whether a field that [`set_back`] would set no longer has its value in `from`: it has been changed since.
pub(crate) fn are_overtaken(now: &Node, from: &Node, to: &Node) -> bool {
    macro_rules! overtaken {
        ($($field:ident)*) => {
            false $(|| (NODE_FIELDS.$field.entry == Op::NodeUpdate
                && from.$field != to.$field
                && now.$field != from.$field))*
        };
    }
    each_node_field!(overtaken)
}

/// The faults of a node's field values: for each value that breaks its rule, the field's name and the refusal that
/// a client would get.
pub(crate) fn faults(node: &Node) -> Vec<(&'static str, Refusal)> {
    let mut faults = Vec::new();
    macro_rules! check {
        ($($field:ident)*) => {$(
            if let Err(refusal) = NODE_FIELDS.$field.check(&node.$field) {
                faults.push((NODE_FIELDS.$field.wire, refusal));
            }
        )*};
    }
    each_node_field!(check);
    faults
}

/// The approximate number of bytes of text in a node's fields.
pub fn text_bytes(node: &Node) -> usize {
    macro_rules! bytes {
        ($($field:ident)*) => { 0 $(+ bytes_of(&NODE_FIELDS.$field, &node.$field))* };
    }
    each_node_field!(bytes)
}

fn bytes_of<R: Rule>(_field: &NodeField<R>, value: &R::Value) -> usize {
    R::text_bytes(value)
}

/// Whether a node can be written as JSON and read again: JSON has no infinity.
pub fn is_writable(node: &Node) -> bool {
    macro_rules! writable {
        ($($field:ident)*) => { true $(&& can_be_written(&NODE_FIELDS.$field, &node.$field))* };
    }
    each_node_field!(writable)
}

fn can_be_written<R: Rule>(_field: &NodeField<R>, value: &R::Value) -> bool {
    R::is_writable(value)
}
