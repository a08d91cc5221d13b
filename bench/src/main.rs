//! `bench`: runs works against subjects and prints one JSON line per measurement.

use clap::Parser as _;

fn main() -> anyhow::Result<()> {
    bench::command::Command::parse().run()
}
