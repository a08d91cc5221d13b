//! Admission of sockets: credentials, origins, and the limits on connecting.

use super::eio_session::EioSession;
use super::reservation::{Reservation, may_be_used, open_for, reserve_unknown};
use crate::app::{App, Open};
use crate::auth::{self, Credentials, Means, Secret};
use crate::engine::Caller;
use crate::limits::{CONNECT_ADDRESS, Who};
use crate::wire::Problem;
use crate::wire::payload::Json;
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
    // The handshake's reservation is for the first CONNECT of its session; further CONNECTs are counted separately.
    let reservation = match session.take_reservation() {
        Some(reservation) => reservation,
        None => reserve_unknown(app, &session.client)?,
    };
    let credentials = credentials(session, headers, presented).await?;
    if !may_be_used(app, &session.client, headers, &credentials) {
        return Err(Problem::Origin);
    }
    let identity = app.authenticate(&credentials).await.map_err(|refusal| match refusal {
        TokenRefusal::Unknown => Problem::AuthInvalid,
        TokenRefusal::ApiNotAllowed => Problem::api_not_allowed(),
    })?;
    let user = identity.caller.account;
    let open = match reservation {
        Reservation::User(reserved, open) if reserved == user => open,
        Reservation::User(..) => open_for(app, user)?,
        Reservation::Address(counted) => {
            app.give_back(Who::address(session.client.address), CONNECT_ADDRESS, counted);
            open_for(app, user)?
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
