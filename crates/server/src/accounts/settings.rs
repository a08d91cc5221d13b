//! The settings of accounts.

use super::mail::MailSettings;
use super::public_url::PublicUrl;

/// What the operator decides about accounts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountSettings {
    /// Where people reach the server. Links in mails begin with it.
    pub public_url: Option<PublicUrl>,
    /// How mail is sent.
    pub mail: MailSettings,
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
        Ok(())
    }
}
