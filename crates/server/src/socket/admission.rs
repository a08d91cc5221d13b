//! Admission of sockets: credentials, origins, and the limits on connecting.

use super::eio_session::EioSession;
use crate::app::{App, Open};
use crate::auth::{self, Credentials, Means, Origin, Secret};
use crate::engine::Caller;
use crate::limits::{CONNECT_ADDRESS, CONNECT_USER, OPEN_USER};
use crate::limits::{Counted, Who};
use crate::net::forwarded::Client;
use crate::wire::Problem;
use crate::wire::payload::Json;
use graph::UserId;
use graph::tokens::TokenRefusal;
use http::HeaderMap;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for the upgrade of a session without credentials: the upgrade may bring them.
const LATE: Duration = Duration::from_secs(1);

/// The content of the `auth` payload of a CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    Nothing,
    Token(Secret),
    /// A value that cannot be a token.
    Nonsense,
}

impl Presented {
    /// Reads the `auth` payload, if present.
    pub fn read(text: Option<&str>) -> Self {
        let Some(text) = text else { return Presented::Nothing };
        match Json::parse(text).as_ref().map(|json| json.get("api_token")) {
            Ok(None | Some(Json::Null)) => Presented::Nothing,
            Ok(Some(Json::Text(secret))) => Presented::Token(Secret::presented(secret)),
            Ok(Some(_)) | Err(_) => Presented::Nonsense,
        }
    }
}

/// An admitted client.
pub struct Admitted {
    pub caller: Caller,
    pub means: Means,
    /// Released when the connection ends.
    pub open: Option<Open>,
}

/// What was counted of a connect before it is admitted.
#[derive(Debug)]
pub enum Reservation {
    /// Nobody is known: it counts for the address. `None` where that limit is off.
    Address(Option<Counted>),
    /// The handshake says who it is.
    User(UserId, Option<Open>),
}

/// Counts a connect by what its handshake says: for the user where it carries a valid token, else for the address until
/// a valid token comes.
///
/// # Errors
/// What the handshake is refused with, over a limit.
pub async fn reserve(app: &Arc<App>, client: &Client, headers: &HeaderMap) -> Result<Reservation, Problem> {
    let credentials = auth::credentials(headers).filter(|found| may_be_used(app, client, headers, found));
    let identity = match credentials {
        Some(found) => app.authenticate(&found.secret).await.ok(),
        None => None,
    };
    match identity {
        Some(identity) => {
            let user = identity.caller.user;
            Ok(Reservation::User(user, seat(app, user)?))
        }
        None => reserve_unknown(app, client),
    }
}

fn reserve_unknown(app: &App, client: &Client) -> Result<Reservation, Problem> {
    let counted = app.count_named(Who::address(client.address), CONNECT_ADDRESS);
    counted.map(Reservation::Address).map_err(|over| Problem::limited(over.retry_after_s))
}

/// Counts a connect for a user, and the socket that they are about to have open.
fn seat(app: &Arc<App>, user: UserId) -> Result<Option<Open>, Problem> {
    let open = match app.settings.limits.rule(OPEN_USER) {
        Some(rule) => Some(app.open(user, rule.count).ok_or(Problem::TooManyConnections)?),
        None => None,
    };
    app.count_named(Who::User(user), CONNECT_USER).map_err(|over| Problem::limited(over.retry_after_s))?;
    Ok(open)
}

/// A browser adds the cookie whatever page opens the connection.
fn may_be_used(app: &App, client: &Client, headers: &HeaderMap, credentials: &Credentials) -> bool {
    credentials.means == Means::Api || app.origin(client, headers) != Origin::Foreign
}

/// Admits a client, or says why not.
/// Admits a client or refuses it.
///
/// # Errors
/// What to tell the client before it is disconnected.
pub async fn admit(
    app: &Arc<App>,
    session: &Arc<EioSession>,
    headers: &HeaderMap,
    presented: Presented,
) -> Result<Admitted, Problem> {
    // The handshake's is for the first CONNECT of its session; further ones count for themselves.
    let reservation = match session.take_reservation() {
        Some(reservation) => reservation,
        None => reserve_unknown(app, &session.client)?,
    };
    let credentials = credentials(session, headers, presented).await?;
    if !may_be_used(app, &session.client, headers, &credentials) {
        return Err(Problem::Origin);
    }
    let identity = app.authenticate(&credentials.secret).await.map_err(|refusal| match refusal {
        TokenRefusal::Unknown => Problem::AuthInvalid,
        TokenRefusal::ApiNotAllowed => Problem::api_not_allowed(),
    })?;
    let user = identity.caller.user;
    let open = match reservation {
        Reservation::User(reserved, open) if reserved == user => open,
        Reservation::User(..) => seat(app, user)?,
        Reservation::Address(counted) => {
            app.give_back(Who::address(session.client.address), CONNECT_ADDRESS, counted);
            seat(app, user)?
        }
    };
    Ok(Admitted { caller: identity.caller, means: credentials.means, open })
}

/// Credentials presented on purpose take precedence over a cookie that a browser adds.
async fn credentials(
    session: &EioSession,
    headers: &HeaderMap,
    presented: Presented,
) -> Result<Credentials, Problem> {
    let in_headers = auth::credentials(headers);
    match (in_headers, presented) {
        (Some(found), _) if found.means == Means::Api => Ok(found),
        (_, Presented::Token(secret)) => Ok(Credentials { secret, means: Means::Api }),
        (_, Presented::Nonsense) => Err(Problem::AuthInvalid),
        (Some(found), Presented::Nothing) => Ok(found),
        (None, Presented::Nothing) => late(session).await.ok_or(Problem::AuthMissing),
    }
}

/// A client that begins by polling connects before its upgrade. The headers of the upgrade may carry its
/// credentials.
async fn late(session: &EioSession) -> Option<Credentials> {
    let upgrade = async {
        while !session.is_websocket() {
            session.progress().await;
        }
    };
    let _ = tokio::time::timeout(LATE, upgrade).await;
    session.late_credentials()
}
