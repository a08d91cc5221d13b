//! A value for any field of a node, by its rule.

use graph::Timestamp;
use graph::field_rules::{Finite, Flag, Integer, Moment, Names, NodeField, Rule, SettableStatus, Tags, Text};
use graph::model::Status;

/// A rule that values can be made for.
pub trait Sample: Rule {
    /// One of a few values, the same for the same byte.
    fn sample(field: &NodeField<Self>, byte: u8) -> Self::Value;
}

/// One of a few values of a field.
pub fn sample<R: Sample>(field: &NodeField<R>, byte: u8) -> R::Value {
    R::sample(field, byte)
}

impl Sample for Text {
    fn sample(field: &NodeField<Self>, byte: u8) -> String {
        format!("{} {}", field.wire, byte % 4)
    }
}

impl Sample for SettableStatus {
    fn sample(_field: &NodeField<Self>, byte: u8) -> Status {
        [Status::Available, Status::InProgress, Status::Completed, Status::Completed][usize::from(byte % 4)]
    }
}

impl Sample for Moment {
    fn sample(_field: &NodeField<Self>, byte: u8) -> Option<Timestamp> {
        (byte % 4 > 0).then(|| Timestamp::from_ms(i64::from(byte % 4) * 1_000_000_000_000))
    }
}

impl Sample for Tags {
    fn sample(_field: &NodeField<Self>, byte: u8) -> Vec<String> {
        vec![format!("tag {}", byte % 3)]
    }
}

impl Sample for Names {
    fn sample(_field: &NodeField<Self>, byte: u8) -> Vec<String> {
        vec!["carol".to_owned(); usize::from(byte % 3)]
    }
}

impl<T: Copy> Sample for Integer<T>
where
    Integer<T>: Rule<Value = T>,
{
    fn sample(field: &NodeField<Self>, byte: u8) -> T {
        if byte % 2 == 0 { field.rule.least } else { field.rule.most }
    }
}

impl Sample for Finite {
    fn sample(_field: &NodeField<Self>, byte: u8) -> f64 {
        f64::from(byte)
    }
}

impl Sample for Flag {
    fn sample(_field: &NodeField<Self>, byte: u8) -> bool {
        byte % 2 == 0
    }
}
