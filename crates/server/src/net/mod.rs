//! TCP and HTTP below the transports: the accept loop with its time limits, a stream that can be watched, held and cut
//! from outside, what pages of other origins may do, and where a request comes from behind proxies.

pub mod accept;
pub mod cors;
pub mod forwarded;
pub mod tcp;
pub mod unread;
