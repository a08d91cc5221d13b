//! What the rows of accounts ask: a request that the room `accounts` carries out.

/// A request concerning accounts, sessions, passwords, invitations or tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum AccountRequest {
    /// End the caller's session.
    Logout,
}
