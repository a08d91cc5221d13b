//! What is asked of accounts, on an engine of one's own: what a client cannot see, and what would take a week.

use super::*;
use crate::app::TransportSettings;
use crate::auth::Secret;
use crate::engine::{Engine, EngineSettings, clock};
use crate::operations::{Confidential, Register};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use graph::model::{Key, KeyPurpose, PasswordHash, Plan};
use graph::ops::{UserAdd, UserSet};
use graph::{KeyId, Timestamp};
use std::net::{IpAddr, Ipv4Addr};
use store::SqliteLog;
use uuid::Uuid;

const PASSWORD: &str = "correct horse battery";

struct House {
    accounts: Arc<Accounts>,
    client: Client,
    headers: HeaderMap,
    _data: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(data.path().join("synaptask.db")).unwrap();
        let engine = Engine::start(Box::new(log), EngineSettings::default()).unwrap();
        let app = App::new(engine, TransportSettings::default());
        let settings = AccountSettings { registration: Registration::Open, ..AccountSettings::default() };
        let client = Client { address: IpAddr::V4(Ipv4Addr::LOCALHOST), host: None, scheme: None };
        let outside = Outside::start(&settings).unwrap();
        let accounts = Accounts::new(&app, settings, outside);
        House { accounts, client, headers: HeaderMap::new(), _data: data }
    }

    async fn asks(&self, request: AccountRequest) -> Result<Answer, Problem> {
        let asker =
            Asker { caller: None, client: &self.client, headers: &self.headers, trace_id: "0123456789ab" };
        self.accounts.carry_out(asker, request).await
    }

    async fn login(&self, name: &str, password: &str) -> Result<Answer, Problem> {
        let (email, password) = (email(name), Confidential::new(password.to_owned()));
        self.asks(AccountRequest::Login { email, password }).await
    }

    async fn register(&self, name: &str, invite: Option<&Secret>) -> Result<Answer, Problem> {
        let (email, username) = (email(name), name.to_owned());
        let password = Confidential::new(PASSWORD.to_owned());
        let invite = invite.map(|key| Confidential::new(key.reveal().to_owned()));
        self.asks(AccountRequest::Register(Register { email, username, password, invite })).await
    }

    /// Adds an account with this password as it is stored, or without one.
    async fn adds(&self, name: &str, password: Option<PasswordHash>) {
        let add = UserAdd { password, ..UserAdd::new(email(name), name.to_owned(), Plan::Pro) };
        self.does(Operation::UserAdd(add)).await;
    }

    async fn does(&self, operation: Operation) {
        self.accounts.app.engine.administer(Actor::Server, operation).await.unwrap();
    }

    /// Issues a key that ends then.
    async fn issues(&self, purpose: KeyPurpose, lives_ms: i64) -> Secret {
        let (secret, now) = (Secret::of_key().unwrap(), clock::now());
        let expires = Timestamp::from_ms(now.ms() + lives_ms);
        let key = Key { id: KeyId(Uuid::new_v4()), hash: secret.hash(), purpose, created: now, expires };
        self.does(Operation::Account(Box::new(AccountOperation::KeyIssue(key)))).await;
        secret
    }

    fn user(&self, name: &str) -> Arc<User> {
        self.accounts.app.engine.user_by_email(&email(name)).unwrap()
    }
}

fn email(name: &str) -> String {
    format!("{name}@example.com")
}

fn name_of(answer: Result<Answer, Problem>) -> String {
    answer.map_or_else(|problem| problem.name(), |_| "ok".to_owned())
}

// Rules: K8.
#[tokio::test(flavor = "multi_thread")]
async fn k8_whoever_it_is_that_does_not_come_in_the_work_is_the_same() {
    let house = House::new();
    house.register("anna", None).await.unwrap();
    house.register("ben", None).await.unwrap();
    house.does(Operation::UserDisable { user: house.user("ben").id }).await;
    house.adds("cleo", None).await;
    for (name, password, want) in [
        ("anna", PASSWORD, "ok"),
        ("anna", "wrong password", "unauthorized"),
        ("ben", PASSWORD, "unauthorized"),
        ("cleo", PASSWORD, "unauthorized"),
        ("nobody", PASSWORD, "unauthorized"),
    ] {
        let before = house.accounts.passwords.computed();
        assert_eq!(name_of(house.login(name, password).await), want, "{name}");
        assert_eq!(house.accounts.passwords.computed() - before, 1, "{name}");
    }
}

// Rules: K9.
#[tokio::test(flavor = "multi_thread")]
async fn k9_over_the_limit_no_hash_is_computed_and_the_right_password_is_not_looked_at() {
    let house = House::new();
    house.register("anna", None).await.unwrap();
    for name in ["anna", "nobody"] {
        for _ in 0..10 {
            assert_eq!(name_of(house.login(name, "wrong password").await), "unauthorized");
        }
        let before = house.accounts.passwords.computed();
        assert_eq!(name_of(house.login(name, PASSWORD).await), "rate_limited");
        assert_eq!(house.accounts.passwords.computed(), before);
    }
}

// Rules: K6.
#[tokio::test(flavor = "multi_thread")]
async fn k6_an_outdated_hash_is_renewed_at_login_and_ends_no_session() {
    let house = House::new();
    let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
    let old = weak.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    house.adds("anna", Some(PasswordHash::from_phc(old.clone()))).await;
    house.login("anna", "wrong password").await.unwrap_err();
    assert_eq!(house.user("anna").password.as_ref().unwrap().phc(), old);
    for _ in 0..2 {
        house.login("anna", PASSWORD).await.unwrap();
        let now = house.user("anna").password.clone().unwrap();
        assert!(now.phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", now.phc());
    }
    assert_eq!(house.accounts.app.engine.tokens_of(house.user("anna").id).len(), 2);
}

// Rules: K13, K14, K17.
#[tokio::test(flavor = "multi_thread")]
async fn k13_a_key_that_is_over_or_for_something_else_is_none() {
    let house = House::new();
    house.register("anna", None).await.unwrap();
    let user = house.user("anna").id;
    let invite = || KeyPurpose::Invite { email: None, by: None };
    let reset = |key: &Secret| AccountRequest::PasswordReset {
        key: Confidential::new(key.reveal().to_owned()),
        password: Confidential::new("six blue tractors".to_owned()),
    };
    let over = house.issues(invite(), -1).await;
    assert_eq!(name_of(house.register("ben", Some(&over)).await), "forbidden.invalid_invite");
    let over = house.issues(KeyPurpose::Reset { user }, -1).await;
    assert_eq!(name_of(house.asks(reset(&over)).await), "forbidden.invalid_key");
    let other = house.issues(KeyPurpose::Reset { user }, 60_000).await;
    assert_eq!(name_of(house.register("ben", Some(&other)).await), "forbidden.invalid_invite");
    let set_up = house.issues(KeyPurpose::Setup, 60_000).await;
    assert_eq!(name_of(house.register("ben", Some(&set_up)).await), "forbidden.invalid_invite");
    let other = house.issues(invite(), 60_000).await;
    assert_eq!(name_of(house.asks(reset(&other)).await), "forbidden.invalid_key");
    assert_eq!(name_of(house.register("ben", Some(&other)).await), "ok");
    let disabled = house.issues(KeyPurpose::Reset { user }, 60_000).await;
    house.does(Operation::UserDisable { user }).await;
    assert_eq!(name_of(house.asks(reset(&disabled)).await), "forbidden.invalid_key");
}

// Rules: K17.
#[tokio::test(flavor = "multi_thread")]
async fn k17_another_email_or_password_ends_a_link_that_was_sent_before() {
    let house = House::new();
    house.register("anna", None).await.unwrap();
    let user = house.user("anna").id;
    let key = house.issues(KeyPurpose::Reset { user }, 60_000).await;
    let set = UserSet { email: Some(email("anne")), ..UserSet::of(user) };
    house.does(Operation::UserSet(set)).await;
    let reset = AccountRequest::PasswordReset {
        key: Confidential::new(key.reveal().to_owned()),
        password: Confidential::new("six blue tractors".to_owned()),
    };
    assert_eq!(name_of(house.asks(reset).await), "forbidden.invalid_key");
}
