//! Logs: structured, on standard error, and without secrets.

use crate::{access_log, socket};
use std::env;
use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;
use tracing::Level;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
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
pub fn start(filter: &str, access_log: bool) -> Result<Guard, String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("log filter `{filter}`: {error}"))?;
    let main = fmt::layer().with_writer(io::stderr).with_ansi(in_colours());
    let (writer, guard) = access_log.then(access_writer).unzip();
    let access = writer.map(|writer| fmt::layer().with_writer(writer).with_ansi(in_colours()));
    tracing_subscriber::registry()
        .with(main.with_filter(filter_fn(|line| line.target() != access_log::TARGET)))
        .with(access.map(|layer| layer.with_filter(filter_fn(|line| line.target() == access_log::TARGET))))
        .with(filter)
        .with(capped())
        .try_init()
        .map_err(|error| error.to_string())?;
    Ok(Guard { _writer: guard })
}

/// Writes what is left of the access log when it is dropped.
pub struct Guard {
    _writer: Option<WorkerGuard>,
}

/// How many lines of the access log may wait to be written. Further ones are dropped: no request waits for its line.
const LINES_MAX: usize = 8_192;

/// Counts the lines that were dropped.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// How many lines of the access log were dropped.
pub fn access_lines_dropped() -> usize {
    DROPPED.get().map_or(0, ErrorCounter::dropped_lines)
}

fn access_writer() -> (NonBlocking, WorkerGuard) {
    let (writer, guard) = aside(io::stderr());
    let _ = DROPPED.set(writer.error_counter());
    (writer, guard)
}

/// A writer that hands lines to a thread of its own.
fn aside(to: impl io::Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LINES_MAX);
    builder.thread_name("access log").finish(to)
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
    use std::io::Write as _;
    use std::sync::mpsc::{Receiver, channel};

    /// Takes nothing until it is told to.
    struct Stuck(Receiver<()>);

    impl io::Write for Stuck {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn m8_nobody_waits_for_a_line_and_what_is_dropped_is_counted() {
        let (free, stuck) = channel();
        let (mut writer, guard) = aside(Stuck(stuck));
        for _ in 0..LINES_MAX + 100 {
            writer.write_all(b"line\n").unwrap();
        }
        // One may be with the writer already.
        let dropped = writer.error_counter().dropped_lines();
        assert!((99..=100).contains(&dropped), "{dropped}");
        drop(free);
        drop(guard);
    }

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
