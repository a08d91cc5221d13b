//! The SynapTask server: the engine over one graph and its log, and the transports that translate to and from it.

mod accounts;
mod admission;
mod app;
mod asking;
mod auth;
pub mod cli;
mod config;
mod connection;
mod demo;
pub mod engine;
mod history_words;
mod http;
mod inbox;
mod limits;
mod line;
mod logging;
mod message;
pub mod operations;
mod pace;
pub mod payload;
mod rest;
mod server;
mod session;
mod socket;
mod tcp;
mod turns;
pub mod wire;
