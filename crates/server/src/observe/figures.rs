//! The figures as text, with their names. Labels are names of operations, of transports and of codes, and nothing else.

use super::Running;
use crate::measure::{Spreading, Transport};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;

const PREFIX: &str = "synaptask";
const IN_A_SECOND: f64 = 1e6;

/// All figures, in the OpenMetrics format.
pub(super) fn text(running: &Running) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(All(Taken::of(running))));
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = text::encode(&mut text, &registry);
    text
}

/// The figures of one moment.
#[derive(Debug)]
struct Taken {
    counters: Vec<(&'static str, &'static str, u64)>,
    gauges: Vec<(&'static str, &'static str, Option<Unit>, u64)>,
    spreads: Vec<(&'static str, &'static str, Option<Unit>, Spreading)>,
    requests: Vec<crate::measure::Counted>,
    codes: Vec<(&'static str, u64)>,
    times: Vec<(&'static str, Spreading)>,
}

impl Taken {
    fn of(running: &Running) -> Self {
        let (app, engine) = (&running.app, running.app.engine.figures());
        let now = (running.now)();
        let (reads_waiting, reads_under_way) = app.engine.reads();
        let figures = &app.figures;
        let bytes = Some(Unit::Bytes);
        let seconds = Some(Unit::Seconds);
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let times = Transport::ALL.iter().filter_map(|by| Some((by.name(), figures.requests.times(*by)?)));
        Taken {
            counters: vec![
                ("batches", "Batches that are on disk", engine.batches.get()),
                (
                    "commit_failures",
                    "Groups of mutations that could not be written",
                    engine.commits_failed.get(),
                ),
                (
                    "projections",
                    "Diffs made: one for all users to whom a change means the same",
                    engine.projections.get(),
                ),
                ("messages", "Messages handed to connections", engine.messages.get()),
                ("world_reloads", "Times the World was loaded anew", engine.reloads.get()),
                ("history_pruned_batches", "Batches removed from history", engine.pruned.get()),
                ("log_folds", "Times the tail of the batch log was folded", engine.folds.get()),
                ("log_merges", "Times runs of the batch log were merged", engine.merges.get()),
                (
                    "outbox_overflows",
                    "Connections closed because their client read too slowly",
                    figures.overflows.get(),
                ),
                (
                    "access_log_lines_dropped",
                    "Lines of the access log that were not written in time",
                    count(now.access_lines_dropped),
                ),
            ],
            gauges: vec![
                (
                    "engine_queue_requests",
                    "Requests that wait for the engine",
                    None,
                    count(app.engine.waiting()),
                ),
                ("reads_waiting", "Reads that wait for a reader", None, count(reads_waiting)),
                ("reads_under_way", "Reads under way", None, count(reads_under_way)),
                ("connections", "Open socket connections", None, count(now.connections)),
                ("outbox_messages", "Messages that wait to be sent", None, count(now.outbox_messages)),
                ("outbox", "What waits to be sent, by the memory it holds", bytes, count(now.outbox_bytes)),
                (
                    "engine_connections",
                    "Connections that the engine sends to",
                    None,
                    engine.connections.get(),
                ),
                ("nodes", "Nodes, in the trash or not", None, engine.nodes.get()),
                ("links", "Links, in the trash or not", None, engine.links.get()),
                (
                    "users",
                    "Users, also disabled and removed ones, and guests of tokens",
                    None,
                    engine.users.get(),
                ),
                ("rev", "The last rev that is on disk", None, engine.rev.get()),
                ("log_tail_batches", "Batches that are not folded into tables yet", None, engine.tail.get()),
                (
                    "start_time",
                    "When the server started, since 1970",
                    seconds.clone(),
                    u64::try_from(figures.started.ms() / 1000).unwrap_or_default(),
                ),
            ],
            spreads: vec![
                (
                    "engine_round_duration",
                    "Time to decide a group of mutations",
                    seconds.clone(),
                    engine.rounds.get(),
                ),
                (
                    "engine_commit_duration",
                    "Time to write a group of mutations to disk",
                    seconds,
                    engine.commits.get(),
                ),
                ("engine_group_mutations", "Mutations in a group", None, engine.group_sizes.get()),
            ],
            requests: figures.requests.counted(),
            codes: figures.requests.refused(),
            times: times.collect(),
        }
    }
}

#[derive(Debug)]
struct All(Taken);

impl Collector for All {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let Taken { counters, gauges, spreads, requests, codes, times } = &self.0;
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        encoder
            .encode_descriptor("build", "The running version", None, MetricType::Info)?
            .encode_info(&version)?;
        for (name, help, value) in counters {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            metric.encode_counter::<NoLabelSet, u64, u64>(value, None)?;
        }
        for (name, help, unit, value) in gauges {
            encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?.encode_gauge(value)?;
        }
        for (name, help, unit, spreading) in spreads {
            let metric = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Histogram)?;
            encode_spread(metric, spreading, unit.is_some())?;
        }
        let mut metric = encoder.encode_descriptor(
            "requests",
            "Requests by operation, transport and outcome",
            None,
            MetricType::Counter,
        )?;
        for one in requests {
            let labels =
                [("operation", one.operation), ("transport", one.transport), ("outcome", one.outcome)];
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(&one.count, None)?;
        }
        let help = "Requests that were refused or failed, by code";
        let mut metric = encoder.encode_descriptor("refusals", help, None, MetricType::Counter)?;
        for (code, count) in codes {
            let labels = [("code", *code)];
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(count, None)?;
        }
        let (name, help) = ("request_duration", "Time from a request to its answer");
        let mut metric =
            encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (transport, spreading) in times {
            let labels = [("transport", *transport)];
            encode_spread(metric.encode_family(&labels)?, spreading, true)?;
        }
        Ok(())
    }
}

fn encode_spread(mut metric: MetricEncoder, spreading: &Spreading, is_time: bool) -> fmt::Result {
    let scale = if is_time { IN_A_SECOND } else { 1.0 };
    let scaled = |value: u64| value as f64 / scale;
    let buckets = spreading.buckets.iter().map(|(end, count)| (scaled(*end), *count));
    let buckets: Vec<(f64, u64)> = buckets.chain([(f64::INFINITY, spreading.larger)]).collect();
    let count = buckets.iter().map(|(_, count)| count).sum();
    metric.encode_histogram::<NoLabelSet>(scaled(spreading.sum), count, &buckets, None)
}
