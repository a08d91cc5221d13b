//! The entities of accounts: users, and what lets somebody in as one: tokens, sessions and one-time keys.

use super::Level;
use crate::id::{KeyId, NodeId, TokenId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an account may use; see [`crate::ops`] for what each plan permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// No API tokens and no sharing; at most three grants shown.
    Basic,
    /// API tokens.
    Plus,
    /// Everything. The default of a self-hosted user.
    Pro,
}

impl Plan {
    /// The plan's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Plan::Basic => "basic",
            Plan::Plus => "plus",
            Plan::Pro => "pro",
        }
    }
}

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountState {
    /// It can be used.
    #[default]
    Active,
    /// Its tokens are refused as if they were revoked. Everything else about it stays as it is.
    Disabled,
    /// Only a name is left of it, for the history and the links that others keep.
    Removed,
}

/// A password as it is stored: a hash with its parameters and its salt, in the PHC string format. The domain only
/// compares it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// A hash, as text in the PHC string format.
    pub fn from_phc(text: String) -> Self {
        PasswordHash(text)
    }

    /// The text, to check a password against it.
    pub fn phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Who a user is at an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The provider's name in the settings when the identity was added.
    pub provider: String,
    /// The provider's issuer: its address, which names it everywhere.
    pub issuer: String,
    /// The user's id at the issuer. It never changes.
    pub subject: String,
    /// When it was added, in milliseconds.
    pub since: Timestamp,
}

/// How a user's client shows the graph. The server only keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewSettings {
    /// Where the user looks from: a JSON object, as text. `None` if it was never set.
    #[serde(default)]
    pub camera_position: Option<String>,
    /// Whether all cards are shown.
    #[serde(default)]
    pub show_all_cards: bool,
}

/// A user with an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Never changes.
    pub id: UserId,
    /// Unique without regard to case, 3–32 of `A-Za-z0-9_.-`.
    pub username: String,
    /// Unique, compared without regard to case. A removed account and a guest have their username here, which is not
    /// an email address.
    pub email: String,
    /// What the account may use.
    pub plan: Plan,
    /// When the account was added, in milliseconds.
    pub created: Timestamp,
    /// Whether the account can be used. Accounts that were stored without this field can.
    #[serde(default)]
    pub state: AccountState,
    /// Whether the user administers the installation: its accounts and invitations.
    #[serde(default)]
    pub admin: bool,
    /// `None` for an account that signs in otherwise, or not at all.
    #[serde(default)]
    pub password: Option<PasswordHash>,
    /// Who the user is at identity providers. No two users have the same issuer and subject.
    #[serde(default)]
    pub identities: Vec<Identity>,
    /// How the user's client shows the graph.
    #[serde(default)]
    pub view: ViewSettings,
    /// When the account goes for good: its owner has closed it. Until then it cannot be used, but opened again.
    #[serde(default)]
    pub closing: Option<Timestamp>,
    /// Of the guest as which a branch token acts, the token's owner. A guest has no name, no email and no credentials
    /// of its own, and one grant at most. `None` for everyone else.
    #[serde(default)]
    pub guest_of: Option<UserId>,
}

impl User {
    /// An account that can be used, and has nothing but what every account has.
    pub fn new(id: UserId, username: String, email: String, plan: Plan, created: Timestamp) -> Self {
        User {
            id,
            username,
            email,
            plan,
            created,
            state: AccountState::Active,
            admin: false,
            password: None,
            identities: Vec::new(),
            view: ViewSettings::default(),
            closing: None,
            guest_of: None,
        }
    }

    /// Whether the account was removed.
    pub fn is_removed(&self) -> bool {
        self.state == AccountState::Removed
    }

    /// Whether this is the guest as which a branch token acts, and not a person.
    pub fn is_guest(&self) -> bool {
        self.guest_of.is_some()
    }

    /// Whether the account can be used: it is neither disabled, removed nor closed.
    pub fn is_active(&self) -> bool {
        self.state == AccountState::Active && self.closing.is_none()
    }

    /// Whether it is found by its email. A removed account and a guest have none.
    pub fn has_email(&self) -> bool {
        !self.is_removed() && !self.is_guest()
    }
}

/// The SHA-256 of a token's secret, the only thing stored of the secret.
pub type TokenHash = [u8; 32];

/// What a token is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// A program's: an API token, which the user's plan must include.
    #[default]
    Api,
    /// A browser's: a session, whatever the plan. It ends when it was not used for some time.
    Session,
}

/// What a token lets its holder see and do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// What its user may.
    #[default]
    All,
    /// What its user may see.
    Read,
    /// What a grant on one branch lets its grantee see and do.
    Branch {
        /// The root of the branch.
        node: NodeId,
        /// The level of the grant: Admin, Editor or Viewer.
        level: Level,
        /// The grantee: a guest of the token's user, for whom the holder acts.
        guest: UserId,
    },
}

impl TokenScope {
    /// The guest as which a branch token acts.
    pub fn guest(self) -> Option<UserId> {
        match self {
            TokenScope::Branch { guest, .. } => Some(guest),
            TokenScope::All | TokenScope::Read => None,
        }
    }
}

/// A token: of a program, or of a browser's session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Names the token where its secret must not appear.
    pub id: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// At most 80 Unicode scalar values, none of them a control character. A session has none.
    pub name: String,
    /// The hash of its secret.
    pub hash: TokenHash,
    /// When it was made, in milliseconds.
    pub created: Timestamp,
    /// What it is for.
    #[serde(default)]
    pub kind: TokenKind,
    /// When it ends; `None` for never. A session ends besides when it was not used for some time.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// What it lets its holder see and do.
    #[serde(default)]
    pub scope: TokenScope,
    /// Of a session, how the browser called itself: at most 200 characters.
    #[serde(default)]
    pub agent: Option<String>,
}

impl Token {
    /// An API token that never ends and lets its holder do what its user may.
    pub fn api(id: TokenId, user: UserId, name: String, hash: TokenHash, created: Timestamp) -> Self {
        Token {
            id,
            user,
            name,
            hash,
            created,
            kind: TokenKind::Api,
            expires: None,
            scope: TokenScope::All,
            agent: None,
        }
    }

    /// Whether it is a session.
    pub fn is_session(&self) -> bool {
        self.kind == TokenKind::Session
    }

    /// The user for whom its holder acts: its own, or a guest of its own.
    pub fn acts_for(&self) -> UserId {
        match self.scope {
            TokenScope::Branch { guest, .. } => guest,
            TokenScope::All | TokenScope::Read => self.user,
        }
    }

    /// Whether it has ended by that time.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The SHA-256 of a key's secret, the only thing stored of the secret.
pub type KeyHash = [u8; 32];

/// What a key permits, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyPurpose {
    /// To make the first account of an installation, an administrator's.
    Setup,
    /// To make an account.
    Invite {
        /// The only email that it is for; `None` for any.
        email: Option<String>,
        /// Who invites; `None` for the command line.
        by: Option<UserId>,
    },
    /// To give an account another password.
    Reset {
        /// Whose account.
        user: UserId,
    },
    /// To give an account this email: who has the key reads what is sent there.
    Email {
        /// Whose account.
        user: UserId,
        /// The new email.
        email: String,
    },
}

impl KeyPurpose {
    /// The user with whom it goes: whose account it is for, or who invites.
    pub fn user(&self) -> Option<UserId> {
        match self {
            KeyPurpose::Setup => None,
            KeyPurpose::Invite { by, .. } => *by,
            KeyPurpose::Reset { user } | KeyPurpose::Email { user, .. } => Some(*user),
        }
    }
}

/// A key: a secret in a link, which works once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Names the key where its secret must not appear.
    pub id: KeyId,
    /// The hash of its secret.
    pub hash: KeyHash,
    /// What it permits.
    pub purpose: KeyPurpose,
    /// When it was made, in milliseconds.
    pub created: Timestamp,
    /// When it ends, in milliseconds.
    pub expires: Timestamp,
}
