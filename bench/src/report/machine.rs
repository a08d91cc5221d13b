//! The machine and the versions that a report is of.

use crate::subject::{pocketbase, root};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A table of machine and versions.
pub fn described() -> anyhow::Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo")?;
    let memory_kib: f64 =
        memory.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or_default();
    let node = root().join("bench/peers/node");
    let rows = [
        ("date", said("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        ("commit", said("git", &["-C", &text(&root()), "describe", "--always", "--dirty", "--exclude", "*"])),
        ("processor", format!("{}, {cores} cores", model.trim_start_matches([' ', '\t', ':']))),
        ("memory", format!("{:.0} GiB", memory_kib / 1_048_576.0)),
        ("kernel", said("uname", &["-sr"])),
        ("file system", said("stat", &["-f", "-c", "%T", &text(&root())])),
        ("compiler", said("rustc", &["--version"])),
        ("Node.js", said("node", &["--version"])),
        (
            "socket.io, better-sqlite3",
            format!("{}, {}", package(&node, "socket.io"), package(&node, "better-sqlite3")),
        ),
        ("PocketBase", said(&text(&pocketbase::binary()), &["--version"])),
    ];
    let lines = rows.map(|(name, value)| format!("| {name} | {value} |\n"));
    Ok(format!("| | |\n|---|---|\n{}", lines.concat()))
}

/// What a command prints; a report without it is still a report.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// The version of an npm package that is installed.
fn package(directory: &Path, name: &str) -> String {
    let file = directory.join("node_modules").join(name).join("package.json");
    let text = fs::read_to_string(file).unwrap_or_default();
    let package: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    package["version"].as_str().unwrap_or("unknown").to_owned()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
