//! The rows of signing in with identity providers.

use super::Method::{Delete, Get, Post};
use super::account_request::{AccountRequest, ProviderAnswer};
use super::account_rows::{COOKIE, limit};
use super::fields::INVITE;
use super::input::{Input, Optional, Reading, Required, input, nullable, optional, required};
use super::kinds::{SecretWords, Words};
use super::row::{Row, row};
use crate::engine::Failure;
use crate::wire::SignInFault as Fault;
use crate::wire::{self, PayloadFault, Problem};
use graph::Reason::*;

/// The longest code, state and issuer of an answer, in characters.
const ANSWER_CHARS_MAX: usize = 4_000;

const NAME: Required<Words> = provider("name");
const PROVIDER: Required<Words> = provider("provider");
const NEXT: Optional<Words> = nullable("next", Words(1_000), PayloadFault::InvalidNext)
    .about("A path on this server, to go to afterwards.");
const STATE: Optional<SecretWords> = secret("state").about("The state that the sign-in began with.");
const CODE: Optional<SecretWords> = secret("code").about("What the provider is asked with.");
const ISS: Optional<Words> = optional("iss", Words(ANSWER_CHARS_MAX), PayloadFault::InvalidAnswer)
    .about("The issuer, if the provider names it.");
const ERROR: Optional<Words> =
    optional("error", Words(ANSWER_CHARS_MAX), PayloadFault::InvalidAnswer).about("Why there is no code.");
const OWN_CODE: Required<SecretWords> =
    required("code", SecretWords(ANSWER_CHARS_MAX), PayloadFault::MissingCode, PayloadFault::InvalidAnswer)
        .about("The code that the page got.");
const REDIRECT_URI: Optional<Words> = nullable("redirectUri", Words(2_000), PayloadFault::InvalidRedirectUri)
    .about("The redirect URI with which the page got the code.");

const fn provider(name: &'static str) -> Required<Words> {
    required(name, Words(32), PayloadFault::MissingProvider, PayloadFault::InvalidProvider)
        .about("The name of an identity provider in the settings.")
}

const fn secret(name: &'static str) -> Optional<SecretWords> {
    optional(name, SecretWords(ANSWER_CHARS_MAX), PayloadFault::InvalidAnswer)
}

const START_FAILS: &[Problem] = &[Problem::SignIn(Fault::NotConfigured), Problem::SignIn(Fault::Unavailable)];
const EXCHANGE_FAILS: &[Problem] = &[
    Problem::SignIn(Fault::NotConfigured),
    Problem::SignIn(Fault::Unavailable),
    Problem::SignIn(Fault::CodeRefused),
    Problem::SignIn(Fault::InvalidToken),
    Problem::SignIn(Fault::EmailNotVerified),
    Problem::SignIn(Fault::AccountDisabled),
];
const CALLBACK_FAILS: &[Problem] = &[
    // What a provider sends in the query string may be long.
    Problem::UriTooLong,
    Problem::SignIn(Fault::NotConfigured),
    Problem::SignIn(Fault::State),
    Problem::SignIn(Fault::OtherIssuer),
    Problem::SignIn(Fault::Denied),
    // Though it is a GET, it changes something.
    Problem::Failed(Failure::Storage),
    Problem::SignIn(Fault::Unavailable),
    Problem::SignIn(Fault::CodeRefused),
    Problem::SignIn(Fault::InvalidToken),
    Problem::SignIn(Fault::EmailNotVerified),
    Problem::SignIn(Fault::AccountDisabled),
];

/// The operations of signing in with identity providers.
pub(super) fn rows() -> Vec<Row> {
    vec![
        row("account:oidc", limit("account:oidc", 10, 60))
            .account(input!(AccountRequest::Oidc))
            .rest(Get, &["/api/oidc"])
            .for_anyone()
            .about("Lists the identity providers to sign in with.")
            .answers::<wire::ProvidersAnswer>(),
        row("account:oidc:start", limit("account:oidc:start", 10, 60))
            .account(input!(AccountRequest::OidcStart { name: NAME, next: NEXT, invite: INVITE }))
            .rest(Get, &["/api/oidc/{name}/start"])
            .for_anyone()
            .for_browsers()
            .fails(START_FAILS)
            .about("Sends a browser to an identity provider.")
            .redirects()
            .gives("a redirect to the provider, with Set-Cookie"),
        row("account:oidc:callback", limit("account:oidc:callback", 10, 60))
            .account(input!(AccountRequest::OidcCallback(ProviderAnswer {
                name: NAME,
                state: STATE,
                code: CODE,
                iss: ISS,
                error: ERROR,
            })))
            .rest(Get, &["/api/oidc/{name}/callback"])
            .for_anyone()
            .for_browsers()
            .takes_others()
            .refuses(&[RegistrationClosed, InvalidInvite, TooManyIdentities])
            .fails(CALLBACK_FAILS)
            .about("Takes a browser back from an identity provider, and begins a session.")
            .redirects()
            .gives("a redirect to `next`, with Set-Cookie"),
        row("account:google", limit("account:google", 10, 60))
            .account(input!(AccountRequest::GoogleAuth { code: OWN_CODE, redirect_uri: REDIRECT_URI }))
            .rest(Post, &["/api/google-auth"])
            .for_anyone()
            .refuses(&[RegistrationClosed, InvalidInvite, TooManyIdentities])
            .fails(EXCHANGE_FAILS)
            .about("Begins a session by a code that a page got from Google.")
            .answers::<wire::OwnAccount>()
            .gives(COOKIE),
        row("account:identity:remove", limit("account:identity:remove", 30, 10))
            .account(input!(AccountRequest::IdentityRemove { provider: PROVIDER }))
            .rest(Delete, &["/api/account/identities"])
            .for_sessions()
            .refuses(&[IdentityNotFound, LastIdentity])
            .about("Removes the identities at a provider from the account.")
            .answers::<wire::Done>(),
    ]
}
