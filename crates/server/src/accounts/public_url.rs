//! Where people reach the server, as the operator says. Links are built from it alone: the header `Host` of a request
//! is whatever its sender wrote.

use std::fmt;

/// An origin, such as `https://tasks.example`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

/// A page that takes a one-time key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Makes the first account.
    SetUp,
    /// Makes an account for somebody invited.
    Invite,
    /// Sets a new password.
    Reset,
    /// Confirms an email address.
    Email,
}

impl PublicUrl {
    /// An origin: scheme, host and port, without a path. The caller has checked its form.
    pub fn of_origin(origin: &str) -> Self {
        PublicUrl(origin.to_ascii_lowercase())
    }

    /// Whether people reach the server by TLS.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The host, without the port.
    pub fn host(&self) -> &str {
        let place = self.0.split_once("://").map_or(self.0.as_str(), |(_, place)| place);
        let name_ends = place.rfind(']').map_or(0, |bracket| bracket + 1);
        let port = place.get(name_ends..).and_then(|rest| rest.find(':'));
        port.and_then(|at| place.get(..name_ends + at)).unwrap_or(place)
    }

    /// The address of a path on the server.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The link to a page, with its key.
    pub fn link(&self, page: Page, key: &str) -> String {
        let path = match page {
            Page::SetUp => "/setup",
            Page::Invite => "/invite",
            Page::Reset => "/reset",
            Page::Email => "/email",
        };
        // A key is letters, digits, `_` and `-` alone.
        self.at(&format!("{path}?key={key}"))
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i1_links_begin_with_the_public_url() {
        let url = PublicUrl::of_origin("https://Tasks.example:8443");
        assert_eq!(url.link(Page::Reset, "st_k"), "https://tasks.example:8443/reset?key=st_k");
        assert!(url.is_secure() && !PublicUrl::of_origin("http://a").is_secure());
        for (origin, host) in
            [("https://tasks.example:8443", "tasks.example"), ("http://[::1]:80", "[::1]"), ("http://a", "a")]
        {
            assert_eq!(PublicUrl::of_origin(origin).host(), host);
        }
    }
}
