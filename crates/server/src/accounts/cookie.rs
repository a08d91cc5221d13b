//! The cookie of a session, as `Set-Cookie` writes it.

use http::HeaderValue;

/// Takes the session's cookie away.
pub(super) fn none(secure: bool) -> HeaderValue {
    HeaderValue::from_static(match secure {
        true => "st_access=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0; Secure",
        false => "st_access=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0",
    })
}
