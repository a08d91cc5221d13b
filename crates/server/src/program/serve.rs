//! The whole server: how it starts, its parts, and how it stops.

use super::data_directory::{DataError, make_log};
use super::links;
use super::logging;
use super::printing::print_harmless;
use super::settings::Settings;
use crate::accounts::{Accounts, Outside, OutsideError};
use crate::app::App;
use crate::engine::{self, Engine, StartError};
use crate::net::accept::{Patience, serve};
use crate::net::cors::{Cors, cors};
use crate::net::unread::Explain;
use crate::observe::{self, Moment, Observer};
use crate::response;
use crate::rest;
use crate::socket;
use axum::middleware::from_fn_with_state;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use thiserror::Error;
use tokio::net::{TcpListener, lookup_host};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The time for each step of stopping; in total less than the 10 s allowed (D12).
const DRAIN: Duration = Duration::from_secs(4);
const FINISH: Duration = Duration::from_secs(2);
const CLOSE: Duration = Duration::from_secs(1);
const REQUESTS: Duration = Duration::from_secs(1);
const CLOSE_LOG: Duration = Duration::from_secs(1);

const DAY_MS: i64 = 86_400_000;

/// The server cannot run.
#[derive(Debug, Error)]
pub enum ServerError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Engine(#[from] StartError),
    #[error(transparent)]
    Outside(#[from] OutsideError),
    #[error("cannot listen on {listen}: {source}")]
    Listen { listen: String, source: io::Error },
    #[error("the server became unable to accept connections and has stopped")]
    Accepting,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Serves until the process is told to stop. `ready` is called with the address once requests are accepted.
///
/// # Errors
/// [`ServerError`], when it cannot start or cannot continue.
pub async fn run(settings: Settings, ready: impl FnOnce(SocketAddr, &Engine)) -> Result<(), ServerError> {
    // First, so that a signal during the start is not lost.
    let signals = stop_signals()?;
    run_until(told_to_stop(signals), settings, ready).await
}

async fn run_until(
    told_to_stop: impl Future<Output = ()>,
    settings: Settings,
    ready: impl FnOnce(SocketAddr, &Engine),
) -> Result<(), ServerError> {
    let outside = Outside::start(&settings.accounts)?;
    let observer = Observer::new(settings.data.clone());
    let admin = match &settings.admin_listen {
        Some(address) => Some(Admin::start(address, &observer, &settings).await?),
        None => None,
    };
    let log = make_log(&settings.data)?;
    let of_engine = engine::EngineSettings {
        retention: settings.history,
        session_ms: i64::from(settings.accounts.session_days) * DAY_MS,
        held_entries_max: settings.transport.outbox_entries_max,
        held_bytes_max: settings.transport.outbox_bytes_max,
        ..engine::EngineSettings::default()
    };
    let engine = Engine::start(Box::new(log), of_engine)?;
    let served = match listen(&settings.listen).await {
        Ok((listener, address)) => {
            serve_on((listener, address), &engine, outside, told_to_stop, settings, &observer, ready).await
        }
        Err(error) => {
            engine.drain(DRAIN).await;
            Err(error)
        }
    };
    // However the server ends, its data is in one file (D18).
    engine.closed(CLOSE_LOG).await;
    drop(admin);
    tracing::info!("stopped");
    served
}

/// What serves the address for administration. It ends when it is dropped.
struct Admin {
    _stop: watch::Sender<bool>,
}

/// How many connections it may have.
const ADMIN_CONNECTIONS: usize = 100;

impl Admin {
    async fn start(
        listen_on: &str,
        observer: &Arc<Observer>,
        settings: &Settings,
    ) -> Result<Self, ServerError> {
        let (listener, address) = listen(listen_on).await?;
        let patience = Patience {
            connections_max: ADMIN_CONNECTIONS,
            header_timeout: settings.header_timeout,
            stall_timeout: settings.transport.stall_timeout,
        };
        let explain = Explain { answer: response::unread, headers: "" };
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, observe::admin_routes(observer), patience, explain, stopped));
        tracing::info!(%address, "serving for administration");
        Ok(Admin { _stop: stop })
    }
}

/// Serves until told to stop, and answers the requests begun by then.
async fn serve_on(
    (listener, address): (TcpListener, SocketAddr),
    engine: &Engine,
    outside: Outside,
    told_to_stop: impl Future<Output = ()>,
    settings: Settings,
    observer: &Arc<Observer>,
    ready: impl FnOnce(SocketAddr, &Engine),
) -> Result<(), ServerError> {
    let patience = Patience {
        connections_max: settings.connections_max,
        header_timeout: settings.header_timeout,
        stall_timeout: settings.transport.stall_timeout,
    };
    let origins =
        Cors { mode: settings.transport.cors, allowed_origins: settings.transport.allowed_origins.clone() };
    let explain = Explain { answer: response::unread, headers: origins.without_origin() };
    let own_url = links::server(&settings, Some(address));
    let mut transport = settings.transport;
    // Where people reach the server is an origin of its own.
    transport.allowed_origins.extend(settings.accounts.public_url.as_ref().map(|url| url.at("")));
    let app = App::new(engine.clone(), transport);
    let (sockets_router, sockets) = socket::routes(&app);
    let accounts = Accounts::new(&app, settings.accounts, outside);
    let router = rest::with_rest(sockets_router, &app, &accounts, observer)
        .layer(from_fn_with_state(Arc::new(origins), cors));
    if let Some(link) = accounts.setup_link(&own_url).await {
        let text = "There is no account yet. Open this link to make the first one, an administrator's:";
        if let Err(error) = print_harmless(&format!("{text}\n{link}")) {
            tracing::warn!(%error, "the link to set up the installation cannot be printed");
        }
    }
    let of_moment = sockets.clone();
    observer.runs(&app, move || {
        let (connections, outbox_messages, outbox_bytes) = of_moment.load();
        let access_lines_dropped = logging::access_lines_dropped();
        Moment { connections, outbox_messages, outbox_bytes, access_lines_dropped }
    });
    let (stop, stopped) = watch::channel(false);
    let mut serving = tokio::spawn(serve(listener, router, patience, explain, stopped));
    tracing::info!(%address, "serving");
    ready(address, engine);

    // It ends by itself only on failure. A server that cannot be reached must not appear to run.
    let ended = tokio::select! {
        () = told_to_stop => None,
        ended = &mut serving => Some(ended),
    };
    match &ended {
        None => tracing::info!("stopping"),
        Some(_) => tracing::error!("the server is unable to accept connections; stopping"),
    }
    app.stop();
    let _ = stop.send(true);
    engine.drain(DRAIN).await;
    sockets.finish(FINISH).await;
    sockets.close(CLOSE).await;
    let (failed, requests) = match ended {
        Some(ended) => (true, ended),
        None => (false, serving.await),
    };
    if let Ok(mut requests) = requests {
        // Ends when the last connection is closed. Nothing is sent on the channel.
        let _ = tokio::time::timeout(REQUESTS, requests.recv()).await;
    }
    if failed { Err(ServerError::Accepting) } else { Ok(()) }
}

/// The signals that stop the server: SIGTERM, SIGINT, and SIGHUP, which the system sends when a terminal closes.
fn stop_signals() -> io::Result<Vec<Signal>> {
    let mut kinds = vec![SignalKind::terminate(), SignalKind::interrupt()];
    if !is_hangup_ignored() {
        kinds.push(SignalKind::hangup());
    }
    kinds.into_iter().map(signal).collect()
}

/// Whether the process was started with SIGHUP ignored, as by `nohup`. Listening for the signal would undo that.
fn is_hangup_ignored() -> bool {
    // Only Linux reports this. Elsewhere the signal stops the server.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Signal n is bit n - 1, and SIGHUP is 1.
    mask.is_some_and(|mask| mask & 1 == 1)
}

async fn told_to_stop(mut signals: Vec<Signal>) {
    poll_fn(|context| {
        let told = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if told { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn listen(listen: &str) -> Result<(TcpListener, SocketAddr), ServerError> {
    let failed = |source| ServerError::Listen { listen: listen.to_owned(), source };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no such address");
    for address in lookup_host(listen).await.map_err(failed)? {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let address = listener.local_addr()?;
                return Ok((listener, address));
            }
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    fn settings(data: &tempfile::TempDir) -> Settings {
        let data = data.path().join("data");
        Settings { data, listen: "127.0.0.1:0".into(), ..Settings::default() }
    }

    fn files(data: &tempfile::TempDir) -> Vec<std::ffi::OsString> {
        let entries = std::fs::read_dir(data.path().join("data")).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    }

    // Rules: C1, D18.
    #[tokio::test(flavor = "multi_thread")]
    async fn c1_a_server_that_can_accept_nobody_ends_with_an_error() {
        let data = tempfile::tempdir().unwrap();
        // More than a semaphore holds: the task that accepts connections panics. The settings refuse such a number.
        let settings = Settings { connections_max: usize::MAX, ..settings(&data) };
        let served = run_until(pending(), settings, |_, _| {});
        let served = tokio::time::timeout(Duration::from_secs(20), served).await;
        assert!(matches!(served, Ok(Err(ServerError::Accepting))), "{served:?}");
        assert_eq!(files(&data), ["synaptask.db"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn c1_a_server_that_is_told_to_stop_ends_without_one() {
        let data = tempfile::tempdir().unwrap();
        run_until(ready(()), settings(&data), |_, _| {}).await.unwrap();
        assert_eq!(files(&data), ["synaptask.db"]);
    }
}
