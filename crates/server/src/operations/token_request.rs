//! What the rows of API tokens ask.

use graph::model::{Level, TokenScope};
use graph::{IdSupply, NodeId, Timestamp, TokenId};

/// A new token.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenAsked {
    /// Empty if it is left out.
    pub name: Option<String>,
    /// When it ends; `None` for never.
    pub expires: Option<Timestamp>,
    /// For everything if it is left out.
    pub scope: Option<AskedScope>,
}

/// What a new token is to be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedScope {
    /// Everything that its user may do.
    All,
    /// Reading what its user sees.
    Read,
    /// What a branch grant of that level on the node would permit.
    Branch { node: NodeId, level: Level },
}

impl AskedScope {
    /// The scope of a token to be made, with a new guest if it is for a branch.
    pub fn with_guest(self, ids: &mut dyn IdSupply) -> TokenScope {
        match self {
            AskedScope::All => TokenScope::All,
            AskedScope::Read => TokenScope::Read,
            AskedScope::Branch { node, level } => TokenScope::Branch { node, level, guest: ids.next_user() },
        }
    }
}

/// A change of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenChange {
    pub id: TokenId,
    /// `None` leaves it.
    pub name: Option<String>,
    /// `None` leaves it; `Some(None)` for never.
    pub expires: Option<Option<Timestamp>>,
}

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenNamed {
    pub id: TokenId,
}

/// One token, or all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct TokensNamed {
    pub id: Option<TokenId>,
    pub all: bool,
}
