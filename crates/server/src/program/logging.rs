//! Logs: structured, on standard error, and without secrets.

use crate::socket;
use std::env;
use std::io::{self, IsTerminal as _};
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Libraries that log everything they receive at finer levels, including handshakes and tokens.
fn talkative() -> impl Iterator<Item = &'static str> {
    socket::LOG_TARGETS.into_iter().chain(["tungstenite", "tokio_tungstenite", "hyper"])
}

/// Starts logging with a filter such as `info` or `synaptask=debug,info`.
///
/// # Errors
/// A sentence about what is wrong with the filter.
pub fn start(filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("log filter `{filter}`: {error}"))?;
    tracing_subscriber::registry()
        .with(fmt::layer().with_writer(io::stderr).with_ansi(in_colours()))
        .with(filter)
        .with(capped())
        .try_init()
        .map_err(|error| error.to_string())
}

/// Colour codes are unreadable in a file or a journal. `NO_COLOR` switches them off.
fn in_colours() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Limits those libraries to info, whatever the filter says.
fn capped() -> Targets {
    Targets::new().with_default(LevelFilter::TRACE).with_targets(talkative().map(|name| (name, Level::INFO)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t23_the_libraries_that_log_handshakes_are_capped() {
        let targets = capped();
        for name in talkative() {
            assert!(!targets.would_enable(&format!("{name}::client"), &Level::DEBUG), "{name}");
            assert!(targets.would_enable(name, &Level::INFO), "{name}");
        }
        assert!(targets.would_enable("synaptask::socket", &Level::DEBUG));
    }
}
