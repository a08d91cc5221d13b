//! New ids and secrets, at random.

use graph::{BatchId, IdSupply, LinkId, NodeId, UserId};
use rand::distr::{Alphanumeric, SampleString};
use uuid::Uuid;

/// The supply of ids that the program runs with: random ones, as many as are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

/// How many of 62 characters a public token has: 142 random bits.
const PUBLIC_TOKEN_CHARS: usize = 24;

impl RandomIds {
    /// The id of a batch that its client gave no name.
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
