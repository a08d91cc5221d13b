//! Sessions, closed accounts and view settings at a running engine.

use crate::support::{Person, Server, Told, until};
use graph::model::TokenKind;
use graph::ops::{AccountOperation, NewSession, SessionStart, SessionsEnded, TokenCreate, TokenSet, ViewSet};
use graph::tokens::TokenRefusal;
use graph::{Operation, Timestamp, TokenId};
use std::time::{Duration, Instant};
use store::{LoadScope, Log};
use synaptask::engine::{Actor, Caller, EngineSettings, Failure};
use uuid::Uuid;

const DAY_MS: i64 = 86_400_000;

fn account(operation: AccountOperation) -> Operation {
    Operation::Account(Box::new(operation))
}

fn now() -> i64 {
    crate::support::now().ms()
}

/// Somebody at another browser of theirs.
fn signed_in(server: &Server, person: &Person) -> Person {
    let (id, mut hash) = (Uuid::new_v4(), [9; 32]);
    hash[..16].copy_from_slice(id.as_bytes());
    let session = NewSession { id: TokenId(id), hash, agent: Some("Browser/1".into()) };
    let start = SessionStart { user: person.caller.user, session, verified: None };
    wait(server.engine.administer(Actor::Server, account(AccountOperation::SessionStart(start)))).unwrap();
    let caller = Caller { kind: TokenKind::Session, token: TokenId(id), hash, ..person.caller };
    Person::of(&server.engine, caller, hash, "anna")
}

/// Waits for what is asked.
fn wait<T>(asked: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(asked)
}

#[test]
fn u3_a_session_ends_with_its_sockets_and_no_other() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let [desk, phone] = [(); 2].map(|()| signed_in(&server, &anna));
    let [at_desk, at_phone, program] = [&desk, &phone, &anna].map(|person| person.connects());
    let listed = server.engine.sessions_of(anna.caller.user);
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].token.agent.as_deref(), Some("Browser/1"));
    let which = SessionsEnded::AllBut(desk.caller.token);
    let end = AccountOperation::SessionEnd { user: anna.caller.user, which };
    wait(server.engine.administer(Actor::Caller(desk.caller), account(end))).unwrap();
    assert_eq!(server.engine.authenticate(&phone.hash).err(), Some(TokenRefusal::Unknown));
    until("its socket is closed", || at_phone.is_closed());
    assert!(!at_desk.is_closed() && !program.is_closed());
    // A caller whose session has ended ends nobody's.
    let end = AccountOperation::SessionEnd { user: anna.caller.user, which: SessionsEnded::All };
    let late = wait(server.engine.administer(Actor::Caller(phone.caller), account(end)));
    assert_eq!(late.err(), Some(Failure::Revoked));
    assert!(server.engine.authenticate(&desk.hash).is_ok());
    // It is there after a restart, and when it was last used.
    crate::support::close(&server.engine);
    let server = server.restarted();
    let listed = server.engine.sessions_of(anna.caller.user);
    assert_eq!(listed.iter().map(|known| known.token.id).collect::<Vec<_>>(), [desk.caller.token]);
    assert!(listed[0].last_used.is_some());
}

#[test]
fn u4_a_session_that_is_not_used_ends_and_one_with_a_socket_does_not() {
    const LIVES: Duration = Duration::from_millis(900);
    let settings = EngineSettings {
        session_ms: LIVES.as_millis() as i64,
        tidy_every: Duration::from_millis(50),
        ..EngineSettings::default()
    };
    let server = Server::set(&["anna"], settings);
    let anna = server.person("anna");
    let [idle, used, open] = [(); 3].map(|()| signed_in(&server, &anna));
    let socket = open.connects();
    let begun = Instant::now();
    while begun.elapsed() < LIVES * 2 {
        server.engine.authenticate(&used.hash).unwrap();
        std::thread::sleep(LIVES / 10);
    }
    assert_eq!(server.engine.authenticate(&idle.hash).err(), Some(TokenRefusal::Unknown));
    assert!(server.engine.authenticate(&open.hash).is_ok() && !socket.is_closed());
    assert!(server.engine.authenticate(&anna.hash).is_ok(), "an API token has no such end");
    let stored = || {
        let world = server.installation.log().load(LoadScope::Accounts).unwrap();
        [&idle, &used, &open].map(|person| world.token_by_id(person.caller.token).is_some())
    };
    until("it is removed", || stored() == [false, true, true]);
}

#[test]
fn u4_a_token_ends_when_it_says_and_so_do_its_sockets() {
    let server = Server::with(&["anna"]);
    let anna = server.person("anna");
    let (id, hash) = (TokenId(Uuid::new_v4()), [3; 32]);
    let user = anna.caller.user;
    let expires = Some(Timestamp::from_ms(now() + 60_000));
    let new = TokenCreate { expires, ..TokenCreate::new(id, user, "ci".into(), hash) };
    server.installation.does(None, &Operation::TokenCreate(new));
    until("it is known", || server.engine.authenticate(&hash).is_ok());
    let program = Person::of(&server.engine, Caller::api(user, id, hash), hash, "anna");
    let (socket, other) = (program.connects(), anna.connects());
    // It is given another end while it is in use.
    let soon = Some(Some(Timestamp::from_ms(now() + 400)));
    server.installation.does(None, &Operation::TokenSet(TokenSet { id, name: None, expires: soon }));
    until("its socket is closed", || socket.is_closed());
    assert_eq!(server.engine.authenticate(&hash).err(), Some(TokenRefusal::Unknown));
    assert!(!other.is_closed());
}

#[test]
fn u8_a_closed_account_goes_at_the_next_start() {
    let server = Server::with(&["anna", "ben", "carl"]);
    let [anna, ben, carl] = ["anna", "ben", "carl"].map(|name| server.person(name));
    anna.adds("hers", None);
    ben.adds("his", None);
    let close = |person: &Person, days: i64| {
        let close = AccountOperation::Close { user: person.caller.user, verified: None };
        let at = Timestamp::from_ms(now() - days * DAY_MS);
        server.installation.does_at(None, &account(close), at);
    };
    close(&ben, 1);
    close(&anna, 8);
    until("both are turned away", || {
        [&anna, &ben].iter().all(|person| server.engine.authenticate(&person.hash).is_err())
    });
    assert!(server.engine.authenticate(&carl.hash).is_ok());
    let server = server.restarted();
    let user = |person: &Person| server.engine.user(person.caller.user).unwrap();
    until("anna's account is gone", || user(&anna).is_removed());
    assert!(user(&anna).username.starts_with("removed-"));
    assert!(!user(&ben).is_removed() && user(&ben).closing.is_some());
    let world = server.installation.log().load(LoadScope::Everything).unwrap();
    assert_eq!(world.nodes().map(|node| node.title.as_str()).collect::<Vec<_>>(), ["his"]);
    // Opened again beside the server, ben is let in.
    let reopen = AccountOperation::Reopen { user: ben.caller.user };
    server.installation.does(None, &account(reopen));
    until("ben is let in", || server.engine.authenticate(&ben.hash).is_ok());
}

#[test]
fn u5_view_settings_reach_the_users_other_sockets_whoever_stored_them() {
    let server = Server::with(&["anna", "ben"]);
    let [anna, ben] = ["anna", "ben"].map(|name| server.person(name));
    let [hers, other, his] = [&anna, &anna, &ben].map(|person| person.connects());
    let view = |camera: &str| {
        let camera_position = Some(Some(camera.to_owned()));
        account(AccountOperation::ViewSet(ViewSet { camera_position, show_all_cards: None }))
    };
    let heard = |socket: &crate::support::Socket| -> Vec<String> {
        let views = socket.glances().into_iter().filter_map(|told| match told {
            Told::Viewed(user) => user.view.camera_position.clone(),
            _ => None,
        });
        views.collect()
    };
    hers.does(view("{\"x\":1}"));
    until("her other socket hears of it", || heard(&other) == ["{\"x\":1}"]);
    server.installation.does(Some(anna.caller.user), &view("{\"x\":2}"));
    until("both hear of it", || heard(&other).len() == 2 && heard(&hers).len() == 1);
    assert_eq!(heard(&hers), ["{\"x\":2}"]);
    assert!(heard(&his).is_empty() && his.hears_diffs().is_empty() && other.hears_diffs().is_empty());
}
