//! Incoming payloads: strict JSON, read once and in the same way for both transports.
//!
//! Payloads that two readers could interpret differently are refused: a repeated key, a number that no double
//! holds, a lone surrogate. Nesting is bounded, so that no payload can overflow the stack.

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt::{self, Write};
use uuid::Uuid;

/// How deep lists and objects may be nested.
pub const NESTING_MOST: usize = 128;

/// A JSON value. Objects keep the order of their keys and have no repeated key.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number written as an integer.
    Int(i64),
    /// A number written as an integer that does not fit in 64 bits, as the nearest double. Deeper than the fields of
    /// an operation in a list of operations it may be `Real`: no field expects integers there.
    Huge(f64),
    /// A number with a fraction or an exponent; never −0.
    Real(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

/// A payload that is not one well-formed JSON text, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

impl Json {
    /// Reads one JSON text.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Json, Malformed> {
        let text = std::str::from_utf8(bytes.as_ref())
            .map_err(|error| Malformed(format!("not UTF-8 after {} bytes", error.valid_up_to())))?;
        let mut reader = serde_json::Deserializer::from_str(text);
        // Our own bound is exact, whatever the parser's.
        reader.disable_recursion_limit();
        let read = Depth(0).deserialize(&mut reader).and_then(|json| reader.end().map(|()| json));
        let mut json = read.map_err(|error| Malformed(error.to_string()))?;
        settle_numbers(&mut json, text, TOLD_APART)?;
        Ok(json)
    }

    /// Reads the body of a request. An empty body counts as `{}`.
    pub fn from_body(bytes: &[u8]) -> Result<Json, Malformed> {
        if bytes.is_empty() { Ok(Json::Object(Vec::new())) } else { Json::parse(bytes) }
    }

    /// Reads a query string as an object. A parameter that takes an integer becomes one if it is written as one.
    /// All others are text.
    pub fn from_query(query: &str, is_integer: impl Fn(&str) -> bool) -> Result<Json, Malformed> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let fields: Result<Vec<(String, Json)>, Malformed> = pairs
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                let (key, value) = (percent_decoded(key)?, percent_decoded(value)?);
                let json = if is_integer(&key) { query_value(value) } else { Json::Text(value) };
                Ok((key, json))
            })
            .collect();
        let fields = fields?;
        if has_duplicate(&fields) {
            return Err(Malformed("a parameter is given twice".to_owned()));
        }
        Ok(Json::Object(fields))
    }

    /// Reads the texts `true` and `false` in an object's boolean fields as what they stand for.
    pub fn read_booleans(&mut self, is_boolean: impl Fn(&str) -> bool) {
        let Json::Object(fields) = self else { return };
        for (_, value) in fields.iter_mut().filter(|(name, _)| is_boolean(name)) {
            match value {
                Json::Text(text) if text == "true" => *value = Json::Bool(true),
                Json::Text(text) if text == "false" => *value = Json::Bool(false),
                _ => {}
            }
        }
    }

    /// Adds a parameter of the path to an object.
    ///
    /// # Errors
    /// When the object has a field of that name.
    pub fn put_parameter(&mut self, name: &str, value: String) -> Result<(), Malformed> {
        if self.get(name).is_some() {
            return Err(Malformed(format!("{name} is given twice: the path has it already")));
        }
        if let Json::Object(fields) = self {
            fields.push((name.to_owned(), Json::Text(value)));
        }
        Ok(())
    }

    /// The field of an object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Writes every text in it that has the form of a UUID in lower case.
    pub fn lower_ids(&mut self) {
        match self {
            Json::Text(text) if Uuid::try_parse(text).is_ok() => text.make_ascii_lowercase(),
            Json::List(items) => items.iter_mut().for_each(Json::lower_ids),
            Json::Object(fields) => fields.iter_mut().for_each(|(name, value)| {
                if Uuid::try_parse(name).is_ok() {
                    name.make_ascii_lowercase();
                }
                value.lower_ids();
            }),
            _ => {}
        }
    }

    /// The canonical text of this value: keys sorted, numbers by value, no spaces. Two payloads have the same
    /// canonical text if and only if they are equivalent.
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        write_canonical(self, &mut text);
        text
    }

    /// The canonical text of an object without one of its own fields.
    pub fn canonical_without(&self, key: &str) -> String {
        let mut text = String::new();
        match self {
            Json::Object(fields) => write_object(fields.iter().filter(|(name, _)| name != key), &mut text),
            other => write_canonical(other, &mut text),
        }
        text
    }
}

/// Reads a value at this depth of lists and objects.
#[derive(Clone, Copy)]
struct Depth(usize);

impl Depth {
    fn deeper<E: serde::de::Error>(self) -> Result<Depth, E> {
        if self.0 >= NESTING_MOST {
            return Err(E::custom(format_args!("nested deeper than {NESTING_MOST}")));
        }
        Ok(Depth(self.0 + 1))
    }
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Json;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Huge(value as f64), Json::Int))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        if !value.is_finite() {
            return Err(E::custom("number out of range"));
        }
        // The sign of zero is kept where `settle_numbers` looks for integers written as `-0`.
        Ok(Json::Real(if self.0 > TOLD_APART { value + 0.0 } else { value }))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let inside = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inside)? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let inside = self.deeper()?;
        let mut fields = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            fields.push((key, map.next_value_seed(inside)?));
        }
        if has_duplicate(&fields) {
            return Err(A::Error::custom("a key is given twice"));
        }
        Ok(Json::Object(fields))
    }
}

fn has_duplicate(fields: &[(String, Json)]) -> bool {
    let mut keys: Vec<&str> = fields.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair.first() == pair.last())
}

/// How deep numbers are told apart by how they are written: down to the fields of an operation in a list of operations.
const TOLD_APART: usize = 3;

/// A double does not show whether `-0` or a number beyond 64 bits was written as an integer. In the rare case of such a
/// number, its text is read again.
fn settle_numbers(json: &mut Json, text: &str, deeper: usize) -> Result<(), Malformed> {
    if !has_unclear(json, deeper) {
        return Ok(());
    }
    let raw = |error: serde_json::Error| Malformed(error.to_string());
    match json {
        Json::Object(fields) => {
            let texts: HashMap<String, &RawValue> = serde_json::from_str(text).map_err(raw)?;
            for (key, json) in fields {
                let text = texts.get(key).map_or("", |text| text.get());
                settle_numbers(json, text, deeper.saturating_sub(1))?;
            }
        }
        Json::List(items) => {
            let texts: Vec<&RawValue> = serde_json::from_str(text).map_err(raw)?;
            for (json, text) in items.iter_mut().zip(texts) {
                settle_numbers(json, text.get(), deeper.saturating_sub(1))?;
            }
        }
        Json::Real(value) => {
            *json = if is_written_as_integer(text) { integer(text) } else { Json::Real(*value + 0.0) };
        }
        _ => {}
    }
    Ok(())
}

/// Whether a number in a value, at most so much deeper, may have been written as an integer or not.
fn has_unclear(json: &Json, deeper: usize) -> bool {
    match json {
        Json::Real(value) => value.abs() >= INT_BOUND || (*value == 0.0 && value.is_sign_negative()),
        Json::Object(fields) => deeper > 0 && fields.iter().any(|(_, json)| has_unclear(json, deeper - 1)),
        Json::List(items) => deeper > 0 && items.iter().any(|json| has_unclear(json, deeper - 1)),
        _ => false,
    }
}

/// 2⁶³: doubles below it in size are in the range of an `i64`.
const INT_BOUND: f64 = 9_223_372_036_854_775_808.0;

/// Whether a text is an integer as JSON writes one.
fn is_written_as_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain && (digits == "0" || !digits.starts_with('0'))
}

/// The value of a text that [`is_written_as_integer`].
fn integer(text: &str) -> Json {
    match text.parse::<i64>() {
        Ok(value) => Json::Int(value),
        Err(_) => Json::Huge(text.parse::<f64>().map_or(f64::MAX, |value| value.clamp(f64::MIN, f64::MAX))),
    }
}

fn query_value(text: String) -> Json {
    if is_written_as_integer(&text) { integer(&text) } else { Json::Text(text) }
}

fn percent_decoded(text: &str) -> Result<String, Malformed> {
    let malformed = || Malformed("the query string is not percent-encoded UTF-8".to_owned());
    let bytes = text.as_bytes();
    let escaped = |at: usize| {
        let hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
        hex(bytes.get(at + 1)) && hex(bytes.get(at + 2))
    };
    if bytes.iter().enumerate().any(|(at, byte)| *byte == b'%' && !escaped(at)) {
        return Err(malformed());
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8().map_err(|_| malformed())?;
    Ok(decoded.into_owned())
}

fn write_canonical(json: &Json, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match json {
        Json::Null => out.write_str("null"),
        Json::Bool(value) => write!(out, "{value}"),
        Json::Int(value) => write!(out, "{value}"),
        Json::Huge(value) | Json::Real(value) if value.fract() == 0.0 && value.abs() < INT_BOUND => {
            write!(out, "{}", *value as i64)
        }
        Json::Huge(value) | Json::Real(value) => write!(out, "{value:e}"),
        Json::Text(text) => {
            write_text(text, out);
            Ok(())
        }
        Json::List(items) => {
            out.push('[');
            for (nth, item) in items.iter().enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.write_char(']')
        }
        Json::Object(fields) => {
            write_object(fields.iter(), out);
            Ok(())
        }
    };
}

fn write_object<'a>(fields: impl Iterator<Item = &'a (String, Json)>, out: &mut String) {
    let mut fields: Vec<&(String, Json)> = fields.collect();
    fields.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    out.push('{');
    for (nth, (key, value)) in fields.into_iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        write_text(key, out);
        out.push(':');
        write_canonical(value, out);
    }
    out.push('}');
}

fn write_text(text: &str, out: &mut String) {
    // Serializing a string cannot fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

#[cfg(test)]
mod tests;
