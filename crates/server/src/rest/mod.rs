//! REST: every path of the table of operations, `GET /api/health`, and the pages. It only translates.

mod account;
mod compression;
mod docs;
mod response_permits;
mod snapshot;

use crate::access_log::AccessLine;
use crate::accounts::Accounts;
use crate::app::App;
use crate::aside;
use crate::auth::{self, Means, Origin};
use crate::body::read_body;
use crate::described;
use crate::dispatch::{self, Reply, dispatch};
use crate::engine::{Caller, Outcome, PublicRead, Read};
use crate::limits::{CREDENTIALS_ADDRESS, DOCUMENTS, HEALTH_HOUR, HEALTH_MINUTE, PUBLIC, REST};
use crate::limits::{RequestLimit, Who};
use crate::measure::Transport;
use crate::net::forwarded::Client;
use crate::net::tcp::Handle;
use crate::observe::{LIVE_PATH, Observer, READY_PATH};
use crate::operations::{self, Asked, Parameter, Row};
use crate::pages;
use crate::response;
use crate::wire::payload::Json;
use crate::wire::{self, Problem, Snapshot, trace_id};
use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::response::Response;
use compression::{Answered, compressing};
use futures_util::FutureExt as _;
use graph::tokens::TokenRefusal;
use graph::{Root, UserId};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use response_permits::{ResponsePermit, ResponsePermits, in_slices};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;
use tower::ServiceExt as _;

const HEALTH_PATH: &str = "/api/health";

/// A successful answer, or the problem.
type RestAnswer = Result<Response, Problem>;

/// The state of REST.
struct Rest {
    app: Arc<App>,
    accounts: Arc<Accounts>,
    observer: Arc<Observer>,
    permits: ResponsePermits,
}

/// Makes REST answer every request that the router does not handle.
pub fn with_rest(
    router: Router,
    app: &Arc<App>,
    accounts: &Arc<Accounts>,
    observer: &Arc<Observer>,
) -> Router {
    let (app, accounts, observer) = (Arc::clone(app), Arc::clone(accounts), Arc::clone(observer));
    let rest = Arc::new(Rest { app, accounts, observer, permits: ResponsePermits::default() });
    let service = compressing(move |request| respond(rest, request));
    let answer = move |request: Request| service.clone().oneshot(request);
    router.fallback(answer.clone()).method_not_allowed_fallback(answer)
}

/// What a request turned out to be.
#[derive(Clone, Copy)]
struct Noted {
    operation: &'static str,
    /// The path as the table has it: what clients write may have a secret in it.
    path: Option<&'static str>,
    user: Option<UserId>,
}

impl Noted {
    const UNKNOWN: Noted = Noted { operation: "other", path: None, user: None };

    fn row(row: &'static Row, path: &str) -> Self {
        let known = row.paths.iter().find(|known| **known == path).or(row.paths.first());
        Noted { operation: row.event, path: known.copied(), user: None }
    }
}

async fn respond(rest: Arc<Rest>, request: Request) -> Response {
    let begun = Instant::now();
    let trace = trace_id();
    let method = known_method(request.method());
    let address = rest.app.settings.access_log.then(|| client(&rest.app, &request).address);
    let mut noted = Noted::UNKNOWN;
    let is_noted = !is_for_monitoring(request.uri().path());
    let (response, problem) = answered(&rest, request, &trace, &mut noted).await;
    if !is_noted {
        return response;
    }
    let time = begun.elapsed();
    rest.app.figures.note(noted.operation, Transport::Rest, problem.as_ref(), time);
    if let Some(client) = address {
        let Noted { operation, path, user } = noted;
        let access = AccessLine {
            transport: Transport::Rest.name(),
            method: Some(method),
            path,
            operation,
            status: response.status().as_u16(),
            code: problem.as_ref().map(Problem::code_or_class),
            time,
            bytes: response.body().size_hint().exact(),
            user,
            client,
            trace_id: &trace,
        };
        access.note();
    }
    response
}

/// The method, if HTTP has it.
fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// The answer, with the problem if there was one.
async fn answered(
    rest: &Rest,
    request: Request,
    trace: &str,
    noted: &mut Noted,
) -> (Response, Option<Problem>) {
    let path = request.uri().path().to_owned();
    let refuse = |problem: Problem| (refused(&problem, &path, trace), Some(problem));
    if request.method() == Method::OPTIONS {
        let methods = allowed_methods(&path);
        let is_path = !methods.is_empty();
        return if is_path { (response::options(&methods, trace), None) } else { refuse(Problem::Route) };
    }
    let answer = AssertUnwindSafe(answer(rest, request, trace, noted)).catch_unwind().await;
    let answer = answer.unwrap_or_else(|_| {
        let Noted { path, operation, .. } = *noted;
        tracing::error!(trace_id = trace, path, operation, "internal error while answering a request");
        Err(Problem::exception())
    });
    match answer {
        Ok(response) => (response::traced(response, trace), None),
        Err(problem) => refuse(problem),
    }
}

fn refused(problem: &Problem, path: &str, trace: &str) -> Response {
    let response = response::refusal(problem, trace);
    match problem {
        Problem::Method => response::allowing(response, &allowed_methods(path)),
        _ => response,
    }
}

/// The methods that a path supports; empty if there is no such path.
fn allowed_methods(path: &str) -> Vec<&'static str> {
    let is_open = is_for_monitoring(path) || pages::is_at(path) || described::is_at(path);
    let mut methods: Vec<_> = if is_open {
        vec![operations::Method::Get.name()]
    } else {
        rows_at(path).filter_map(|row| row.method.map(operations::Method::name)).collect()
    };
    if methods.contains(&operations::Method::Get.name()) {
        methods.push("HEAD");
    }
    if !methods.is_empty() {
        methods.push("OPTIONS");
    }
    methods
}

fn rows_at(path: &str) -> impl Iterator<Item = &'static Row> {
    operations::ROWS.iter().filter(move |row| row.at(path).is_some())
}

/// The operation that a method and path name, and the parameters of the path. HEAD names the operation of GET; the
/// router leaves out the body.
fn route(method: &Method, path: &str) -> Result<(&'static Row, Vec<Parameter>), Problem> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let mut known = false;
    for row in operations::ROWS.iter() {
        let Some(parameters) = row.at(path) else { continue };
        known = true;
        if row.method.is_some_and(|named| named.name() == method.as_str()) {
            return Ok((row, parameters));
        }
    }
    Err(if known { Problem::Method } else { Problem::Route })
}

async fn answer(rest: &Rest, request: Request, trace: &str, noted: &mut Noted) -> RestAnswer {
    let app = &rest.app;
    if is_for_monitoring(request.uri().path()) {
        return health(rest, request).await;
    }
    if let Some(page) = pages::at(request.uri().path()) {
        return match *request.method() {
            Method::GET | Method::HEAD => Ok(page),
            _ => Err(Problem::Method),
        };
    }
    if described::is_at(request.uri().path()) {
        document(app, &request)?;
        let found = docs::at(request.uri().path(), request.headers()).await;
        return found.unwrap_or(Err(Problem::Route));
    }
    let (row, parameters) = route(request.method(), request.uri().path())?;
    *noted = Noted::row(row, request.uri().path());
    if app.is_stopping() {
        return Err(Problem::unavailable());
    }
    let client = client(app, &request);
    if row.is_account() {
        return account::answer(rest, &client, request, (row, parameters), trace, noted).await;
    }
    let caller = match authenticate(app, &client, request.headers(), row).await {
        Err(stranger) if operations::PUBLIC_EVENTS.contains(&row.event) && stranger.may_read_publications => {
            let query = request.uri().query().unwrap_or_default();
            let who = Who::address(client.address);
            return publication(rest, who, query, request.headers(), row, trace).await;
        }
        known => known?,
    };
    noted.user = Some(caller.account);
    let (parts, body) = request.into_parts();
    let payload = match payload(app, row, &parts, body, parameters).await {
        Err(Problem::Malformed(malformed)) => Err(malformed),
        read => Ok(read?),
    };
    let permit = if row.is_read() { rest.permits.acquire(Who::User(caller.account)).await } else { None };
    let limit = match row.over_rest_alone {
        true => row.limit.into(),
        false => RequestLimit { limit: REST, of: row.event },
    };
    let asked = dispatch::Request {
        caller,
        row,
        payload,
        connection: None,
        answered: true,
        limit,
        passed_on: None,
        load_quota: None,
    };
    let (reply, replied) = oneshot::channel();
    // The caller may have disconnected meanwhile.
    dispatch(app, asked, |what, _| drop(reply.send(what)));
    match replied.await {
        Ok(Reply::Outcome(outcome)) => {
            let answer = success(outcome, row, &parts.headers, permit, trace).await?;
            Ok(account::renewing(rest, &client, &parts.headers, row, answer))
        }
        Ok(Reply::Problem(problem)) => Err(problem),
        // ws:ping has no path. An engine that has ended has dropped the request.
        Ok(Reply::Pong) | Err(_) => Err(Problem::exception()),
    }
}

/// Reads the input of a request: from the query string for GET, otherwise from the body; and from the path.
async fn payload(
    app: &App,
    row: &Row,
    parts: &Parts,
    body: Body,
    parameters: Vec<Parameter>,
) -> Result<Json, Problem> {
    let query = parts.uri.query().unwrap_or_default();
    let mut payload = if row.method == Some(operations::Method::Get) {
        row.read_query(query)?
    } else if query.is_empty() {
        let (bytes_max, within) = (app.settings.body_bytes_max, app.settings.body_timeout);
        Json::from_body(&read_body(&parts.headers, body, bytes_max, within).await?)?
    } else {
        // If it were ignored, a purge of a few could become a purge of all.
        return Err(Problem::malformed("the input belongs in the body, not in the query string"));
    };
    for (name, value) in parameters {
        payload.put_parameter(name, value)?;
    }
    Ok(payload)
}

/// Answers without credentials, for callers with the public token of a publication.
async fn publication(
    rest: &Rest,
    who: Who,
    query: &str,
    headers: &HeaderMap,
    row: &Row,
    trace: &str,
) -> RestAnswer {
    let app = &rest.app;
    let limits = [Some(PUBLIC), row.over_rest_alone.then_some(row.limit)];
    for limit in limits.into_iter().flatten() {
        app.count_named(who, limit).map_err(|over| Problem::limited(over.retry_after_s))?;
    }
    let payload = row.read_query(query)?;
    let read = match operations::decode(row, &payload) {
        Ok(Asked::Read(Read::Branch { root: Root::Token(token), page })) => {
            PublicRead { token, page: Some(page) }
        }
        Ok(Asked::Read(Read::Snapshot { root: Some(Root::Token(token)) })) => {
            PublicRead { token, page: None }
        }
        Err(wrong) if operations::names_token(&payload) => return Err(wrong.into()),
        // Everything else takes an account.
        _ => return Err(Problem::Unauthorized),
    };
    let permit = rest.permits.acquire(who).await;
    let (reply, replied) = oneshot::channel();
    app.engine.read_public(read, Box::new(|outcome| drop(reply.send(outcome))));
    match replied.await {
        Ok(Outcome::Failed(failure)) => Err(failure.into()),
        Ok(outcome) => success(outcome, row, headers, permit, trace).await,
        Err(_) => Err(Problem::exception()),
    }
}

/// A successful answer. A large one holds its response permit.
async fn success(
    outcome: Outcome,
    row: &Row,
    headers: &HeaderMap,
    permit: Option<ResponsePermit>,
    trace: &str,
) -> RestAnswer {
    let permit = permit.map(Arc::new);
    if let Outcome::Snapshot { page, rev, anonymous } = outcome {
        return snapshot::answer(Snapshot::new(page, rev, anonymous, trace), headers, permit).await;
    }
    let json = match outcome.entities() {
        ..aside::LARGE_ENTITIES => wire::answer(&outcome, trace).1,
        _ => {
            let trace = trace.to_owned();
            let made = aside::make(move |_| wire::answer(&outcome, &trace).1).await;
            made.ok_or_else(Problem::exception)?
        }
    };
    let json = wire::into_string(json);
    let answered = Answered { bytes: Some(json.len()), compressible: !row.carries_secret, permit };
    Ok(answered.with(response::json(StatusCode::OK, in_slices(json))))
}

fn client(app: &App, request: &Request) -> Client {
    let handle = request.extensions().get::<Arc<Handle>>();
    app.client(handle.map(Arc::as_ref), request.headers())
}

/// Whether what is at a path is asked for by whoever watches the server.
fn is_for_monitoring(path: &str) -> bool {
    matches!(path, HEALTH_PATH | LIVE_PATH | READY_PATH)
}

/// Answers without credentials, for monitoring.
async fn health(rest: &Rest, request: Request) -> RestAnswer {
    let app = &rest.app;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Problem::Method);
    }
    let who = Who::address(client(app, &request).address);
    for limit in [HEALTH_MINUTE, HEALTH_HOUR] {
        app.count_named(who, limit).map_err(|over| Problem::limited(over.retry_after_s))?;
    }
    match request.uri().path() {
        LIVE_PATH => Ok(rest.observer.live()),
        READY_PATH => rest.observer.ready().await,
        _ if app.is_stopping() => Err(Problem::unavailable()),
        _ => Ok(response::json(StatusCode::OK, Body::from(wire::health()))),
    }
}

/// Admits a request without credentials for a description of the API, or for a page that shows one.
fn document(app: &App, request: &Request) -> Result<(), Problem> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Problem::Method);
    }
    let who = Who::address(client(app, request).address);
    app.count_named(who, DOCUMENTS).map_err(|over| Problem::limited(over.retry_after_s))?;
    if app.is_stopping() {
        return Err(Problem::unavailable());
    }
    Ok(())
}

/// A caller without valid credentials, and the problem to answer with.
struct Stranger {
    problem: Problem,
    /// A caller without credentials, or with an expired session cookie, may read publications.
    may_read_publications: bool,
}

impl From<Stranger> for Problem {
    fn from(stranger: Stranger) -> Self {
        stranger.problem
    }
}

async fn authenticate(
    app: &App,
    client: &Client,
    headers: &HeaderMap,
    row: &Row,
) -> Result<Caller, Stranger> {
    let stranger = |problem, may_read_publications| Stranger { problem, may_read_publications };
    let Some(credentials) = auth::credentials(headers) else {
        return Err(stranger(Problem::Unauthorized, true));
    };
    let by_browser = credentials.means == Means::Cookie;
    let identity = match app.authenticate(&credentials).await {
        Ok(identity) => identity,
        Err(refusal) => {
            let counted = app.count_named(Who::address(client.address), CREDENTIALS_ADDRESS);
            let problem = match (counted, refusal) {
                (Err(over), _) => Problem::limited(over.retry_after_s),
                (Ok(_), TokenRefusal::Unknown) => Problem::Unauthorized,
                (Ok(_), TokenRefusal::ApiNotAllowed) => Problem::api_not_allowed(),
            };
            return Err(stranger(problem, by_browser));
        }
    };
    // A browser adds the cookie whichever page made the request.
    if by_browser && row.is_change() && app.origin(client, headers) != Origin::Allowed {
        return Err(stranger(Problem::Origin, false));
    }
    Ok(identity.caller)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t2_t24_unknown_paths_and_methods_have_their_answers() {
        assert!(matches!(route(&Method::GET, "/api/nothing"), Err(Problem::Route)));
        assert!(matches!(route(&Method::GET, "/api/node"), Err(Problem::Method)));
        assert_eq!(route(&Method::HEAD, "/api/graph").unwrap().0.event, "graph:get");
        assert!(matches!(route(&Method::HEAD, "/api/node"), Err(Problem::Method)));
        assert_eq!(route(&Method::PUT, "/api/node").unwrap().0.event, "node:update");
        assert_eq!(route(&Method::POST, "/api/node/public").unwrap().0.event, "node:publish");
        let mut allowed = allowed_methods("/api/node");
        allowed.sort_unstable();
        assert_eq!(allowed, ["DELETE", "OPTIONS", "POST", "PUT"]);
    }
}
