//! The users that something is computed for: one user, or everyone connected.

use crate::hash::HashSet;
use crate::id::UserId;

/// A set of users. What none of them sees need not be examined.
#[derive(Clone, Copy, Debug)]
pub enum Audience<'a> {
    /// One user.
    One(UserId),
    /// All of these users, and one more if given. The actor can thus be added without copying the set.
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

    /// The number of users, at most one too high.
    pub fn len(self) -> usize {
        match self {
            Audience::One(_) => 1,
            Audience::All(users, more) => users.len() + usize::from(more.is_some()),
        }
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Each user once.
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
