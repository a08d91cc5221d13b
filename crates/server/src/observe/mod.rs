//! What tells an operator how the server is: whether it lives, whether it is ready, and its figures.

mod figures;
mod readiness;

use crate::app::App;
use crate::response;
use crate::wire::{Problem, trace_id};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use readiness::Readiness;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Whether the process answers at all.
pub const LIVE_PATH: &str = "/livez";
/// Whether the server can do what it is asked.
pub const READY_PATH: &str = "/readyz";
/// The figures, on the address for administration alone.
const METRICS_PATH: &str = "/metrics";

/// The format of the figures.
const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What other parts of the server know at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Open connections to the namespace.
    pub connections: usize,
    /// What waits in their outboxes.
    pub outbox_messages: usize,
    pub outbox_bytes: usize,
    /// Lines of the access log that were dropped.
    pub access_lines_dropped: usize,
}

/// Asks those parts.
type Ask = Box<dyn Fn() -> Moment + Send + Sync>;

/// The running server, as it is observed. It is there before the server is, and says that it starts.
pub struct Observer {
    running: OnceLock<Running>,
    readiness: Readiness,
}

struct Running {
    app: Arc<App>,
    now: Ask,
}

impl Observer {
    /// Observes a server on the data in this directory, which is about to start.
    pub fn new(data: PathBuf) -> Arc<Observer> {
        Arc::new(Observer { running: OnceLock::new(), readiness: Readiness::new(data) })
    }

    /// The server runs from now on.
    pub fn runs(&self, app: &Arc<App>, now: impl Fn() -> Moment + Send + Sync + 'static) {
        let _ = self.running.set(Running { app: Arc::clone(app), now: Box::new(now) });
    }

    /// Answers whether the process lives.
    pub fn live(&self) -> Response {
        response::json(StatusCode::OK, Body::from(r#"{"ok":true,"status":"live"}"#))
    }

    /// Answers whether the server is ready.
    ///
    /// # Errors
    /// `unavailable`, with a sentence that says why not.
    pub async fn ready(&self) -> Result<Response, Problem> {
        let Some(running) = self.running.get() else {
            return Err(Problem::NotReady("The server is starting."));
        };
        self.readiness.check(&running.app).await.map_err(Problem::NotReady)?;
        Ok(response::json(StatusCode::OK, Body::from(r#"{"ok":true,"status":"ready"}"#)))
    }

    fn figures(&self) -> Response {
        let text = self.running.get().map_or_else(String::new, figures::text);
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(CONTENT_TYPE, OPENMETRICS);
        response
    }
}

/// The routes of the address for administration.
pub fn admin_routes(observer: &Arc<Observer>) -> Router {
    Router::new().fallback(answer).with_state(Arc::clone(observer))
}

async fn answer(State(observer): State<Arc<Observer>>, request: Request) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let answered = match request.uri().path() {
        LIVE_PATH | READY_PATH | METRICS_PATH if !is_read => Err(Problem::Method),
        LIVE_PATH => Ok(observer.live()),
        READY_PATH => observer.ready().await,
        METRICS_PATH => Ok(observer.figures()),
        _ => Err(Problem::Route),
    };
    answered.unwrap_or_else(|problem| response::refusal(&problem, &trace_id()))
}
