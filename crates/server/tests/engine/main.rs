//! The engine on a real log, driven without a transport. Each test carries the rule of SPEC.md that it checks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod drain;
mod due;
mod durable;
mod fair;
mod loads;
mod once;
mod others;
mod pages;
mod people;
mod pipeline;
mod pruned;
mod reading;
mod removed;
mod schedule;
mod sync;
