//! Accounts: rules N1, N33 and what the operator's operations do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use graph::model::{Plan, User};
use graph::world::Counts;
use graph::{Entity, Timestamp, UserId, World, check};
use std::sync::Arc;
use uuid::Uuid;

fn user(number: u128, username: &str, email: &str) -> User {
    let (id, created) = (UserId(Uuid::from_u128(number)), Timestamp::from_ms(0));
    User { id, username: username.to_owned(), email: email.to_owned(), plan: Plan::Pro, created }
}

// Rules: N33, C6.
#[test]
fn n33_a_stored_email_that_breaks_the_rule_loads_and_check_names_it() {
    let world = |users: &[User]| {
        let users = users.iter().map(|user| Entity::User(Arc::new(user.clone())));
        World::load(users, 0, Counts::default())
    };
    assert!(check::problems(&world(&[user(1, "ann", "ann@example.org")])).is_empty());
    let odd = world(&[user(1, "ann", "<ann@example.org>"), user(2, "b", "b\u{202e}@example.org")]);
    assert_eq!(odd.user_by_email("<ANN@example.org>").unwrap().user.username, "ann");
    let problems = check::problems(&odd);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("\"<ann@example.org>\"")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("b\\u{202e}@example.org")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("username")), "{problems:?}");
    let twins = world(&[user(1, "ann", "ann@example.org"), user(2, "ann", "ANN@example.org")]);
    let shared = |problem: &&String| problem.contains("with somebody else");
    assert_eq!(check::problems(&twins).iter().filter(shared).count(), 2);
}

#[test]
fn o26_renaming_takes_a_name_that_is_free_and_well_formed() {
    fixture::check("alice owns a", "bob: rename bobby", "rename bobby");
    fixture::check("alice owns a", "bob: rename alice", "username_taken");
    fixture::check("alice owns a", "bob: rename b", "invalid_username");
}
