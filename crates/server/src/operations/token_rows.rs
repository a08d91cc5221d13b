//! The rows of a user's API tokens, which only a web session may manage.

use super::Method::{Delete, Get, Post, Put};
use super::account_request::AccountRequest;
use super::input::{Changes, Input, Optional, Reading, Required, input, nullable, optional, required};
use super::kinds::{Boolean, Due, Id, ScopeOfToken, TokenName};
use super::row::{Row, row};
use super::token_request::{TokenAsked, TokenChange, TokenNamed, TokensNamed};
use crate::limits::{NamedLimit, Rule};
use crate::wire::{self, PayloadFault, PayloadRefusal, Problem};
use graph::Reason::{
    ApiNotAllowed, InvalidExpires, InvalidTokenName, NoPermission, NodeInTrash, NodeNotFound, TokenNotFound,
    TooManyTokens,
};
use graph::TokenId;

const LIMIT: NamedLimit = NamedLimit { name: "account tokens", default: Rule::per_s(30, 10) };
const PATH: &[&str] = &["/api/account/tokens"];

const ID: Required<Id<TokenId>> =
    required("id", Id(TokenId), PayloadFault::MissingId, PayloadFault::InvalidTokenId).about("The token.");
const MAYBE_ID: Optional<Id<TokenId>> =
    nullable("id", Id(TokenId), PayloadFault::InvalidTokenId).about("The token to revoke.");
const ALL: Optional<Boolean> =
    optional("all", Boolean, PayloadFault::InvalidAll).about("Whether to revoke all of them.");
const NAME: Optional<TokenName> =
    optional("name", TokenName, PayloadFault::Domain(InvalidTokenName)).about("A name for lists.");
const EXPIRES: Optional<Due> =
    nullable("expires", Due, PayloadFault::Domain(InvalidExpires)).about("When it ends; null for never.");
const SCOPE: Optional<ScopeOfToken> = optional("scope", ScopeOfToken, PayloadFault::InvalidTokenScope)
    .about("What it may be used for. Left out, it is everything.");

/// Neither one token nor all of them.
const NEITHER: &[Problem] =
    &[Problem::Payload(PayloadRefusal { fault: PayloadFault::MissingId, detail: None, index: None })];

/// Every operation on the caller's API tokens.
pub(super) fn tokens() -> Vec<Row> {
    let token = |event| row(event, LIMIT).for_sessions();
    vec![
        token("account:tokens")
            .account(input!(AccountRequest::Tokens))
            .rest(Get, PATH)
            .about("Lists the caller's API tokens.")
            .answers::<wire::TokensAnswer>(),
        token("account:tokens:create")
            .account(input!(AccountRequest::TokenCreate(TokenAsked {
                name: NAME,
                expires: EXPIRES,
                scope: SCOPE
            })))
            .rest(Post, PATH)
            .refuses(&[ApiNotAllowed, TooManyTokens, InvalidExpires, NodeNotFound, NoPermission, NodeInTrash])
            .about("Makes an API token of the caller's.")
            .answers::<wire::NewTokenAnswer>()
            .gives("the secret is sent this once")
            .carries_secret(),
        token("account:tokens:update")
            .account(input!(AccountRequest::TokenUpdate(TokenChange {
                id: ID,
                name: Changes(NAME),
                expires: Changes(EXPIRES.clearable()),
            })))
            .rest(Put, PATH)
            .refuses(&[TokenNotFound, InvalidExpires])
            .about("Changes the name or the expiry of an API token.")
            .answers::<wire::TokenAnswer>(),
        token("account:tokens:revoke")
            .account(input!(AccountRequest::TokenRevoke(TokensNamed { id: MAYBE_ID, all: ALL.or(false) })))
            .rest(Delete, PATH)
            .refuses(&[TokenNotFound])
            .fails(NEITHER)
            .about("Revokes one API token, or all of them.")
            .answers::<wire::RevokedTokensAnswer>(),
        token("account:tokens:rotate")
            .account(input!(AccountRequest::TokenRotate(TokenNamed { id: ID })))
            .rest(Post, &["/api/account/tokens/rotate"])
            .refuses(&[TokenNotFound])
            .about("Gives an API token a new secret. The old one stops working.")
            .answers::<wire::NewTokenAnswer>()
            .gives("the secret is sent this once")
            .carries_secret(),
    ]
}
