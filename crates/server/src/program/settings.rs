//! The settings: each from its flag, otherwise its environment variable, otherwise `synaptask.toml`, otherwise its
//! default.

mod declared;
mod environment;
mod given;
mod values;

use crate::accounts::AccountSettings;
use crate::app::TransportSettings;
use crate::limits::NAMED_LIMITS;
use crate::operations;
use declared::{SETTINGS, Setting};
use environment::{CONFIG, DATABASE, Environment, limit_variable};
use given::Given;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::Retention;
use thiserror::Error;

/// The name of the settings file, looked for in the data directory and then in the current one.
const FILE_NAME: &str = "synaptask.toml";

/// A problem with the settings.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("{name}: {reason}")]
    Variable { name: String, reason: String },
    /// The settings do not fit together.
    #[error("{key}: {reason}")]
    Together { key: String, reason: &'static str },
}

/// All settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The directory with the data.
    pub data: PathBuf,
    /// `HOST:PORT` to listen on.
    pub listen: String,
    /// `HOST:PORT` to listen on for administration; `None` for nowhere.
    pub admin_listen: Option<String>,
    /// What is logged, as a filter of `tracing`.
    pub log: String,
    /// How long history is kept (H2).
    pub history: Retention,
    /// How many TCP connections may be open at once.
    pub connections_max: usize,
    /// How long a client may take to send a request's headers, and how long it may be idle between requests.
    pub header_timeout: Duration,
    /// The settings of the transports.
    pub transport: TransportSettings,
    /// The settings of accounts.
    pub accounts: AccountSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            data: PathBuf::from("synaptask-data"),
            listen: "127.0.0.1:8000".into(),
            admin_listen: None,
            log: "info".into(),
            history: Retention::default(),
            connections_max: 10_000,
            header_timeout: Duration::from_secs(30),
            transport: TransportSettings::default(),
            accounts: AccountSettings::default(),
        }
    }
}

/// The settings given on the command line.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub data: Option<PathBuf>,
    pub listen: Option<String>,
    pub log: Option<String>,
    pub admin_listen: Option<String>,
}

impl Settings {
    /// Loads the settings: each from its flag, otherwise its variable, otherwise its key in the file, otherwise its
    /// default. `file` is the file that was asked for, if any.
    ///
    /// # Errors
    /// [`ConfigError`], naming the wrong setting.
    pub fn load(
        flags: Flags,
        file: Option<PathBuf>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Settings, ConfigError> {
        let mut environment = Environment::of(variables);
        let file = file.or_else(|| environment.take(CONFIG).map(PathBuf::from));
        let data = flags.data.clone().or_else(|| environment.data());
        let mut settings = Settings::default();
        // In ascending priority, so that later sources overwrite earlier ones.
        if let Some(path) = file.or_else(|| found_file(data.as_deref())) {
            settings.read_file(&path)?;
        }
        settings.read_environment(environment)?;
        let Flags { data, listen, log, admin_listen } = flags;
        settings.data = data.unwrap_or(settings.data);
        settings.listen = listen.unwrap_or(settings.listen);
        settings.log = log.unwrap_or(settings.log);
        settings.admin_listen = admin_listen.or(settings.admin_listen);
        settings.accounts.check().map_err(|(key, reason)| ConfigError::Together { key, reason })?;
        Ok(settings)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        self.read_toml(&text).map_err(|reason| ConfigError::File { path: path.to_owned(), reason })
    }

    /// Reads a settings file.
    fn read_toml(&mut self, text: &str) -> Result<(), String> {
        let table: toml::Table = toml::from_str(text).map_err(|error| syntax(text, &error))?;
        self.read_table("", table)
    }

    /// Reads a table of the file. `above` is its name followed by a dot, or empty.
    fn read_table(&mut self, above: &str, table: toml::Table) -> Result<(), String> {
        for (name, value) in table {
            let key = format!("{above}{name}");
            let named = |setting: &'static Setting| Some((setting, setting.name_in(&key)?));
            match (SETTINGS.iter().find_map(named), value) {
                (Some((setting, name)), value) => {
                    Given::File(value)
                        .put(setting, name, self)
                        .map_err(|reason| format!("{key}: {reason}"))?;
                }
                (None, value) if above == LIMITS => self.read_limit(&name, value)?,
                (None, toml::Value::Table(inner)) if is_table(&key) => {
                    self.read_table(&format!("{key}."), inner)?;
                }
                (None, _) if key == "database" => return Err(NO_DATABASE.to_owned()),
                (None, _) => return Err(format!("unknown setting `{key}`")),
            }
        }
        Ok(())
    }

    fn read_limit(&mut self, name: &str, value: toml::Value) -> Result<(), String> {
        if !limit_names().any(|known| known == name) {
            // Without quotes the part before the dot is a table.
            let hint = if value.is_table() { "; put a name with a dot in quotes" } else { "" };
            return Err(format!("unknown limit `{name}`{hint}"));
        }
        Given::File(value).put_limit(name, self).map_err(|reason| format!("limit `{name}`: {reason}"))
    }

    fn read_environment(&mut self, mut environment: Environment) -> Result<(), ConfigError> {
        let wrong = |name: String| move |reason| ConfigError::Variable { name, reason };
        for setting in SETTINGS {
            for (variable, of) in environment.names(|variable| setting.name_in_variable(variable)) {
                if let Some(value) = environment.take(&variable) {
                    Given::Variable(value).put(setting, &of, self).map_err(wrong(variable))?;
                }
            }
        }
        for limit in limit_names() {
            let name = limit_variable(limit);
            if let Some(value) = environment.take(&name) {
                Given::Variable(value).put_limit(limit, self).map_err(wrong(name))?;
            }
        }
        match environment.left() {
            None => Ok(()),
            Some(DATABASE) => Err(wrong(DATABASE.to_owned())(NO_DATABASE.to_owned())),
            Some(unknown) => Err(wrong(unknown.to_owned())(environment::unknown())),
        }
    }
}

/// What is wrong with the form of a file, and where. The line itself is not shown: there may be a secret in it.
fn syntax(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    line.map_or_else(String::new, |line| format!("line {line}: ")) + error.message()
}

/// The table of the limits.
const LIMITS: &str = "limits.";

const NO_DATABASE: &str = "this version stores its data in SQLite only; set `data` instead of `database`";

/// Whether a key names a table of settings.
fn is_table(key: &str) -> bool {
    let begins = |setting: &Setting, key: &str| {
        setting.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'))
    };
    let of_provider = key.strip_prefix("oidc.").is_some_and(|name| !name.contains('.'));
    of_provider || SETTINGS.iter().any(|setting| begins(setting, key))
}

fn found_file(data: Option<&Path>) -> Option<PathBuf> {
    let default = Settings::default().data;
    let places = [data.unwrap_or(&default).join(FILE_NAME), PathBuf::from(FILE_NAME)];
    places.into_iter().find(|path| path.is_file())
}

/// The help of a flag: its purpose, default and variable.
pub fn flag_help(flag: &str) -> String {
    let Some(setting) = Setting::of_flag(flag) else { return String::new() };
    let help = setting.help.replace('`', "");
    format!("{} [default: {}, env: {}]", capitalized(&help), setting.default_in_words(), setting.variable())
}

/// Every setting, for `--help`: its key, variable, default, values and purpose.
pub fn settings_help() -> String {
    let mut text = String::from("Settings, by their key in synaptask.toml and their environment variable:\n");
    for setting in SETTINGS {
        let (key, variable, help) = (setting.key, setting.variable(), setting.help.replace('`', ""));
        let (values, default) = (setting.values_in_words(), setting.default_in_words());
        text.push_str(&format!(
            "\n  {key}, {variable}\n      {} [{values}; default: {default}]\n",
            capitalized(&help)
        ));
    }
    text.push_str(&format!(
        "\n  limits.\"NAME\", {}\n      One limit; `synaptask operations` lists the names [such as 30/10s, or off]\n",
        limit_variable("NAME"),
    ));
    text
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Every configurable limit.
pub fn limit_names() -> impl Iterator<Item = &'static str> {
    let rows = operations::ROWS.iter().map(|row| row.limit.name);
    rows.chain(NAMED_LIMITS.map(|limit| limit.name))
}

#[cfg(test)]
mod tests;
