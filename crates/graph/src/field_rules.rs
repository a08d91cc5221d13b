//! The kinds of rules for a node's fields. [`crate::node_fields`] assigns them to fields.
//!
//! A rule judges input and stored values in one place: `admit` makes a value from the input or refuses it, and
//! [`Rule::check`] verifies that `admit` could have made a value.

use crate::batch::Op;
use crate::model::Status;
use crate::refusal::{Reason, Refusal};
use crate::time::Timestamp;
use std::fmt::Debug;

/// The declaration of a field, without its name, type and default.
#[derive(Clone, Copy, Debug)]
pub struct NodeField<R> {
    /// The field's name in JSON.
    pub wire: &'static str,
    /// The field's name in history in words. Fields that are changed together may share it.
    pub words: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// The operation code of the entry that changes the field.
    pub entry: Op,
    /// The refusal of a value of the wrong type, and of one outside the rule unless the rule has a refusal of its
    /// own.
    pub invalid: Reason,
    /// The rule for its values.
    pub rule: R,
}

impl<R: Rule> NodeField<R> {
    /// Refuses a value that the field cannot have.
    ///
    /// # Errors
    /// The refusal that the same value gets when a client sends it.
    pub fn check(&self, value: &R::Value) -> Result<(), Refusal> {
        R::check(self, value)
    }
}

impl<R> NodeField<R> {
    /// The field's own refusal.
    pub fn refusal(&self) -> Refusal {
        self.invalid.into()
    }

    /// A refusal that several fields share: it names the field.
    pub fn refusal_by_name(&self, reason: Reason) -> Refusal {
        Refusal::with(reason, format!("The field is \"{}\".", self.wire))
    }
}

/// A kind of rule.
pub trait Rule: Sized {
    /// The type of a field with this rule.
    type Value: Clone + PartialEq + Debug;

    /// Refuses a value that the field cannot have.
    ///
    /// # Errors
    /// The refusal that the same value gets when a client sends it.
    fn check(field: &NodeField<Self>, value: &Self::Value) -> Result<(), Refusal>;

    /// The value's size in bytes of text, about as much as it takes when written. Zero for short values.
    fn text_bytes(_value: &Self::Value) -> usize {
        0
    }

    /// Whether the value can be written as JSON, which has no infinity.
    fn is_writable(_value: &Self::Value) -> bool {
        true
    }

    /// The reasons for refusing a value, besides the field's own.
    fn reasons(&self) -> Vec<Reason> {
        Vec::new()
    }
}

/// Whether text has a control character that no text field accepts: C0 except line breaks and tabs.
pub fn has_control(text: &str) -> bool {
    text.chars().any(|c| c < ' ' && !matches!(c, '\n' | '\r' | '\t'))
}

/// A text.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// The greatest length, in Unicode scalar values.
    pub chars_max: usize,
    /// The refusal of a longer text.
    pub too_long: Reason,
}

impl Rule for Text {
    type Value = String;

    fn check(field: &NodeField<Self>, text: &String) -> Result<(), Refusal> {
        if has_control(text) {
            return Err(field.refusal_by_name(Reason::InvalidText));
        }
        match text.chars().count() {
            chars if chars > field.rule.chars_max => {
                Err(Refusal::with(field.rule.too_long, format!("This one has {chars}.")))
            }
            _ => Ok(()),
        }
    }

    fn text_bytes(text: &String) -> usize {
        text.len()
    }

    fn reasons(&self) -> Vec<Reason> {
        vec![Reason::InvalidText, self.too_long]
    }
}

/// A status that a user may set: any but Blocked, which is derived (B2). A stored status may be Blocked;
/// [`crate::check`] verifies whether it must be.
#[derive(Clone, Copy, Debug)]
pub struct SettableStatus;

impl NodeField<SettableStatus> {
    /// A status by its number.
    ///
    /// # Errors
    /// The field's own for a number that is not a status, and `status_blocked`.
    pub fn admit(&self, number: i64) -> Result<Status, Refusal> {
        let status = u8::try_from(number).ok().and_then(|number| Status::try_from(number).ok());
        match status.ok_or(self.invalid)? {
            Status::Blocked => Err(Reason::StatusBlocked.into()),
            status => Ok(status),
        }
    }
}

impl Rule for SettableStatus {
    type Value = Status;

    fn check(_field: &NodeField<Self>, _status: &Status) -> Result<(), Refusal> {
        Ok(())
    }

    fn reasons(&self) -> Vec<Reason> {
        vec![Reason::StatusBlocked]
    }
}

/// A time in whole seconds, or none.
#[derive(Clone, Copy, Debug)]
pub struct Moment;

impl NodeField<Moment> {
    /// A time without its fraction of a second.
    pub fn admit(&self, at: Option<Timestamp>) -> Option<Timestamp> {
        at.map(Timestamp::whole_seconds)
    }
}

impl Rule for Moment {
    type Value = Option<Timestamp>;

    fn check(field: &NodeField<Self>, at: &Option<Timestamp>) -> Result<(), Refusal> {
        // Limited to the years that can be written, and cut to seconds.
        let kept = field.admit(at.map(|at| Timestamp::from_ms(at.ms())));
        if kept == *at { Ok(()) } else { Err(field.refusal()) }
    }
}

/// A list of tags: trimmed, none empty, no duplicates.
#[derive(Clone, Copy, Debug)]
pub struct Tags {
    /// The greatest number of tags.
    pub tags_max: usize,
    /// The greatest number given, duplicates included, because each costs time.
    pub given_max: usize,
    /// The greatest length of a tag, in Unicode scalar values.
    pub chars_max: usize,
}

impl NodeField<Tags> {
    /// The tags that result from the input; `None` stands for an item that is not a string.
    ///
    /// # Errors
    /// The field's own, `invalid_text`, `tag_empty`, `tag_too_long`, `too_many_tags`: that of the first faulty
    /// item.
    pub fn admit<'a>(
        &self,
        given: impl ExactSizeIterator<Item = Option<&'a str>>,
    ) -> Result<Vec<String>, Refusal> {
        let Tags { tags_max, given_max, chars_max } = self.rule;
        let too_many = |count: usize| Refusal::with(Reason::TooManyTags, format!("This one has {count}."));
        if given.len() > given_max {
            return Err(too_many(given.len()));
        }
        let mut kept: Vec<String> = Vec::new();
        for tag in given {
            let tag = tag.ok_or(self.invalid)?;
            if has_control(tag) {
                return Err(self.refusal_by_name(Reason::InvalidText));
            }
            let tag = tag.trim();
            match tag.chars().count() {
                0 => return Err(Reason::TagEmpty.into()),
                chars if chars > chars_max => {
                    return Err(Refusal::with(Reason::TagTooLong, format!("One has {chars}.")));
                }
                _ if kept.iter().any(|other| other == tag) => {}
                _ => kept.push(tag.to_owned()),
            }
        }
        if kept.len() > tags_max { Err(too_many(kept.len())) } else { Ok(kept) }
    }
}

impl Rule for Tags {
    type Value = Vec<String>;

    fn check(field: &NodeField<Self>, tags: &Vec<String>) -> Result<(), Refusal> {
        let kept = field.admit(tags.iter().map(|tag| Some(tag.as_str())))?;
        if kept == *tags { Ok(()) } else { Err(field.refusal()) }
    }

    fn text_bytes(tags: &Vec<String>) -> usize {
        listed_bytes(tags)
    }

    fn reasons(&self) -> Vec<Reason> {
        vec![Reason::InvalidText, Reason::TagEmpty, Reason::TagTooLong, Reason::TooManyTags]
    }
}

/// A list of names of people, stored as given.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// The greatest number of names.
    pub names_max: usize,
    /// The greatest length of a name, in Unicode scalar values; the least is one.
    pub chars_max: usize,
}

impl NodeField<Names> {
    /// The names given; `None` stands for an item that is not a string.
    ///
    /// # Errors
    /// The field's own, and `invalid_text`: that of the first faulty item.
    pub fn admit<'a>(
        &self,
        given: impl ExactSizeIterator<Item = Option<&'a str>>,
    ) -> Result<Vec<String>, Refusal> {
        if given.len() > self.rule.names_max {
            return Err(self.refusal());
        }
        given.map(|name| self.admit_name(name.ok_or(self.invalid)?)).collect()
    }

    fn admit_name(&self, name: &str) -> Result<String, Refusal> {
        if has_control(name) {
            return Err(self.refusal_by_name(Reason::InvalidText));
        }
        let fits = (1..=self.rule.chars_max).contains(&name.chars().count());
        if fits { Ok(name.to_owned()) } else { Err(self.refusal()) }
    }
}

impl Rule for Names {
    type Value = Vec<String>;

    fn check(field: &NodeField<Self>, names: &Vec<String>) -> Result<(), Refusal> {
        field.admit(names.iter().map(|name| Some(name.as_str()))).map(|_| ())
    }

    fn text_bytes(names: &Vec<String>) -> usize {
        listed_bytes(names)
    }

    fn reasons(&self) -> Vec<Reason> {
        vec![Reason::InvalidText]
    }
}

/// Each text also has quotes and a comma.
fn listed_bytes(texts: &[String]) -> usize {
    texts.iter().map(|text| text.len() + 3).sum()
}

/// An integer in a range, stored as a `T`.
#[derive(Clone, Copy, Debug)]
pub struct Integer<T> {
    /// The least value.
    pub least: T,
    /// The greatest value.
    pub most: T,
}

/// An integer of at most 255.
pub type Integer8 = Integer<u8>;
/// An integer of at most 65,535.
pub type Integer16 = Integer<u16>;

impl<T: Copy + PartialOrd + TryFrom<i64>> NodeField<Integer<T>> {
    /// The number given, within the range.
    ///
    /// # Errors
    /// The field's own.
    pub fn admit(&self, number: i64) -> Result<T, Refusal> {
        let within = |number: &T| (self.rule.least..=self.rule.most).contains(number);
        T::try_from(number).ok().filter(within).ok_or_else(|| self.refusal())
    }
}

impl<T: Copy + PartialOrd + TryFrom<i64> + Into<i64> + Debug> Rule for Integer<T> {
    type Value = T;

    fn check(field: &NodeField<Self>, number: &T) -> Result<(), Refusal> {
        field.admit((*number).into()).map(|_| ())
    }
}

/// A finite number. −0.0 is stored as 0.
#[derive(Clone, Copy, Debug)]
pub struct Finite;

impl NodeField<Finite> {
    /// The number given.
    ///
    /// # Errors
    /// The field's own, by name: several share it.
    pub fn admit(&self, number: f64) -> Result<f64, Refusal> {
        if number.is_finite() { Ok(number + 0.0) } else { Err(self.refusal_by_name(self.invalid)) }
    }
}

impl Rule for Finite {
    type Value = f64;

    fn check(field: &NodeField<Self>, number: &f64) -> Result<(), Refusal> {
        let kept = field.admit(*number)?;
        // Of the two zeros only one is stored.
        if kept.to_bits() == number.to_bits() { Ok(()) } else { Err(field.refusal_by_name(field.invalid)) }
    }

    fn is_writable(number: &f64) -> bool {
        number.is_finite()
    }
}

/// A boolean.
#[derive(Clone, Copy, Debug)]
pub struct Flag;

impl Rule for Flag {
    type Value = bool;

    fn check(_field: &NodeField<Self>, _flag: &bool) -> Result<(), Refusal> {
        Ok(())
    }
}
