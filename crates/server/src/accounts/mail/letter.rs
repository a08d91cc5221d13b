//! What is written in mails: plain text, short.

use crate::accounts::public_url::{Page, PublicUrl};

/// A mail to write. A key is told to the receiver alone.
#[derive(Clone, PartialEq, Eq)]
pub enum Letter {
    /// Somebody forgot their password, or says so.
    PasswordReset { username: String, key: String },
    /// Somebody is invited, by a user.
    Invite { by: String, key: String },
    /// The receiver is to confirm that the address is theirs.
    #[allow(dead_code)] // until emails are confirmed
    EmailConfirmation { username: String, key: String },
    /// An account can be entered by way of one more identity provider.
    #[allow(dead_code)] // until there are identity providers
    NewLoginMethod { username: String, provider: String },
}

/// A mail as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) body: String,
}

impl Letter {
    /// Its kind, for the logs.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Letter::PasswordReset { .. } => "password reset",
            Letter::Invite { .. } => "invitation",
            Letter::EmailConfirmation { .. } => "email confirmation",
            Letter::NewLoginMethod { .. } => "new way to sign in",
        }
    }

    /// The words, with links to this server.
    pub(super) fn write(&self, server: &PublicUrl) -> Written {
        let (subject, body) = match self {
            Letter::PasswordReset { username, key } => (
                "Set a new password".to_owned(),
                format!(
                    "Hello {username},\n\nsomebody, probably you, asked for a new password for your account on \
                     {server}.\n\nTo set one, open this link. It works once, for one hour:\n\n{}\n\nIf it was not \
                     you, do nothing: your password stays as it is.\n",
                    server.link(Page::Reset, key)
                ),
            ),
            Letter::Invite { by, key } => (
                format!("{by} invites you to SynapTask"),
                format!(
                    "Hello,\n\n{by} invites you to work together on {server}.\n\nTo make your account, open this \
                     link. It works once, for seven days:\n\n{}\n\nIf you do not know {by}, ignore this mail.\n",
                    server.link(Page::Invite, key)
                ),
            ),
            Letter::EmailConfirmation { username, key } => (
                "Confirm your email address".to_owned(),
                format!(
                    "Hello {username},\n\nyou want to use this address for your account on {server}.\n\nTo confirm \
                     that it is yours, open this link. It works once, for one day:\n\n{}\n\nIf this is not your \
                     account, ignore this mail: nothing changes.\n",
                    server.link(Page::Email, key)
                ),
            ),
            Letter::NewLoginMethod { username, provider } => (
                format!("You can now sign in with {provider}"),
                format!(
                    "Hello {username},\n\nyour account on {server} was just entered with {provider} for the first \
                     time. From now on {provider} is one of the ways to sign in to it.\n\nIf it was not you, remove \
                     {provider} from your account, change your password, and secure your account at {provider}.\n"
                ),
            ),
        };
        Written { subject, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rules: I1, I3.
    #[test]
    fn i3_letters_say_what_they_are_for_and_link_to_the_server_alone() {
        let server = PublicUrl::of_origin("https://tasks.example");
        let (username, key) = (|| "ada".to_owned(), || "st_key".to_owned());
        let letters = [
            (Letter::PasswordReset { username: username(), key: key() }, Some("/reset?key=st_key")),
            (Letter::Invite { by: username(), key: key() }, Some("/invite?key=st_key")),
            (Letter::EmailConfirmation { username: username(), key: key() }, Some("/email?key=st_key")),
            (Letter::NewLoginMethod { username: username(), provider: "Google".into() }, None),
        ];
        for (letter, link) in letters {
            let Written { subject, body } = letter.write(&server);
            assert!(subject.len() < 60 && body.contains("ada"), "{subject}\n{body}");
            let links = body.split_whitespace().filter(|word| word.contains("?key="));
            let want = link.map(|path| format!("https://tasks.example{path}"));
            assert_eq!(links.map(str::to_owned).collect::<Vec<_>>(), want.into_iter().collect::<Vec<_>>());
            // Whoever has no account is told what to do.
            assert!(body.contains("\n\nIf "), "{body}");
        }
    }
}
