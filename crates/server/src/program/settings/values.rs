//! The allowed values of settings, beyond their form.

use crate::limits::{OPEN_USER, Rule};
use http::uri::Authority;

/// Whether an entry is an origin as browsers write it. Any other entry would silently never match.
pub(super) fn check_origin(entry: &str) -> Result<(), &'static str> {
    const FORM: &str =
        "is not an origin; write scheme, host and port only, as in \"https://app.example:8443\"";
    if entry.contains('*') {
        return Err("contains \"*\", but wildcards are not supported; list every origin");
    }
    let (scheme, place) = entry.split_once("://").ok_or(FORM)?;
    let schematic = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(schematic) {
        return Err(FORM);
    }
    if let Some((_, path)) = place.split_once('/') {
        return Err(if path.is_empty() {
            "ends with \"/\"; leave it out"
        } else {
            "has a path; leave it out"
        });
    }
    if !place.is_ascii() {
        return Err("is not written as browsers send it; write the host in its ASCII form, \"xn--…\"");
    }
    let authority: Authority = place.parse().map_err(|_| FORM)?;
    let (host, port) = (authority.host(), authority.port());
    // The parser would ignore text before the host and an invalid port.
    let rest = place.strip_prefix(host).ok_or(FORM)?;
    if host.is_empty() || port.is_none() && !rest.is_empty() {
        return Err(FORM);
    }
    match (scheme.to_ascii_lowercase().as_str(), port.map(|port| port.as_u16())) {
        ("http", Some(80)) | ("https", Some(443)) => {
            Err("has the default port of its scheme; leave it out, as browsers do")
        }
        _ => Ok(()),
    }
}

/// Whether a text is the origin of a web server.
pub(super) fn check_public_url(text: &str) -> Result<(), String> {
    check_origin(text)?;
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https") => Ok(()),
        _ => Err("must begin with \"https://\" or \"http://\"".to_owned()),
    }
}

/// Reads a limit; `None` means no limit. Open connections are a plain count; all other limits have a window.
pub(super) fn read_limit(name: &str, text: &str) -> Result<Option<Rule>, String> {
    let merely_counted = name == OPEN_USER.name;
    if text == "off" {
        return Ok(None);
    }
    let rule = if merely_counted {
        text.parse().ok().map(|count| Rule { count, window_ms: 0 })
    } else {
        parse_rule(text)
    };
    rule.map(Some).ok_or_else(|| format!("\"{text}\" {}", limit_form(name)))
}

/// The error for a limit in another form.
pub(super) fn limit_form(name: &str) -> String {
    let form = if name == OPEN_USER.name { "10" } else { "30/10s" };
    format!("is neither a limit such as \"{form}\" nor \"off\"")
}

/// Reads `COUNT/WINDOW`, with a window in `s`, `m` or `h`.
fn parse_rule(text: &str) -> Option<Rule> {
    let (count, window) = text.split_once('/')?;
    let unit = window.chars().last()?;
    let unit_s = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        _ => return None,
    };
    let digits = window.strip_suffix(unit)?;
    let number: u64 = if digits.is_empty() { 1 } else { digits.parse().ok()? };
    let window_s = number.checked_mul(unit_s).filter(|s| (1..=86_400).contains(s))?;
    Some(Rule::per_s(count.parse().ok()?, window_s))
}
