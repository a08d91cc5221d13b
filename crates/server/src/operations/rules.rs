//! The lengths and ranges of payload values, except for the fields of a node.

/// The longest public token accepted. Longer ones are never made.
pub const PUBLIC_TOKEN_CHARS_MOST: usize = 100;
/// `ids` of trash:purge.
pub const PURGE_IDS_MOST: usize = 1_000;
/// `limit` of graph:get, from 1.
pub const GRAPH_LIMIT_MOST: i64 = 5_000;
/// `limit` of trash:page and history:page, from 1.
pub const PAGE_LIMIT_MOST: i64 = 1_000;
/// How much of an unknown field's name a message repeats, in Unicode scalar values.
pub const NAME_SHOWN_MOST: usize = 64;
/// The fewest characters of a new password.
pub const PASSWORD_CHARS_LEAST: usize = 8;
/// The most characters of a password.
pub const PASSWORD_CHARS_MOST: usize = 1_024;
/// The longest key accepted. Longer ones are never made.
pub const KEY_CHARS_MOST: usize = 100;
