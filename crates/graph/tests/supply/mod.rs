//! A supply of ids for tests. The same supply gives the same ids, whatever other supplies give.

#![allow(dead_code)]

use graph::{IdSupply, LinkId, NodeId, UserId};
use uuid::Uuid;

/// How many ids of a kind one supply has before the next supply's begin.
const APART: u128 = 0x10_0000;

#[derive(Clone, Debug)]
pub struct Supply {
    first: u128,
    /// The first token.
    pub public_token: String,
    nodes: u128,
    links: u128,
    tokens: u128,
}

impl Supply {
    /// The nth supply. No two give the same id.
    pub fn new(nth: u128) -> Self {
        let first = 0xF_0000_0000_0000 + nth * 2 * APART;
        Supply { first, public_token: format!("token-{nth}"), nodes: 0, links: 0, tokens: 0 }
    }

    fn next(&mut self, count: impl FnOnce(&mut Self) -> &mut u128) -> u128 {
        let count = count(self);
        *count += 1;
        *count - 1
    }
}

impl IdSupply for Supply {
    fn next_node(&mut self) -> NodeId {
        NodeId(Uuid::from_u128(self.first + self.next(|it| &mut it.nodes)))
    }

    fn next_link(&mut self) -> LinkId {
        LinkId(Uuid::from_u128(self.first + APART + self.next(|it| &mut it.links)))
    }

    fn next_user(&mut self) -> UserId {
        UserId(self.next_node().0)
    }

    fn next_public_token(&mut self) -> String {
        match self.next(|it| &mut it.tokens) {
            0 => self.public_token.clone(),
            more => format!("{}-{more}", self.public_token),
        }
    }
}
