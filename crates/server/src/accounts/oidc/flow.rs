//! One sign-in on its way: what the browser keeps of it, in a cookie, until the provider sends it back.
//!
//! The cookie holds a random secret, and where to go. State, nonce and PKCE verifier are hashes of the whole cookie.
//! So a state fits one cookie alone, nobody can change a part of either, and any server can check them: none keeps a
//! key or a list for it. Whoever could write cookies of this host into somebody's browser could plant a sign-in of
//! their own; therefore with TLS the cookie's name begins with `__Host-`, which other hosts cannot write.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// For how long a sign-in can be completed, in seconds.
pub(super) const LIVES_S: i64 = 600;
const SECURE_NAME: &str = "__Host-st_oidc";
const PLAIN_NAME: &str = "st_oidc";
/// The longest cookie that is read, in bytes.
const BYTES_MAX: usize = 4_000;

/// A sign-in on its way. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Flow {
    /// As the cookie holds it.
    text: String,
    content: Content,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    secret: String,
    /// The name of the provider.
    provider: String,
    /// When it ends, in seconds since 1970.
    ends_s: i64,
    /// Where to go afterwards.
    next: String,
    /// The key of an invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invite: Option<String>,
}

impl Flow {
    /// Begins one.
    ///
    /// # Errors
    /// When the system's random number generator fails.
    pub(super) fn begin(
        provider: &str,
        next: &str,
        invite: Option<&str>,
        now_s: i64,
    ) -> Result<Self, getrandom::Error> {
        let mut secret = [0_u8; 32];
        getrandom::fill(&mut secret)?;
        let content = Content {
            secret: BASE64.encode(secret),
            provider: provider.to_owned(),
            ends_s: now_s.saturating_add(LIVES_S),
            next: next.to_owned(),
            invite: invite.map(str::to_owned),
        };
        let text = BASE64.encode(serde_json::to_vec(&content).unwrap_or_default());
        Ok(Flow { text, content })
    }

    /// The one that a browser brings back, if it is of this provider, has not ended, and belongs to the state.
    pub(super) fn resume(
        headers: &HeaderMap,
        is_secure: bool,
        (provider, state): (&str, &str),
        now_s: i64,
    ) -> Option<Self> {
        let fits = |flow: &Flow| {
            let ends_s = flow.content.ends_s;
            flow.content.provider == provider
                && (now_s..=now_s.saturating_add(LIVES_S)).contains(&ends_s)
                && is_same(&flow.state(), state)
        };
        cookies(headers, is_secure).filter_map(Flow::read).find(fits)
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text).ok()?;
        let content: Content = serde_json::from_slice(&bytes).ok()?;
        // A secret that was guessed is none.
        let secret = BASE64.decode(&content.secret).ok()?;
        (secret.len() == 32).then(|| Flow { text: text.to_owned(), content })
    }

    /// What the provider returns with the answer, so that it is known whose it is.
    pub(super) fn state(&self) -> String {
        self.derive("state")
    }

    /// What stands in the id token, so that it is known for which sign-in it was made.
    pub(super) fn nonce(&self) -> String {
        self.derive("nonce")
    }

    /// The PKCE verifier (RFC 7636): it shows the provider that who began the sign-in also ends it.
    pub(super) fn pkce_verifier(&self) -> String {
        self.derive("pkce")
    }

    fn derive(&self, what: &str) -> String {
        BASE64.encode(Sha256::new().chain_update(what).chain_update([0]).chain_update(&self.text).finalize())
    }

    /// Where to go afterwards: a path on this server.
    pub(super) fn next(&self) -> &str {
        &self.content.next
    }

    /// The key of an invitation.
    pub(super) fn invite(&self) -> Option<&str> {
        self.content.invite.as_deref()
    }

    /// The cookie that keeps it.
    pub(super) fn cookie(&self, is_secure: bool) -> Option<HeaderValue> {
        let mut value = written(&self.text, LIVES_S, is_secure)?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flow(…)")
    }
}

/// Takes the cookie away.
pub(super) fn no_cookie(is_secure: bool) -> Option<HeaderValue> {
    written("", 0, is_secure)
}

fn name(is_secure: bool) -> &'static str {
    if is_secure { SECURE_NAME } else { PLAIN_NAME }
}

fn written(value: &str, age_s: i64, is_secure: bool) -> Option<HeaderValue> {
    let (name, secure) = (name(is_secure), if is_secure { "; Secure" } else { "" });
    let text = format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={age_s}{secure}");
    HeaderValue::from_str(&text).ok()
}

/// The cookies of sign-ins. With TLS only the name that other hosts cannot write counts.
fn cookies(headers: &HeaderMap, is_secure: bool) -> impl Iterator<Item = &str> {
    let own_name = name(is_secure);
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let ours = pairs.filter(move |(name, value)| *name == own_name && value.len() <= BYTES_MAX);
    ours.map(|(_, value)| value)
}

/// Compares hashes, so that the time tells nothing about the texts.
fn is_same(one: &str, other: &str) -> bool {
    Sha256::digest(one) == Sha256::digest(other)
}

/// A path on this server to go to, as a caller asks for it: not another site's, and not an operation's.
pub(super) fn is_next(path: &str) -> bool {
    const BYTES_MAX: usize = 1_000;
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    path.len() <= BYTES_MAX
        && is_plain
        && path.starts_with('/')
        && !path.starts_with("//")
        && !path.starts_with("/api/")
        // As a browser would read it.
        && url::Url::parse("https://here.invalid")
            .and_then(|here| here.join(path))
            .is_ok_and(|url| url.host_str() == Some("here.invalid") && !url.path().starts_with("/api/") && !url.path().starts_with("//"))
}

/// Which states were used already. The provider takes each code once, whichever server asks; this is besides.
#[derive(Debug, Default)]
pub(super) struct UsedStates(Mutex<Used>);

#[derive(Debug, Default)]
struct Used {
    /// When each was used, in seconds.
    at_s: HashMap<[u8; 32], i64>,
    in_order: VecDeque<[u8; 32]>,
}

/// The most states that are remembered.
const STATES_MAX: usize = 100_000;

impl UsedStates {
    /// Uses a state; false if it was used already.
    pub(super) fn use_up(&self, state: &str, now_s: i64) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(first) = used.in_order.front().copied() {
            let is_over = used.at_s.get(&first).is_none_or(|at_s| at_s.saturating_add(LIVES_S) < now_s);
            if !is_over && used.in_order.len() < STATES_MAX {
                break;
            }
            used.in_order.pop_front();
            used.at_s.remove(&first);
        }
        let hash: [u8; 32] = Sha256::digest(state).into();
        if used.at_s.contains_key(&hash) {
            return false;
        }
        used.at_s.insert(hash, now_s);
        used.in_order.push_back(hash);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_cookies(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        headers
    }

    /// What a browser sends back.
    fn sent(flow: &Flow) -> String {
        let cookie = flow.cookie(false).unwrap();
        cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    fn begin() -> Flow {
        Flow::begin("google", "/board", Some("key"), 1_000).unwrap()
    }

    // Rules: I7.
    #[test]
    fn i7_a_sign_in_is_resumed_by_the_browser_that_began_it() {
        let flow = begin();
        let resume = |cookies: &[&str], provider: &str, state: &str, now_s| {
            Flow::resume(&with_cookies(cookies), false, (provider, state), now_s)
        };
        let (cookie, state) = (sent(&flow), flow.state());
        let back = resume(&["a=b", &format!("c=d; {cookie}")], "google", &state, 1_100).unwrap();
        assert_eq!((back.next(), back.invite()), ("/board", Some("key")));
        assert_eq!((back.nonce(), back.pkce_verifier()), (flow.nonce(), flow.pkce_verifier()));
        assert!(resume(&[&cookie], "google", &state, 1_600).is_some());

        assert!(resume(&[], "google", &state, 1_100).is_none());
        assert!(resume(&[&cookie], "google", "", 1_100).is_none());
        assert!(resume(&[&cookie], "google", &begin().state(), 1_100).is_none());
        assert!(resume(&[&sent(&begin())], "google", &state, 1_100).is_none());
        assert!(resume(&[&cookie], "keycloak", &state, 1_100).is_none());
        assert!(resume(&[&cookie], "google", &state, 1_601).is_none());
        assert!(resume(&[&cookie], "google", &state, 399).is_none());
        for broken in ["st_oidc=", "st_oidc=e30", "st_oidc=%", &cookie[..60], &format!("{cookie}A")] {
            assert!(resume(&[broken], "google", &state, 1_100).is_none(), "{broken}");
        }
    }

    // Rules: I7.
    #[test]
    fn i7_whatever_is_changed_in_the_cookie_the_state_no_longer_fits() {
        let flow = begin();
        for change in [
            Content { provider: "keycloak".into(), ..flow.content.clone() },
            Content { next: "/other".into(), ..flow.content.clone() },
            Content { ends_s: 2_000, ..flow.content.clone() },
            Content { invite: None, ..flow.content.clone() },
        ] {
            let text = BASE64.encode(serde_json::to_vec(&change).unwrap());
            let headers = with_cookies(&[&format!("st_oidc={text}")]);
            assert!(Flow::resume(&headers, false, (&change.provider, &flow.state()), 1_500).is_none());
        }
        let secrets = [flow.state(), flow.nonce(), flow.pkce_verifier(), begin().state()];
        assert!(
            secrets.iter().all(|one| one.len() == 43 && secrets.iter().filter(|it| *it == one).count() == 1)
        );
        assert_eq!(format!("{flow:?}"), "Flow(…)");
    }

    // Rules: I7.
    #[test]
    fn i7_the_cookie_is_for_this_host_alone() {
        let text = |value: Option<HeaderValue>| value.unwrap().to_str().unwrap().to_owned();
        let secure = text(begin().cookie(true));
        assert!(secure.starts_with("__Host-st_oidc="), "{secure}");
        assert!(secure.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=600; Secure"), "{secure}");
        assert_eq!(text(no_cookie(false)), "st_oidc=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
        assert!(begin().cookie(false).unwrap().is_sensitive());
        // Another host of the same site could have written this one.
        let flow = begin();
        let planted = with_cookies(&[&sent(&flow)]);
        assert!(Flow::resume(&planted, true, ("google", &flow.state()), 1_100).is_none());
        let own = with_cookies(&[&format!("__Host-{}", sent(&flow))]);
        assert!(Flow::resume(&own, true, ("google", &flow.state()), 1_100).is_some());
    }

    // Rules: I7.
    #[test]
    fn i7_a_state_is_used_once() {
        let used = UsedStates::default();
        assert!(used.use_up("a", 0) && used.use_up("b", 1));
        assert!(!used.use_up("a", 600) && !used.use_up("b", 600));
        // Its sign-in has ended.
        assert!(used.use_up("a", 601));
        assert_eq!(used.0.lock().unwrap().in_order.len(), 2);
    }

    // Rules: I7.
    #[test]
    fn i7_no_more_states_are_remembered_than_fit() {
        let used = UsedStates::default();
        for n in 0..STATES_MAX + 10 {
            assert!(used.use_up(&n.to_string(), 0));
        }
        let inside = used.0.lock().unwrap();
        assert_eq!((inside.in_order.len(), inside.at_s.len()), (STATES_MAX, STATES_MAX));
    }

    // Rules: I8.
    #[test]
    fn i8_next_is_a_path_on_this_server() {
        for right in ["/", "/board", "/board?a=b&c=%2F#d", "/a//b"] {
            assert!(is_next(right), "{right}");
        }
        for wrong in [
            "",
            "board",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "/ /evil.example",
            "/board\r\nSet-Cookie: a=b",
            "/api/logout",
            "/x/../api/logout",
            "/./api/oidc/google/start",
            "/x/..//evil.example",
            "/bücher",
            &format!("/{}", "a".repeat(1_000)),
        ] {
            assert!(!is_next(wrong), "{wrong}");
        }
    }
}
