//! Classes of viewers: users to whom a batch, or the passing of due times, means exactly the same. One diff serves
//! the whole class.
//!
//! The classes are found by refinement. All users begin in one class, and whatever may tell two of them apart splits
//! the classes further. What may tell them apart is how each distinct cover shows its nodes to them. This costs one
//! step for each cover and each of its users, however many nodes have that cover.

use crate::cover::Cover;
use crate::hash::HashMap;
use crate::id::UserId;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

/// A partition of users into classes, each with a number.
#[derive(Debug)]
pub(crate) struct ViewerClasses {
    class_of: BTreeMap<UserId, usize>,
    classes: usize,
}

impl ViewerClasses {
    /// One class of all these users.
    pub(crate) fn of(users: impl IntoIterator<Item = UserId>) -> Self {
        ViewerClasses { class_of: users.into_iter().map(|user| (user, 0)).collect(), classes: 1 }
    }

    /// Splits the classes by how a cover shows its nodes: to which of the users, with which access and share roots.
    pub(crate) fn split_by_cover(&mut self, cover: &Cover) {
        self.split_by(cover.sights().map(|(user, level, roots)| {
            // The list of all the roots is shared. Hashing it anew for every user could take long.
            let some = (!Arc::ptr_eq(roots, cover.roots())).then_some(roots);
            (user, (level, some))
        }));
    }

    /// Splits the classes by a property of some of the users. Those without it stay together.
    pub(crate) fn split_by<P: Eq + Hash>(&mut self, properties: impl IntoIterator<Item = (UserId, P)>) {
        let mut split: HashMap<(usize, P), usize> = HashMap::default();
        for (user, property) in properties {
            let Some(class) = self.class_of.get_mut(&user) else { continue };
            *class = *split.entry((*class, property)).or_insert_with(|| {
                self.classes += 1;
                self.classes - 1
            });
        }
    }

    /// The users of each class, sorted, in order of the first of them.
    pub(crate) fn into_users(self) -> Vec<Vec<UserId>> {
        let mut place_of: HashMap<usize, usize> = HashMap::default();
        let mut classes: Vec<Vec<UserId>> = Vec::new();
        for (user, class) in self.class_of {
            let place = *place_of.entry(class).or_insert(classes.len());
            match classes.get_mut(place) {
                Some(users) => users.push(user),
                None => classes.push(vec![user]),
            }
        }
        classes
    }
}
