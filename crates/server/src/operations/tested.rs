//! A row that is in no table, for tests of what is derived from rows.

use super::Method::Post;
use super::fields::NODE_ID;
use super::input::{Input, Reading, input};
use super::row::Row;
use super::rows::NODE_LIMIT;
use graph::Operation;
use graph::Reason::NodeNotFound;

/// The row.
pub fn row() -> Row {
    super::row::row("node:tested", NODE_LIMIT)
        .about("Tests what follows from a row.")
        .mutates(input!(Operation::NodeTrash { id: NODE_ID, branch: super::input::Given(false) }))
        .rest(Post, &["/api/tested"])
        .refuses(&[NodeNotFound])
}
