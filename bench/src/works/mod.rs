//! The works: what is measured.

pub mod bytes;
pub mod cascade;
pub mod commits;
pub mod fanout;
pub mod idle;
pub mod load;
pub mod mutate;
pub mod others;
pub mod probe;
pub mod size;
pub mod tail;
