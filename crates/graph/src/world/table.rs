//! Tables of entities: rows next to each other, and a hash table of row numbers to find one by its id.
//!
//! A map from ids to entities would store each id twice and leave up to half of its places, which are large, unused.
//! Here only the small places of the hash table are. Each carries part of the hash, so that growing looks at no row.

use crate::hash::Keyed;
use hashbrown::HashTable;
use std::fmt;
use std::hash::{BuildHasher, Hash};

/// What has a row.
pub(super) trait Row {
    type Id: Copy + Eq + Hash;
    fn id(&self) -> Self::Id;
}

/// The number of a row. It stays the same while the row is there, and is used again afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At(u32);

impl At {
    /// The number of no row.
    pub(super) const NOWHERE: At = At(u32::MAX);

    fn new(index: usize) -> At {
        u32::try_from(index).map_or(At::NOWHERE, At)
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone)]
pub(super) struct Table<T> {
    rows: Vec<Option<T>>,
    free: Vec<At>,
    places: HashTable<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    hash: u32,
    at: At,
}

impl Place {
    /// The hash table uses the lowest and the highest bits.
    fn spread(hash: u32) -> u64 {
        u64::from(hash) << 32 | u64::from(hash)
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { rows: Vec::new(), free: Vec::new(), places: HashTable::new() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rows.iter().flatten()).finish()
    }
}

impl<T: Row> Table<T> {
    pub(super) fn with_capacity(rows: usize) -> Self {
        Table { rows: Vec::with_capacity(rows), free: Vec::new(), places: HashTable::with_capacity(rows) }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    fn hash(id: T::Id) -> u32 {
        let hash = Keyed.hash_one(id);
        (hash ^ hash >> 32) as u32
    }

    /// The row of an id.
    pub(super) fn find(&self, id: T::Id) -> Option<At> {
        let hash = Self::hash(id);
        let is_it = |place: &Place| place.hash == hash && self.at(place.at).is_some_and(|row| row.id() == id);
        self.places.find(Place::spread(hash), is_it).map(|place| place.at)
    }

    pub(super) fn at(&self, at: At) -> Option<&T> {
        self.rows.get(at.index()).and_then(Option::as_ref)
    }

    pub(super) fn at_mut(&mut self, at: At) -> Option<&mut T> {
        self.rows.get_mut(at.index()).and_then(Option::as_mut)
    }

    pub(super) fn get(&self, id: &T::Id) -> Option<&T> {
        self.at(self.find(*id)?)
    }

    pub(super) fn get_mut(&mut self, id: &T::Id) -> Option<&mut T> {
        self.at_mut(self.find(*id)?)
    }

    pub(super) fn contains_key(&self, id: &T::Id) -> bool {
        self.find(*id).is_some()
    }

    /// Adds a row whose id has none.
    pub(super) fn insert(&mut self, row: T) -> At {
        let hash = Self::hash(row.id());
        let at = self.free.pop().unwrap_or(At::new(self.rows.len()));
        match self.rows.get_mut(at.index()) {
            Some(free) => *free = Some(row),
            None => self.rows.push(Some(row)),
        }
        self.places.insert_unique(Place::spread(hash), Place { hash, at }, |place| Place::spread(place.hash));
        at
    }

    pub(super) fn remove(&mut self, at: At) -> Option<T> {
        let row = self.rows.get_mut(at.index()).and_then(Option::take)?;
        let hash = Self::hash(row.id());
        if let Ok(place) = self.places.find_entry(Place::spread(hash), |place| place.at == at) {
            place.remove();
        }
        self.free.push(at);
        Some(row)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().flatten()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (At, &T)> {
        self.rows.iter().enumerate().filter_map(|(index, row)| Some((At::new(index), row.as_ref()?)))
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.iter_mut().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;
    use uuid::Uuid;

    #[derive(Clone, Debug, PartialEq)]
    struct Named(NodeId, usize);

    impl Row for Named {
        type Id = NodeId;

        fn id(&self) -> NodeId {
            self.0
        }
    }

    fn id(n: usize) -> NodeId {
        NodeId(Uuid::from_u128(n as u128))
    }

    #[test]
    fn rows_are_found_by_id_while_others_come_and_go() {
        let mut table = Table::default();
        let places: Vec<At> = (0..10_000).map(|n| table.insert(Named(id(n), n))).collect();
        for n in (0..10_000).step_by(3) {
            assert_eq!(table.remove(places[n]), Some(Named(id(n), n)));
            assert_eq!(table.remove(places[n]), None);
        }
        let again: Vec<At> = (0..3_334).map(|n| table.insert(Named(id(20_000 + n), n))).collect();
        assert!(again.iter().all(|at| places.contains(at)), "rows are used again");
        for n in 0..10_000 {
            assert_eq!(table.get(&id(n)), (n % 3 != 0).then_some(&Named(id(n), n)));
            assert_eq!(table.contains_key(&id(20_000 + n)), n < 3_334);
        }
        assert_eq!(table.values().count(), 10_000);
        assert_eq!(table.at(At::NOWHERE), None);
    }
}
