//! What the rows of accounts ask: a request that the room `accounts` carries out.

use super::token_request::{TokenAsked, TokenChange, TokenNamed, TokensNamed};
use graph::model::Plan;
use graph::{KeyId, TokenId, UserId};
use std::fmt;

/// A request concerning accounts, sessions, passwords, invitations or tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum AccountRequest {
    /// Make an account, and begin a session of it.
    Register(Register),
    /// Begin a session.
    Login { email: String, password: Confidential },
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
    /// Issue an invitation: for this email, or for anyone.
    Invite { email: Option<String> },
    /// List the invitations that nobody has used.
    Invites,
    /// Revoke such an invitation.
    InviteRevoke { id: KeyId },
    /// Send whoever has this email a key to choose a new password.
    PasswordForgot { email: String },
    /// Choose a new password with such a key.
    PasswordReset { key: Confidential, password: Confidential },
    /// List the identity providers.
    Oidc,
    /// Go to an identity provider to sign in.
    OidcStart { name: String, next: Option<String>, invite: Option<Confidential> },
    /// Come back from an identity provider.
    OidcCallback(ProviderAnswer),
    /// Sign in with a code that a page got from Google.
    GoogleAuth { code: Confidential, redirect_uri: Option<String> },
    /// No longer be known by an identity.
    IdentityRemove { provider: String },
    /// List the caller's sessions.
    Sessions,
    /// End one of the caller's sessions, or all others.
    SessionsEnd { id: Option<TokenId> },
    /// Give the caller's account another email.
    EmailChange { email: String, password: Option<Confidential> },
    /// Confirm an email with the key that was sent there.
    EmailConfirm { key: Confidential },
    /// Close the caller's account.
    Close { password: Option<Confidential> },
    /// List the accounts, for an administrator.
    Users,
    /// Change an account, for an administrator.
    UserSet { id: UserId, plan: Option<Plan>, admin: Option<bool> },
    /// Disable an account, for an administrator.
    UserDisable { id: UserId },
    /// Enable it again.
    UserEnable { id: UserId },
    /// Open a closed account again, for an administrator.
    UserReopen { id: UserId },
    /// Remove an account for good, for an administrator.
    UserRemove { id: UserId },
    /// Choose a new password, by the old one.
    PasswordChange { old: Confidential, new: Confidential },
}

/// A new account.
#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    pub email: String,
    pub username: String,
    pub password: Confidential,
    /// The key of an invitation, or of a new installation.
    pub invite: Option<Confidential>,
}

/// The answer of an identity provider, as a browser brings it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderAnswer {
    /// The provider's name.
    pub name: String,
    pub state: Option<Confidential>,
    pub code: Option<Confidential>,
    /// The issuer, if the provider names it (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

/// A text that no log and no message shows: a password, or a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Confidential(String);

impl Confidential {
    /// A text that a caller sent.
    pub fn new(text: String) -> Self {
        Confidential(text)
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confidential(…)")
    }
}
