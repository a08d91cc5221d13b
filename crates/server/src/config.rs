//! The settings: a flag, else the environment, else `synaptask.toml`, else the default.

use crate::limits::Rule;
use crate::operations;
use http::uri::Authority;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{Limits, Retention};
use thiserror::Error;

/// The settings file's name, looked for in the data directory and then in the current one.
const FILE_NAME: &str = "synaptask.toml";

/// What is wrong with the settings.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("{name}: {reason}")]
    Variable { name: &'static str, reason: String },
    #[error("{0}")]
    Unsupported(&'static str),
}

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The directory with the data.
    pub data: PathBuf,
    /// `HOST:PORT` to listen on.
    pub listen: String,
    /// What is logged, as a filter of `tracing`.
    pub log: String,
    pub limits: LimitSettings,
    /// How long history is kept (H2).
    pub history: Retention,
    /// Origins besides the server's own whose pages may use a browser's session.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The largest body of a request, and the largest message over a socket.
    pub body_bytes_max: usize,
    /// How many TCP connections are served at once.
    pub connections_max: usize,
    /// How many messages may wait to be sent on one connection, and how many bytes of them.
    pub line_entries_max: usize,
    pub line_bytes_max: usize,
    /// How long a client may take to send a request's headers, and how long it may be silent between requests.
    pub header_timeout: Duration,
    /// How long a client may take to send a body.
    pub body_timeout: Duration,
    /// How long what was sent may stay unacknowledged by a client's system before the connection is given up.
    pub stall_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            data: PathBuf::from("synaptask-data"),
            listen: "127.0.0.1:8000".into(),
            log: "info".into(),
            limits: LimitSettings::default(),
            history: Retention::default(),
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            body_bytes_max: 1 << 20,
            connections_max: 10_000,
            line_entries_max: 1_000,
            line_bytes_max: 8 << 20,
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(10),
        }
    }
}

/// REST, per user and route (R3).
pub const REST: (&str, Rule) = ("rest", Rule::per_s(300, 60));
/// `GET /api/health`, per address (R4).
pub const HEALTH: [(&str, Rule); 2] =
    [("health.minute", Rule::per_s(120, 60)), ("health.hour", Rule::per_s(10_000, 3_600))];
/// What a caller without an account may read, per address.
pub const PUBLIC: (&str, Rule) = ("public", Rule::per_s(300, 60));
/// Socket connects (R5).
pub const CONNECT_ADDRESS: (&str, Rule) = ("connect.address", Rule::per_s(10, 60));
/// Socket connects (R5).
pub const CONNECT_USER: (&str, Rule) = ("connect.user", Rule::per_s(20, 60));
/// Sockets a user may have open (R5): the count alone matters.
pub const OPEN_USER: (&str, Rule) = ("open.user", Rule { count: 10, window_ms: 0 });

/// Events passed on, a socket (R8).
pub const RELAY: (&str, Rule) = ("relay", Rule::per_s(30, 1));

/// Which limits hold (R6).
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSettings {
    /// False switches every limit off.
    pub on: bool,
    /// Limits that differ from their default, by name; `None` is no limit.
    changed: HashMap<String, Option<Rule>>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        LimitSettings { on: true, changed: HashMap::new() }
    }
}

impl LimitSettings {
    /// The rule that holds under a name; `None` when there is no limit.
    pub fn rule(&self, (name, default): (&str, Rule)) -> Option<Rule> {
        if self.on { self.changed.get(name).copied().unwrap_or(Some(default)) } else { None }
    }
}

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
    pub trusted_proxies: Option<Vec<IpAddr>>,
    pub body_bytes_max: Option<usize>,
    pub connections_max: Option<usize>,
    pub line_entries_max: Option<usize>,
    pub line_bytes_max: Option<usize>,
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
    fn apply(self, to: &mut Retention) {
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

fn set<T>(to: &mut T, from: Option<T>) {
    if let Some(from) = from {
        *to = from;
    }
}

impl Settings {
    /// Puts the settings together. `file` is the file that was asked for, if any; `variable` reads the environment.
    ///
    /// # Errors
    /// [`ConfigError`], naming the setting that is wrong.
    pub fn load(
        flags: Layer,
        file: Option<PathBuf>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Settings, ConfigError> {
        let environment = from_environment(&variable)?;
        let data = flags.data.clone().or_else(|| environment.data.clone());
        let file = file.or_else(|| given(&variable, "SYNAPTASK_CONFIG").map(PathBuf::from));
        let file = match file {
            Some(path) => read_file(&path)?,
            None => match found_file(data.as_deref()) {
                Some(path) => read_file(&path)?,
                None => Layer::default(),
            },
        };
        Settings::from_layers([flags, environment, file])
    }

    /// The first layer that has a word on a setting decides it.
    fn from_layers(layers: [Layer; 3]) -> Result<Settings, ConfigError> {
        let mut settings = Settings::default();
        // From the weakest on, so that the stronger ones write over it.
        for layer in layers.into_iter().rev() {
            settings.apply(layer)?;
        }
        Ok(settings)
    }

    fn apply(&mut self, layer: Layer) -> Result<(), ConfigError> {
        if layer.database.is_some() {
            return Err(ConfigError::Unsupported(
                "this version keeps its data in SQLite alone: set `data` instead of `database`",
            ));
        }
        set(&mut self.data, layer.data);
        set(&mut self.listen, layer.listen);
        set(&mut self.log, layer.log);
        set(&mut self.allowed_origins, layer.allowed_origins);
        set(&mut self.trusted_proxies, layer.trusted_proxies);
        set(&mut self.body_bytes_max, layer.body_bytes_max);
        set(&mut self.connections_max, layer.connections_max);
        set(&mut self.line_entries_max, layer.line_entries_max);
        set(&mut self.line_bytes_max, layer.line_bytes_max);
        set(&mut self.header_timeout, layer.header_timeout_s.map(Duration::from_secs));
        set(&mut self.body_timeout, layer.body_timeout_s.map(Duration::from_secs));
        set(&mut self.stall_timeout, layer.stall_timeout_s.map(Duration::from_secs));
        layer.history.apply(&mut self.history);
        set(&mut self.limits.on, layer.limits.on);
        self.limits.changed.extend(layer.limits.rules);
        Ok(())
    }
}

/// A variable that is set to nothing counts as not set.
fn given(variable: &impl Fn(&str) -> Option<OsString>, name: &str) -> Option<OsString> {
    variable(name).filter(|value| !value.is_empty())
}

fn from_environment(variable: &impl Fn(&str) -> Option<OsString>) -> Result<Layer, ConfigError> {
    let text = |name: &'static str| {
        let value = given(variable, name);
        let wrong = |_| ConfigError::Variable { name, reason: "is not UTF-8".into() };
        value.map(|value| value.into_string().map_err(wrong)).transpose()
    };
    let on = match text("SYNAPTASK_LIMITS")?.as_deref() {
        None => None,
        Some("on") => Some(true),
        Some("off") => Some(false),
        Some(_) => {
            return Err(ConfigError::Variable {
                name: "SYNAPTASK_LIMITS",
                reason: "must be on or off".into(),
            });
        }
    };
    Ok(Layer {
        data: given(variable, "SYNAPTASK_DATA").map(PathBuf::from),
        listen: text("SYNAPTASK_LISTEN")?,
        log: text("SYNAPTASK_LOG")?,
        database: text("SYNAPTASK_DATABASE")?,
        limits: LimitsLayer { on, rules: BTreeMap::new() },
        ..Layer::default()
    })
}

fn found_file(data: Option<&Path>) -> Option<PathBuf> {
    let default = Settings::default().data;
    let places = [data.unwrap_or(&default).join(FILE_NAME), PathBuf::from(FILE_NAME)];
    places.into_iter().find(|path| path.is_file())
}

fn read_file(path: &Path) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    parse_file(&text).map_err(|reason| ConfigError::File { path: path.to_owned(), reason })
}

fn parse_file(text: &str) -> Result<Layer, String> {
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
fn check_ranges(layer: &Layer) -> Result<(), String> {
    let size = |value: Option<usize>| value.map(|value| value as u64);
    let (bytes, seconds) = (1 << 10..=1 << 30, 1..=86_400);
    let numbers = [
        ("body_bytes_max", size(layer.body_bytes_max), bytes.clone()),
        ("connections_max", size(layer.connections_max), 1..=1_000_000),
        ("line_entries_max", size(layer.line_entries_max), 1..=1_000_000),
        ("line_bytes_max", size(layer.line_bytes_max), bytes),
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
        "is not an origin: write scheme, host and port alone, as in \"https://app.example:8443\"";
    if entry.contains('*') {
        return Err("has a \"*\", which stands for nothing here: every origin is named by itself");
    }
    let (scheme, place) = entry.split_once("://").ok_or(FORM)?;
    let schematic = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(schematic) {
        return Err(FORM);
    }
    if let Some((_, path)) = place.split_once('/') {
        return Err(if path.is_empty() {
            "ends with \"/\", which no origin does: leave it out"
        } else {
            "has a path, which no origin has: leave it out"
        });
    }
    if !place.is_ascii() {
        return Err("is not written as browsers send it: write the host in its ASCII form, \"xn--…\"");
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
            Err("names the port that its scheme has anyway, which browsers leave out: leave it out")
        }
        _ => Ok(()),
    }
}

/// Every limit that can be set.
pub fn limit_names() -> impl Iterator<Item = &'static str> {
    let rows = operations::ROWS.iter().map(|row| row.limit.name);
    let others = [REST, PUBLIC, CONNECT_ADDRESS, CONNECT_USER, OPEN_USER, RELAY].map(|(name, _)| name);
    rows.chain(others).chain(HEALTH.map(|(name, _)| name))
}

/// Reads one limit; `None` is no limit. What is open at once is merely counted, everything else within a window.
fn read_limit(name: &str, value: &toml::Value) -> Result<Option<Rule>, String> {
    if !limit_names().any(|known| known == name) {
        // Without quotes a dot makes a table of what is in front of it.
        let hint = if value.is_table() { "; a name with a dot stands in quotes" } else { "" };
        return Err(format!("unknown limit `{name}`{hint}"));
    }
    let merely_counted = name == OPEN_USER.0;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(listen: Option<&str>, on: Option<bool>) -> Layer {
        let limits = LimitsLayer { on, rules: BTreeMap::new() };
        Layer { listen: listen.map(str::to_owned), limits, ..Layer::default() }
    }

    #[test]
    fn c8_a_flag_goes_before_the_environment_before_the_file_before_the_default() {
        let cases = [
            (None, None, None, "127.0.0.1:8000"),
            (None, None, Some("file:1"), "file:1"),
            (None, Some("env:1"), Some("file:1"), "env:1"),
            (Some("flag:1"), Some("env:1"), Some("file:1"), "flag:1"),
            (Some("flag:1"), None, None, "flag:1"),
        ];
        for (flag, env, file, want) in cases {
            let layers = [layer(flag, None), layer(env, None), layer(file, None)];
            assert_eq!(Settings::from_layers(layers).unwrap().listen, want);
        }
    }

    #[test]
    fn c8_the_environment_is_read() {
        let variable = |name: &str| match name {
            "SYNAPTASK_DATA" => Some("/srv/tasks".into()),
            "SYNAPTASK_LISTEN" => Some("0.0.0.0:9".into()),
            "SYNAPTASK_LIMITS" => Some("off".into()),
            "SYNAPTASK_LOG" => Some("warn".into()),
            _ => None,
        };
        let settings = Settings::load(Layer::default(), None, variable).unwrap();
        assert_eq!(settings.data, PathBuf::from("/srv/tasks"));
        assert_eq!((settings.listen.as_str(), settings.log.as_str()), ("0.0.0.0:9", "warn"));
        assert_eq!(settings.limits.rule(REST), None);
        let wrong = |name: &str| (name == "SYNAPTASK_LIMITS").then(|| "perhaps".into());
        let error = Settings::load(Layer::default(), None, wrong).unwrap_err();
        assert!(error.to_string().contains("SYNAPTASK_LIMITS"), "{error}");
    }

    #[test]
    fn c8_the_file_beside_the_data_is_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE_NAME), "listen = \"here:1\"").unwrap();
        let flags = Layer { data: Some(dir.path().to_owned()), ..Layer::default() };
        assert_eq!(Settings::load(flags, None, |_| None).unwrap().listen, "here:1");
    }

    #[test]
    fn c9_unknown_keys_are_refused_by_name() {
        for text in ["lisen = \"x\"", "[limits]\n\"graph:got\" = \"1/1s\"", "[limit]\non = true"] {
            let error = parse_file(text).unwrap_err();
            assert!(["lisen", "graph:got", "limit"].iter().any(|name| error.contains(name)), "{error}");
        }
    }

    #[test]
    fn h2_how_long_history_is_kept_can_be_set() {
        let text = "[history]\nkeys_hours = 48\n[history.basic]\ndays = 7\n[history.pro]\ndays = 9\nbatches = 10\nbytes = 11";
        let mut settings = Settings::default();
        settings.apply(parse_file(text).unwrap()).unwrap();
        let default = Retention::default();
        let want = Retention {
            basic: Limits { days: 7, ..default.basic },
            plus: default.plus,
            pro: Limits { days: 9, batches: 10, bytes: 11 },
            keys_kept_ms: 48 * 3_600_000,
        };
        assert_eq!(settings.history, want);
        assert_eq!(Settings::default().history, default);
        for (wrong, named) in [
            ("[history]\nkeys_hours = 23", "keys_hours"),
            ("[history.free]\ndays = 1", "free"),
            ("[history.basic]\nweeks = 1", "weeks"),
            ("[history.basic]\ndays = -1", "days"),
            ("[history.basic]\nbytes = \"20MB\"", "bytes"),
        ] {
            let error = parse_file(wrong).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn r6_every_limit_can_be_changed_or_switched_off() {
        let text = "[limits]\nrest = \"5/1m\"\n\"graph:get\" = \"off\"\n\"open.user\" = \"3\"";
        let mut settings = Settings::default();
        settings.apply(parse_file(text).unwrap()).unwrap();
        let limits = &settings.limits;
        assert_eq!(limits.rule(REST), Some(Rule::per_s(5, 60)));
        assert_eq!(limits.rule(("graph:get", Rule::per_s(10, 10))), None);
        assert_eq!(limits.rule(OPEN_USER).map(|rule| rule.count), Some(3));
        assert_eq!(limits.rule(CONNECT_USER), Some(CONNECT_USER.1));
        for wrong in ["5", "x/1s", "5/1", "5/1d", "5/0s", "on", ""] {
            let error = parse_file(&format!("[limits]\nrest = \"{wrong}\"")).unwrap_err();
            assert!(error.contains("limit `rest`") && error.contains("30/10s"), "{error}");
        }
    }

    #[test]
    fn r6_what_is_wrong_with_a_limit_is_said_by_its_name() {
        for (wrong, named) in [
            ("node = 30", "limit `node`: 30 is neither like"),
            ("node = true", "limit `node`"),
            ("\"node trash\" = [\"30/10s\"]", "limit `node trash`"),
            ("\"open.user\" = \"10/1m\"", "limit `open.user`: \"10/1m\" is neither like \"10\""),
            ("\"open.user\" = \"-1\"", "limit `open.user`"),
            ("\"open.user\" = 3", "limit `open.user`"),
            ("connect.address = \"off\"", "unknown limit `connect`; a name with a dot stands in quotes"),
            ("on = \"off\"", "limits.on: must be true or false"),
        ] {
            let error = parse_file(&format!("[limits]\n{wrong}")).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
        assert_eq!(parse_file("[limits]\non = false").unwrap().limits.on, Some(false));
    }

    #[test]
    fn c13_a_number_out_of_its_range_is_refused_by_name() {
        let huge = i64::MAX;
        for name in [
            "body_bytes_max",
            "connections_max",
            "line_entries_max",
            "line_bytes_max",
            "header_timeout_s",
            "body_timeout_s",
            "stall_timeout_s",
        ] {
            for value in [0, huge] {
                let error = parse_file(&format!("{name} = {value}")).unwrap_err();
                assert!(error.starts_with(&format!("{name}: must be from ")), "{error}");
                assert!(error.contains(&format!("not {value}")), "{error}");
            }
            assert!(parse_file(&format!("{name} = -1")).unwrap_err().contains(name));
            assert!(parse_file(&format!("{name} = 1024")).is_ok(), "{name}");
        }
    }

    #[test]
    fn c13_the_defaults_are_within_their_ranges() {
        let it = Settings::default();
        let layer = Layer {
            body_bytes_max: Some(it.body_bytes_max),
            connections_max: Some(it.connections_max),
            line_entries_max: Some(it.line_entries_max),
            line_bytes_max: Some(it.line_bytes_max),
            header_timeout_s: Some(it.header_timeout.as_secs()),
            body_timeout_s: Some(it.body_timeout.as_secs()),
            stall_timeout_s: Some(it.stall_timeout.as_secs()),
            ..Layer::default()
        };
        assert_eq!(check_ranges(&layer), Ok(()));
    }

    #[test]
    fn c13_an_allowed_origin_is_written_as_browsers_write_it() {
        for right in [
            "https://app.example",
            "http://localhost:3000",
            "https://APP.example:8443",
            "http://127.0.0.1:5173",
            "http://[::1]:5173",
            "http://[::1]",
            "chrome-extension://abcdefghijklmnop",
            "https://xn--bcher-kva.example",
        ] {
            assert!(parse_file(&format!("allowed_origins = [\"{right}\"]")).is_ok(), "{right}");
        }
        for (wrong, helps) in [
            ("*", "every origin is named by itself"),
            ("https://*.example", "every origin is named by itself"),
            ("https://app.example/", "ends with"),
            ("https://app.example/tasks", "has a path"),
            ("app.example", "scheme, host and port"),
            ("null", "scheme, host and port"),
            ("", "scheme, host and port"),
            ("https://", "scheme, host and port"),
            ("://app.example", "scheme, host and port"),
            ("https://app.example:", "scheme, host and port"),
            ("https://app.example:x", "scheme, host and port"),
            ("https://app.example:99999", "scheme, host and port"),
            ("https://me@app.example", "scheme, host and port"),
            ("https://app.example?a", "scheme, host and port"),
            ("https://app example", "scheme, host and port"),
            (" https://app.example", "scheme, host and port"),
            ("https://bücher.example", "ASCII"),
            ("https://app.example:443", "leave it out"),
            ("http://app.example:80", "leave it out"),
        ] {
            let error =
                parse_file(&format!("allowed_origins = [\"https://a.example\", \"{wrong}\"]")).unwrap_err();
            assert!(
                error.contains(&format!("allowed_origins: \"{wrong}\"")) && error.contains(helps),
                "{error}"
            );
        }
    }

    #[test]
    fn c8_a_variable_set_to_nothing_counts_as_not_set() {
        let empty = |name: &str| name.starts_with("SYNAPTASK_").then(OsString::new);
        let dir = tempfile::tempdir().unwrap();
        let flags = Layer { data: Some(dir.path().to_owned()), ..Layer::default() };
        let want = Settings::load(flags.clone(), None, |_| None).unwrap();
        assert_eq!(Settings::load(flags, None, empty).unwrap(), want);
        assert!(parse_file("data = \"\"").is_err());
    }
}
