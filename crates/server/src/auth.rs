//! Callers: API tokens, where a request carries them, and the origin a browser reports.
//!
//! A token's secret exists only as a [`Secret`], which no log can show, and as its hash.

use graph::model::TokenHash;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use sha2::{Digest, Sha256};
use std::fmt;

/// The prefix of every API token.
const PREFIX: &str = "st_";
/// The number of random characters after it: 32 characters of 62 are 190 bits.
const RANDOM_CHARS: usize = 32;
/// The prefix of every session's secret.
const SESSION_PREFIX: &str = "ss_";
/// The number of random characters of a session's secret and of a key: 43 characters of 62 are 256 bits.
const LONG_CHARS: usize = 43;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The cookie that holds a browser's session.
pub const COOKIE_NAME: &str = "st_access";
/// The WebSocket subprotocol that announces a token.
pub const SUBPROTOCOL: &str = "Bearer";

/// The secret of an API token. It is shown once, to its owner, and never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The new random secret of an API token.
    ///
    /// # Errors
    /// When the system's random number generator fails.
    pub fn random() -> Result<Self, getrandom::Error> {
        Secret::with(PREFIX, RANDOM_CHARS)
    }

    /// The new random secret of a session.
    ///
    /// # Errors
    /// When the system's random number generator fails.
    pub fn of_session() -> Result<Self, getrandom::Error> {
        Secret::with(SESSION_PREFIX, LONG_CHARS)
    }

    /// The new random secret of a one-time key. It can stand in an address as it is.
    ///
    /// # Errors
    /// When the system's random number generator fails.
    pub fn of_key() -> Result<Self, getrandom::Error> {
        Secret::with("", LONG_CHARS)
    }

    fn with(prefix: &str, random_chars: usize) -> Result<Self, getrandom::Error> {
        let length = prefix.len() + random_chars;
        let mut text = String::with_capacity(length);
        text.push_str(prefix);
        while text.len() < length {
            let mut bytes = [0_u8; 64];
            getrandom::fill(&mut bytes)?;
            // 248 is a multiple of 62. Bytes from 248 on would make some characters more likely than others.
            let fair = bytes.iter().filter(|byte| **byte < 248);
            let chars = fair.filter_map(|byte| ALPHABET.get(usize::from(byte % 62)));
            text.extend(chars.take(length - text.len()).map(|char| char::from(*char)));
        }
        Ok(Secret(text))
    }

    /// A secret as presented by a caller.
    pub fn presented(text: &str) -> Self {
        Secret(text.to_owned())
    }

    /// The secret itself, to show it once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The stored form of the secret.
    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How a token was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Presented on purpose, by a program.
    Api,
    /// Added by a browser, whichever page made the request.
    Cookie,
}

impl Means {
    /// The kind of client, as `connected` names it.
    pub fn client(self) -> &'static str {
        match self {
            Means::Api => "api",
            Means::Cookie => "web",
        }
    }
}

/// The token of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub secret: Secret,
    pub means: Means,
}

/// The token in a request's headers: `Authorization`, otherwise the WebSocket subprotocol, otherwise the session
/// cookie. Credentials presented on purpose take precedence over those a browser adds.
pub fn credentials(headers: &HeaderMap) -> Option<Credentials> {
    let api = |secret: &str| Credentials { secret: Secret::presented(secret), means: Means::Api };
    authorization(headers)
        .or_else(|| subprotocol(headers))
        .map(api)
        .or_else(|| cookie(headers).map(|secret| Credentials { means: Means::Cookie, ..api(secret) }))
}

/// The text after `Bearer` in `Authorization`. Another scheme gives an empty secret, which belongs to no user: its
/// sender meant to be authenticated.
fn authorization(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().unwrap_or_default();
    let secret = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    Some(secret.map_or("", |(_, secret)| secret.trim()))
}

/// The entry after `Bearer` in `Sec-WebSocket-Protocol`.
fn subprotocol(headers: &HeaderMap) -> Option<&str> {
    let mut entries = protocols(headers);
    entries.find(|entry| *entry == SUBPROTOCOL)?;
    entries.next()
}

/// Whether the client offers the subprotocol and must be answered with it.
pub fn offers_subprotocol(headers: &HeaderMap) -> bool {
    protocols(headers).any(|entry| entry == SUBPROTOCOL)
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

/// Whether a browser adds the cookie of a session.
pub fn has_session_cookie(headers: &HeaderMap) -> bool {
    cookie(headers).is_some()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim(), value.trim())).find(|(name, _)| *name == COOKIE_NAME).map(|c| c.1)
}

/// The meaning of a request's `Origin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// No origin: the client is not a browser, or the page belongs to this server.
    Absent,
    /// The server's own origin, or one that the settings allow.
    Allowed,
    /// The origin of another site.
    Foreign,
}

/// The server's own origin, as far as a proxy reports it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own<'a> {
    /// `HOST` or `HOST:PORT`. If it is not reported, the header `Host` is used.
    pub host: Option<&'a str>,
    /// `http` or `https`. If it is not reported, both are the server's own.
    pub scheme: Option<&'a str>,
}

/// Judges the `Origin` of a request by the server's own origin and by the origins allowed in the settings.
pub fn origin(headers: &HeaderMap, own: Own<'_>, allowed: &[String]) -> Origin {
    let Some(origin) = headers.get(ORIGIN) else { return Origin::Absent };
    let Ok(origin) = origin.to_str() else { return Origin::Foreign };
    let host = own.host.or_else(|| headers.get(HOST).and_then(|host| host.to_str().ok()));
    let is_own = host.is_some_and(|host| leads_to(origin, host, own.scheme));
    if is_own || allowed.iter().any(|one| one.eq_ignore_ascii_case(origin)) {
        Origin::Allowed
    } else {
        Origin::Foreign
    }
}

/// Whether an origin belongs to a host. A missing port is the default port of the scheme.
fn leads_to(origin: &str, host: &str, scheme: Option<&str>) -> bool {
    let Some((origin_scheme, place)) = origin.split_once("://") else { return false };
    let default_port = match origin_scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let is_other_scheme = scheme.is_some_and(|scheme| !scheme.eq_ignore_ascii_case(origin_scheme));
    let (Some(place), Some(host)) = (host_and_port(place), host_and_port(host)) else { return false };
    !is_other_scheme
        && place.0.eq_ignore_ascii_case(host.0)
        && place.1.unwrap_or(default_port) == host.1.unwrap_or(default_port)
}

/// The two parts of `HOST:PORT`. The brackets of an IPv6 address are kept.
fn host_and_port(place: &str) -> Option<(&str, Option<u16>)> {
    let name_ends = place.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match place.get(name_ends..)?.find(':') {
        Some(colon) => (place.get(..name_ends + colon)?, place.get(name_ends + colon + 1..)?),
        None => (place, ""),
    };
    let port = if port.is_empty() { None } else { Some(port.parse().ok()?) };
    if host.is_empty() { None } else { Some((host, port)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use std::collections::HashSet;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn t9_tokens_are_long_random_and_base62() {
        let secrets: HashSet<String> = (0..500).map(|_| Secret::random().unwrap().0).collect();
        assert_eq!(secrets.len(), 500);
        for secret in &secrets {
            let random = secret.strip_prefix("st_").unwrap();
            assert!(random.len() >= 31 && random.chars().all(|c| c.is_ascii_alphanumeric()), "{random}");
        }
        let used: HashSet<char> = secrets.iter().flat_map(|s| s.chars()).filter(|c| *c != '_').collect();
        assert_eq!(used.len(), 62);
    }

    #[test]
    fn k11_the_secrets_of_sessions_and_keys_have_256_random_bits() {
        let mut seen = HashSet::new();
        for _ in 0..100 {
            for (secret, prefix) in [(Secret::of_session(), "ss_"), (Secret::of_key(), "")] {
                let text = secret.unwrap().0;
                let random = text.strip_prefix(prefix).unwrap();
                assert!(random.len() as f64 * 62_f64.log2() >= 256.0, "{random}");
                assert!(random.chars().all(|c| c.is_ascii_alphanumeric()), "{random}");
                assert!(seen.insert(text));
            }
        }
    }

    #[test]
    fn t23_a_secret_does_not_show_itself() {
        let credentials = credentials(&headers(&[("authorization", "Bearer st_hidden")]));
        assert!(!format!("{credentials:?}").contains("hidden"));
    }

    type Case = (&'static [(&'static str, &'static str)], Option<(&'static str, Means)>);

    #[test]
    fn t10_t11_where_a_token_is_read() {
        let cases: &[Case] = &[
            (&[], None),
            (&[("authorization", "Bearer st_a")], Some(("st_a", Means::Api))),
            (&[("authorization", "bearer  st_a ")], Some(("st_a", Means::Api))),
            (&[("authorization", "Basic abc")], Some(("", Means::Api))),
            (&[("authorization", "Bearer")], Some(("", Means::Api))),
            (&[("sec-websocket-protocol", "Bearer, st_b")], Some(("st_b", Means::Api))),
            (
                &[("sec-websocket-protocol", "Bearer"), ("sec-websocket-protocol", "st_b")],
                Some(("st_b", Means::Api)),
            ),
            (&[("sec-websocket-protocol", "Bearer")], None),
            (&[("sec-websocket-protocol", "chat, st_b")], None),
            (&[("cookie", "a=1; st_access=st_c; b=2")], Some(("st_c", Means::Cookie))),
            (&[("cookie", "not_st_access=st_c")], None),
            (&[("cookie", "st_access=st_c"), ("authorization", "Bearer st_a")], Some(("st_a", Means::Api))),
        ];
        for (pairs, want) in cases {
            let got = credentials(&headers(pairs));
            let got = got.as_ref().map(|c| (c.secret.reveal(), c.means));
            assert_eq!(got, *want, "{pairs:?}");
        }
    }

    #[test]
    fn t11_only_the_own_and_the_allowed_origins_count() {
        let allowed = ["https://app.example".to_owned()];
        let cases = [
            (None, Origin::Absent),
            (Some("http://tasks.example:8000"), Origin::Allowed),
            (Some("https://TASKS.example:8000"), Origin::Allowed),
            (Some("https://app.example"), Origin::Allowed),
            (Some("https://tasks.example"), Origin::Foreign),
            (Some("https://evil.example"), Origin::Foreign),
            (Some("https://tasks.example:8000.evil.example"), Origin::Foreign),
            (Some("null"), Origin::Foreign),
        ];
        for (value, want) in cases {
            let mut map = headers(&[("host", "tasks.example:8000")]);
            if let Some(value) = value {
                map.append(ORIGIN, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(origin(&map, Own::default(), &allowed), want, "{value:?}");
        }
    }
}
