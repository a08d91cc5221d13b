//! One measurement: what was measured, on which subject, and the numbers.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write as _;

/// Numbers by name. A name ends with its unit.
pub type Values = BTreeMap<String, f64>;

/// One measurement. Printed as one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measurement {
    /// The round of the run, counted from 1.
    #[serde(default)]
    pub round: u32,
    /// The work, such as `mutate`.
    pub work: String,
    /// The case within the work, such as `node:add 50`.
    pub case: String,
    /// The label of the subject, such as `synaptask`.
    pub subject: String,
    /// The numbers.
    pub values: Values,
    /// Why there are no numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Measurement {
    /// A measurement without a round.
    pub fn new(work: &str, case: impl Into<String>, subject: &str, values: Values) -> Measurement {
        let (work, subject) = (work.to_owned(), subject.to_owned());
        Measurement { round: 0, work, case: case.into(), subject, values, error: None }
    }

    /// A measurement that failed.
    pub fn failed(work: &str, case: impl Into<String>, subject: &str, error: &anyhow::Error) -> Measurement {
        let error = Some(format!("{error:#}"));
        Measurement { error, ..Measurement::new(work, case, subject, Values::new()) }
    }

    /// Writes it to standard output as one line.
    pub fn print(&self) -> anyhow::Result<()> {
        let mut line = serde_json::to_string(self)?;
        line.push('\n');
        Ok(std::io::stdout().lock().write_all(line.as_bytes())?)
    }
}

/// Progress goes to standard error, so that standard output has measurements only.
pub fn progress(line: &str) {
    // When standard error is closed, nobody wants to know.
    let _ = writeln!(std::io::stderr().lock(), "bench: {line}");
}
