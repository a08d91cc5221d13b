//! Random ids and secrets.

use graph::{BatchId, IdSupply, LinkId, NodeId, UserId};
use rand::distr::{Alphanumeric, SampleString};
use uuid::Uuid;

/// The program's supply of ids: random ones, without limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

/// The length of a public token, in characters of an alphabet of 62: 142 random bits.
const PUBLIC_TOKEN_CHARS: usize = 24;

impl RandomIds {
    /// The id of a batch to which its client gave no batchId.
    pub fn batch() -> BatchId {
        BatchId(Uuid::new_v4())
    }
}

impl IdSupply for RandomIds {
    fn next_node(&mut self) -> NodeId {
        NodeId(Uuid::new_v4())
    }

    fn next_link(&mut self) -> LinkId {
        LinkId(Uuid::new_v4())
    }

    fn next_user(&mut self) -> UserId {
        UserId(Uuid::new_v4())
    }

    fn next_public_token(&mut self) -> String {
        Alphanumeric.sample_string(&mut rand::rng(), PUBLIC_TOKEN_CHARS)
    }
}
