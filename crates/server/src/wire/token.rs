//! An API token as its owner sees it, without its secret.

use super::entity::{Exact, Seconds};
use super::shape::{
    about, any_of, granted_level, list, nullable, object, shape_of, shaped, string, success, time, uuid,
};
use graph::model::{Level, Token, TokenScope};
use graph::{NodeId, Timestamp, TokenId};
use schemars::json_schema;
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

shaped!(Shown<'_>, "Token", |_| object(
    "An API token, without its secret.",
    [
        ("id", uuid()),
        ("name", string()),
        ("createdTime", time()),
        (
            "lastUsedTime",
            about(nullable(time()), "Kept to the minute; null for a token that was never used.")
        ),
        ("expires", about(nullable(time()), "When it ends; null for never.")),
        (
            "scope",
            about(
                any_of([
                    json_schema!({ "type": "string", "enum": ["all", "read"] }),
                    object(
                        "One branch, with the access of a grant.",
                        [("branch", uuid()), ("level", granted_level())]
                    ),
                ]),
                "What it may be used for.",
            ),
        ),
    ],
));

/// The answer of account:tokens.
pub(crate) struct TokensAnswer;
shaped!(TokensAnswer, "Tokens", |to| success(
    "The caller's API tokens, the oldest first.",
    [("tokens", list(shape_of::<Shown<'_>>(to)))],
));

/// The answer of account:tokens:update.
pub(crate) struct TokenAnswer;
shaped!(TokenAnswer, "TokenAnswer", |to| success("The token.", [("token", shape_of::<Shown<'_>>(to))]));

/// The answer of account:tokens:create and account:tokens:rotate.
pub(crate) struct NewTokenAnswer;
shaped!(NewTokenAnswer, "NewToken", |to| success(
    "The token and its secret.",
    [("token", shape_of::<Shown<'_>>(to)), ("secret", about(string(), "Sent this once."))],
));

/// The answer of account:tokens:revoke.
pub(crate) struct RevokedTokensAnswer;
shaped!(RevokedTokensAnswer, "RevokedTokens", |_| success("What was revoked.", [("revoked", list(uuid()))],));
