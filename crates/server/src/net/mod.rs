//! TCP and HTTP below the transports: the accept loop with its time limits, a stream that can be watched, held and cut
//! from outside, and what pages of other origins may do.

pub mod accept;
pub mod cors;
pub mod tcp;
