//! Settings from one source, and reading them from a file: each held to what a server can work with.

use super::{limit_names, set};
use crate::limits::{OPEN_USER, Rule};
use crate::net::cors::CorsMode;
use crate::net::forwarded::TrustedProxies;
use http::uri::Authority;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use store::{Limits, Retention};

/// Settings from one source; `None` leaves the word to the next.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    pub data: Option<PathBuf>,
    pub listen: Option<String>,
    pub log: Option<String>,
    pub database: Option<String>,
    #[serde(default)]
    pub limits: LimitsLayer,
    #[serde(default)]
    pub history: HistoryLayer,
    pub allowed_origins: Option<Vec<String>>,
    pub cors: Option<CorsMode>,
    pub trusted_proxies: Option<TrustedProxies>,
    pub body_bytes_max: Option<usize>,
    pub connections_max: Option<usize>,
    pub outbox_entries_max: Option<usize>,
    pub outbox_bytes_max: Option<usize>,
    pub header_timeout_s: Option<u64>,
    pub body_timeout_s: Option<u64>,
    pub stall_timeout_s: Option<u64>,
}

/// The limits of one source: whether they hold at all, and rules by name; `None` is no limit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "toml::Table")]
pub struct LimitsLayer {
    pub on: Option<bool>,
    pub rules: BTreeMap<String, Option<Rule>>,
}

/// Read by hand, so that an error names the limit it is about.
impl TryFrom<toml::Table> for LimitsLayer {
    type Error = String;

    fn try_from(table: toml::Table) -> Result<Self, String> {
        let mut layer = LimitsLayer::default();
        for (name, value) in table {
            match value {
                toml::Value::Boolean(on) if name == "on" => layer.on = Some(on),
                _ if name == "on" => return Err("limits.on: must be true or false".into()),
                value => {
                    let rule = read_limit(&name, &value)?;
                    layer.rules.insert(name, rule);
                }
            }
        }
        Ok(layer)
    }
}

/// How long one source wants history to be kept: by the plan of whoever made it, and the keys of requests.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryLayer {
    #[serde(default)]
    pub basic: KeptLayer,
    #[serde(default)]
    pub plus: KeptLayer,
    #[serde(default)]
    pub pro: KeptLayer,
    pub keys_hours: Option<u32>,
}

/// Until any of these is exceeded.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptLayer {
    pub days: Option<u32>,
    pub batches: Option<u64>,
    pub bytes: Option<u64>,
}

/// For how many hours a request sent again is recognized at least (D7); they may be made more.
const KEYS_HOURS_LEAST: u32 = 24;

impl HistoryLayer {
    pub(super) fn apply(self, to: &mut Retention) {
        let plans = [(&mut to.basic, self.basic), (&mut to.plus, self.plus), (&mut to.pro, self.pro)];
        for (limits, kept) in plans {
            let Limits { days, batches, bytes } = limits;
            set(days, kept.days);
            set(batches, kept.batches);
            set(bytes, kept.bytes);
        }
        set(&mut to.keys_kept_ms, self.keys_hours.map(|hours| i64::from(hours) * 3_600_000));
    }
}

/// Reads a settings file.
pub(super) fn parse_file(text: &str) -> Result<Layer, String> {
    let layer: Layer = toml::from_str(text).map_err(|error| error.to_string())?;
    if layer.data.as_ref().is_some_and(|data| data.as_os_str().is_empty()) {
        return Err("data: must name a directory".into());
    }
    if layer.history.keys_hours.is_some_and(|hours| hours < KEYS_HOURS_LEAST) {
        return Err(format!("history.keys_hours: must be {KEYS_HOURS_LEAST} or more"));
    }
    check_ranges(&layer)?;
    for entry in layer.allowed_origins.iter().flatten() {
        check_origin(entry).map_err(|reason| format!("allowed_origins: \"{entry}\" {reason}"))?;
    }
    Ok(layer)
}

/// Holds the numbers to what a server can do its work with: a bound of nothing lets nobody in, and one beyond all
/// measure would only show when the first client comes.
pub(super) fn check_ranges(layer: &Layer) -> Result<(), String> {
    let size = |value: Option<usize>| value.map(|value| value as u64);
    let (bytes, seconds) = (1 << 10..=1 << 30, 1..=86_400);
    let numbers = [
        ("body_bytes_max", size(layer.body_bytes_max), bytes.clone()),
        ("connections_max", size(layer.connections_max), 1..=1_000_000),
        ("outbox_entries_max", size(layer.outbox_entries_max), 1..=1_000_000),
        ("outbox_bytes_max", size(layer.outbox_bytes_max), bytes),
        ("header_timeout_s", layer.header_timeout_s, seconds.clone()),
        ("body_timeout_s", layer.body_timeout_s, seconds.clone()),
        ("stall_timeout_s", layer.stall_timeout_s, seconds),
    ];
    for (name, value, range) in numbers {
        if let Some(value) = value.filter(|value| !range.contains(value)) {
            return Err(format!("{name}: must be from {} to {}, not {value}", range.start(), range.end()));
        }
    }
    Ok(())
}

/// Whether an entry is an origin as browsers write it; one that is not would never be met with, in silence.
fn check_origin(entry: &str) -> Result<(), &'static str> {
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
    // What is in front of the host, or a port that is none, would be passed over by the parser.
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

/// Reads one limit; `None` is no limit. What is open at once is merely counted, everything else within a window.
fn read_limit(name: &str, value: &toml::Value) -> Result<Option<Rule>, String> {
    if !limit_names().any(|known| known == name) {
        // Without quotes a dot makes a table of what is in front of it.
        let hint = if value.is_table() { "; put a name with a dot in quotes" } else { "" };
        return Err(format!("unknown limit `{name}`{hint}"));
    }
    let merely_counted = name == OPEN_USER.name;
    let form = if merely_counted { "10" } else { "30/10s" };
    let shown = match value {
        toml::Value::String(text) => format!("\"{text}\""),
        toml::Value::Integer(number) => number.to_string(),
        other => format!("a value of type {}", other.type_str()),
    };
    let wrong = || format!("limit `{name}`: {shown} is neither like \"{form}\" nor \"off\"");
    let text = value.as_str().ok_or_else(wrong)?;
    if text == "off" {
        return Ok(None);
    }
    let rule = if merely_counted {
        text.parse().ok().map(|count| Rule { count, window_ms: 0 })
    } else {
        parse_rule(text)
    };
    rule.map(Some).ok_or_else(wrong)
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
