//! The environment: which of its variables are settings, and which are nothing that the server knows.

use super::declared::{SETTINGS, variable};
use super::limit_names;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// How every variable of the server begins.
const PREFIX: &str = "SYNAPTASK_";
/// Names the settings file.
pub(super) const CONFIG: &str = "SYNAPTASK_CONFIG";
/// Kept for another storage than SQLite.
pub(super) const DATABASE: &str = "SYNAPTASK_DATABASE";

/// The server's variables that are set to something, by name.
pub(super) struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// Picks them out. A variable that is set to nothing counts as not set.
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

    /// The data directory, if a variable names it.
    pub(super) fn data(&self) -> Option<PathBuf> {
        self.0.get(&variable("data")).map(PathBuf::from)
    }

    /// Takes a variable out.
    pub(super) fn take(&mut self, name: &str) -> Option<OsString> {
        self.0.remove(name)
    }

    /// A variable that is left, which no setting took.
    pub(super) fn left(&self) -> Option<&str> {
        self.0.keys().next().map(String::as_str)
    }
}

/// Kubernetes gives every container variables for each service beside it. Those of a service whose name begins with
/// `synaptask` are not meant for the server.
fn is_of_service(name: &str, service: &str) -> bool {
    let rest = name.strip_prefix(service).unwrap_or_default();
    rest == "_PORT" || rest.starts_with("_PORT_") || rest.starts_with("_SERVICE_")
}

/// The variable of a limit.
pub(super) fn limit_variable(limit: &str) -> String {
    variable(&format!("limits.{limit}"))
}

/// What is said of a variable that nothing knows.
pub(super) fn unknown() -> String {
    let settings = SETTINGS.iter().map(super::declared::Setting::variable);
    let mut known: Vec<String> = settings.chain([CONFIG.to_owned()]).collect();
    known.extend(
        limit_names().take(1).map(|limit| format!("{} and its like for every limit", limit_variable(limit))),
    );
    format!("is an unknown variable. Known are {}", known.join(", "))
}
