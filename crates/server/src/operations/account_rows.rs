//! The rows of accounts: registration, sessions, passwords, invitations and tokens. They are carried out by the room
//! `accounts`, over REST alone.

use super::Method::Post;
use super::account_request::AccountRequest;
use super::input::{Reading, input};
use super::row::{Row, row};
use crate::limits::{NamedLimit, Rule};

const ANSWER: &str = "{ok, trace_id}";

/// A limit of `count` in this many seconds.
const fn limit(name: &'static str, count: usize, window_s: u64) -> NamedLimit {
    NamedLimit { name, default: Rule::per_s(count, window_s) }
}

/// Every operation on accounts.
pub(super) fn accounts() -> Vec<Row> {
    vec![
        row("account:logout", limit("account:logout", 30, 10))
            .account(input!(AccountRequest::Logout))
            .rest(Post, &["/api/logout"])
            .for_sessions()
            .gives(ANSWER),
    ]
}
