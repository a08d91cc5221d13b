//! Does each measured operation once before, and once inside [`counted`], whose instructions `tools/instructions`
//! counts. Prints the names in that order.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/supply/mod.rs"]
mod supply;
#[path = "../tests/wide/mod.rs"]
#[allow(dead_code)]
mod wide;

use std::hint::black_box;
use wide::measured::{MEASURED, Measured};

fn main() {
    for Measured { name, prepare } in MEASURED {
        let mut work = prepare();
        work();
        println!("{name}");
        counted(&mut work);
    }
}

/// Callgrind counts what happens in here.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
    black_box(());
}
