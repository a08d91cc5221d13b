//! The named limits that are not limits of operations, and which limits are in force.

use super::{Rule, What};
use std::collections::HashMap;

/// A limit as the settings name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedLimit {
    /// The key under `[limits]`.
    pub name: &'static str,
    /// The rule unless the settings change it.
    pub default: Rule,
}

/// A limit as one request counts under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimit {
    pub limit: NamedLimit,
    /// If one limit applies to several things separately, which of them; otherwise empty.
    pub of: &'static str,
}

impl RequestLimit {
    /// What is counted.
    pub fn what(self) -> What {
        What { limit: self.limit.name, of: self.of }
    }
}

impl From<NamedLimit> for RequestLimit {
    fn from(limit: NamedLimit) -> Self {
        RequestLimit { limit, of: "" }
    }
}

const fn named(name: &'static str, count: usize, window_s: u64) -> NamedLimit {
    NamedLimit { name, default: Rule::per_s(count, window_s) }
}

/// REST, per user and route (R3).
pub const REST: NamedLimit = named("rest", 300, 60);
/// `GET /api/health`, per address (R4).
pub const HEALTH_MINUTE: NamedLimit = named("health.minute", 120, 60);
/// `GET /api/health`, per address (R4).
pub const HEALTH_HOUR: NamedLimit = named("health.hour", 10_000, 3_600);
/// The descriptions of the API and the pages that show them, per address (R4).
pub const DOCUMENTS: NamedLimit = named("documents", 120, 60);
/// Reads by callers without an account, per address (R4).
pub const PUBLIC: NamedLimit = named("public", 300, 60);
/// Requests over REST whose credentials are not valid, per address (R12).
pub const CREDENTIALS_ADDRESS: NamedLimit = named("credentials.address", 60, 60);
/// Failed attempts to sign in, per account: this many in a row, and then one in each window (K9).
pub const LOGIN_ACCOUNT: NamedLimit = named("login.account", 10, 60);
/// Mails with a link for a new password, per account (K17).
pub const RESET_ACCOUNT: NamedLimit = named("reset.account", 5, 3_600);
/// Socket connects of clients that are not known, per address (R5).
pub const CONNECT_ADDRESS: NamedLimit = named("connect.address", 10, 60);
/// Socket connects, per user (R5).
pub const CONNECT_USER: NamedLimit = named("connect.user", 20, 60);
/// Sockets a user may have open (R5). Only the count matters; the window is 0.
pub const OPEN_USER: NamedLimit = named("open.user", 10, 0);
/// Relay events, per socket (R8).
pub const RELAY: NamedLimit = named("relay", 30, 1);

/// All named limits.
pub const NAMED_LIMITS: [NamedLimit; 12] = [
    REST,
    HEALTH_MINUTE,
    HEALTH_HOUR,
    DOCUMENTS,
    PUBLIC,
    CREDENTIALS_ADDRESS,
    LOGIN_ACCOUNT,
    RESET_ACCOUNT,
    CONNECT_ADDRESS,
    CONNECT_USER,
    OPEN_USER,
    RELAY,
];

/// Which limits are in force (R6).
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSettings {
    /// False switches every limit off.
    pub on: bool,
    /// Limits that differ from their default, by name; `None` means no limit.
    pub changed: HashMap<String, Option<Rule>>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        LimitSettings { on: true, changed: HashMap::new() }
    }
}

impl LimitSettings {
    /// The rule in force for a limit; `None` where there is no limit.
    pub fn rule(&self, limit: NamedLimit) -> Option<Rule> {
        if self.on { self.changed.get(limit.name).copied().unwrap_or(Some(limit.default)) } else { None }
    }
}
