//! Clients that are as light as they can be, because they share the machine with what they measure.

pub mod events;
pub mod http;
pub mod socket;
