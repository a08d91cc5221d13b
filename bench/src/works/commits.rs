//! `commits`: how many commits with fsync SQLite makes on this disk, one by one and in groups.

use crate::measurement::{Measurement, Values};
use crate::subject::{Data, bare};
use anyhow::ensure;
use std::process::Command;

/// Measures commits of so many rows each.
pub fn measure(group: u32, seconds: f64) -> anyhow::Result<Measurement> {
    let data = Data::temporary()?;
    let mut command = Command::new(bare::binary()?);
    command.arg("commits").arg("--file").arg(data.path().join("commits.db"));
    command.arg("--group").arg(group.to_string()).arg("--seconds").arg(seconds.to_string());
    let output = command.output()?;
    ensure!(output.status.success(), "commits failed: {}", String::from_utf8_lossy(&output.stderr));
    let rows_per_s: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
    let values = Values::from([
        ("rows_per_s".to_owned(), rows_per_s),
        ("commits_per_s".to_owned(), rows_per_s / f64::from(group)),
    ]);
    Ok(Measurement::new("commits", format!("groups of {group}"), "sqlite", values))
}
