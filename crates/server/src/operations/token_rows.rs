//! The rows of a user's API tokens, which only a web session may manage.

use super::Method::{Delete, Get, Post, Put};
use super::account_request::AccountRequest;
use super::input::{Changes, Input, Optional, Reading, Required, input, nullable, optional, required};
use super::kinds::{Boolean, Due, Id, ScopeOfToken, TokenName};
use super::row::{Row, row};
use super::token_request::{TokenAsked, TokenChange, TokenNamed, TokensNamed};
use crate::limits::{NamedLimit, Rule};
use crate::wire::PayloadFault;
use graph::Reason::{
    ApiNotAllowed, InvalidExpires, InvalidTokenName, NoPermission, NodeInTrash, NodeNotFound, TokenNotFound,
    TooManyTokens,
};
use graph::TokenId;

const LIMIT: NamedLimit = NamedLimit { name: "account tokens", default: Rule::per_s(30, 10) };
const PATH: &[&str] = &["/api/account/tokens"];

const ID: Required<Id<TokenId>> =
    required("id", Id(TokenId), PayloadFault::MissingId, PayloadFault::InvalidTokenId);
const MAYBE_ID: Optional<Id<TokenId>> = nullable("id", Id(TokenId), PayloadFault::InvalidTokenId);
const ALL: Optional<Boolean> = optional("all", Boolean, PayloadFault::InvalidAll);
const NAME: Optional<TokenName> = optional("name", TokenName, PayloadFault::Domain(InvalidTokenName));
const EXPIRES: Optional<Due> = nullable("expires", Due, PayloadFault::Domain(InvalidExpires));
const SCOPE: Optional<ScopeOfToken> = nullable("scope", ScopeOfToken, PayloadFault::InvalidTokenScope);

/// Every operation on the caller's API tokens.
pub(super) fn tokens() -> Vec<Row> {
    let token = |event| row(event, LIMIT).for_sessions();
    vec![
        token("account:tokens")
            .account(input!(AccountRequest::Tokens))
            .rest(Get, PATH)
            .gives("{ok, tokens, trace_id}, each {id, name, createdTime, lastUsedTime, expires, scope}"),
        token("account:tokens:create")
            .account(input!(AccountRequest::TokenCreate(TokenAsked {
                name: NAME,
                expires: EXPIRES,
                scope: SCOPE
            })))
            .rest(Post, PATH)
            .refuses(&[ApiNotAllowed, TooManyTokens, InvalidExpires, NodeNotFound, NoPermission, NodeInTrash])
            .gives("{ok, token, secret, trace_id}")
            .carries_secret(),
        token("account:tokens:update")
            .account(input!(AccountRequest::TokenUpdate(TokenChange {
                id: ID,
                name: Changes(NAME),
                expires: Changes(EXPIRES.clearable()),
            })))
            .rest(Put, PATH)
            .refuses(&[TokenNotFound, InvalidExpires])
            .gives("{ok, token, trace_id}"),
        token("account:tokens:revoke")
            .account(input!(AccountRequest::TokenRevoke(TokensNamed { id: MAYBE_ID, all: ALL.or(false) })))
            .rest(Delete, PATH)
            .refuses(&[TokenNotFound])
            .gives("{ok, revoked, trace_id}"),
        token("account:tokens:rotate")
            .account(input!(AccountRequest::TokenRotate(TokenNamed { id: ID })))
            .rest(Post, &["/api/account/tokens/rotate"])
            .refuses(&[TokenNotFound])
            .gives("{ok, token, secret, trace_id}")
            .carries_secret(),
    ]
}
