//! The hash tables of the domain. Clients choose ids, so the hash has a key that nobody outside the process knows; it
//! is also much faster than the one of the standard library.

use ahash::{AHasher, RandomState};
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

/// A hash map with the domain's hash.
pub type HashMap<K, V> = std::collections::HashMap<K, V, Keyed>;

/// A hash set with the domain's hash.
pub type HashSet<T> = std::collections::HashSet<T, Keyed>;

/// The domain's hash. It has one key for the whole process, so a table does not carry it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keyed;

/// The key, taken from the standard library's random hash.
static KEY: LazyLock<RandomState> = LazyLock::new(|| {
    let random = || std::hash::RandomState::new().build_hasher().finish();
    RandomState::with_seeds(random(), random(), random(), random())
});

impl BuildHasher for Keyed {
    type Hasher = AHasher;

    fn build_hasher(&self) -> AHasher {
        KEY.build_hasher()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_not_one_that_clients_can_know() {
        let known = [RandomState::with_seeds(0, 0, 0, 0), RandomState::with_seed(0)];
        for id in 0..3_u128 {
            assert!(known.iter().all(|known| known.hash_one(id) != Keyed.hash_one(id)));
            assert_eq!(Keyed.hash_one(id), Keyed.hash_one(id), "one key for the whole process");
        }
    }
}
