//! SynapTask's server: two transports over one engine.

pub mod engine {
    //! The one thread that owns the World: what it is asked, and what it answers.
    pub mod message;
}
pub mod operations;
pub mod payload;
pub mod wire;
