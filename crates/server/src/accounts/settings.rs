//! The settings of accounts.

/// Who may make an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Anyone.
    Open,
    /// Whoever has an invitation.
    #[default]
    Invite,
    /// Nobody.
    Closed,
}

/// Who may invite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InviteBy {
    /// Administrators.
    #[default]
    Admins,
    /// Everyone with an account.
    All,
}

/// The settings of accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSettings {
    /// Who may make an account.
    pub registration: Registration,
    /// Who may invite.
    pub invite_by: InviteBy,
    /// The origin under which people reach the server, such as `https://tasks.example`; `None` if it is not known.
    pub public_url: Option<String>,
    /// How many days a session lives from its last use.
    pub session_days: u32,
}

impl Default for AccountSettings {
    fn default() -> Self {
        AccountSettings {
            registration: Registration::default(),
            invite_by: InviteBy::default(),
            public_url: None,
            session_days: 30,
        }
    }
}

impl AccountSettings {
    /// Whether people reach the server through TLS.
    pub fn is_secure(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }
}
