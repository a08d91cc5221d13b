//! The pictures of the report.

use super::Medians;
use super::svg::{Chart, Line, drawing};

/// The subjects of the pictures: name in the measurements, name in the picture.
const SUBJECTS: [(&str, &str); 3] =
    [("synaptask", "SynapTask"), ("node", "npm peer"), ("pocketbase", "PocketBase")];
const RATES: [f64; 6] = [125.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0];

/// The latency of durable mutations at rising rates.
pub fn latency_over_load(medians: &Medians) -> String {
    let chart = |title: &str, quantile: &str| Chart {
        title: title.to_owned(),
        x_title: "mutations begun per second, by 200 clients",
        y_title: "milliseconds from the intended start to the ack",
        x_marks: vec![(100.0, "100"), (1_000.0, "1k"), (10_000.0, "10k")],
        y_marks: vec![
            (0.1, "0.1"),
            (1.0, "1"),
            (10.0, "10"),
            (100.0, "100"),
            (1_000.0, "1,000"),
            (10_000.0, "10,000"),
        ],
        lines: SUBJECTS
            .iter()
            .enumerate()
            .map(|(colour, (subject, label))| {
                let at = |rate: &f64| {
                    let latency =
                        medians.get("rate", &format!("node:add at {rate:.0}/s"), subject, quantile)?;
                    Some((*rate, latency / 1e3))
                };
                line(label, colour, false, RATES.iter().filter_map(at))
            })
            .collect(),
    };
    let charts = [chart("Median latency", "p50_us"), chart("99th percentile", "p99_us")];
    drawing(
        &charts,
        "A line ends where the subject no longer keeps up. PocketBase does not sync each commit to disk.",
    )
}

/// What mutations, loads and cascades cost in graphs of rising size.
pub fn cost_over_size(medians: &Medians) -> String {
    let sizes = || vec![(1e3, "1k"), (1e4, "10k"), (1e5, "100k"), (1e6, "1M")];
    let points = |sizes: &'static [u32], of: &dyn Fn(u32) -> Option<f64>| -> Vec<(f64, f64)> {
        sizes.iter().filter_map(|size| Some((f64::from(*size), of(*size)?))).collect()
    };
    let mutation = |quantile: &'static str| {
        points(&[1_000, 100_000, 1_000_000], &|nodes| {
            Some(medians.get("size", &format!("{nodes} nodes"), "synaptask", quantile)? / 1e3)
        })
    };
    let load = |how: &'static str, subject: &'static str| {
        points(&[10_000, 100_000], &|nodes| {
            Some(medians.get("load", &format!("{nodes} nodes, {how}"), subject, "p50_us")? / 1e3)
        })
    };
    let cascade = points(&[1_000, 10_000, 100_000], &|length| {
        medians.get("cascade", &format!("reopen {length}"), "synaptask", "told_ms")
    });
    let snapshot = load("snapshot", "synaptask");
    let (ours, how) =
        if snapshot.is_empty() { (load("pages", "synaptask"), "load") } else { (snapshot, "snapshot") };
    let mutations = Chart {
        title: "One durable mutation".to_owned(),
        x_title: "nodes in the graph, each with two links",
        y_title: "milliseconds to the ack, one client",
        x_marks: sizes(),
        y_marks: vec![(0.1, "0.1"), (1.0, "1"), (10.0, "10"), (100.0, "100")],
        lines: vec![line("p50", 0, false, mutation("p50_us")), line("p99", 3, false, mutation("p99_us"))],
    };
    let large = Chart {
        title: "All of it at once".to_owned(),
        x_title: "nodes",
        y_title: "milliseconds to the last byte",
        x_marks: sizes(),
        y_marks: vec![
            (1.0, "1"),
            (10.0, "10"),
            (100.0, "100"),
            (1e3, "1,000"),
            (1e4, "10,000"),
            (1e5, "100,000"),
        ],
        lines: vec![
            line(how, 0, false, ours),
            line("ready-made bytes", 3, false, load("ready-made", "bare")),
            line("PocketBase list", 2, false, load("list", "pocketbase")),
            line("cascade told", 1, false, cascade),
        ],
    };
    drawing(&[mutations, large], "Medians of the run. Both axes are logarithmic.")
}

fn line(label: &str, colour: usize, dashed: bool, points: impl IntoIterator<Item = (f64, f64)>) -> Line {
    Line { label: label.to_owned(), colour, dashed, points: points.into_iter().collect() }
}
