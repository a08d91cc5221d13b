//! The command line.

use crate::load::Span;
use crate::measurement::Measurement;
use crate::subject::Subject;
use crate::works::mutate::Mutation;
use crate::works::others::Scene;
use crate::works::{bytes, cascade, commits, fanout, idle, load, mutate, others, size, tail};
use crate::{report, run};
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
    /// All works on subject and peers, in turn, and the report. With `--only`, some works and no report.
    Run {
        #[arg(long, default_value_t = 5)]
        rounds: u32,
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Writes the report again from the results of the latest run.
    Report,
    /// Removes the data that runs have left under target/bench.
    Clean,
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
    /// The whole graph of a user, until its last byte, beside the same bytes ready-made.
    Load {
        #[command(flatten)]
        common: Common,
        #[arg(long, value_delimiter = ',', default_value = "10000,100000")]
        nodes: Vec<usize>,
        /// How many loads each measurement has.
        #[arg(long, default_value_t = 5)]
        times: u32,
    },
    /// The latency of others' mutations while something large goes on.
    Others {
        #[command(flatten)]
        common: Common,
        #[arg(long, value_delimiter = ',', default_value = "rest,load,reconnects,readers,grant,busy")]
        scene: Vec<Scene>,
    },
    /// Mutations in small and large graphs, with the start on each and its memory.
    Size {
        #[command(flatten)]
        common: Common,
        #[arg(long, value_delimiter = ',', default_value = "1000,100000,1000000")]
        nodes: Vec<usize>,
    },
    /// Moving a hub and moving a leaf.
    Hub {
        #[command(flatten)]
        common: Common,
        #[arg(long, default_value_t = 100_000)]
        children: usize,
    },
    /// A status that changes those of a whole chain.
    Cascade {
        #[command(flatten)]
        common: Common,
        #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
        length: Vec<usize>,
    },
    /// Memory of connections that do nothing.
    Idle {
        #[command(flatten)]
        common: Common,
        #[arg(long, default_value_t = 2_000)]
        connections: usize,
    },
    /// The worst latencies at half load.
    Tail {
        #[command(flatten)]
        common: Common,
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
            Work::Run { rounds, only } => run::run(rounds, &only).await?,
            Work::Report => report::write(&run::latest()?)?,
            Work::Clean => run::clean()?,
            Work::Mutate { common, clients, mutation } => {
                let span = Span::seconds(common.seconds);
                for mutation in mutation {
                    for clients in &clients {
                        common
                            .each(async |subject| {
                                Ok(vec![mutate::measure(subject, mutation, *clients, span).await?])
                            })
                            .await?;
                    }
                }
            }
            Work::Rate { common, clients, per_second } => {
                let span = Span::seconds(common.seconds);
                for rate in per_second {
                    common
                        .each(async |subject| {
                            Ok(vec![mutate::measure_rate(subject, clients, rate, span).await?])
                        })
                        .await?;
                }
            }
            Work::Fanout { common, viewers } => {
                let span = Span::seconds(common.seconds);
                for viewers in viewers {
                    common
                        .each(async |subject| Ok(vec![fanout::measure(subject, viewers, span).await?]))
                        .await?;
                }
            }
            Work::Bytes { common, clients, each, mutation } => {
                for mutation in mutation {
                    common
                        .each(async |subject| {
                            Ok(vec![bytes::measure(subject, mutation, clients, each).await?])
                        })
                        .await?;
                }
            }
            Work::Load { common, nodes, times } => {
                for nodes in nodes {
                    common.each(async |subject| load::measure(subject, nodes, times).await).await?;
                }
            }
            Work::Others { common, scene } => {
                let span = Span::seconds(common.seconds);
                common.each(async |subject| others::measure(subject, &scene, span).await).await?;
            }
            Work::Size { common, nodes } => {
                let span = Span::seconds(common.seconds);
                for nodes in nodes {
                    common.each(async |subject| size::measure(subject, nodes, span).await).await?;
                }
            }
            Work::Hub { common, children } => {
                let span = Span::seconds(common.seconds);
                common.each(async |subject| size::measure_hub(subject, children, span).await).await?;
            }
            Work::Cascade { common, length } => {
                for length in length {
                    common.each(async |subject| cascade::measure(subject, length).await).await?;
                }
            }
            Work::Idle { common, connections } => {
                common.each(async |subject| Ok(vec![idle::measure(subject, connections).await?])).await?;
            }
            Work::Tail { common } => {
                let span = Span::seconds(common.seconds);
                common.each(async |subject| Ok(vec![tail::measure(subject, span).await?])).await?;
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
        measure: impl AsyncFn(&Subject) -> anyhow::Result<Vec<Measurement>>,
    ) -> anyhow::Result<()> {
        let subjects =
            if self.subjects.is_empty() { vec![Subject::parse("synaptask")?] } else { self.subjects.clone() };
        for round in 1..=self.rounds {
            for subject in &subjects {
                for measurement in measure(subject).await? {
                    print(measurement, round)?;
                }
            }
        }
        Ok(())
    }
}

fn print(mut measurement: Measurement, round: u32) -> anyhow::Result<()> {
    measurement.round = round;
    measurement.print()
}
