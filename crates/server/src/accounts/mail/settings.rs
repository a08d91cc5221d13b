//! How mail is sent: the settings, checked where they are read.

use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};

/// How mail is sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MailSettings {
    /// The server that takes the mails; `None` when none are sent.
    pub smtp: Option<Smtp>,
    /// The sender.
    pub from: Option<Mailbox>,
}

/// A mail server. Its credentials are never shown.
#[derive(Clone, PartialEq)]
pub struct Smtp {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: SmtpTls,
    pub(super) credentials: Option<Credentials>,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SmtpTls {
    /// From its beginning.
    Wrapped,
    /// From STARTTLS on. A server that does not offer it is sent nothing.
    Required,
    /// Not at all.
    Off,
}

const FORM: &str = "must be an address such as \"smtps://user:password@mail.example:465\"; special characters in the \
                    user and the password are percent-encoded";

impl Smtp {
    /// Reads `smtps://user:password@host:port` or `smtp://…`. What `smtp` sends is encrypted by STARTTLS, unless the
    /// server is on this machine or the address ends with `?tls=off`.
    ///
    /// # Errors
    /// A sentence about what is wrong, without the address, which contains a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| FORM)?;
        let is_off = match url.query() {
            None => false,
            Some("tls=off") => true,
            Some(_) => return Err("has a query other than `?tls=off`".to_owned()),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(FORM.to_owned());
        }
        // The parser knows IPv4 addresses only in schemes of the web.
        let host = match url.host().ok_or(FORM)? {
            Host::Domain(name) if name.is_empty() || name.contains('%') => return Err(FORM.to_owned()),
            Host::Domain(name) => name.to_ascii_lowercase(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let is_local = match host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => host == "localhost",
        };
        let (tls, port) = match (url.scheme(), is_off || is_local) {
            ("smtps", _) if is_off => return Err("has `?tls=off` although it is `smtps`".to_owned()),
            ("smtps", _) => (SmtpTls::Wrapped, 465),
            ("smtp", false) => (SmtpTls::Required, 587),
            ("smtp", true) => (SmtpTls::Off, if is_local { 25 } else { 587 }),
            _ => return Err(FORM.to_owned()),
        };
        let decoded = |part: &str| percent_decode_str(part).decode_utf8().map(String::from);
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => {
                let (user, password) =
                    (decoded(user).map_err(|_| FORM)?, decoded(password).map_err(|_| FORM)?);
                Some(Credentials::new(user, password))
            }
            _ => return Err("must have both a user and a password, or neither".to_owned()),
        };
        if tls == SmtpTls::Off && !is_local && credentials.is_some() {
            return Err("would send the password unencrypted; leave out `?tls=off`".to_owned());
        }
        Ok(Smtp { host, port: url.port().unwrap_or(port), tls, credentials })
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Smtp { host, port, tls, .. } = self;
        write!(f, "Smtp({host}:{port}, {tls:?}, …)")
    }
}

/// Reads the sender: `tasks@example.com` or `SynapTask <tasks@example.com>`.
///
/// # Errors
/// A sentence about its form.
pub fn parse_sender(text: &str) -> Result<Mailbox, String> {
    const FORM: &str = "must be a sender such as \"SynapTask <tasks@example.com>\"";
    let sender: Mailbox = text.parse().map_err(|_| FORM)?;
    let has_controls = text.chars().any(char::is_control);
    let address: &Address = &sender.email;
    if has_controls || address.domain().is_empty() { Err(FORM.to_owned()) } else { Ok(sender) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rules: I2.
    #[test]
    fn i2_mail_goes_encrypted_but_on_this_machine() {
        for (text, want) in [
            ("smtps://u:p@mail.example", ("mail.example", 465, SmtpTls::Wrapped)),
            ("smtps://u:p@mail.example:4650", ("mail.example", 4650, SmtpTls::Wrapped)),
            ("smtp://u:p@mail.example", ("mail.example", 587, SmtpTls::Required)),
            ("smtp://mail.example/", ("mail.example", 587, SmtpTls::Required)),
            ("smtp://localhost", ("localhost", 25, SmtpTls::Off)),
            ("smtp://127.0.0.1:1025", ("127.0.0.1", 1025, SmtpTls::Off)),
            ("smtp://[::1]:1025", ("::1", 1025, SmtpTls::Off)),
            ("smtp://relay:25?tls=off", ("relay", 25, SmtpTls::Off)),
        ] {
            let smtp = Smtp::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((smtp.host.as_str(), smtp.port, smtp.tls), want, "{text}");
        }
        let smtp = Smtp::parse("smtps://me%40a.example:p%2Fw@mail.example").unwrap();
        assert_eq!(smtp.credentials, Some(Credentials::new("me@a.example".into(), "p/w".into())));
    }

    // Rules: I2.
    #[test]
    fn i2_a_wrong_address_is_refused_without_being_shown() {
        for wrong in [
            "",
            "mail.example",
            "https://hunter2@mail.example",
            "smtp://u@mail.example?x=hunter2",
            "smtps://hunter2:hunter2@mail.example/path",
            "smtps://hunter2@mail.example",
            "smtps://:hunter2@mail.example",
            "smtps://hunter2:hunter2@",
            "smtps://u:hunter2@mail.example:x",
            "smtps://u:hunter2@mail.example?tls=off",
            "smtp://u:hunter2@mail.example?tls=off",
            "smtps://u:%ffhunter2@mail.example",
        ] {
            let error = Smtp::parse(wrong).unwrap_err();
            assert!(!error.contains("hunter2") && error.len() > 10, "{wrong}: {error}");
        }
        let shown = format!("{:?}", Smtp::parse("smtps://hunter2:hunter2@mail.example").unwrap());
        assert_eq!(shown, "Smtp(mail.example:465, Wrapped, …)");
    }

    // Rules: I2.
    #[test]
    fn i2_a_sender_is_an_address_with_or_without_a_name() {
        for right in ["tasks@example.com", "SynapTask <tasks@example.com>"] {
            assert_eq!(parse_sender(right).unwrap().email.to_string(), "tasks@example.com");
        }
        for wrong in ["", "tasks", "a@b, c@d", "Tasks <tasks@example.com>\r\nBcc: all@example.com", "<@b>"] {
            assert!(parse_sender(wrong).unwrap_err().contains("SynapTask <"), "{wrong}");
        }
    }
}
