//! A filter over the ids of a run: it says of an id that the run does not have it, or that it may. It is a Bloom
//! filter, stored with its run. It must stay readable, so its hash is part of the format; ids are random already,
//! and mixing their bits is enough. A client that chooses ids which the filter mistakes gains nothing: it pays for the look-ups.

use uuid::Uuid;

/// Bits for each id: about one in a hundred ids is mistaken.
const BITS_PER_ID: usize = 10;

/// Bits set by each id.
const HASHES: u64 = 7;

/// For how many ids a stored filter was made.
pub(super) fn ids_in(bytes: usize) -> usize {
    bytes * 8 / BITS_PER_ID
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    bits: Vec<u8>,
}

impl Filter {
    /// An empty filter for this many ids.
    pub(super) fn for_ids(ids: usize) -> Filter {
        Filter { bits: vec![0; (ids * BITS_PER_ID).div_ceil(8).max(8)] }
    }

    /// A filter as it was stored.
    pub(super) fn stored(bits: Vec<u8>) -> Filter {
        Filter { bits }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bits
    }

    pub(super) fn add(&mut self, id: Uuid) {
        for bit in places(self.bits.len(), id) {
            if let Some(byte) = self.bits.get_mut(bit / 8) {
                *byte |= 1 << (bit % 8);
            }
        }
    }

    /// False if the id was never added.
    pub(super) fn may_have(&self, id: Uuid) -> bool {
        places(self.bits.len(), id)
            .all(|bit| self.bits.get(bit / 8).is_none_or(|byte| byte & (1 << (bit % 8)) != 0))
    }
}

/// The bits of an id, by two hashes.
fn places(bytes: usize, id: Uuid) -> impl Iterator<Item = usize> {
    let (high, low) = id.as_u64_pair();
    let first = mix(high ^ mix(low));
    let step = mix(first) | 1;
    let bits = (bytes as u64).saturating_mul(8).max(1);
    (0..HASHES).map(move |nth| (first.wrapping_add(step.wrapping_mul(nth)) % bits) as usize)
}

/// The finalizer of SplitMix64.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::Filter;
    use uuid::Uuid;

    #[test]
    fn a_filter_has_what_was_added_and_little_else() {
        for shape in [
            |n: u128| Uuid::from_u128(n),
            |n: u128| Uuid::from_u128(n << 64),
            |n| Uuid::from_u128((n * n) << 9),
        ] {
            let mut filter = Filter::for_ids(10_000);
            (1..=10_000).for_each(|n| filter.add(shape(n)));
            let filter = Filter::stored(filter.bytes().to_vec());
            assert!((1..=10_000).all(|n| filter.may_have(shape(n))));
            let mistaken = (10_001..=110_000).filter(|n| filter.may_have(shape(*n))).count();
            assert!((10..2_500).contains(&mistaken), "{mistaken} of 100,000");
        }
        assert!(!Filter::for_ids(0).may_have(Uuid::nil()));
    }

    /// A stored filter must be understood by every later version.
    #[test]
    fn the_bits_of_an_id_never_change() {
        let mut filter = Filter::for_ids(6);
        filter.add(Uuid::from_u128(1));
        assert_eq!(filter.bytes(), [0, 0, 0, 64, 146, 36, 1, 0]);
    }
}
