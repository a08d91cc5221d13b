//! The settings: a flag, else the environment, else `synaptask.toml`, else the default.

mod layer;

pub use layer::{Layer, LimitsLayer};

use crate::app::TransportSettings;
use crate::limits::NAMED_LIMITS;
use crate::operations;
use layer::parse_file;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::Retention;
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
    /// How long history is kept (H2).
    pub history: Retention,
    /// How many TCP connections are served at once.
    pub connections_max: usize,
    /// How long a client may take to send a request's headers, and how long it may be silent between requests.
    pub header_timeout: Duration,
    /// What the transports work with.
    pub transport: TransportSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            data: PathBuf::from("synaptask-data"),
            listen: "127.0.0.1:8000".into(),
            log: "info".into(),
            history: Retention::default(),
            connections_max: 10_000,
            header_timeout: Duration::from_secs(30),
            transport: TransportSettings::default(),
        }
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
                "this version stores its data in SQLite only; set `data` instead of `database`",
            ));
        }
        let transport = &mut self.transport;
        set(&mut self.data, layer.data);
        set(&mut self.listen, layer.listen);
        set(&mut self.log, layer.log);
        set(&mut transport.allowed_origins, layer.allowed_origins);
        set(&mut transport.cors, layer.cors);
        set(&mut transport.trusted_proxies, layer.trusted_proxies);
        set(&mut transport.body_bytes_max, layer.body_bytes_max);
        set(&mut self.connections_max, layer.connections_max);
        set(&mut transport.outbox_entries_max, layer.outbox_entries_max);
        set(&mut transport.outbox_bytes_max, layer.outbox_bytes_max);
        set(&mut self.header_timeout, layer.header_timeout_s.map(Duration::from_secs));
        set(&mut transport.body_timeout, layer.body_timeout_s.map(Duration::from_secs));
        set(&mut transport.stall_timeout, layer.stall_timeout_s.map(Duration::from_secs));
        layer.history.apply(&mut self.history);
        set(&mut transport.limits.on, layer.limits.on);
        transport.limits.changed.extend(layer.limits.rules);
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

/// Every limit that can be set.
pub fn limit_names() -> impl Iterator<Item = &'static str> {
    let rows = operations::ROWS.iter().map(|row| row.limit.name);
    rows.chain(NAMED_LIMITS.map(|limit| limit.name))
}

#[cfg(test)]
mod tests;
