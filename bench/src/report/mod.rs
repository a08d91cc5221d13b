//! The report: medians, ratios, goals and pictures.

mod goals;
mod machine;
mod pictures;
mod svg;

use crate::measurement::{Measurement, progress};
use crate::subject::root;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

/// The medians of all rounds.
#[derive(Debug, Default)]
pub struct Medians(BTreeMap<(String, String, String, String), Vec<f64>>);

impl Medians {
    /// Of all measurements that did not fail.
    pub fn of(measurements: &[Measurement]) -> Medians {
        let mut medians = Medians::default();
        for one in measurements {
            for (name, value) in &one.values {
                let key = (one.work.clone(), one.case.clone(), one.subject.clone(), name.clone());
                medians.0.entry(key).or_default().push(*value);
            }
        }
        for values in medians.0.values_mut() {
            values.sort_by(f64::total_cmp);
        }
        medians
    }

    /// The median of a value.
    pub fn get(&self, work: &str, case: &str, subject: &str, name: &str) -> Option<f64> {
        let values = self.values(work, case, subject, name)?;
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        if values.len().is_multiple_of(2) {
            Some((values.get(middle - 1)? + upper) / 2.0)
        } else {
            Some(upper)
        }
    }

    fn values(&self, work: &str, case: &str, subject: &str, name: &str) -> Option<&Vec<f64>> {
        self.0.get(&(work.to_owned(), case.to_owned(), subject.to_owned(), name.to_owned()))
    }
}

/// Writes `bench/REPORT.md` and its pictures.
pub fn write(measurements: &[Measurement]) -> anyhow::Result<()> {
    let medians = Medians::of(measurements);
    let directory = root().join("bench");
    let pictures = directory.join("pictures");
    fs::create_dir_all(&pictures)?;
    fs::write(pictures.join("latency-over-load.svg"), pictures::latency_over_load(&medians))?;
    fs::write(pictures.join("cost-over-size.svg"), pictures::cost_over_size(&medians))?;
    let mut text = String::from("# Report\n\n");
    text += "`make bench` has written this file; [README.md](README.md) says what is measured and how. All figures are medians\n";
    text += "of the rounds of one run. Generator, subject and peers share the machine, and its clock and disk are its own:\n";
    text += "only the ratios are claims.\n\n";
    text += &machine::described()?;
    text += "\n## Goals\n\n";
    text += &goals::table(&medians);
    text += "\n## Latency over load\n\n";
    text += "![The latency of durable mutations at rising rates, for each subject](pictures/latency-over-load.svg)\n";
    text += "\n## Cost over size\n\n";
    text += "![What a mutation, a load and a cascade cost in graphs of rising size](pictures/cost-over-size.svg)\n";
    text += &failures(measurements);
    text += &tables(measurements);
    fs::write(directory.join("REPORT.md"), text)?;
    progress("wrote bench/REPORT.md");
    Ok(())
}

fn failures(measurements: &[Measurement]) -> String {
    let failed: BTreeSet<String> = measurements
        .iter()
        .filter_map(|one| {
            let error = one.error.as_ref()?.lines().next()?;
            Some(format!("- {}, {}, {}, round {}: {error}\n", one.work, one.case, one.subject, one.round))
        })
        .collect();
    if failed.is_empty() {
        return String::new();
    }
    format!("\n## Failed\n\n{}", failed.into_iter().collect::<String>())
}

/// The columns of the tables, with their units: name of the value, heading, divisor, decimals.
const COLUMNS: [(&str, &str, f64, usize); 26] = [
    ("acks_per_s", "acks/s", 1.0, 0),
    ("deliveries_per_s", "deliveries/s", 1.0, 0),
    ("commits_per_s", "commits/s", 1.0, 0),
    ("rows_per_s", "rows/s", 1.0, 0),
    ("p50_us", "p50 ms", 1e3, 2),
    ("p99_us", "p99 ms", 1e3, 2),
    ("p999_us", "p99.9 ms", 1e3, 2),
    ("max_us", "longest ms", 1e3, 2),
    ("ack_ms", "ack ms", 1.0, 1),
    ("told_ms", "told ms", 1.0, 1),
    ("told_us_per_node", "told µs/node", 1.0, 1),
    ("others_p50_ms", "others' p50 ms", 1.0, 1),
    ("others_max_ms", "others' longest ms", 1.0, 1),
    ("start_s", "start s", 1.0, 2),
    ("stop_s", "stop s", 1.0, 2),
    ("resident_bytes", "resident MiB", 1_048_576.0, 0),
    ("resident_bytes_per_node", "resident B/node", 1.0, 0),
    ("bytes_per_connection", "KiB/connection", 1024.0, 1),
    ("bytes", "MB", 1e6, 1),
    ("written_bytes_per_ack", "written B/ack", 1.0, 0),
    ("disk_bytes_per_ack", "kept B/ack", 1.0, 0),
    ("disk_bytes", "file MB", 1e6, 0),
    ("unanswered", "unanswered", 1.0, 0),
    ("times", "times", 1.0, 0),
    ("subject_cpu", "CPU of subject", 1.0, 2),
    ("generator_cpu", "CPU of generator", 1.0, 2),
];

/// One table for each work: medians by case and subject.
pub fn tables(measurements: &[Measurement]) -> String {
    let medians = Medians::of(measurements);
    let mut works: Vec<&str> = Vec::new();
    for one in measurements {
        if !works.contains(&one.work.as_str()) {
            works.push(&one.work);
        }
    }
    let mut text = String::new();
    for work in works {
        text += &table(work, measurements, &medians);
    }
    text
}

fn table(work: &str, measurements: &[Measurement], medians: &Medians) -> String {
    let mut rows: Vec<(&str, &str)> = Vec::new();
    for one in measurements.iter().filter(|one| one.work == work && one.error.is_none()) {
        if !rows.contains(&(&one.case, &one.subject)) {
            rows.push((&one.case, &one.subject));
        }
    }
    // Subjects change places from round to round; a table has them by case.
    let cases: Vec<&str> = rows.iter().map(|row| row.0).collect();
    rows.sort_by_key(|row| cases.iter().position(|case| *case == row.0));
    let columns: Vec<_> = COLUMNS
        .iter()
        .filter(|column| rows.iter().any(|row| medians.get(work, row.0, row.1, column.0).is_some()))
        .collect();
    let mut text = format!("\n## {work}\n\n| case | subject | rounds |");
    for column in &columns {
        let _ = write!(text, " {} |", column.1);
    }
    let _ = write!(text, "\n|---|---|{}\n", "--:|".repeat(columns.len() + 1));
    for (case, subject) in rows {
        let rounds = measurements.iter().filter(|one| {
            one.work == work && one.case == case && one.subject == subject && one.error.is_none()
        });
        let _ = write!(text, "| {case} | {subject} | {} |", rounds.count());
        for (name, _, divisor, decimals) in &columns {
            let value = medians.get(work, case, subject, name);
            let shown = value.map_or_else(String::new, |value| grouped(value / divisor, *decimals));
            let _ = write!(text, " {shown} |");
        }
        text.push('\n');
    }
    text
}

/// A number with its thousands separated.
fn grouped(value: f64, decimals: usize) -> String {
    let plain = format!("{value:.decimals$}");
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{sign}{text}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurement::Values;

    fn one(round: u32, acks: f64) -> Measurement {
        let values = Values::from([("acks_per_s".to_owned(), acks)]);
        Measurement { round, ..Measurement::new("mutate", "node:add 1", "synaptask", values) }
    }

    #[test]
    fn a_median_is_in_the_middle() {
        let of = |all: &[f64]| {
            let measurements: Vec<_> = all.iter().map(|acks| one(1, *acks)).collect();
            Medians::of(&measurements).get("mutate", "node:add 1", "synaptask", "acks_per_s")
        };
        assert_eq!(of(&[3.0, 1.0, 900.0]), Some(3.0));
        assert_eq!(of(&[3.0, 1.0, 900.0, 5.0]), Some(4.0));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_table_has_a_row_for_each_subject() {
        let failed = Measurement::failed("mutate", "node:add 1", "node", &anyhow::anyhow!("no"));
        let table = tables(&[one(1, 1234.4), one(2, 1234567.0), one(3, 5.0), failed]);
        let row = "| node:add 1 | synaptask | 3 | 1,234 |\n";
        assert_eq!(
            table,
            format!("\n## mutate\n\n| case | subject | rounds | acks/s |\n|---|---|--:|--:|\n{row}")
        );
    }

    #[test]
    fn thousands_are_separated() {
        for (value, decimals, text) in
            [(0.0, 0, "0"), (999.4, 0, "999"), (1234567.891, 2, "1,234,567.89"), (-1000.0, 0, "-1,000")]
        {
            assert_eq!(grouped(value, decimals), text);
        }
    }
}
