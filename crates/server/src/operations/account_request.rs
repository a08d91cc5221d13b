//! What the rows of accounts ask: a request that the room `accounts` carries out.

use super::token_request::{TokenAsked, TokenChange, TokenNamed, TokensNamed};

/// A request concerning accounts, sessions, passwords, invitations or tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum AccountRequest {
    /// End the caller's session.
    Logout,
    /// List the caller's API tokens.
    Tokens,
    /// Make an API token of the caller's.
    TokenCreate(TokenAsked),
    /// Change the name or the expiry of one.
    TokenUpdate(TokenChange),
    /// Revoke one or all.
    TokenRevoke(TokensNamed),
    /// Give one a new secret.
    TokenRotate(TokenNamed),
}
