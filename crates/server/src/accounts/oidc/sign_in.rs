//! The operations of signing in with identity providers.

use super::flow::{self, Flow, is_next};
use super::provider::{Begun, Provider, Received};
use super::{GOOGLE, Providers};
use crate::accounts::{Accounts, Answer, Asker, PublicUrl};
use crate::engine::{Actor, clock};
use crate::operations::{Confidential, ProviderAnswer};
use crate::wire::{PayloadFault, Problem, SignInFault};
use ::http::HeaderValue;
use graph::ops::AccountOperation;
use openidconnect::RedirectUrl;
use serde::Serialize;
use url::Url;

impl Accounts {
    /// Lists the ways to sign in.
    pub(in crate::accounts) fn oidc(&self, asker: Asker<'_>) -> Answer {
        #[derive(Serialize)]
        struct Listed<'a> {
            providers: Vec<ListedProvider<'a>>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct ListedProvider<'a> {
            name: &'a str,
            title: &'a str,
            start_url: String,
        }
        let list = self.providers.as_ref().map_or(&[][..], |providers| &providers.list);
        let providers = list.iter().map(|provider| {
            let start_url = format!("/api/oidc/{}/start", provider.name);
            ListedProvider { name: &provider.name, title: provider.title(), start_url }
        });
        Answer::of(&Listed { providers: providers.collect() }, asker.trace_id)
    }

    /// Sends a browser to a provider.
    pub(in crate::accounts) async fn oidc_start(
        &self,
        name: &str,
        next: Option<&str>,
        invite: Option<&Confidential>,
    ) -> Result<Answer, Problem> {
        let next = next.unwrap_or("/");
        if !is_next(next) {
            return Err(PayloadFault::InvalidNext.into());
        }
        let (providers, provider, server) = self.provider(name)?;
        let now_s = clock::now().ms() / 1_000;
        let flow = Flow::begin(name, next, invite.map(Confidential::reveal), now_s)
            .map_err(|_| Problem::exception())?;
        let permit = providers.permit()?;
        let begun = Begun { nonce: flow.nonce(), pkce_verifier: flow.pkce_verifier() };
        let back = RedirectUrl::new(callback(server, name)).map_err(|_| Problem::exception())?;
        let to = provider.begin(&providers.http, back, flow.state(), begun).await?;
        drop(permit);
        Ok(Answer::redirect(location(&to)?).with_cookie(flow.cookie(server.is_secure())))
    }

    /// Takes a browser back from a provider, and signs it in. Though it is a GET, no other page can sign its visitor in
    /// with it: only the browser that began the sign-in has the cookie that the state belongs to.
    pub(in crate::accounts) async fn oidc_callback(
        &self,
        asker: Asker<'_>,
        answer: ProviderAnswer,
    ) -> Result<Answer, Problem> {
        let (providers, provider, server) = self.provider(&answer.name)?;
        let now_s = clock::now().ms() / 1_000;
        let state = answer.state.as_ref().map(Confidential::reveal).ok_or(SignInFault::State)?;
        let flow = Flow::resume(asker.headers, server.is_secure(), (&answer.name, state), now_s);
        let flow = flow.filter(|flow| providers.used_states.use_up(&flow.state(), now_s));
        let flow = flow.ok_or(SignInFault::State)?;
        let permit = providers.permit()?;
        provider.check_sender(&providers.http, answer.iss.as_deref()).await?;
        let code = answer.code.filter(|_| answer.error.is_none()).ok_or(SignInFault::Denied)?;
        let received = Received {
            code: code.reveal().to_owned(),
            redirect: callback(server, &answer.name),
            begun: Some(Begun { nonce: flow.nonce(), pkce_verifier: flow.pkce_verifier() }),
        };
        let person = provider.exchange(&providers.http, received).await?;
        drop(permit);
        let (_, secret) = self.enter(asker, provider, &person, flow.invite()).await?;
        Ok(Answer::redirect(location(flow.next())?)
            .with_cookie(self.session_cookie(asker.client, &secret))
            .with_cookie(flow::no_cookie(server.is_secure())))
    }

    /// Signs in with a code that a page got from Google.
    pub(in crate::accounts) async fn google_auth(
        &self,
        asker: Asker<'_>,
        code: &Confidential,
        redirect_uri: Option<&str>,
    ) -> Result<Answer, Problem> {
        let (providers, provider, server) = self.provider(GOOGLE)?;
        let redirect = match redirect_uri {
            None => callback(server, GOOGLE),
            Some(uri) if self.is_own_redirect(server, uri) => uri.to_owned(),
            Some(_) => return Err(PayloadFault::InvalidRedirectUri.into()),
        };
        let permit = providers.permit()?;
        let received = Received { code: code.reveal().to_owned(), redirect, begun: None };
        let person = provider.exchange(&providers.http, received).await?;
        drop(permit);
        let (caller, secret) = self.enter(asker, provider, &person, None).await?;
        self.signed_in(asker, caller, &secret).await
    }

    /// Whether a code may have come by way of this address: a page of this server's or of an allowed origin's, or the
    /// popup of Google's own library.
    fn is_own_redirect(&self, server: &PublicUrl, uri: &str) -> bool {
        if uri == "postmessage" {
            return true;
        }
        let Ok(url) = Url::parse(uri) else { return false };
        let origin = url.origin().ascii_serialization();
        let mut allowed = self.app.settings.allowed_origins.iter().map(|one| one.to_ascii_lowercase());
        origin == server.to_string() || allowed.any(|one| one == origin)
    }

    /// Makes the caller unknown by their identities at a provider.
    pub(in crate::accounts) async fn identity_remove(
        &self,
        asker: Asker<'_>,
        provider: String,
    ) -> Result<Answer, Problem> {
        let caller = asker.caller()?;
        let remove =
            AccountOperation::IdentityRemove { user: caller.account, provider, kept: Some(caller.token) };
        self.ask(Actor::Caller(caller), remove).await?;
        Ok(Answer::empty(asker.trace_id))
    }

    fn provider(&self, name: &str) -> Result<(&Providers, &Provider, &PublicUrl), SignInFault> {
        let providers = self.providers.as_ref().ok_or(SignInFault::NotConfigured)?;
        let server = self.settings.public_url.as_ref().ok_or(SignInFault::NotConfigured)?;
        let provider = providers.named(name).ok_or(SignInFault::NotConfigured)?;
        Ok((providers, provider, server))
    }
}

/// To where a provider sends browsers back: an address of its own for each provider, so that one cannot answer for
/// another.
fn callback(server: &PublicUrl, name: &str) -> String {
    server.at(&format!("/api/oidc/{name}/callback"))
}

fn location(to: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(to).map_err(|_| Problem::exception())
}
