//! How people sign in, and what they do with their account: rules of the groups U and K.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use graph::check::problems;
use graph::model::{Identity, Key, KeyPurpose, PasswordHash, Plan, Token, User};
use graph::ops::{
    AccountOperation as O, CAMERA_BYTES_MAX, CLOSING_GRACE_MS, IDENTITIES_MAX, NewSession, PasswordSet,
    Register, SESSIONS_MAX, SessionStart, SessionsEnded, TokenCreate, UserAdd, UserSet, ViewSet,
};
use graph::tokens::{TokenRefusal, in_force};
use graph::{
    Batch, BatchId, IdSupply, KeyId, LinkId, NodeId, Op, Operation, Projection, Reason, Timestamp, TokenId,
    UserId, World, decide, history_view,
};
use std::sync::Arc;
use uuid::Uuid;

const BEGIN: i64 = 1_000_000_000;

#[derive(Default)]
struct Ids(u128);

impl Ids {
    fn next(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(0x1000 + self.0)
    }
}

impl IdSupply for Ids {
    fn next_node(&mut self) -> NodeId {
        NodeId(self.next())
    }
    fn next_link(&mut self) -> LinkId {
        LinkId(self.next())
    }
    fn next_user(&mut self) -> UserId {
        UserId(self.next())
    }
    fn next_public_token(&mut self) -> String {
        self.next().to_string()
    }
}

struct People {
    world: World,
    ids: Ids,
}

impl People {
    fn new() -> Self {
        let mut world = World::default();
        world.set_clock(Timestamp::from_ms(BEGIN));
        People { world, ids: Ids::default() }
    }

    fn tries(&mut self, actor: Option<UserId>, operation: Operation) -> Result<Batch, Reason> {
        let id = BatchId(self.ids.next());
        let batch =
            decide(&self.world, actor, &operation, id, &mut self.ids).map_err(|refusal| refusal.reason)?;
        // What is done can be taken back.
        let before = format!("{:?}", self.world.users().count());
        self.world.apply(&batch);
        self.world.revert(&batch);
        assert_eq!(format!("{:?}", self.world.users().count()), before);
        self.world.apply(&batch);
        assert_eq!(problems(&self.world), Vec::<String>::new(), "{operation:?}");
        Ok(batch)
    }

    fn does(&mut self, actor: Option<UserId>, operation: Operation) -> Batch {
        self.tries(actor, operation.clone()).unwrap_or_else(|reason| panic!("{operation:?}: {reason:?}"))
    }

    fn account(&mut self, actor: Option<UserId>, operation: O) -> Result<Batch, Reason> {
        self.tries(actor, Operation::Account(Box::new(operation)))
    }

    fn add(&mut self, name: &str) -> UserId {
        let add = UserAdd::new(format!("{name}@example.org"), name.to_owned(), Plan::Pro);
        self.does(None, Operation::UserAdd(UserAdd { password: Some(hash(name)), ..add }));
        self.world.user_by_username(name).unwrap().user.id
    }

    fn user(&self, user: UserId) -> &Arc<User> {
        &self.world.user(user).unwrap().user
    }

    fn session(&mut self, user: UserId) -> TokenId {
        let session = self.new_session(None);
        let id = session.id;
        self.account(None, O::SessionStart(SessionStart { user, session, verified: None })).unwrap();
        id
    }

    fn new_session(&mut self, agent: Option<&str>) -> NewSession {
        let id = self.ids.next();
        NewSession { id: TokenId(id), hash: secret(id), agent: agent.map(str::to_owned) }
    }

    fn token(&mut self, user: UserId) -> TokenId {
        let id = self.ids.next();
        let new = TokenCreate::new(TokenId(id), user, "cli".to_owned(), secret(id));
        self.does(None, Operation::TokenCreate(new));
        TokenId(id)
    }

    fn key(&mut self, purpose: KeyPurpose) -> Key {
        let id = self.ids.next();
        let (created, expires) = (Timestamp::from_ms(0), Timestamp::from_ms(BEGIN + 1_000));
        Key { id: KeyId(id), hash: secret(id), purpose, created, expires }
    }

    fn issue(&mut self, purpose: KeyPurpose) -> Key {
        let key = self.key(purpose);
        let by = match key.purpose {
            KeyPurpose::Invite { by, .. } => by,
            _ => None,
        };
        self.account(by, O::KeyIssue(key.clone())).unwrap();
        key
    }

    fn register(&mut self, name: &str, key: Option<&Key>) -> Result<UserId, Reason> {
        let account = UserAdd::new(format!("{name}@example.org"), name.to_owned(), Plan::Pro);
        let session = Some(self.new_session(None));
        let key = key.map(|key| key.hash);
        self.account(None, O::Register(Register { key, account, identity: None, session }))?;
        Ok(self.world.user_by_username(name).unwrap().user.id)
    }

    fn lets_in(&self, token: TokenId) -> bool {
        self.world.token_by_id(token).is_some_and(|token| in_force(&self.world, &token.hash).is_ok())
    }

    fn sessions(&self, user: UserId) -> Vec<TokenId> {
        let slot = self.world.user(user).unwrap();
        slot.sessions(&self.world).map(|session| session.id).collect()
    }

    fn pass(&mut self, ms: i64) {
        let now = self.world.clock().ms();
        self.world.set_clock(Timestamp::from_ms(now + ms));
    }
}

fn hash(of: &str) -> PasswordHash {
    PasswordHash::from_phc(format!("$argon2id$secret-of-{of}"))
}

fn secret(id: Uuid) -> [u8; 32] {
    let mut hash = [7; 32];
    hash[..16].copy_from_slice(id.as_bytes());
    hash
}

fn set_password(user: UserId, kept: Option<TokenId>) -> PasswordSet {
    PasswordSet { user, password: hash("new"), key: None, verified: None, kept }
}

#[test]
fn u1_a_password_does_not_show_itself() {
    let mut people = People::new();
    let ada = people.add("ada");
    let batch = people.account(None, O::PasswordSet(set_password(ada, None))).unwrap();
    let shown = format!("{batch:?} {:?} {:?}", people.user(ada), set_password(ada, None));
    assert!(!shown.contains("secret") && !shown.contains("argon2id"), "{shown}");
}

// Rules: U1, H4.
#[test]
fn u1_nobodys_history_or_view_shows_how_people_sign_in() {
    let mut people = People::new();
    let [ada, ben] = ["ada", "ben"].map(|name| people.add(name));
    let session = people.new_session(None);
    let identity = |subject: &str| Identity {
        provider: "forge".into(),
        issuer: "https://forge.example".into(),
        subject: subject.into(),
        since: Timestamp::from_ms(BEGIN),
    };
    let key = people.key(KeyPurpose::Reset { user: ada });
    let mail = people.key(KeyPurpose::Email { user: ada, email: "new@example.org".into() });
    let view = ViewSet { camera_position: Some(Some("{}".into())), show_all_cards: None };
    let done: Vec<(Option<UserId>, O)> = vec![
        (None, O::SessionStart(SessionStart { user: ada, session, verified: Some(hash("ada")) })),
        (None, O::IdentityAdd { user: ada, identity: identity("a") }),
        (None, O::KeyIssue(key)),
        (Some(ada), O::KeyIssue(mail)),
        (Some(ada), O::ViewSet(view)),
        (Some(ada), O::PasswordSet(set_password(ada, None))),
        (Some(ada), O::Close { user: ada, verified: None }),
        (None, O::Reopen { user: ada }),
    ];
    for (actor, operation) in done {
        let id = BatchId(people.ids.next());
        let wrapped = Operation::Account(Box::new(operation));
        let batch = decide(&people.world, actor, &wrapped, id, &mut people.ids).unwrap();
        assert!(!batch.entries.is_empty(), "{wrapped:?}");
        let viewers = [ada, ben].into_iter().collect();
        let projection = Projection::before(&people.world, &batch, &viewers);
        people.world.apply(&batch);
        assert!(projection.after(&people.world).is_empty(), "{wrapped:?} is sent to nobody");
        for user in [ada, ben] {
            assert!(!history_view::sees_batch(&people.world, user, &batch), "{wrapped:?}");
        }
        assert_ne!(batch.actor, Some(ada), "{wrapped:?} counts towards her history");
    }
    // An identity is one account's.
    let taken = O::IdentityAdd { user: ben, identity: identity("a") };
    assert_eq!(people.account(None, taken), Err(Reason::IdentityTaken));
    for nth in 0..IDENTITIES_MAX {
        let one_more = O::IdentityAdd { user: ben, identity: identity(&format!("b{nth}")) };
        people.account(None, one_more).unwrap();
    }
    let one_more = O::IdentityAdd { user: ben, identity: identity("b16") };
    assert_eq!(people.account(None, one_more), Err(Reason::TooManyIdentities));
    let found = people.world.user_by_identity("https://forge.example", "b3").unwrap();
    assert_eq!(found.user.id, ben);
    people.does(None, Operation::UserRemove { user: ben });
    assert!(people.world.user_by_identity("https://forge.example", "b3").is_none());
}

#[test]
fn u3_sessions_end_one_by_one_or_all_others_and_the_oldest_makes_room() {
    let mut people = People::new();
    let [ada, ben] = ["ada", "ben"].map(|name| people.add(name));
    let [first, second, third] = [(); 3].map(|()| {
        people.pass(1);
        people.session(ada)
    });
    let bens = people.session(ben);
    let end = |which| O::SessionEnd { user: ada, which };
    assert_eq!(people.account(Some(ada), end(SessionsEnded::One(bens))), Err(Reason::SessionNotFound));
    assert_eq!(people.account(Some(ben), end(SessionsEnded::One(first))), Err(Reason::NoPermission));
    people.account(Some(ada), end(SessionsEnded::One(first))).unwrap();
    assert_eq!(people.account(Some(ada), end(SessionsEnded::One(first))), Err(Reason::SessionNotFound));
    people.account(Some(ada), end(SessionsEnded::AllBut(third))).unwrap();
    assert_eq!(people.sessions(ada), [third]);
    assert!(!people.lets_in(second) && people.lets_in(third) && people.lets_in(bens));
    for _ in 1..SESSIONS_MAX {
        people.pass(1);
        people.session(ada);
    }
    assert!(people.lets_in(third));
    people.session(ada);
    assert!(!people.lets_in(third), "it was the oldest");
    assert_eq!(people.sessions(ada).len(), SESSIONS_MAX);
    // What a browser calls itself is kept in part.
    let agent = format!("Browser\n\u{1b}[2J{}", "x".repeat(300));
    let session = people.new_session(Some(&agent));
    let id = session.id;
    people.account(None, O::SessionStart(SessionStart { user: ben, session, verified: None })).unwrap();
    let kept = people.world.token_by_id(id).unwrap().agent.clone().unwrap();
    assert!(kept.starts_with("Browser[2Jxxx") && kept.chars().count() == 200, "{kept}");
}

#[test]
fn u4_a_token_with_an_expiry_time_ends_then() {
    let mut people = People::new();
    let ada = people.add("ada");
    let id = people.ids.next();
    let expires = Some(Timestamp::from_ms(BEGIN + 10));
    let new = TokenCreate { expires, ..TokenCreate::new(TokenId(id), ada, "ci".into(), secret(id)) };
    people.does(None, Operation::TokenCreate(new));
    people.pass(9);
    assert!(people.lets_in(TokenId(id)));
    people.pass(1);
    assert_eq!(in_force(&people.world, &secret(id)).err(), Some(TokenRefusal::Unknown));
}

// Rules: U3, K16, K17.
#[test]
fn k16_a_new_password_ends_the_other_sessions_and_the_links_for_one() {
    let mut people = People::new();
    let ada = people.add("ada");
    let [kept, other] = [people.session(ada), people.session(ada)];
    let api = people.token(ada);
    let key = people.issue(KeyPurpose::Reset { user: ada });
    let outdated = PasswordSet { verified: Some(hash("old")), ..set_password(ada, Some(kept)) };
    assert_eq!(people.account(Some(ada), O::PasswordSet(outdated)), Err(Reason::UserNotFound));
    people.account(Some(ada), O::PasswordSet(set_password(ada, Some(kept)))).unwrap();
    assert!(people.lets_in(kept) && !people.lets_in(other) && people.lets_in(api));
    let late = PasswordSet { key: Some(key.hash), ..set_password(ada, None) };
    assert_eq!(people.account(None, O::PasswordSet(late)), Err(Reason::InvalidKey));
    // A newer link ends the older, and works once.
    let [older, newer] = [(); 2].map(|()| people.issue(KeyPurpose::Reset { user: ada }));
    let by = |key: &Key| O::PasswordSet(PasswordSet { key: Some(key.hash), ..set_password(ada, None) });
    assert_eq!(people.account(None, by(&older)), Err(Reason::InvalidKey));
    people.account(None, by(&newer)).unwrap();
    assert_eq!(people.account(None, by(&newer)), Err(Reason::InvalidKey));
    assert!(people.sessions(ada).is_empty());
    // A login that was checked against the former password is too late.
    let session = people.new_session(None);
    let login = SessionStart { user: ada, session, verified: Some(hash("ada")) };
    assert_eq!(people.account(None, O::SessionStart(login)), Err(Reason::UserNotFound));
}

// Rules: K13, K14, K15.
#[test]
fn k15_an_invitation_works_once_for_whom_it_is() {
    let mut people = People::new();
    let setup = people.issue(KeyPurpose::Setup);
    let newer = people.issue(KeyPurpose::Setup);
    assert_eq!(people.register("ada", Some(&setup)), Err(Reason::InvalidInvite));
    let ada = people.register("ada", Some(&newer)).unwrap();
    assert!(people.user(ada).admin && people.sessions(ada).len() == 1);
    let late = people.issue(KeyPurpose::Setup);
    assert_eq!(people.register("eve", Some(&late)), Err(Reason::InvalidKey), "there is an account");
    let email = Some("Ben@Example.org".to_owned());
    let invite = people.issue(KeyPurpose::Invite { email, by: Some(ada) });
    assert_eq!(people.register("eve", Some(&invite)), Err(Reason::InvalidInvite));
    let ben = people.register("ben", Some(&invite)).unwrap();
    assert!(!people.user(ben).admin);
    assert_eq!(people.register("carl", Some(&invite)), Err(Reason::InvalidInvite));
    let invite = people.issue(KeyPurpose::Invite { email: None, by: Some(ada) });
    people.pass(1_000);
    assert_eq!(people.register("carl", Some(&invite)), Err(Reason::InvalidInvite), "it has ended");
    people.account(None, O::Tidy { sessions: Vec::new() }).unwrap();
    assert_eq!(people.world.keys().count(), 0, "what has ended is removed");
}

#[test]
fn u5_view_settings_are_kept_and_bounded() {
    let mut people = People::new();
    let ada = people.add("ada");
    let view = |camera_position, show_all_cards| O::ViewSet(ViewSet { camera_position, show_all_cards });
    assert_eq!(people.account(Some(ada), view(None, None)), Err(Reason::NoFieldsToUpdate));
    let large = Some(Some("x".repeat(CAMERA_BYTES_MAX + 1)));
    assert_eq!(people.account(Some(ada), view(large, None)), Err(Reason::InvalidView));
    let batch = people.account(Some(ada), view(Some(Some("{\"x\":1}".into())), None)).unwrap();
    assert_eq!(batch.entries.iter().map(|entry| entry.op).collect::<Vec<_>>(), [Op::ViewUpdate]);
    assert!(batch.is_by(ada) && !batch.is_by(UserId(Uuid::nil())));
    people.account(Some(ada), view(None, Some(true))).unwrap();
    let kept = &people.user(ada).view;
    assert_eq!((kept.camera_position.as_deref(), kept.show_all_cards), (Some("{\"x\":1}"), true));
    people.account(Some(ada), view(Some(None), None)).unwrap();
    assert_eq!(people.user(ada).view.camera_position, None);
    assert!(people.account(Some(ada), view(None, Some(true))).unwrap().entries.is_empty());
}

#[test]
fn u7_an_email_is_confirmed_by_the_latest_key_for_it() {
    let mut people = People::new();
    let [ada, ben] = ["ada", "ben"].map(|name| people.add(name));
    let purpose = |email: &str| KeyPurpose::Email { user: ada, email: email.to_owned() };
    let [older, newer] = ["one@example.org", "two@example.org"].map(|email| people.issue(purpose(email)));
    let set = |email: &str, key: &Key| O::EmailSet { user: ada, email: email.into(), key: Some(key.hash) };
    assert_eq!(people.account(None, set("one@example.org", &older)), Err(Reason::InvalidKey));
    assert_eq!(people.account(None, set("one@example.org", &newer)), Err(Reason::InvalidKey));
    people.account(None, set("two@example.org", &newer)).unwrap();
    assert_eq!(people.account(None, set("two@example.org", &newer)), Err(Reason::InvalidKey));
    assert_eq!(people.world.user_by_email("TWO@example.org").unwrap().user.id, ada);
    // Somebody may have taken it meanwhile.
    let late = people.issue(purpose("three@example.org"));
    let email = O::EmailSet { user: ben, email: "Three@example.org".into(), key: None };
    people.account(Some(ben), email).unwrap();
    assert_eq!(people.account(None, set("three@example.org", &late)), Err(Reason::EmailTaken));
}

#[test]
fn u8_a_closed_account_goes_after_its_grace_unless_it_is_opened_again() {
    let mut people = People::new();
    let [ada, ben] = ["ada", "ben"].map(|name| people.add(name));
    let (session, api) = (people.session(ada), people.token(ada));
    let invite = people.issue(KeyPurpose::Invite { email: None, by: Some(ada) });
    let close = || O::Close { user: ada, verified: Some(hash("ada")) };
    assert_eq!(people.account(Some(ben), close()), Err(Reason::NoPermission));
    people.account(Some(ada), close()).unwrap();
    assert!(!people.lets_in(session) && !people.lets_in(api) && people.sessions(ada).is_empty());
    assert_eq!(people.register("eve", Some(&invite)), Err(Reason::InvalidInvite));
    let ends = people.user(ada).closing.unwrap();
    assert_eq!(ends.ms(), BEGIN + CLOSING_GRACE_MS);
    assert_eq!(people.world.next_closing(), Some(ends));
    let again = people.new_session(None);
    let login = O::SessionStart(SessionStart { user: ada, session: again, verified: None });
    assert_eq!(people.account(None, login.clone()), Err(Reason::UserNotFound));
    people.pass(CLOSING_GRACE_MS - 1);
    assert_eq!(people.world.closed_by(people.world.clock()).count(), 0);
    let gone = || O::ClosedRemove { user: ada };
    assert!(people.account(None, gone()).unwrap().entries.is_empty(), "its grace is not over");
    // Opened again, it has its API tokens.
    assert_eq!(people.account(Some(ben), O::Reopen { user: ada }), Err(Reason::NoPermission));
    people.account(None, O::Reopen { user: ada }).unwrap();
    assert_eq!(people.account(None, O::Reopen { user: ada }), Err(Reason::NotClosing));
    assert!(people.lets_in(api) && people.account(None, login).is_ok());
    people.pass(1);
    assert!(people.account(None, gone()).unwrap().entries.is_empty(), "it is open");
    // Closed once more, it goes, with everything of its.
    people.account(Some(ada), O::Close { user: ada, verified: None }).unwrap();
    people.pass(CLOSING_GRACE_MS);
    assert_eq!(people.world.closed_by(people.world.clock()).collect::<Vec<_>>(), [ada]);
    people.account(None, gone()).unwrap();
    let left = people.user(ada);
    assert!(left.is_removed() && left.password.is_none() && left.closing.is_none());
    assert_eq!((people.world.tokens().count(), people.world.next_closing()), (0, None));
}

#[test]
fn u9_a_disabled_accounts_sessions_end_and_its_tokens_come_back() {
    let mut people = People::new();
    let ada = people.add("ada");
    let (session, api) = (people.session(ada), people.token(ada));
    people.does(None, Operation::UserDisable { user: ada });
    assert!(!people.lets_in(session) && !people.lets_in(api));
    people.does(None, Operation::UserEnable { user: ada });
    assert!(!people.lets_in(session) && people.lets_in(api));
}

// Rules: U10, U11.
#[test]
fn u11_administrators_change_accounts_and_one_always_remains() {
    let mut people = People::new();
    let [ada, ben, carl] = ["ada", "ben", "carl"].map(|name| people.add(name));
    let set = |user, admin| Operation::UserSet(UserSet { admin: Some(admin), ..UserSet::of(user) });
    people.does(None, set(ada, true));
    let all = |user| {
        [
            set(user, false),
            Operation::UserDisable { user },
            Operation::UserRemove { user },
            Operation::UserEnable { user },
            Operation::UserAdd(UserAdd::new("eve@example.org".into(), "eve".into(), Plan::Pro)),
        ]
    };
    for operation in all(carl) {
        assert_eq!(people.tries(Some(ben), operation), Err(Reason::NoPermission));
    }
    for operation in all(ada).into_iter().take(3) {
        assert_eq!(people.tries(Some(ada), operation), Err(Reason::LastAdmin));
    }
    let close = O::Close { user: ada, verified: None };
    assert_eq!(people.account(Some(ada), close), Err(Reason::LastAdmin));
    // Who cannot act is no other administrator.
    people.does(Some(ada), set(ben, true));
    people.does(Some(ada), Operation::UserDisable { user: ben });
    assert_eq!(people.tries(Some(ada), set(ada, false)), Err(Reason::LastAdmin));
    people.does(Some(ada), Operation::UserEnable { user: ben });
    people.does(Some(ben), set(ada, false));
    people.does(Some(ben), Operation::UserRemove { user: carl });
    assert_eq!(people.tries(Some(ada), set(ada, true)), Err(Reason::NoPermission));
    // The command line may.
    people.does(None, Operation::UserRemove { user: ben });
}

// Rules: U1, N35.
#[test]
fn u1_what_is_found_by_key_is_found_after_it_was_loaded_too() {
    let mut people = People::new();
    let ada = people.add("ada");
    people.session(ada);
    people.issue(KeyPurpose::Reset { user: ada });
    let entities = people
        .world
        .users()
        .map(|slot| graph::Entity::User(Arc::clone(&slot.user)))
        .chain(people.world.tokens().map(|token| graph::Entity::Token(Arc::clone(token))))
        .chain(people.world.keys().map(|key| graph::Entity::Key(Arc::clone(key))));
    let loaded = World::load(entities.collect::<Vec<_>>(), people.world.rev(), Default::default());
    let token: &Arc<Token> = people.world.tokens().next().unwrap();
    assert_eq!(loaded.token_by_id(token.id), Some(token));
    let key = people.world.keys().next().unwrap();
    assert_eq!((loaded.key(&key.hash), loaded.key_by_id(key.id)), (Some(key), Some(key)));
    assert_eq!(loaded.user(ada).unwrap().keys.len(), 1);
}
