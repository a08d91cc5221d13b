//! The environment: which variables are settings, and which are unknown.

use super::declared::{SETTINGS, variable};
use super::limit_names;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// The prefix of the server's variables.
const PREFIX: &str = "SYNAPTASK_";
/// The name of the settings file.
pub(super) const CONFIG: &str = "SYNAPTASK_CONFIG";
/// Reserved for other storage than SQLite.
pub(super) const DATABASE: &str = "SYNAPTASK_DATABASE";

/// The server's variables with a value, by name.
pub(super) struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// Selects them. A variable with an empty value counts as not set.
    pub(super) fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let of_ours = |(name, value): (OsString, OsString)| {
            let name = name.into_string().ok()?;
            (name.starts_with(PREFIX) && !value.is_empty()).then_some((name, value))
        };
        let mut all: BTreeMap<_, _> = variables.into_iter().filter_map(of_ours).collect();
        let services: Vec<String> =
            all.keys().filter_map(|name| Some(name.strip_suffix("_SERVICE_HOST")?.to_owned())).collect();
        all.retain(|name, _| !services.iter().any(|service| is_of_service(name, service)));
        Environment(all)
    }

    /// The data directory, if a variable sets it.
    pub(super) fn data(&self) -> Option<PathBuf> {
        self.0.get(&variable("data")).map(PathBuf::from)
    }

    /// The variables that something is found in, with what is found.
    pub(super) fn names<T>(&self, find: impl Fn(&str) -> Option<T>) -> Vec<(String, T)> {
        self.0.keys().filter_map(|name| Some((name.clone(), find(name)?))).collect()
    }

    /// Takes a variable.
    pub(super) fn take(&mut self, name: &str) -> Option<OsString> {
        self.0.remove(name)
    }

    /// A remaining variable that no setting took.
    pub(super) fn left(&self) -> Option<&str> {
        self.0.keys().next().map(String::as_str)
    }
}

/// Kubernetes gives every container variables for each neighbouring service. Those of a service whose name begins
/// with `synaptask` are not for the server.
fn is_of_service(name: &str, service: &str) -> bool {
    let rest = name.strip_prefix(service).unwrap_or_default();
    rest == "_PORT" || rest.starts_with("_PORT_") || rest.starts_with("_SERVICE_")
}

/// The variable of a limit.
pub(super) fn limit_variable(limit: &str) -> String {
    variable(&format!("limits.{limit}"))
}

/// The error for an unknown variable.
pub(super) fn unknown() -> String {
    let settings = SETTINGS.iter().map(super::declared::Setting::variable);
    let mut known: Vec<String> = settings.chain([CONFIG.to_owned()]).collect();
    known.extend(
        limit_names()
            .take(1)
            .map(|limit| format!("{} and one such variable for every other limit", limit_variable(limit))),
    );
    format!("is an unknown variable; the known ones are {}", known.join(", "))
}
