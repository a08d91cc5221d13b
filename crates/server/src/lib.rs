//! The SynapTask server: the engine over one graph and its log, and the transports that translate to and from it.
//!
//! Each module is a room; ARCHITECTURE.md has the table of which room may name which, and `tools/walls` checks it.

mod access_log;
mod accounts;
mod app;
mod aside;
mod auth;
mod body;
mod described;
mod dispatch;
pub mod engine;
mod limits;
mod measure;
mod net;
mod observe;
pub mod operations;
mod pages;
pub mod program;
mod response;
mod rest;
mod socket;
pub mod wire;
