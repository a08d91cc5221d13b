//! Accounts: rules N1, N33 and what the operator's operations do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;
mod supply;

use graph::model::{Plan, User};
use graph::ops::{Chain, UndoKind, UserAdd, UserSet, undo_or_redo};
use graph::world::Counts;
use graph::{BatchId, Entity, Operation, Reason, Timestamp, UserId, World, check, decide};
use std::sync::Arc;
use supply::Supply;
use uuid::Uuid;

fn user(number: u128, username: &str, email: &str) -> User {
    let (id, created) = (UserId(Uuid::from_u128(number)), Timestamp::from_ms(0));
    let (username, email) = (username.to_owned(), email.to_owned());
    User::new(id, username, email, Plan::Pro, created)
}

fn world(users: &[User]) -> World {
    let users = users.iter().map(|user| Entity::User(Arc::new(user.clone())));
    World::load(users, 0, Counts::default())
}

fn comes_to(world: &World, actor: Option<u128>, operation: &Operation) -> Option<Reason> {
    let (actor, batch) = (actor.map(|number| UserId(Uuid::from_u128(number))), BatchId(Uuid::from_u128(9)));
    decide(world, actor, operation, batch, &mut Supply::new(0)).err().map(|refusal| refusal.reason)
}

// Rules: N1, O26, C6.
#[test]
fn n1_usernames_are_unique_without_regard_to_case() {
    let mut world = world(&[user(1, "ann", "ann@example.org"), user(2, "Bob", "bob@example.org")]);
    let rename = |username: &str| Operation::SettingsUsername { username: username.to_owned() };
    let add = |username: &str| {
        let (email, username) = ("new@example.org".to_owned(), username.to_owned());
        Operation::UserAdd(UserAdd::new(email, username, Plan::Pro))
    };
    let taken = Some(Reason::UsernameTaken);
    for (username, want) in [("bob", taken), ("BOB", taken), ("Bob", taken), ("bobby", None)] {
        assert_eq!(comes_to(&world, Some(1), &rename(username)), want, "{username}");
        assert_eq!(comes_to(&world, None, &add(username)), want, "{username}");
    }
    // A user may change the case of their own username.
    assert_eq!(comes_to(&world, Some(2), &rename("BOB")), None);

    // Undoing a rename is a rename too.
    let (batch, mut ids) = (BatchId(Uuid::from_u128(3)), Supply::new(0));
    let left = decide(&world, Some(UserId(Uuid::from_u128(2))), &rename("robert"), batch, &mut ids).unwrap();
    world.apply(&left);
    assert_eq!(comes_to(&world, Some(1), &rename("BOB")), None);
    let taken_since =
        decide(&world, Some(UserId(Uuid::from_u128(1))), &rename("BOB"), batch, &mut ids).unwrap();
    world.apply(&taken_since);
    let chain = Chain { root: left, undone: false, names_undo: false, latest: None };
    let undo = undo_or_redo(&world, UserId(Uuid::from_u128(2)), &chain, UndoKind::Undo, batch, &mut ids);
    assert_eq!(undo.unwrap_err().reason, Reason::UsernameTaken);
}

// Rules: N1, C6.
#[test]
fn n1_names_that_were_apart_by_case_alone_stay_and_check_names_them() {
    let mut twins = world(&[user(1, "ann", "ann@example.org"), user(2, "Ann", "other@example.org")]);
    let problems = check::problems(&twins);
    assert_eq!(problems.len(), 1, "{problems:?}");
    for name in ["\"ann\"", "\"Ann\""] {
        assert!(problems[0].contains(name), "{problems:?}");
    }
    // The operator changes something else of one of them, with the name as it is.
    let set = |username: &str| {
        let (email, username, plan) = (None, Some(username.to_owned()), Some(Plan::Plus));
        Operation::UserSet(UserSet { user: UserId(Uuid::from_u128(2)), email, username, plan, admin: None })
    };
    assert_eq!(comes_to(&twins, None, &set("Ann")), None);
    assert_eq!(comes_to(&twins, None, &set("aNN")), Some(Reason::UsernameTaken));
    // Each of them may take another name, and the other keeps theirs.
    let rename = Operation::SettingsUsername { username: "anna".to_owned() };
    let (batch, mut ids) = (BatchId(Uuid::from_u128(3)), Supply::new(0));
    twins.apply(&decide(&twins, Some(UserId(Uuid::from_u128(2))), &rename, batch, &mut ids).unwrap());
    assert!(check::problems(&twins).is_empty());
    assert_eq!(twins.user_by_username("ann").unwrap().user.id, UserId(Uuid::from_u128(1)));
}

// Rules: N33, C6.
#[test]
fn n33_a_stored_email_that_breaks_the_rule_loads_and_check_names_it() {
    assert!(check::problems(&world(&[user(1, "ann", "ann@example.org")])).is_empty());
    let odd = world(&[user(1, "ann", "<ann@example.org>"), user(2, "b", "b\u{202e}@example.org")]);
    assert_eq!(odd.user_by_email("<ANN@example.org>").unwrap().user.username, "ann");
    let problems = check::problems(&odd);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("\"<ann@example.org>\"")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("b\\u{202e}@example.org")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("username")), "{problems:?}");
    let twins = world(&[user(1, "ann", "ann@example.org"), user(2, "ann", "ANN@example.org")]);
    let shared = |problem: &&String| problem.contains("as another user");
    assert_eq!(check::problems(&twins).iter().filter(shared).count(), 2);
}

#[test]
fn o26_renaming_takes_a_name_that_is_free_and_well_formed() {
    fixture::check("alice owns a", "bob: rename bobby", "rename bobby");
    fixture::check("alice owns a", "bob: rename alice", "username_taken");
    fixture::check("alice owns a", "bob: rename b", "invalid_username");
}
