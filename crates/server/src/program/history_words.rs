//! What a batch did, in words: `ada trashed “Ship it” and 3 links; 2 tasks freed`.

use super::printing::one_line;
use graph::batch::{Batch, Change, Entry, Lineage, Op, Subject};
use graph::model::{AccountState, Grant, Key, KeyPurpose, Level, Link, LinkType, Node, Status, User};
use graph::{NODE_FIELDS, NodeId, UserId, each_node_field};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The longest title shown, in characters.
const TITLE_MOST: usize = 40;
/// How many things of a kind are named before the rest is counted.
const NAMED_MOST: usize = 3;
/// How many different actions of one batch are described.
const PHRASES_MOST: usize = 4;

/// The names of users and tasks, where the batch itself does not have them.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub users: HashMap<UserId, String>,
    pub titles: HashMap<NodeId, String>,
}

/// The nodes whose titles are needed for a batch's words and are not in the batch.
pub fn nodes_named(batch: &Batch) -> HashSet<NodeId> {
    let mut named = HashSet::new();
    for entry in entries(batch).filter(|entry| !entry.derived) {
        match &entry.subject {
            Subject::Link(change) => {
                named.extend(change.latest().into_iter().flat_map(|link| [link.source, link.target]));
            }
            Subject::Grant(change) => named.extend(change.latest().map(|grant| grant.node)),
            Subject::Embed(change) => named.extend(change.latest().map(|embed| embed.node)),
            _ => {}
        }
    }
    named
}

/// The entries of a batch. Every walk over them uses this, so that a test can count the steps.
fn entries(batch: &Batch) -> impl Iterator<Item = &Entry> {
    batch.entries.iter().inspect(|_| {
        #[cfg(test)]
        tests::note_step();
    })
}

/// The whole sentence: actor and actions.
pub fn sentence(batch: &Batch, names: &Names) -> String {
    let words = Words::of(batch, names);
    let who = batch.actor.or_else(|| by_themselves(batch));
    let who = who.map_or_else(|| "the installation".to_owned(), |id| words.person(id));
    let what = words.what();
    match batch.lineage {
        Lineage::Fresh => format!("{who} {what}"),
        Lineage::UndoOf(root) => format!("{who} undid {}: {what}", short(root)),
        Lineage::RedoOf(root) => format!("{who} redid {}: {what}", short(root)),
    }
}

/// The user who did what the server keeps without an actor: they signed in, or changed how they do.
fn by_themselves(batch: &Batch) -> Option<UserId> {
    let first = batch.entries.first().filter(|entry| !entry.derived)?;
    match (first.op, &first.subject) {
        (Op::SessionUpdate, Subject::Token(change)) => change.latest().map(|token| token.user),
        (Op::SignInUpdate | Op::AccountUpdate, Subject::User(change)) => {
            let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
            (before.admin == after.admin && before.closing.is_none()).then_some(after.id)
        }
        (Op::KeyUpdate, Subject::Key(change)) => match change.latest()?.purpose {
            KeyPurpose::Invite { by, .. } => by,
            KeyPurpose::Email { user, .. } => Some(user),
            KeyPurpose::Setup | KeyPurpose::Reset { .. } => None,
        },
        _ => None,
    }
}

/// What became of an account.
fn changed_account(op: Op, before: &User, after: &User) -> Phrase {
    let whole = format!("{} <{}>", one_line(&before.username), one_line(&before.email));
    if op == Op::UserRemove {
        return phrase("removed the user", whole, &format!("(now {})", one_line(&after.username)));
    }
    match op {
        Op::SignInUpdate if before.password != after.password => {
            let verb = if before.password.is_none() { "set a password" } else { "changed the password" };
            return phrase(verb, format!("of {}", one_line(&after.username)), "");
        }
        Op::SignInUpdate => {
            let providers: Vec<&str> = after.identities.iter().map(|it| it.provider.as_str()).collect();
            let known = one_line(&providers.join(", "));
            return phrase("changed the identities of", one_line(&after.username), &format!("to {known}"));
        }
        Op::ViewUpdate => return phrase("changed the view settings of", one_line(&after.username), ""),
        Op::AccountUpdate => {
            let verb = match (before.admin, after.admin, after.closing) {
                (false, true, _) => "made an administrator of",
                (true, false, _) => "made no administrator of",
                (_, _, Some(_)) => "closed the account of",
                (_, _, None) => "opened again the account of",
            };
            return phrase(verb, whole, "");
        }
        _ => {}
    }
    match (before.state, after.state) {
        (AccountState::Active, AccountState::Disabled) => return phrase("disabled the user", whole, ""),
        (AccountState::Disabled, AccountState::Active) => return phrase("enabled the user", whole, ""),
        _ => {}
    }
    let change = |what: &str, was: &str, is: &str| {
        (was != is).then(|| format!("{what}{} to {}", one_line(was), one_line(is)))
    };
    let others = [
        change("email ", &before.email, &after.email),
        change("plan ", before.plan.name(), after.plan.name()),
    ];
    let others: Vec<String> = others.into_iter().flatten().collect();
    if others.is_empty() {
        let renamed = format!("{} to {}", one_line(&before.username), one_line(&after.username));
        return phrase("changed the username", renamed, "");
    }
    let renamed = change("username ", &before.username, &after.username);
    let all: Vec<String> = renamed.into_iter().chain(others).collect();
    phrase("changed the user", format!("{}: {}", one_line(&before.username), all.join(", ")), "")
}

/// Enough of an id to find it again on the same screen.
pub fn short(id: graph::BatchId) -> String {
    id.0.simple().to_string().chars().take(8).collect()
}

/// An action on one or more things: `embedded the public branch` `“A”, “B”` `in their graph`.
#[derive(Debug, PartialEq)]
struct Phrase {
    verb: String,
    things: Vec<String>,
    rest: String,
}

struct Words<'a> {
    batch: &'a Batch,
    names: &'a Names,
    titles: HashMap<NodeId, &'a str>,
    /// The operations of the batch on each node.
    on_nodes: HashSet<(Op, NodeId)>,
}

impl<'a> Words<'a> {
    fn of(batch: &'a Batch, names: &'a Names) -> Self {
        let (mut titles, mut on_nodes) = (HashMap::new(), HashSet::new());
        for entry in entries(batch) {
            if let Subject::Node(change) = &entry.subject
                && let Some(node) = change.latest()
            {
                titles.insert(node.id, node.title.as_str());
                on_nodes.insert((entry.op, node.id));
            }
        }
        Words { batch, names, titles, on_nodes }
    }

    fn what(&self) -> String {
        let mut phrases: Vec<Phrase> = Vec::new();
        let mut links = 0;
        for entry in entries(self.batch) {
            // Links that were trashed or restored with their task are only counted.
            if self.goes_with_its_end(entry) {
                links += 1;
                continue;
            }
            let Some(phrase) = (!entry.derived).then(|| self.phrase(entry)).flatten() else { continue };
            match phrases.last_mut() {
                Some(last) if (&last.verb, &last.rest) == (&phrase.verb, &phrase.rest) => {
                    last.things.extend(phrase.things);
                }
                _ => phrases.push(phrase),
            }
        }
        let more = phrases.len().saturating_sub(PHRASES_MOST);
        phrases.truncate(PHRASES_MOST);
        let mut told: Vec<String> = phrases.iter().map(Phrase::text).collect();
        if more > 0 {
            told.push(format!("did {more} more things"));
        }
        let mut text = if told.is_empty() { "changed nothing".to_owned() } else { joined(&told) };
        if links > 0 {
            text = format!("{text} and {}", counted(links, "link"));
        }
        for consequence in self.consequences() {
            text = format!("{text}; {consequence}");
        }
        text
    }

    /// Whether an entry is on a link that was trashed, restored or deleted because of a task of the batch.
    fn goes_with_its_end(&self, entry: &Entry) -> bool {
        let Subject::Link(change) = &entry.subject else { return false };
        let with = match entry.op {
            Op::LinkTrash => Op::NodeTrash,
            Op::LinkRestore => Op::NodeRestore,
            Op::LinkDelete => Op::NodeDelete,
            _ => return false,
        };
        let Some(link) = change.latest() else { return false };
        [link.source, link.target].into_iter().any(|end| self.on_nodes.contains(&(with, end)))
    }

    /// The derived changes.
    fn consequences(&self) -> Vec<String> {
        let (mut freed, mut blocked) = (HashSet::new(), HashSet::new());
        let (mut embeds, mut grants) = (0, 0);
        for entry in entries(self.batch).filter(|entry| entry.derived) {
            match &entry.subject {
                Subject::Node(Change { before: Some(before), after: Some(after) }) => {
                    let (was, is) = (before.status == Status::Blocked, after.status == Status::Blocked);
                    if was && !is {
                        freed.insert(after.id);
                    }
                    if is && !was {
                        blocked.insert(after.id);
                    }
                }
                Subject::Embed(Change { after: None, .. }) => embeds += 1,
                Subject::Grant(Change { after: None, .. }) => grants += 1,
                _ => {}
            }
        }
        [
            (freed.len(), "task", "freed"),
            (blocked.len(), "task", "blocked"),
            (embeds, "embed", "ended"),
            (grants, "grant", "ended"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, thing, fate)| format!("{} {fate}", counted(count, thing)))
        .collect()
    }

    fn phrase(&self, entry: &Entry) -> Option<Phrase> {
        match &entry.subject {
            Subject::Node(change) => self.node(entry.op, change),
            Subject::Link(change) => self.link(entry.op, change),
            Subject::Grant(change) => self.grant(change),
            Subject::Embed(change) => {
                let title = self.title(change.latest()?.node);
                Some(match change.after {
                    Some(_) => phrase("embedded the public branch", title, "in their graph"),
                    None => phrase("removed the public branch", title, "from their graph"),
                })
            }
            Subject::User(change) => {
                let (before, after) = (change.before.as_ref(), change.after.as_ref()?);
                Some(match before {
                    None => phrase(
                        "created the user",
                        format!(
                            "{} <{}> ({})",
                            one_line(&after.username),
                            one_line(&after.email),
                            after.plan.name()
                        ),
                        "",
                    ),
                    Some(before) => changed_account(entry.op, before, after),
                })
            }
            Subject::Key(change) => Some(self.key(change)?),
            Subject::Token(change) if change.latest()?.is_session() => {
                let verb = if change.before.is_none() { "signed in with" } else { "signed out of" };
                let agent = change.latest()?.agent.as_deref();
                Some(phrase(verb, agent.map_or_else(|| "a browser".to_owned(), quoted), ""))
            }
            Subject::Token(change) => {
                let token = change.latest()?;
                let verb = match (&change.before, &change.after) {
                    (None, _) => "created the API token",
                    (_, None) => "revoked the API token",
                    _ => "gave a new secret to the API token",
                };
                let of = format!("of {}", self.person(token.user));
                let name =
                    if token.name.is_empty() { "without a name".to_owned() } else { quoted(&token.name) };
                Some(phrase(verb, name, &of))
            }
        }
    }

    fn key(&self, change: &Change<Arc<Key>>) -> Option<Phrase> {
        let verb = if change.before.is_none() { "issued a link" } else { "ended a link" };
        let what = match &change.latest()?.purpose {
            KeyPurpose::Setup => "to set up the installation".to_owned(),
            KeyPurpose::Invite { email: Some(email), .. } => format!("that invites {}", one_line(email)),
            KeyPurpose::Invite { email: None, .. } => "that invites".to_owned(),
            KeyPurpose::Reset { user } => format!("for another password of {}", self.person(*user)),
            KeyPurpose::Email { user, email } => {
                format!("for the email {} of {}", one_line(email), self.person(*user))
            }
        };
        Some(phrase(verb, what, ""))
    }

    fn node(&self, op: Op, change: &Change<Arc<Node>>) -> Option<Phrase> {
        let node = change.latest()?;
        let title = quoted(&node.title);
        Some(match (op, &change.before, &change.after) {
            (Op::NodeAdd, ..) => phrase("added", title, ""),
            (Op::NodeTrash, ..) => phrase("trashed", title, ""),
            (Op::NodeRestore, ..) => phrase("restored", title, ""),
            (Op::NodeDelete, ..) => phrase("permanently deleted", title, ""),
            (Op::NodeStatus, _, Some(after)) => {
                let status = match after.status {
                    Status::Available => "available",
                    Status::InProgress => "in progress",
                    Status::Blocked => "blocked",
                    Status::Completed => "completed",
                };
                phrase("set", title, &format!("to {status}"))
            }
            (Op::NodePublish, Some(before), Some(after)) => match (&before.publication, &after.publication) {
                (None, Some(publication)) => {
                    let branch = if publication.branch { " with its branch" } else { "" };
                    let until =
                        publication.due.map_or_else(String::new, |due| format!(" until {}", due.rfc3339()));
                    phrase("published", title, format!("{branch}{until}").trim_start())
                }
                (Some(_), None) => phrase("unpublished", title, ""),
                _ => phrase("changed the publication of", title, ""),
            },
            (_, Some(before), Some(after)) => {
                let fields = changed_fields(before, after);
                match (before.title != after.title, fields.as_slice()) {
                    (true, []) => phrase("renamed", format!("{} to {title}", quoted(&before.title)), ""),
                    (true, fields) => phrase(
                        "renamed",
                        format!("{} to {title}", quoted(&before.title)),
                        &format!("and changed its {}", joined(fields)),
                    ),
                    (false, [words]) if *words == NODE_FIELDS.x.words => phrase("moved", title, ""),
                    (false, fields) => phrase(&format!("changed the {} of", joined(fields)), title, ""),
                }
            }
            _ => return None,
        })
    }

    fn link(&self, op: Op, change: &Change<Arc<Link>>) -> Option<Phrase> {
        let link = change.latest()?;
        let (source, target) = (self.title(link.source), self.title(link.target));
        let pair = format!("{source} → {target}");
        Some(match (op, &change.before, &change.after) {
            (Op::LinkAdd, ..) => {
                let private = if link.private { "privately" } else { "" };
                match link.kind {
                    LinkType::Primary => phrase("made", format!("{target} wait for {source}"), private),
                    LinkType::Secondary => phrase("linked", pair, private),
                }
            }
            (Op::LinkTrash, ..) => phrase("trashed the link", pair, ""),
            (Op::LinkRestore, ..) => phrase("restored the link", pair, ""),
            (Op::LinkDelete, ..) => phrase("permanently deleted the link", pair, ""),
            (Op::LinkSwap, ..) => phrase("reversed the link to", pair, ""),
            (_, Some(before), Some(after)) => {
                let mut is = Vec::new();
                if before.kind != after.kind {
                    is.push(if after.is_primary() { "primary" } else { "secondary" });
                }
                if before.private != after.private {
                    is.push(if after.private { "private" } else { "no longer private" });
                }
                if is.is_empty() {
                    return None;
                }
                phrase("made the link", pair, &joined(&is))
            }
            _ => return None,
        })
    }

    fn grant(&self, change: &Change<Arc<Grant>>) -> Option<Phrase> {
        let grant = change.latest()?;
        let (title, person) = (self.title(grant.node), self.person(grant.user));
        let own = self.batch.actor == Some(grant.user);
        let terms = |grant: &Grant| {
            let branch = if grant.branch { "with its branch" } else { "alone" };
            let until = grant.due.map_or_else(String::new, |due| format!(" until {}", due.rfc3339()));
            format!("{branch}{until}")
        };
        Some(match (&change.before, &change.after) {
            (None, Some(after)) => {
                let verb = format!("gave {person} {} access to", level(after.level));
                phrase(&verb, title, &terms(after))
            }
            (Some(_), None) if own => phrase("gave up their access to", title, ""),
            (Some(_), None) => phrase(&format!("removed {person}'s access to"), title, ""),
            (Some(before), Some(after)) if before.showing != after.showing => {
                phrase(if after.showing { "showed" } else { "hid" }, title, "in their graph")
            }
            (Some(before), Some(after)) => {
                let verb = match before.level == after.level {
                    true => format!("changed {person}'s access to"),
                    false => {
                        format!("made {person} {} instead of {} of", role(after.level), role(before.level))
                    }
                };
                phrase(&verb, title, &terms(after))
            }
            (None, None) => return None,
        })
    }

    fn title(&self, id: NodeId) -> String {
        let known = self.titles.get(&id).copied().or_else(|| self.names.titles.get(&id).map(String::as_str));
        known.map_or_else(|| "a permanently deleted task".to_owned(), quoted)
    }

    fn person(&self, id: UserId) -> String {
        self.names.users.get(&id).map_or_else(|| format!("user {id}"), |name| one_line(name))
    }
}

impl Phrase {
    fn text(&self) -> String {
        let shown = if self.things.len() > NAMED_MOST + 1 { NAMED_MOST } else { self.things.len() };
        let mut things: Vec<String> = self.things.iter().take(shown).cloned().collect();
        if shown < self.things.len() {
            things.push(format!("{} more", self.things.len() - shown));
        }
        let text = format!("{} {} {}", self.verb, joined(&things), self.rest);
        text.trim_end().to_owned()
    }
}

fn phrase(verb: &str, thing: String, rest: &str) -> Phrase {
    Phrase { verb: verb.to_owned(), things: vec![thing], rest: rest.to_owned() }
}

/// The names of the fields that an update changed besides the title, each once.
fn changed_fields(before: &Node, after: &Node) -> Vec<&'static str> {
    let mut changed = Vec::new();
    macro_rules! note {
        ($($field:ident)*) => {$(
            if NODE_FIELDS.$field.entry == Op::NodeUpdate && before.$field != after.$field {
                changed.push(NODE_FIELDS.$field.words);
            }
        )*};
    }
    each_node_field!(note);
    changed.retain(|words| *words != NODE_FIELDS.title.words);
    changed.dedup();
    changed
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Owner => "owner",
        Level::Admin => "admin",
        Level::Editor => "edit",
        Level::Viewer => "view",
    }
}

fn role(level: Level) -> &'static str {
    match level {
        Level::Owner => "owner",
        Level::Admin => "admin",
        Level::Editor => "editor",
        Level::Viewer => "viewer",
    }
}

/// A title for display: short, on one line, and without characters that a terminal acts on.
fn quoted(title: &str) -> String {
    let title = one_line(title);
    match title.trim() {
        "" => "an untitled task".to_owned(),
        title if title.chars().count() > TITLE_MOST => {
            format!("“{}…”", title.chars().take(TITLE_MOST).collect::<String>().trim_end())
        }
        title => format!("“{title}”"),
    }
}

fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

fn joined(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests;
