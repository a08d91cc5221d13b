//! A whole run: every work on subject and peers, in turn, in several rounds, and the report.

use crate::load::Span;
use crate::measurement::{Measurement, progress};
use crate::report;
use crate::subject::{Kind, Subject, scratch, synaptask};
use crate::works::mutate::Mutation;
use crate::works::others::Scene;
use crate::works::{bytes, cascade, commits, fanout, idle, load, mutate, others, size, tail};
use anyhow::{bail, ensure};
use clap::ValueEnum as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The works of a run, in order.
pub const WORKS: [&str; 11] =
    ["commits", "mutate", "rate", "fanout", "bytes", "load", "others", "size", "cascade", "idle", "tail"];
/// Works that take long, or that count what hardly varies, are measured in the first of five rounds.
const SELDOM: [&str; 5] = ["rate", "size", "tail", "bytes", "idle"];
/// The rates of `rate`, in requests per second. A subject is spared those that it cannot reach.
const RATES: [f64; 6] = [125.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0];

/// How many mutations each of 50 clients makes, so that more than one fold's worth is written.
const EACH_WITH_FOLD: u32 = 1_500;

/// A run.
#[derive(Debug)]
pub struct Run {
    rounds: u32,
    works: Vec<String>,
    results: File,
    measurements: Vec<Measurement>,
}

/// Runs the given works, or all. Writes the report only after a run of all.
pub async fn run(rounds: u32, works: &[String]) -> anyhow::Result<()> {
    for work in works {
        ensure!(WORKS.contains(&work.as_str()), "there is no work {work:?}; there are {}", WORKS.join(", "));
    }
    let all = works.is_empty();
    let works = if all { WORKS.map(str::to_owned).to_vec() } else { works.to_vec() };
    let began = Instant::now();
    let results = File::create(results_file()?)?;
    let mut run = Run { rounds, works, results, measurements: Vec::new() };
    for round in 1..=rounds {
        run.round(round).await?;
    }
    progress(&format!("measured for {:.0} s", began.elapsed().as_secs_f64()));
    if all {
        report::write(&run.measurements)?;
    } else {
        std::io::stdout().lock().write_all(report::tables(&run.measurements).as_bytes())?;
    }
    let failed: Vec<&Measurement> = run.measurements.iter().filter(|one| one.error.is_some()).collect();
    for one in &failed {
        progress(&format!("failed: {} {} on {}", one.work, one.case, one.subject));
    }
    ensure!(failed.is_empty(), "{} measurements failed", failed.len());
    Ok(())
}

/// Where the raw results of the latest run are.
pub fn results_file() -> anyhow::Result<PathBuf> {
    Ok(scratch()?.join("results.jsonl"))
}

/// The raw results of the latest run.
pub fn latest() -> anyhow::Result<Vec<Measurement>> {
    BufReader::new(File::open(results_file()?)?)
        .lines()
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect()
}

fn named(kind: Kind, label: &str) -> Subject {
    Subject { label: label.to_owned(), kind }
}

impl Run {
    async fn round(&mut self, round: u32) -> anyhow::Result<()> {
        for work in self.works.clone() {
            if SELDOM.contains(&work.as_str()) && round % 5 != 1 {
                continue;
            }
            progress(&format!("round {round} of {}: {work}", self.rounds));
            let began = Instant::now();
            self.work(round, &work).await?;
            progress(&format!(
                "round {round} of {}: {work} took {:.0} s",
                self.rounds,
                began.elapsed().as_secs_f64()
            ));
        }
        Ok(())
    }

    async fn work(&mut self, round: u32, work: &str) -> anyhow::Result<()> {
        let ours = named(Kind::Synaptask(synaptask::default_binary()), "synaptask");
        let bare = named(Kind::Bare, "bare");
        let (node, node_bare) = (named(Kind::Node, "node"), named(Kind::NodeBare, "node-bare"));
        let pocketbase = named(Kind::Pocketbase, "pocketbase");
        let span = Span::seconds(1.5);
        match work {
            "commits" => {
                for group in [1, 100] {
                    let measured = commits::measure(group, 1.0);
                    self.add(round, work, &format!("groups of {group}"), "sqlite", measured)?;
                }
            }
            "mutate" => {
                for clients in [1, 50, 200] {
                    for subject in turned(round, &[&ours, &bare, &node, &pocketbase]) {
                        let measured = mutate::measure(subject, Mutation::Add, clients, span).await;
                        self.add(round, work, &format!("node:add {clients}"), &subject.label, measured)?;
                    }
                }
                let measured = mutate::measure(&ours, Mutation::Update, 50, span).await;
                self.add(round, work, "node:update 50", &ours.label, measured)?;
            }
            "rate" => {
                for subject in turned(round, &[&ours, &node, &pocketbase]) {
                    self.rates(round, subject).await?;
                }
            }
            "fanout" => {
                for viewers in [500, 2_000] {
                    for subject in turned(round, &[&ours, &bare, &node_bare, &node, &pocketbase]) {
                        if viewers == 500 || subject.kind != Kind::Pocketbase {
                            let measured = fanout::measure(subject, viewers, span).await;
                            self.add(round, work, &format!("{viewers} viewers"), &subject.label, measured)?;
                        }
                    }
                }
            }
            "bytes" => {
                for subject in turned(round, &[&ours, &node, &pocketbase]) {
                    // With ours, tables are folded after 65,536 batches. That is to be in.
                    let each = if subject.label == ours.label { EACH_WITH_FOLD } else { 100 };
                    let measured = bytes::measure(subject, Mutation::Add, 50, each).await;
                    self.add(round, work, "node:add 50", &subject.label, measured)?;
                }
                let measured = bytes::measure(&ours, Mutation::Update, 50, EACH_WITH_FOLD).await;
                self.add(round, work, "node:update 50", &ours.label, measured)?;
            }
            "load" => {
                for (nodes, times, times_listed) in [(10_000, 5, 3), (100_000, 3, 1)] {
                    for (subject, times) in turned(round, &[&(&ours, times), &(&pocketbase, times_listed)]) {
                        let measured = load::measure(subject, nodes, *times).await;
                        self.add_all(round, work, &format!("{nodes} nodes"), &subject.label, measured)?;
                    }
                }
            }
            "others" => {
                let measured = others::measure(&ours, Scene::value_variants(), Span::seconds(3.0)).await;
                self.add_all(round, work, "all", &ours.label, measured)?;
            }
            "size" => {
                for nodes in [1_000, 100_000, 1_000_000] {
                    let measured = size::measure(&ours, nodes, span).await;
                    self.add_all(round, work, &format!("{nodes} nodes"), &ours.label, measured)?;
                }
                let measured = size::measure_hub(&ours, 100_000, span).await;
                self.add_all(round, work, "hub of 100000", &ours.label, measured)?;
            }
            "cascade" => {
                for length in [1_000, 10_000, 100_000] {
                    let measured = cascade::measure(&ours, length).await;
                    self.add_all(round, work, &format!("reopen {length}"), &ours.label, measured)?;
                }
            }
            "idle" => {
                for subject in turned(round, &[&ours, &bare, &node_bare]) {
                    let measured = idle::measure(subject, 2_000).await;
                    self.add(round, work, "2000 connections", &subject.label, measured)?;
                }
            }
            "tail" => {
                let minute = Span { warm_up: Duration::from_secs(2), ..Span::seconds(60.0) };
                let measured = tail::measure(&ours, minute).await;
                self.add(round, work, "half load", &ours.label, measured)?;
            }
            _ => bail!("there is no work {work:?}"),
        }
        Ok(())
    }

    /// Measures fixed rates up to where the subject no longer keeps up.
    async fn rates(&mut self, round: u32, subject: &Subject) -> anyhow::Result<()> {
        for rate in RATES {
            let measured = mutate::measure_rate(subject, 200, rate, Span::seconds(1.0)).await;
            let keeps_up =
                measured.as_ref().is_ok_and(|one| one.values.get("p50_us").is_some_and(|p50| *p50 < 5e4));
            self.add(round, "rate", &format!("node:add at {rate:.0}/s"), &subject.label, measured)?;
            if !keeps_up {
                return Ok(());
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        round: u32,
        work: &str,
        case: &str,
        subject: &str,
        measured: anyhow::Result<Measurement>,
    ) -> anyhow::Result<()> {
        self.add_all(round, work, case, subject, measured.map(|one| vec![one]))
    }

    /// Keeps what was measured. A failure is kept too, and makes the run fail at its end.
    fn add_all(
        &mut self,
        round: u32,
        work: &str,
        case: &str,
        subject: &str,
        measured: anyhow::Result<Vec<Measurement>>,
    ) -> anyhow::Result<()> {
        let measured =
            measured.unwrap_or_else(|error| vec![Measurement::failed(work, case, subject, &error)]);
        for mut one in measured {
            one.round = round;
            // What another work measures on the way has its own name.
            if one.work == "mutate" {
                work.clone_into(&mut one.work);
            }
            if let Some(error) = &one.error {
                progress(&format!("FAILED: {} {} on {}: {error}", one.work, one.case, one.subject));
            }
            let mut line = serde_json::to_string(&one)?;
            line.push('\n');
            self.results.write_all(line.as_bytes())?;
            self.measurements.push(one);
        }
        Ok(())
    }
}

/// The subjects in another order in each round, so that none is always first.
fn turned<'a, T>(round: u32, subjects: &[&'a T]) -> Vec<&'a T> {
    let mut subjects = subjects.to_vec();
    let first = (round as usize - 1) % subjects.len();
    subjects.rotate_left(first);
    subjects
}

/// Removes everything that runs have left.
pub fn clean() -> anyhow::Result<()> {
    Ok(fs::remove_dir_all(scratch()?)?)
}
