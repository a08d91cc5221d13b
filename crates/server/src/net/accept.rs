//! The accept loop. The number of connections is bounded, and everything a client may delay has a time limit.

use crate::net::tcp::{Handle, Tcp};
use crate::net::unread::Explain;
use axum::Router;
use axum::body::Body;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tower::ServiceExt as _;

/// The bounds on connections: how many there may be, and how long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How many connections may be open at once. Further connections wait to be accepted.
    pub connections_max: usize,
    /// The time for the headers of a request, and between requests.
    pub header_timeout: Duration,
    /// The time for acknowledging what was sent, before the system closes the connection. Without it a client that
    /// has stopped reading would hold the connection forever.
    pub stall_timeout: Duration,
}

/// The pause when the system has no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until told to stop. Then requests in progress are finished and idle connections are closed.
/// The returned channel ends with the last of them.
///
/// Upgraded connections are not waited for: the code that upgraded them closes them.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    explain: Explain,
    mut stop: watch::Receiver<bool>,
) -> mpsc::Receiver<()> {
    let places = Arc::new(Semaphore::new(patience.connections_max));
    let (alive, ended) = mpsc::channel(1);
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                if let Err(error) = prepare(&stream, patience.stall_timeout) {
                    tracing::debug!(%error, "a connection ended before it was set up");
                    continue;
                }
                let tcp = Tcp::new(stream, peer, place, explain);
                tokio::spawn(converse(tcp, router.clone(), patience, stop.clone(), alive.clone()));
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    ended
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// Errors of accept that concern only one client.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn prepare(stream: &TcpStream, stall_timeout: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    // Detects peers that are gone while nothing is sent to them.
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(60)))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(stall_timeout))?;
    #[cfg(not(target_os = "linux"))]
    let _ = stall_timeout;
    Ok(())
}

/// An answer of the router, ready to be sent. No answer is to be cached unless it says so. The header also tells the
/// router's answers from those that [`crate::net::unread`] replaces.
fn prepared(mut response: Response<Body>, handle: &Handle) -> Response<Body> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        handle.upgrade();
    }
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn converse(
    tcp: Tcp,
    router: Router,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
) {
    let handle = tcp.handle();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&handle));
        let (handle, answer) = (Arc::clone(&handle), router.clone().oneshot(request.map(Body::new)));
        async move { answer.await.map(|response| prepared(response, &handle)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.header_timeout)
        .serve_connection(TokioIo::new(tcp), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // A dropped sender also means stop. The guard must not be held across an await.
    let told_to_stop = async { drop(stop.wait_for(|stop| *stop).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = told_to_stop => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
    drop(alive);
}
