//! The rules of values: every length and range of the wire, in one place.

/// `title`, in Unicode scalar values.
pub const TITLE_CHARS_MOST: usize = 80;
/// `description`, in Unicode scalar values.
pub const DESCRIPTION_CHARS_MOST: usize = 400;
/// `tags`, after trimming and without duplicates.
pub const TAGS_MOST: usize = 32;
/// `tags` as given: nobody means more, and each costs.
pub const TAGS_GIVEN_MOST: usize = 1_000;
/// One tag after trimming, in Unicode scalar values; at least one.
pub const TAG_CHARS_MOST: usize = 50;
/// `assignee`, the list.
pub const ASSIGNEES_MOST: usize = 32;
/// One name in `assignee`, in Unicode scalar values; at least one.
pub const ASSIGNEE_CHARS_MOST: usize = 254;
/// `priority`, from 0.
pub const PRIORITY_MOST: i64 = 9;
/// `volume`, from 0.
pub const VOLUME_MOST: i64 = 9;
/// A public token as given: longer ones are never made.
pub const PUBLIC_TOKEN_CHARS_MOST: usize = 100;
/// `ids` of trash:purge.
pub const PURGE_IDS_MOST: usize = 1_000;
/// `limit` of graph:get, from 1.
pub const GRAPH_LIMIT_MOST: i64 = 5_000;
/// `limit` of trash:page and history:page, from 1.
pub const PAGE_LIMIT_MOST: i64 = 1_000;
/// How much of an unknown field's name a message repeats, in Unicode scalar values.
pub const NAME_SHOWN_MOST: usize = 64;

/// Whether text holds a control character that no text field takes: C0 but for line breaks and tabs.
pub fn has_control(text: &str) -> bool {
    text.chars().any(|c| c < ' ' && !matches!(c, '\n' | '\r' | '\t'))
}
