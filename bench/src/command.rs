//! The command line.

use crate::load::Span;
use crate::measurement::Measurement;
use crate::subject::Subject;
use crate::works::mutate::Mutation;
use crate::works::{bytes, commits, fanout, mutate};
use clap::{Args, Parser, Subcommand};

/// Measures SynapTask and its peers. Prints one JSON line per measurement; progress goes to standard error.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub struct Command {
    #[command(subcommand)]
    work: Work,
}

/// What all works accept.
#[derive(Debug, Args)]
struct Common {
    /// The subjects, taken in turn in each round: `[LABEL:]KIND[=BINARY]`, such as `synaptask`,
    /// `old:synaptask=/tmp/old` or `bare`.
    #[arg(long = "subject", value_parser = Subject::parse)]
    subjects: Vec<Subject>,
    /// How many times each case is measured on each subject.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// How many seconds count in each measurement.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Durable mutations in a closed loop.
    Mutate {
        #[command(flatten)]
        common: Common,
        #[arg(long, value_delimiter = ',', default_value = "1,50,200")]
        clients: Vec<usize>,
        #[arg(long, value_delimiter = ',', default_value = "add")]
        mutation: Vec<Mutation>,
    },
    /// Durable mutations at fixed rates.
    Rate {
        #[command(flatten)]
        common: Common,
        #[arg(long, default_value_t = 200)]
        clients: usize,
        #[arg(long, value_delimiter = ',', default_value = "250,500,1000")]
        per_second: Vec<f64>,
    },
    /// One edit to everyone who sees it.
    Fanout {
        #[command(flatten)]
        common: Common,
        #[arg(long, value_delimiter = ',', default_value = "500,2000")]
        viewers: Vec<usize>,
    },
    /// Bytes written to disk per mutation, all in.
    Bytes {
        #[command(flatten)]
        common: Common,
        #[arg(long, default_value_t = 50)]
        clients: usize,
        /// How many mutations each client makes.
        #[arg(long, default_value_t = 200)]
        each: u32,
        #[arg(long, value_delimiter = ',', default_value = "add,update")]
        mutation: Vec<Mutation>,
    },
    /// The rate of commits with fsync.
    Commits {
        #[command(flatten)]
        common: Common,
        #[arg(long, value_delimiter = ',', default_value = "1,10,100")]
        group: Vec<u32>,
    },
}

impl Command {
    /// Runs the work.
    pub fn run(self) -> anyhow::Result<()> {
        tokio::runtime::Runtime::new()?.block_on(self.work.run())
    }
}

impl Work {
    async fn run(self) -> anyhow::Result<()> {
        match self {
            Work::Mutate { common, clients, mutation } => {
                let span = Span::seconds(common.seconds);
                for mutation in mutation {
                    for clients in &clients {
                        common
                            .each(async |subject| mutate::measure(subject, mutation, *clients, span).await)
                            .await?;
                    }
                }
            }
            Work::Rate { common, clients, per_second } => {
                let span = Span::seconds(common.seconds);
                for rate in per_second {
                    common
                        .each(async |subject| mutate::measure_rate(subject, clients, rate, span).await)
                        .await?;
                }
            }
            Work::Fanout { common, viewers } => {
                let span = Span::seconds(common.seconds);
                for viewers in viewers {
                    common.each(async |subject| fanout::measure(subject, viewers, span).await).await?;
                }
            }
            Work::Bytes { common, clients, each, mutation } => {
                for mutation in mutation {
                    common
                        .each(async |subject| bytes::measure(subject, mutation, clients, each).await)
                        .await?;
                }
            }
            Work::Commits { common, group } => {
                for round in 1..=common.rounds {
                    for group in &group {
                        print(commits::measure(*group, common.seconds)?, round)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Common {
    /// Measures every subject in every round, in turn.
    async fn each(
        &self,
        measure: impl AsyncFn(&Subject) -> anyhow::Result<Measurement>,
    ) -> anyhow::Result<()> {
        let subjects =
            if self.subjects.is_empty() { vec![Subject::parse("synaptask")?] } else { self.subjects.clone() };
        for round in 1..=self.rounds {
            for subject in &subjects {
                print(measure(subject).await?, round)?;
            }
        }
        Ok(())
    }
}

fn print(mut measurement: Measurement, round: u32) -> anyhow::Result<()> {
    measurement.round = round;
    measurement.print()
}
