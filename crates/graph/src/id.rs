//! Identifiers as distinct types, so that the id of a node cannot be used as the id of a link.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{Hash, Hasher};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl Hash for $name {
            /// One number instead of a slice of bytes: half the work.
            fn hash<H: Hasher>(&self, hasher: &mut H) {
                hasher.write_u128(self.0.as_u128());
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

ids! {
    /// A node of the graph.
    NodeId,
    /// A link between two nodes.
    LinkId,
    /// A person with an account.
    UserId,
    /// One batch of history.
    BatchId,
    /// A token of a program or a session. This is not the secret.
    TokenId,
    /// A one-time key. This is not the secret.
    KeyId,
}

impl UserId {
    /// Stands for whoever changes their [view settings](crate::model::ViewSettings), as the actor of these batches: they
    /// are no history, and displace nobody's.
    pub const VIEWS: UserId = UserId(Uuid::from_u128(1));
}

/// The supply of new ids and secrets: the domain has no randomness of its own. An operation may take any number of
/// them. None is given out twice.
pub trait IdSupply {
    /// The id of a new node.
    fn next_node(&mut self) -> NodeId;
    /// The id of a new link.
    fn next_link(&mut self) -> LinkId;
    /// The id of a new user.
    fn next_user(&mut self) -> UserId;
    /// The token of a new publication: URL-safe, at least 128 random bits.
    fn next_public_token(&mut self) -> String;
}
