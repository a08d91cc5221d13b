//! One identity provider: what it says of itself, kept for a while, and what it says of a person.

use super::http::{Http, is_loopback};
use super::settings::ProviderSettings;
use crate::wire::SignInFault as Fault;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
    CoreErrorResponseType, CoreGrantType, CoreIdTokenClaims, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AdditionalProviderMetadata, AuthType, AuthorizationCode, ClaimsVerificationError,
    ClientId, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// For how long what a provider says of itself is used without asking again.
const FRESH: Duration = Duration::from_secs(3_600);
/// The least time between two attempts to ask it.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(10);
/// The least time between two attempts for the sake of a key that is not known. Anybody can name such a key.
const BETWEEN_KEYS: Duration = Duration::from_secs(60);
/// How far the provider's clock may be ahead, in seconds.
const AHEAD_S_MAX: i64 = 300;
/// The longest subject (OpenID Connect Core, 2).
const SUBJECT_BYTES_MAX: usize = 255;

/// The algorithms that a provider may sign with. Those with a shared secret are not among them.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What RFC 9207 adds to what a provider says of itself.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct IssInAnswers {
    /// Whether its answers name the issuer.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for IssInAnswers {}

type Metadata = ProviderMetadata<
    IssInAnswers,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// An identity provider.
#[derive(Debug)]
pub(super) struct Provider {
    /// Its name in the settings and in paths.
    pub(super) name: String,
    settings: ProviderSettings,
    issuer: IssuerUrl,
    client_id: ClientId,
    known: Mutex<Known>,
}

/// What is known of a provider.
#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, Instant)>,
    attempted: Option<Instant>,
    /// When it was last asked for the sake of an unknown key.
    keys_attempted: Option<Instant>,
}

/// Why a provider is asked what it says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// What is known is old, or nothing is.
    Old,
    /// An id token is signed with a key that is not known.
    UnknownKey,
}

/// How a code came to the server.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) code: String,
    /// To where the provider sent the browser with it: an address, or the word of Google's own library.
    pub(super) redirect: String,
    /// Of a sign-in that this server began.
    pub(super) begun: Option<Begun>,
}

/// What belongs to a sign-in that this server began.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) nonce: String,
    pub(super) pkce_verifier: String,
}

/// A person, as a provider knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) issuer: String,
    /// Their id at the issuer. It never changes.
    pub(super) subject: String,
    /// Their email, if the provider says that it is theirs.
    pub(super) verified_email: Option<String>,
    /// What they may like to be called, the best name first.
    pub(super) names: Vec<String>,
}

impl Provider {
    /// A provider as the settings describe it; `None` if they lack something.
    pub(super) fn new(name: &str, settings: &ProviderSettings) -> Option<Self> {
        Some(Provider {
            name: name.to_owned(),
            issuer: settings.issuer.clone()?,
            client_id: settings.client_id.clone()?,
            settings: settings.clone(),
            known: Mutex::default(),
        })
    }

    /// What people call it.
    pub(super) fn title(&self) -> &str {
        self.settings.title.as_deref().unwrap_or(&self.name)
    }

    /// The address to which the browser goes to sign in.
    ///
    /// # Errors
    /// [`Fault::Unavailable`].
    pub(super) async fn begin(
        &self,
        http: &Http,
        redirect: RedirectUrl,
        state: String,
        begun: Begun,
    ) -> Result<String, Fault> {
        let client = self.client(&self.metadata(http).await?).set_redirect_uri(redirect);
        let verifier = PkceCodeVerifier::new(begun.pkce_verifier);
        let nonce = begun.nonce;
        let (url, ..) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        let is_safe = match url.scheme() {
            "https" => true,
            "http" => url.host_str().is_some_and(is_loopback),
            _ => false,
        };
        if is_safe { Ok(url.into()) } else { Err(self.unavailable("its page to sign in is not https")) }
    }

    /// Whether an answer comes from this provider: one that names its issuer must name this one (RFC 9207). So the
    /// answer of one provider is not mistaken for that of another.
    ///
    /// # Errors
    /// [`Fault::OtherIssuer`], or [`Fault::Unavailable`].
    pub(super) async fn check_sender(&self, http: &Http, iss: Option<&str>) -> Result<(), Fault> {
        let is_right = match iss {
            Some(iss) => iss == self.issuer.as_str(),
            None => {
                let metadata = self.metadata(http).await?;
                !metadata.additional_metadata().authorization_response_iss_parameter_supported
            }
        };
        if is_right { Ok(()) } else { Err(Fault::OtherIssuer) }
    }

    /// Exchanges a code for who the person is.
    ///
    /// # Errors
    /// [`Fault`].
    pub(super) async fn exchange(&self, http: &Http, received: Received) -> Result<Person, Fault> {
        let metadata = self.metadata(http).await?;
        let client = self.client(&metadata);
        let code = AuthorizationCode::new(received.code);
        let request = client.exchange_code(code).map_err(|_| self.unavailable("it has no token endpoint"))?;
        let mut request = request.add_extra_param("redirect_uri", received.redirect);
        let (mut nonce, mut verifier) = (None, None);
        if let Some(begun) = received.begun {
            nonce = Some(begun.nonce);
            verifier = Some(PkceCodeVerifier::new(begun.pkce_verifier));
        }
        if let Some(verifier) = verifier {
            request = request.set_pkce_verifier(verifier);
        }
        let token = request.request_async(http).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(answer) => match answer.error() {
                CoreErrorResponseType::InvalidGrant => Fault::CodeRefused,
                // The operator is to see that the client's id or secret is wrong.
                other => self.unavailable(&format!("it answers {}", printable(other.as_ref()))),
            },
            RequestTokenError::Request(fault) => self.unavailable(&fault.to_string()),
            _ => self.unavailable("its answer is not that of a token endpoint"),
        })?;
        let claims = self.claims(http, client.clone(), &token, nonce.as_deref()).await?;
        self.person(http, &metadata, &token, claims).await
    }

    /// The claims of an id token that is valid. An unknown key may be a new one.
    async fn claims(
        &self,
        http: &Http,
        client: Client,
        token: &CoreTokenResponse,
        nonce: Option<&str>,
    ) -> Result<CoreIdTokenClaims, Fault> {
        match self.verify(&client, token, nonce) {
            Err(Some(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            ))) => {}
            verified => return verified.map_err(|error| self.invalid(error.as_ref())),
        }
        let renewed = self.renewed(http, Why::UnknownKey).await?;
        self.verify(&self.client(&renewed), token, nonce).map_err(|error| self.invalid(error.as_ref()))
    }

    /// Issuer, audience, signature, times, nonce, party and hash. `None` is a fault that the library has no name for.
    fn verify(
        &self,
        client: &Client,
        token: &CoreTokenResponse,
        nonce: Option<&str>,
    ) -> Result<CoreIdTokenClaims, Option<ClaimsVerificationError>> {
        let id_token = token.id_token().ok_or(None)?;
        let verifier =
            client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_issue_time_verifier_fn(|at| {
                let ahead_s = at.timestamp().saturating_sub(crate::engine::clock::now().ms() / 1_000);
                if ahead_s <= AHEAD_S_MAX { Ok(()) } else { Err("issued in the future".to_owned()) }
            });
        let claims = id_token.claims(&verifier, |found: Option<&Nonce>| match nonce {
            Some(sent) if found.is_none_or(|found| found.secret() != sent) => Err("another nonce".to_owned()),
            _ => Ok(()),
        })?;
        if claims.authorized_party().is_some_and(|party| **party != *self.client_id) {
            return Err(None);
        }
        if let Some(hash) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|_| None)?;
            let key = id_token.signing_key(&verifier).map_err(|_| None)?;
            let own = AccessTokenHash::from_token(token.access_token(), algorithm, key).map_err(|_| None)?;
            if own != *hash {
                return Err(None);
            }
        }
        Ok(claims.clone())
    }

    /// Who the claims are about. Some providers tell emails at another address only.
    async fn person(
        &self,
        http: &Http,
        metadata: &Arc<Metadata>,
        token: &CoreTokenResponse,
        claims: CoreIdTokenClaims,
    ) -> Result<Person, Fault> {
        let subject = claims.subject().clone();
        if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
            return Err(self.invalid(None));
        }
        let text = |value: Option<String>| value.filter(|text| !text.is_empty());
        let mut email = text(claims.email().map(|email| email.to_string()));
        let mut is_verified = claims.email_verified();
        let mut names = vec![claims.preferred_username().map(|name| name.to_string())];
        if email.is_none() && metadata.userinfo_endpoint().is_some() {
            let told = self.user_info(http, metadata, token, subject.clone()).await?;
            email = text(told.email().map(|email| email.to_string()));
            is_verified = told.email_verified();
            names.push(told.preferred_username().map(|name| name.to_string()));
        }
        let verified_email = email.filter(|_| self.settings.trust_email || is_verified == Some(true));
        let local = verified_email.as_deref().and_then(|email| email.rsplit_once('@'));
        names.push(local.map(|(local, _)| local.to_owned()));
        Ok(Person {
            issuer: self.issuer.to_string(),
            subject: subject.to_string(),
            verified_email,
            names: names.into_iter().flatten().collect(),
        })
    }

    async fn user_info(
        &self,
        http: &Http,
        metadata: &Arc<Metadata>,
        token: &CoreTokenResponse,
        subject: openidconnect::SubjectIdentifier,
    ) -> Result<CoreUserInfoClaims, Fault> {
        let client = CoreClient::from_provider_metadata(
            Metadata::clone(metadata),
            self.client_id.clone(),
            self.settings.client_secret(),
        );
        let request = client
            .user_info(token.access_token().clone(), Some(subject))
            .map_err(|_| self.unavailable("it has no userinfo endpoint"))?;
        request.request_async(http).await.map_err(|_| self.unavailable("it does not tell about the person"))
    }

    fn client(&self, metadata: &Arc<Metadata>) -> Client {
        let ways = metadata.token_endpoint_auth_methods_supported();
        // Basic is the default (OpenID Connect Discovery, 3).
        let is_basic = ways.is_none_or(|ways| ways.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let secret = self.settings.client_secret();
        CoreClient::from_provider_metadata(Metadata::clone(metadata), self.client_id.clone(), secret)
            .set_auth_type(if is_basic { AuthType::BasicAuth } else { AuthType::RequestBody })
    }

    /// What the provider says of itself.
    async fn metadata(&self, http: &Http) -> Result<Arc<Metadata>, Fault> {
        self.renewed(http, Why::Old).await
    }

    /// The same, asked again if there is a reason and the last time is long enough ago.
    async fn renewed(&self, http: &Http, why: Why) -> Result<Arc<Metadata>, Fault> {
        // Whoever comes while it is asked waits for that answer.
        let mut known = self.known.lock().await;
        let old = known.metadata.clone();
        let is_over = |at: Option<Instant>, pause: Duration| at.is_none_or(|at| at.elapsed() >= pause);
        let may_ask = match why {
            Why::Old => is_over(known.attempted, BETWEEN_ATTEMPTS),
            Why::UnknownKey => is_over(known.keys_attempted, BETWEEN_KEYS),
        };
        if let (Why::Old, Some((metadata, at))) = (why, &old)
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(metadata));
        }
        if may_ask {
            if why == Why::UnknownKey {
                known.keys_attempted = Some(Instant::now());
            }
            known.attempted = Some(Instant::now());
            match Metadata::discover_async(self.issuer.clone(), http).await {
                Ok(metadata) => {
                    let metadata = Arc::new(metadata);
                    known.metadata = Some((Arc::clone(&metadata), Instant::now()));
                    return Ok(metadata);
                }
                Err(error) => {
                    use openidconnect::DiscoveryError as E;
                    let why = match error {
                        E::Request(fault) => fault.to_string(),
                        E::Parse(_) => "it does not describe itself as a provider does".to_owned(),
                        E::Validation(_) => "it names another issuer than the settings".to_owned(),
                        E::Response(status, ..) => format!("it answers {status}"),
                        _ => "it does not answer as a provider does".to_owned(),
                    };
                    let fault = self.unavailable(&why);
                    return old.map(|(metadata, _)| metadata).ok_or(fault);
                }
            }
        }
        old.map(|(metadata, _)| metadata).ok_or(Fault::Unavailable)
    }

    /// The provider does not do what a provider does: the operator is told why.
    fn unavailable(&self, why: &str) -> Fault {
        tracing::warn!(provider = self.name, why, "an identity provider cannot be used");
        Fault::Unavailable
    }

    /// An id token that is not valid. What is wrong with it is told without what stands in it.
    fn invalid(&self, error: Option<&ClaimsVerificationError>) -> Fault {
        use ClaimsVerificationError as E;
        let why = match error {
            Some(E::Expired(_)) => "it has expired, or a clock is wrong",
            Some(E::InvalidAudience(_)) => "it is for another client",
            Some(E::InvalidIssuer(_)) => "it is of another issuer",
            Some(E::InvalidNonce(_)) => "it is for another sign-in",
            Some(E::SignatureVerification(_)) => "its signature is not valid",
            Some(_) => "it is not as the standard says",
            None => "it is missing, or for another party or access token",
        };
        tracing::warn!(provider = self.name, why, "an id token is not valid");
        Fault::InvalidToken
    }
}

/// A code of an error as a provider tells it, for the logs.
fn printable(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}
