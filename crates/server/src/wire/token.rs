//! An API token as its owner sees it, without its secret.

use super::entity::{Exact, Seconds};
use graph::model::{Level, Token, TokenScope};
use graph::{NodeId, Timestamp, TokenId};
use serde::Serialize;

/// A token for its owner. `last_used` is kept to the minute.
pub fn token_json(token: &Token, last_used: Option<Timestamp>) -> impl Serialize + '_ {
    Shown {
        id: token.id,
        name: &token.name,
        created_time: Seconds(token.created),
        last_used_time: last_used.map(Seconds),
        expires: token.expires.map(Exact),
        scope: match token.scope {
            TokenScope::All => Scope::Word("all"),
            TokenScope::Read => Scope::Word("read"),
            TokenScope::Branch { node, level, .. } => Scope::Branch { branch: node, level },
        },
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    id: TokenId,
    name: &'a str,
    created_time: Seconds,
    last_used_time: Option<Seconds>,
    expires: Option<Exact>,
    scope: Scope,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Scope {
    Word(&'static str),
    Branch { branch: NodeId, level: Level },
}
