//! The program `synaptask`.

use std::process::ExitCode;

fn main() -> ExitCode {
    synaptask::program::main()
}
