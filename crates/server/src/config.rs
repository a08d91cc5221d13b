//! The settings: a flag, else the environment, else `synaptask.toml`, else the default.

use crate::limits::Rule;
use crate::operations;
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

/// The limits of one source: whether they hold at all, and rules such as `"30/10s"` or `"off"` by name.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LimitsLayer {
    pub on: Option<bool>,
    #[serde(flatten)]
    pub rules: BTreeMap<String, String>,
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
        let file = file.or_else(|| variable("SYNAPTASK_CONFIG").map(PathBuf::from));
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
        for (name, text) in layer.limits.rules {
            // The file's were checked when it was read; the other layers have none.
            if let Some(rule) = parse_rule(&text) {
                self.limits.changed.insert(name, rule);
            }
        }
        Ok(())
    }
}

fn from_environment(variable: &impl Fn(&str) -> Option<OsString>) -> Result<Layer, ConfigError> {
    let text = |name: &'static str| {
        let value = variable(name).filter(|value| !value.is_empty());
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
        data: variable("SYNAPTASK_DATA").filter(|value| !value.is_empty()).map(PathBuf::from),
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
    for (name, rule) in &layer.limits.rules {
        if !limit_names().any(|known| known == name) {
            return Err(format!("unknown limit `{name}`"));
        }
        if parse_rule(rule).is_none() {
            return Err(format!("limit `{name}`: `{rule}` is neither like \"30/10s\" nor \"off\""));
        }
    }
    if layer.history.keys_hours.is_some_and(|hours| hours < KEYS_HOURS_LEAST) {
        return Err(format!("history.keys_hours: must be {KEYS_HOURS_LEAST} or more"));
    }
    Ok(layer)
}

/// Every limit that can be set.
pub fn limit_names() -> impl Iterator<Item = &'static str> {
    let rows = operations::ROWS.iter().map(|row| row.limit.name);
    let others = [REST, PUBLIC, CONNECT_ADDRESS, CONNECT_USER, OPEN_USER, RELAY].map(|(name, _)| name);
    rows.chain(others).chain(HEALTH.map(|(name, _)| name))
}

/// Reads `COUNT/WINDOW` with a window in `s`, `m` or `h`, or `off`; for what is merely counted, `COUNT` alone.
fn parse_rule(text: &str) -> Option<Option<Rule>> {
    if text == "off" {
        return Some(None);
    }
    let Some((count, window)) = text.split_once('/') else {
        return Some(Some(Rule { count: text.parse().ok()?, window_ms: 0 }));
    };
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
    Some(Some(Rule::per_s(count.parse().ok()?, window_s)))
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
        for wrong in ["5", "x/1s", "5/1", "5/1d", "5/0s", "on"] {
            let text = format!("[limits]\nrest = \"{wrong}\"");
            assert_eq!(parse_file(&text).is_err(), wrong != "5", "{wrong}");
        }
    }
}
