//! The settings of accounts.

use super::mail::MailSettings;
use super::oidc::{PROVIDERS_MAX, ProviderSettings, is_provider_name};
use super::public_url::PublicUrl;
use std::collections::BTreeMap;

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

/// What the operator decides about accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSettings {
    /// Who may make an account.
    pub registration: Registration,
    /// Who may invite.
    pub invite_by: InviteBy,
    /// How many days a session lives from its last use.
    pub session_days: u32,
    /// Where people reach the server. Links in mails begin with it.
    pub public_url: Option<PublicUrl>,
    /// How mail is sent.
    pub mail: MailSettings,
    /// The identity providers, by their names.
    pub oidc: BTreeMap<String, ProviderSettings>,
}

impl Default for AccountSettings {
    fn default() -> Self {
        AccountSettings {
            registration: Registration::default(),
            invite_by: InviteBy::default(),
            session_days: 30,
            public_url: None,
            mail: MailSettings::default(),
            oidc: BTreeMap::new(),
        }
    }
}

impl AccountSettings {
    /// Whether the settings fit together.
    ///
    /// # Errors
    /// The key of a setting, and a sentence about what it needs.
    pub fn check(&self) -> Result<(), (String, &'static str)> {
        let wrong = |key: &str, what| Err((key.to_owned(), what));
        if self.mail.smtp.is_some() {
            if self.mail.from.is_none() {
                return wrong("mail.smtp", "needs `mail.from`, the sender of the mails");
            }
            if self.public_url.is_none() {
                return wrong("mail.smtp", "needs `public_url`, with which the links in mails begin");
            }
        }
        for (name, provider) in &self.oidc {
            if !is_provider_name(name) {
                return wrong(
                    &format!("oidc.{name}"),
                    "must have a name of 1-32 lower-case letters, digits and hyphens",
                );
            }
            if let Some(missing) = provider.missing() {
                return wrong(&format!("oidc.{name}.{missing}"), "is missing");
            }
            if self.public_url.is_none() {
                return wrong(
                    &format!("oidc.{name}"),
                    "needs `public_url`, to which the provider sends people back",
                );
            }
        }
        if self.oidc.len() > PROVIDERS_MAX {
            return wrong("oidc", "has more than 20 providers");
        }
        Ok(())
    }
}
