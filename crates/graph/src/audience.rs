//! For whom something is worked out: one user, or everybody who is connected.

use crate::id::UserId;
use std::collections::HashSet;

/// Some users. What nobody of them sees need not be looked at.
#[derive(Clone, Copy, Debug)]
pub enum Audience<'a> {
    /// One user.
    One(UserId),
    /// All of these, and one more if given: so that nobody has to copy the set to add whoever acts.
    All(&'a HashSet<UserId>, Option<UserId>),
}

impl<'a> Audience<'a> {
    /// Whether a user belongs to it.
    pub fn contains(self, user: UserId) -> bool {
        match self {
            Audience::One(one) => one == user,
            Audience::All(users, more) => more == Some(user) || users.contains(&user),
        }
    }

    /// About how many they are: at most one too many.
    pub fn len(self) -> usize {
        match self {
            Audience::One(_) => 1,
            Audience::All(users, more) => users.len() + usize::from(more.is_some()),
        }
    }

    /// Whether there is nobody.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Each of them once.
    pub fn iter(self) -> impl Iterator<Item = UserId> + use<'a> {
        let (users, more) = match self {
            Audience::One(one) => (None, Some(one)),
            Audience::All(users, more) => (Some(users), more.filter(|user| !users.contains(user))),
        };
        users.into_iter().flatten().copied().chain(more)
    }
}

impl<'a> From<&'a HashSet<UserId>> for Audience<'a> {
    fn from(users: &'a HashSet<UserId>) -> Self {
        Audience::All(users, None)
    }
}
