//! TCP connections: the accept loop with its time limits, and a stream that can be watched, held and cut from outside.

pub mod accept;
pub mod tcp;
