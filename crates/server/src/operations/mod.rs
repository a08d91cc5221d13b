//! The one table of all operations: event, method and paths, input, limit, errors, and what each asks of the
//! engine. Routes, socket handlers, limits and the printed table are derived from it.
//!
//! Adding an operation is a row in [`ROWS`]. The row alone checks and reads the payload, so both transports refuse
//! the same things, in the same order and with the same words. A row's input is typed: it is read into the
//! operation's own input, field by field. A row that lacks a field or has one of another type does not compile.

mod account_request;
mod account_rows;
mod describe;
mod fields;
mod input;
mod kinds;
mod node_fields;
mod oidc_rows;
mod paths;
mod relay_rows;
mod row;
mod rows;
mod rules;
mod several;
mod token_request;
mod token_rows;

use crate::engine::protocol::{IdempotencyKey, Read};
use crate::wire::payload::Json;
use crate::wire::{PayloadFault, PayloadRefusal};
use graph::{Operation, Reason, Root};
use sha2::{Digest, Sha256};

pub use account_request::{AccountRequest, Confidential, ProviderAnswer, Register};
pub use describe::{table_json, table_text};
use input::Input;
pub use input::{Field, Null, Reading};
pub use kinds::Schema;
pub use paths::Parameter;
pub use relay_rows::{OWN_BYTES_MAX, RELAYS, RelayRow, decode_relay, relay_by_event};
pub use row::{Callers, Method, Row};
use row::{Make, read_mutation};
pub use rows::ROWS;
pub use rules::*;
pub use token_request::{AskedScope, TokenAsked, TokenChange, TokenNamed, TokensNamed};

/// The operations open to callers without an account, with a public token (T15).
pub const PUBLIC_EVENTS: [&str; 2] = ["branch:get", "graph:snapshot"];

/// A decoded payload: a request to the engine, or to the room `accounts`.
#[derive(Clone, Debug)]
pub enum Asked {
    Mutation { operation: Operation, key: Option<IdempotencyKey> },
    Read(Read),
    Account(AccountRequest),
    Ping,
}

/// The row of an event.
pub fn by_event(event: &str) -> Option<&'static Row> {
    by_name(event).filter(|row| !row.over_rest_alone)
}

/// The row of an operation, which has the name of its event even where there is none.
pub fn by_name(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.event == name)
}

/// Decodes a payload by its row. The first fault is the one reported: its shape, unknown and immutable fields, then
/// the fields in the row's order.
///
/// # Errors
/// One of [`Row::payload_errors`].
pub fn decode(row: &Row, payload: &Json) -> Result<Asked, PayloadRefusal> {
    let Json::Object(given) = payload else { return Err(PayloadFault::FieldsMustBeDict.into()) };
    check_names(row, given, None)?;
    let asked = match row.make {
        Make::Mutation { key, read } => {
            let (operation, batch) = read_mutation(key, read, payload)?;
            let key = batch.map(|batch| IdempotencyKey {
                batch,
                fingerprint: fingerprint(row, key.field.name(), payload),
            });
            Asked::Mutation { operation, key }
        }
        Make::Read(read) => Asked::Read(read(payload)?),
        Make::Account(read) => Asked::Account(read(payload)?),
        Make::Ping => Asked::Ping,
    };
    check_changes(row, payload)?;
    Ok(asked)
}

/// Refuses fields that the operation does not take, but for one that only tells which operation it is.
fn check_names(row: &Row, given: &[(String, Json)], besides: Option<&str>) -> Result<(), PayloadRefusal> {
    let known = |name: &str| {
        row.takes_others || Some(name) == besides || row.fields.iter().any(|field| field.name == name)
    };
    match given.iter().find(|(name, _)| !known(name)) {
        Some((name, _)) => Err(stranger(row, name)),
        None => Ok(()),
    }
}

/// Refuses an update that changes nothing.
fn check_changes(row: &Row, payload: &Json) -> Result<(), PayloadRefusal> {
    let mut changes = row.fields.iter().filter(|field| field.changes).peekable();
    if changes.peek().is_some() && !changes.any(|field| field.given(payload).is_some()) {
        return Err(Reason::NoFieldsToUpdate.into());
    }
    Ok(())
}

/// Whether a payload of branch:get names the branch by a public token, whatever else is wrong with the payload.
pub fn names_token(payload: &Json) -> bool {
    matches!(fields::ROOT.read(payload), Ok(Root::Token(_)))
}

/// The refusal of a field that the operation does not take.
fn stranger(row: &Row, name: &str) -> PayloadRefusal {
    let own = row.read_only.contains(&name) || (!row.read_only.is_empty() && name.starts_with("owner"));
    let fault = if own { PayloadFault::ImmutableField } else { PayloadFault::UnknownField };
    named(fault, name)
}

fn named(fault: PayloadFault, name: &str) -> PayloadRefusal {
    // A name can be a megabyte long. A short part is enough to find it.
    let shown: String = name.chars().filter(|c| !c.is_control()).take(NAME_SHOWN_MOST).collect();
    PayloadRefusal::with(fault, format!("Its name is \"{shown}\"."))
}

/// Writes ids in lower case, and takes out what is null and stands for nothing.
fn normalize(row: &Row, payload: &mut Json) {
    let Json::Object(given) = payload else { return };
    given.retain_mut(|(name, json)| {
        let field = row.fields.iter().find(|field| field.name == name);
        if field.is_some_and(|field| field.schema.is_id) {
            json.lower_ids();
        }
        if name == fields::OPERATIONS.name() {
            several::normalize(json, normalize);
        }
        field.is_none_or(|field| field.null != Null::LeftOut || *json != Json::Null)
    });
}

/// The fingerprint of a request: requests with one batchId are the same if the operation and the rest of the
/// payload are the same. Ids count in lower case, and a null that means absence does not count.
fn fingerprint(row: &Row, key: &str, payload: &Json) -> [u8; 32] {
    let mut payload = payload.clone();
    normalize(row, &mut payload);
    let mut hash = Sha256::new();
    hash.update(row.alias_of.unwrap_or(row.event));
    hash.update([0]);
    hash.update(payload.canonical_without(key));
    hash.finalize().into()
}

#[cfg(test)]
pub(crate) mod tested;
#[cfg(test)]
mod tests;
