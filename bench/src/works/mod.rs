//! The works: what is measured.

pub mod bytes;
pub mod commits;
pub mod fanout;
pub mod mutate;
