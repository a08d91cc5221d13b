//! Measures SynapTask beside its peers. `README.md` describes what is measured and how.

pub mod client;
pub mod command;
pub mod graphs;
pub mod latencies;
pub mod load;
pub mod measurement;
pub mod process;
pub mod report;
pub mod run;
pub mod subject;
pub mod works;
