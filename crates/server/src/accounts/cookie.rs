//! The cookie of a session, as `Set-Cookie` writes it.

use crate::auth::{COOKIE_NAME, Secret};
use http::HeaderValue;

/// Gives a browser the secret of a session, for so many days.
pub(super) fn session(secret: &Secret, days: u32, is_secure: bool) -> Option<HeaderValue> {
    let age_s = u64::from(days) * 86_400;
    let mut value = written(secret.reveal(), age_s, is_secure)?;
    value.set_sensitive(true);
    Some(value)
}

/// Takes the session's cookie away.
pub(super) fn none(is_secure: bool) -> Option<HeaderValue> {
    written("", 0, is_secure)
}

fn written(value: &str, age_s: u64, is_secure: bool) -> Option<HeaderValue> {
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!("{COOKIE_NAME}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={age_s}{secure}");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k11_a_cookie_is_for_http_alone_for_this_site_and_for_tls_where_there_is_any() {
        let secret = Secret::presented("ss_abc");
        let text = |value: Option<HeaderValue>| value.unwrap().to_str().unwrap().to_owned();
        let plain = "st_access=ss_abc; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000";
        assert_eq!(text(session(&secret, 30, false)), plain);
        assert_eq!(text(session(&secret, 30, true)), format!("{plain}; Secure"));
        assert_eq!(text(none(true)), "st_access=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0; Secure");
        assert!(session(&secret, 30, true).unwrap().is_sensitive());
        assert!(session(&Secret::presented("a\nb"), 30, true).is_none());
    }
}
