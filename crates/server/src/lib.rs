//! The SynapTask server: the engine over one graph and its log, and the transports that translate to and from it.

pub mod engine;
pub mod operations;
pub mod payload;
pub mod wire;
