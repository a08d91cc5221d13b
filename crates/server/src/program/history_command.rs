//! `synaptask history`: describes who did what and when, for the operator.

use super::accounts::Accounts;
use super::command_error::CommandError;
use super::data_directory::open_log;
use super::history_words::{Names, nodes_named, sentence, short};
use super::printing::{OutputFormat, lines, show};
use super::settings::Settings;
use crate::engine::protocol::PageOfHistory;
use crate::wire::{EveryOp, undo_and_redo};
use clap::Args;
use graph::batch::Batch;
use graph::history_view::HistoryView;
use graph::model::Rev;
use graph::{NodeId, Timestamp, UserId};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use store::{HistoryPage, HistoryQuery, HistoryScope, LoadScope, Log, PastBatch};
use uuid::Uuid;

/// How many batches are read at once when they are filtered one by one.
const PAGE: usize = 1_000;

/// The latest batches are printed last, next to the prompt.
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Only batches made by this user
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// Only batches that changed this node or a link to or from it
    #[arg(long, value_name = "ID")]
    node: Option<Uuid>,
    /// Only batches from this time on, such as 2026-01-31 or 2026-01-31T09:30:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only batches up to and including this time; a date means the beginning of that day
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Maximum number of batches to print; the most recent ones are printed
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    form: OutputFormat,
}

/// RFC 3339, or a date, which means its beginning in UTC.
fn moment(text: &str) -> Result<Timestamp, &'static str> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Timestamp::parse(&whole).ok_or("expected a time like 2026-01-31 or 2026-01-31T09:30:00Z")
}

pub(super) fn run(args: &HistoryArgs, settings: &Settings) -> Result<(), CommandError> {
    let mut log = open_log(&settings.data)?;
    let scope = scope(args, &mut log)?;
    let mut history = log.history()?;
    let until = args.until.map_or(Ok(Rev::MAX), |until| history.rev_by(until))?;
    let by = match (&args.user, &args.node) {
        (Some(email), Some(_)) => Some(Accounts::open(&mut log)?.user_or_removed(email)?.id),
        _ => None,
    };
    let reader = Arc::new(HistoryView::of_everything());
    let limit = if by.is_some() { PAGE } else { args.limit };
    let query = HistoryQuery { reader: reader.clone(), scope, until, limit, offset: 0 };
    let (mut found, mut before): (Vec<PastBatch>, _) = (Vec::new(), Rev::MAX);
    loop {
        let page = history.page_before(&query, before)?;
        let early = |at: Timestamp| args.since.is_some_and(|since| at < since);
        let passed = page.batches.last().is_some_and(|last| early(last.batch.at));
        before = page.batches.last().map_or(before, |last| last.rev);
        let fits = |batch: &Batch| !early(batch.at) && by.is_none_or(|user| batch.actor == Some(user));
        found.extend(page.batches.into_iter().filter(|past| fits(&past.batch)));
        if found.len() >= args.limit || passed || !page.has_more {
            break;
        }
    }
    found.truncate(args.limit);
    found.reverse();

    let people = Accounts::open(&mut log)?.people();
    let named: HashSet<NodeId> = found.iter().flat_map(|past| nodes_named(&past.batch)).collect();
    let names = Names {
        users: people.values().map(|user| (user.id, user.username.clone())).collect(),
        titles: history.titles(&named)?,
    };
    let page = PageOfHistory { past: HistoryPage { batches: found, has_more: false }, reader, people };
    let told: Vec<ToldBatch<'_>> = page
        .past
        .batches
        .iter()
        .map(|past| ToldBatch { past, words: sentence(&past.batch, &names) })
        .collect();
    let shown = Value::Array(told.iter().map(|told| told.json(&page)).collect());
    show(args.form, &shown, || lines(told.iter().map(ToldBatch::line), "There are no matching batches."))
}

/// The scope of the query, as far as an index covers it.
fn scope(args: &HistoryArgs, log: &mut dyn Log) -> Result<HistoryScope, CommandError> {
    if let Some(node) = args.node {
        let world = log.load(LoadScope::Everything)?;
        let links = world.link_ids_at(NodeId(node)).map(|id| id.0);
        return Ok(HistoryScope::Touching(Arc::new(links.chain([node]).collect())));
    }
    match &args.user {
        Some(email) => Ok(HistoryScope::By(Accounts::open(log)?.user_or_removed(email)?.id)),
        None => Ok(HistoryScope::Everything),
    }
}

struct ToldBatch<'a> {
    past: &'a PastBatch,
    words: String,
}

impl ToldBatch<'_> {
    fn line(&self) -> String {
        let batch = &self.past.batch;
        let undone = match (self.past.undone, self.past.undone_by) {
            (true, Some(by)) => format!(" (undone by {})", short(by)),
            _ => String::new(),
        };
        format!("{}  {}  {}{undone}", batch.at.whole_seconds().rfc3339(), short(batch.id), self.words)
    }

    fn json(&self, page: &PageOfHistory) -> Value {
        let past = self.past;
        let (undo_of, redo_of) = undo_and_redo(past.batch.lineage);
        let who = |id: UserId| {
            let user = page.people.get(&id);
            json!({ "id": id, "username": user.map(|it| &it.username), "email": user.map(|it| &it.email) })
        };
        json!({
            "time": past.batch.at.rfc3339(),
            "rev": past.rev,
            "batchId": past.batch.id,
            "actor": past.batch.actor.map(who),
            "words": self.words,
            "undone": past.undone,
            "undoOf": undo_of,
            "undoneBy": past.undone_by,
            "redoOf": redo_of,
            "redoneBy": past.redone_by,
            "ops": EveryOp { page, past },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn c11_a_time_is_a_date_or_a_moment() {
        let cases = [
            ("2026-01-31", Some("2026-01-31T00:00:00Z")),
            ("2026-01-31T09:30:00Z", Some("2026-01-31T09:30:00Z")),
            ("2026-01-31T09:30:00+02:00", Some("2026-01-31T07:30:00Z")),
            ("2026-02-31", None),
            ("yesterday", None),
            ("", None),
        ];
        for (text, want) in cases {
            assert_eq!(moment(text).ok().map(graph::Timestamp::rfc3339).as_deref(), want, "{text}");
        }
    }
}
