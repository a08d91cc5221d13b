//! The settings of identity providers, checked where they are read.

use super::http::is_loopback;
use openidconnect::{ClientId, ClientSecret, IssuerUrl};
use std::fmt;
use url::Url;

/// How many identity providers there may be.
pub const PROVIDERS_MAX: usize = 20;
/// The longest name of one, in characters.
const NAME_CHARS_MAX: usize = 32;
const TITLE_CHARS_MAX: usize = 40;
const CLIENT_CHARS_MAX: usize = 1_000;

/// An identity provider, as the settings describe it. The secret is never shown.
#[derive(Clone, Default, PartialEq)]
pub struct ProviderSettings {
    /// Its address, which names it everywhere.
    pub issuer: Option<IssuerUrl>,
    /// What the server is called there.
    pub client_id: Option<ClientId>,
    /// What proves to it that it is the server; `None` for a public client.
    client_secret: Option<String>,
    /// What people call it.
    pub title: Option<String>,
    /// Whether every email that it tells counts as verified.
    pub trust_email: bool,
}

impl ProviderSettings {
    /// Sets the issuer.
    ///
    /// # Errors
    /// A sentence about the form of an issuer.
    pub fn set_issuer(&mut self, text: &str) -> Result<(), String> {
        const FORM: &str =
            "must be the issuer's address, such as \"https://accounts.google.com\", without \"?\" and \"#\"";
        let url = Url::parse(text).map_err(|_| FORM)?;
        let is_plain = url.query().is_none() && url.fragment().is_none();
        if !is_plain || url.host().is_none() || !url.username().is_empty() || url.password().is_some() {
            return Err(FORM.to_owned());
        }
        match url.scheme() {
            "https" => {}
            "http" if url.host_str().is_some_and(is_loopback) => {}
            "http" => {
                return Err(
                    "must begin with \"https://\"; only on this machine may it be \"http://\"".to_owned()
                );
            }
            _ => return Err(FORM.to_owned()),
        }
        // As it is written: the issuer names itself letter by letter.
        self.issuer = Some(IssuerUrl::new(text.to_owned()).map_err(|_| FORM)?);
        Ok(())
    }

    /// Sets the client's id.
    ///
    /// # Errors
    /// A sentence about its form.
    pub fn set_client_id(&mut self, text: &str) -> Result<(), String> {
        self.client_id = Some(ClientId::new(one_line(text, CLIENT_CHARS_MAX)?));
        Ok(())
    }

    /// Sets the client's secret.
    ///
    /// # Errors
    /// A sentence about its form, without the secret.
    pub fn set_client_secret(&mut self, text: &str) -> Result<(), String> {
        self.client_secret = Some(one_line(text, CLIENT_CHARS_MAX)?);
        Ok(())
    }

    /// The client's secret.
    pub(super) fn client_secret(&self) -> Option<ClientSecret> {
        self.client_secret.clone().map(ClientSecret::new)
    }

    /// Sets the title.
    ///
    /// # Errors
    /// A sentence about its form.
    pub fn set_title(&mut self, text: &str) -> Result<(), String> {
        self.title = Some(one_line(text, TITLE_CHARS_MAX)?);
        Ok(())
    }

    /// What is missing, if anything: the key of a setting.
    pub fn missing(&self) -> Option<&'static str> {
        match (&self.issuer, &self.client_id) {
            (None, _) => Some("issuer"),
            (_, None) => Some("client_id"),
            _ => None,
        }
    }
}

impl fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = self.issuer.as_ref().map_or("?", |issuer| issuer.as_str());
        write!(f, "ProviderSettings({issuer}, …)")
    }
}

/// Whether a provider may have this name: it stands in paths and in names of variables.
pub fn is_provider_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edge = |c: Option<char>| c.is_some_and(|c| c != '-');
    name.len() <= NAME_CHARS_MAX
        && name.chars().all(plain)
        && edge(name.chars().next())
        && edge(name.chars().last())
}

fn one_line(text: &str, chars_max: usize) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) || text.chars().count() > chars_max {
        return Err(format!("must be one line of at most {chars_max} characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rules: I5.
    #[test]
    fn i5_an_issuer_is_https_but_on_this_machine() {
        let set = |text: &str| ProviderSettings::default().set_issuer(text);
        for right in [
            "https://accounts.google.com",
            "https://id.example/realms/tasks",
            "https://id.example:8443/",
            "http://127.0.0.1:4000",
            "http://localhost:4000",
            "http://[::1]:4000",
        ] {
            assert_eq!(set(right), Ok(()), "{right}");
        }
        for wrong in [
            "",
            "accounts.google.com",
            "http://id.example",
            "http://127.0.0.1.id.example",
            "http://localhost.id.example",
            "ftp://id.example",
            "https://id.example?a=b",
            "https://id.example#a",
            "https://user:hunter2@id.example",
            "https://",
        ] {
            let error = set(wrong).unwrap_err();
            assert!(error.contains("https://") && !error.contains("hunter2"), "{wrong}: {error}");
        }
    }

    // Rules: I5.
    #[test]
    fn i5_a_provider_has_a_name_for_paths() {
        for right in ["google", "my-idp", "a", "0", &"a".repeat(32)] {
            assert!(is_provider_name(right), "{right}");
        }
        for wrong in ["", "Google", "-a", "a-", "a_b", "a.b", "a/b", "ä", &"a".repeat(33)] {
            assert!(!is_provider_name(wrong), "{wrong}");
        }
    }

    // Rules: I5.
    #[test]
    fn i5_no_output_shows_the_secret_of_a_client() {
        let mut settings = ProviderSettings::default();
        settings.set_client_secret("hunter2").unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert!(!settings.set_client_secret("hunter2\nhunter2").unwrap_err().contains("hunter2"));
        assert!(settings.set_title(&"x".repeat(41)).is_err() && settings.set_client_id(" ").is_err());
    }
}
