//! Requests that the room `accounts` carries out: who may ask, how often, and the answer as a response.

use super::{Noted, Rest, RestAnswer, authenticate, payload};
use crate::accounts::{Answer, Answered, Asker};
use crate::app::App;
use crate::auth::{self, Means, Origin};
use crate::engine::Caller;
use crate::limits::Who;
use crate::net::forwarded::Client;
use crate::operations::{self, Asked, Callers, Parameter, Row};
use crate::pages;
use crate::response;
use crate::wire::Problem;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{ACCEPT, CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

/// Answers a request of such a row.
pub(super) async fn answer(
    rest: &Rest,
    client: &Client,
    request: Request,
    (row, parameters): (&'static Row, Vec<Parameter>),
    trace: &str,
    noted: &mut Noted,
) -> RestAnswer {
    let shows_pages = row.for_browsers && accepts_pages(request.headers());
    match carry_out(rest, client, request, (row, parameters), trace, noted).await {
        Err(problem) if shows_pages => Ok(pages::failure(problem.status(), &problem.message())),
        answer => answer,
    }
}

/// Whether a browser shows the answer to a person.
fn accepts_pages(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

async fn carry_out(
    rest: &Rest,
    client: &Client,
    request: Request,
    (row, parameters): (&'static Row, Vec<Parameter>),
    trace: &str,
    noted: &mut Noted,
) -> RestAnswer {
    let app = &rest.app;
    let caller = admit(app, client, request.headers(), row).await?;
    noted.user = caller.map(|caller| caller.account);
    let who = caller.map_or_else(|| Who::address(client.address), |caller| Who::User(caller.account));
    // Before the body is read: reading it costs more than counting.
    app.count_named(who, row.limit).map_err(|over| Problem::limited(over.retry_after_s))?;
    if let Some(caller) = caller {
        refuse_scoped(caller, row)?;
    }
    let (parts, body) = request.into_parts();
    let payload = payload(app, row, &parts, body, parameters).await?;
    let Asked::Account(asked) = operations::decode(row, &payload)? else { return Err(Problem::exception()) };
    let asker = Asker { caller, client, headers: &parts.headers, trace_id: trace };
    let answer = into_response(rest.accounts.carry_out(asker, asked).await?);
    Ok(renewing(rest, client, &parts.headers, row, answer))
}

/// A token that may only read changes nothing, and one for a branch is not for the account.
fn refuse_scoped(caller: Caller, row: &Row) -> Result<(), Problem> {
    match caller {
        _ if caller.reads_only && row.is_change() => Err(Problem::read_only()),
        _ if caller.is_guest() => Err(graph::Reason::NoPermission.into()),
        _ => Ok(()),
    }
}

/// The answer to a successful read by a session: its cookie has its full age again, as the session has. What changes
/// something may have ended the session.
pub(super) fn renewing(
    rest: &Rest,
    client: &Client,
    headers: &HeaderMap,
    row: &Row,
    mut answer: Response,
) -> Response {
    let session = auth::credentials(headers).filter(|it| it.means == Means::Cookie);
    if let Some(session) = session.filter(|_| !row.is_change() && row.callers != Callers::Anyone)
        && let Some(cookie) = rest.accounts.session_cookie(client, &session.secret)
    {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}

/// The caller, if the row takes one; or the refusal.
async fn admit(
    app: &App,
    client: &Client,
    headers: &HeaderMap,
    row: &Row,
) -> Result<Option<Caller>, Problem> {
    match row.callers {
        Callers::Known => Ok(Some(authenticate(app, client, headers, row).await?)),
        Callers::Session => {
            let caller = authenticate(app, client, headers, row).await?;
            // What a program presents on purpose is an API token.
            let by_browser = auth::credentials(headers).is_some_and(|it| it.means == Means::Cookie);
            if by_browser { Ok(Some(caller)) } else { Err(Problem::Session) }
        }
        // The browser keeps the cookie of the answer, whichever page made the request: a foreign page could sign its
        // visitor in as somebody else.
        Callers::Anyone => {
            let has_cookie = auth::has_session_cookie(headers);
            let is_refused = match app.origin(client, headers) {
                Origin::Allowed => false,
                Origin::Absent => has_cookie,
                Origin::Foreign => true,
            };
            if row.is_change() && is_refused { Err(Problem::Origin) } else { Ok(None) }
        }
    }
}

fn into_response(Answer { answered, cookies }: Answer) -> Response {
    let mut response = match answered {
        Answered::Json(text) => response::json(StatusCode::OK, Body::from(text)),
        Answered::Redirect(to) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(LOCATION, to);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
    };
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
