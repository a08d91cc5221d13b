//! Several operations in one payload, each read by its own row.

use super::kinds::{Kind, Named, Schema};
use super::row::Make;
use super::{Row, by_event, check_changes, check_names, stranger};
use crate::wire::payload::Json;
use crate::wire::{PayloadFault, PayloadRefusal};
use graph::ops::OPERATIONS_MAX;
use graph::{Operation, Reason};
use serde_json::json;

/// A list of operations, each an object with its event and its input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operations;

/// The field that names the operation.
const EVENT: &str = "event";

impl Kind for Operations {
    type Value = Vec<Operation>;

    fn schema(&self) -> Schema {
        let limits = format!("at most {OPERATIONS_MAX}, each {{event, …input}} without a batchId of its own");
        Schema { reasons: vec![Reason::UnknownOperation.into()], ..Schema::new("list of objects", limits) }
            .json(json!({
                "items": { "$ref": "#/components/schemas/Part" },
                "maxItems": OPERATIONS_MAX,
            }))
    }

    fn read(&self, field: Named, json: &Json) -> Result<Vec<Operation>, PayloadRefusal> {
        let Json::List(items) = json else { return Err(field.refusal()) };
        if items.len() > OPERATIONS_MAX {
            return Err(field.refusal());
        }
        let read = |(index, json)| {
            operation(json).map_err(|refusal| PayloadRefusal { index: Some(index), ..refusal })
        };
        items.iter().enumerate().map(read).collect()
    }
}

/// Reads one of them. A name of its own it cannot have: they are one batch.
fn operation(json: &Json) -> Result<Operation, PayloadRefusal> {
    let Json::Object(given) = json else { return Err(PayloadFault::FieldsMustBeDict.into()) };
    let row = row_of(json).filter(|row| !row.alone).ok_or(Reason::UnknownOperation)?;
    let Make::Mutation { key, read } = row.make else { return Err(Reason::UnknownOperation.into()) };
    if given.iter().any(|(name, _)| name == key.field.name()) {
        return Err(stranger(row, key.field.name()));
    }
    check_names(row, given, Some(EVENT))?;
    let operation = read(json)?;
    check_changes(row, json)?;
    Ok(operation)
}

/// The row of an operation in a list, by its event.
fn row_of(json: &Json) -> Option<&'static Row> {
    match json.get(EVENT) {
        Some(Json::Text(event)) => by_event(event),
        _ => None,
    }
}

/// Makes the same of each operation in a list that says the same.
pub(super) fn normalize(json: &mut Json, normalize: impl Fn(&Row, &mut Json)) {
    let Json::List(items) = json else { return };
    for item in items {
        if let Some(row) = row_of(item) {
            normalize(row, item);
        }
    }
}
