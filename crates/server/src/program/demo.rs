//! `synaptask demo`: a small realistic graph of three users, in a data directory that is removed afterwards.

use super::accounts::{AccountError, Accounts};
use super::data_directory::make_log;
use super::printing::print_harmless;
use super::serve::{self, ServerError};
use super::settings::Settings;
use crate::auth::Secret;
use crate::engine::DiffPart;
use crate::engine::{Caller, Engine, Failure, Mutation, Outcome, clock};
use crate::operations::AskedScope;
use graph::diff::NodeChange;
use graph::model::{Level, LinkType, Plan, Status};
use graph::ops::{AccessAdd, LinkAdd, NodeAdd, NodePublish, NodeUpdate};
use graph::{NodeFields, NodeId, Operation, Refusal};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::oneshot;
use uuid::Uuid;

/// The demo cannot run.
#[derive(Debug, Error)]
pub enum DemoError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the demo graph was refused: {0}")]
    Refused(Refusal),
    #[error("the demo graph could not be written")]
    Failed,
}

/// The usernames; the emails are under `example.com`.
const PEOPLE: [&str; 3] = ["ada", "ben", "cleo"];

/// A task, and its parent, an earlier task of the same table.
struct Task {
    title: &'static str,
    parent: Option<usize>,
    status: Status,
    tags: &'static [&'static str],
    due_days: Option<i64>,
}

const fn root(title: &'static str) -> Task {
    Task { title, parent: None, status: Status::Available, tags: &[], due_days: None }
}

const fn task(title: &'static str, parent: usize) -> Task {
    Task { title, parent: Some(parent), status: Status::Available, tags: &[], due_days: None }
}

impl Task {
    const fn done(self) -> Task {
        Task { status: Status::Completed, ..self }
    }

    const fn doing(self) -> Task {
        Task { status: Status::InProgress, ..self }
    }

    const fn tags(self, tags: &'static [&'static str]) -> Task {
        Task { tags, ..self }
    }

    const fn due(self, days: i64) -> Task {
        Task { due_days: Some(days), ..self }
    }
}

/// Ada's tasks.
const WEBSITE: &[Task] = &[
    root("Relaunch the website").tags(&["website"]).due(45),
    task("Decide what the site is for", 0).done(),
    task("Talk to ten customers", 1).done().tags(&["research"]),
    task("Read the old site's statistics", 1).done().tags(&["research"]),
    task("Design", 0).tags(&["design"]).due(14),
    task("Colours and type", 4).done().tags(&["design"]),
    task("Home page", 4).doing().tags(&["design"]),
    task("Product pages", 4).tags(&["design"]),
    task("Forms and their errors", 4).tags(&["design"]),
    task("Test the design with five people", 4).tags(&["research"]).due(12),
    task("Write the texts", 0).tags(&["text"]).due(21),
    task("Home page: the first sentence", 10).doing().tags(&["text"]),
    task("About us", 10).tags(&["text"]),
    task("Questions people ask", 10).tags(&["text"]),
    task("Proofread everything", 10).tags(&["text"]),
    task("Build", 0).tags(&["code"]).due(35),
    task("Choose the tools", 15).done().tags(&["code"]),
    task("Templates", 15).tags(&["code"]),
    task("Search", 15).tags(&["code"]),
    task("Redirects from the old addresses", 15).tags(&["code"]),
    task("Read it with a screen reader", 15).tags(&["code", "research"]),
    task("Under two seconds on a slow phone", 15).tags(&["code"]),
    task("Go live", 0).tags(&["launch"]).due(45),
    task("A backup that has been put back once", 22).tags(&["launch"]),
    task("Tell the newsletter", 22).tags(&["launch", "text"]),
];

/// Ben's tasks.
const BAKERY: &[Task] = &[
    root("Open the bakery").tags(&["bakery"]).due(90),
    task("Premises", 0).doing(),
    task("Sign the lease", 1).done(),
    task("Have the wiring checked", 1).doing().due(10),
    task("Paint the shop", 1),
    task("Ventilation", 1).due(20),
    task("Oven", 0).due(40),
    task("Compare three offers", 6).done().tags(&["money"]),
    task("Order the oven", 6).doing().tags(&["money"]),
    task("Bake a hundred test loaves", 6),
    task("Permits", 0).tags(&["paper"]).due(60),
    task("Health inspection", 10).tags(&["paper"]),
    task("Register the trade", 10).done().tags(&["paper"]),
    task("Sign above the door", 10).tags(&["paper"]),
    task("People", 0),
    task("Find a second baker", 14).doing(),
    task("Find help for Saturdays", 14),
    task("Opening day", 0).tags(&["party"]).due(90),
    task("Invite the street", 17).tags(&["party"]),
    task("Free rolls for the first hundred", 17).tags(&["party"]),
];

/// Cleo's tasks.
const GARDEN: &[Task] = &[
    root("The garden this year").tags(&["garden"]),
    task("Vegetable beds", 0).doing(),
    task("Turn the compost", 1).done(),
    task("Sow tomatoes indoors", 1).done(),
    task("Plant the tomatoes out", 1).due(30),
    task("Beans and peas", 1),
    task("Slugs: think of something", 1),
    task("The pond", 0),
    task("Dig", 7).doing(),
    task("Lay the liner", 7),
    task("Fill it with rain water", 7),
    task("Plants for the edge", 7),
    task("Bench under the apple tree", 0),
    task("Ask Ben for the old planks", 12),
    task("Harvest feast", 0).due(120).tags(&["party"]),
];

/// What the demo prints.
struct DemoTokens {
    people: Vec<Person>,
    /// The token of the published branch.
    public_token: String,
}

struct Person {
    caller: Caller,
    email: String,
    secret: Secret,
}

/// Serves the demo until the process is told to stop.
///
/// # Errors
/// [`DemoError`].
pub async fn run(mut settings: Settings) -> Result<(), DemoError> {
    let directory = tempfile::Builder::new().prefix("synaptask-demo-").tempdir()?;
    settings.data = directory.path().to_owned();
    let secrets = {
        let mut log = make_log(&settings.data).map_err(ServerError::from)?;
        open_accounts(&mut Accounts::open(&mut log)?)?
    };
    let (told, serving) = oneshot::channel();
    let server = serve::run(settings, |address, engine| {
        let _ = told.send((address, engine.clone()));
    });
    let show = async {
        // If the server does not start, there is nothing to print.
        let Ok((address, engine)) = serving.await else { return Ok(()) };
        let shown = populate(&engine, secrets).await?;
        introduce(address, &shown, directory.path()).map_err(DemoError::from)
    };
    let show_and_wait = async {
        match show.await {
            Ok(()) => std::future::pending().await,
            Err(error) => error,
        }
    };
    tokio::select! {
        served = server => Ok(served?),
        error = show_and_wait => Err(error),
    }
}

fn open_accounts(accounts: &mut Accounts<'_>) -> Result<Vec<(String, Secret)>, AccountError> {
    let mut secrets = Vec::new();
    for username in PEOPLE {
        let email = format!("{username}@example.com");
        let user = accounts.add_user(&email, username, Plan::Pro)?;
        let (_, secret) = accounts.create_token(&user, "demo", None, AskedScope::All)?;
        secrets.push((email, secret));
    }
    Ok(secrets)
}

async fn populate(engine: &Engine, secrets: Vec<(String, Secret)>) -> Result<DemoTokens, DemoError> {
    let mut people = Vec::new();
    for (email, secret) in secrets {
        let identity = engine.authenticate(&secret.hash()).map_err(|_| DemoError::Failed)?;
        people.push(Person { caller: identity.caller, email, secret });
    }
    let [ada, ben, cleo] = people.as_slice() else { return Err(DemoError::Failed) };
    let website = plant(engine, ada, WEBSITE, (-400.0, 0.0)).await?;
    let bakery = plant(engine, ben, BAKERY, (400.0, 0.0)).await?;
    let garden = plant(engine, cleo, GARDEN, (0.0, 500.0)).await?;
    // Overlapping grants: ben edits the website, and cleo, who sees all of it, edits its design.
    grant(engine, ada, &website, 0, ben, Level::Editor).await?;
    grant(engine, ada, &website, 0, cleo, Level::Viewer).await?;
    grant(engine, ada, &website, 4, cleo, Level::Editor).await?;
    grant(engine, ben, &bakery, 0, ada, Level::Admin).await?;
    grant(engine, cleo, &garden, 14, ben, Level::Viewer).await?;
    // A dependency between the projects.
    link(engine, ben, (&website, 24), (&bakery, 17), LinkType::Secondary).await?;
    link(engine, ada, (&website, 6), (&website, 17), LinkType::Primary).await?;
    let public_token = publish(engine, ben, at(&bakery, 17)?).await?;
    Ok(DemoTokens { people, public_token })
}

/// Adds the tasks of a table, each under its parent.
async fn plant(
    engine: &Engine,
    owner: &Person,
    tasks: &[Task],
    (left, top): (f64, f64),
) -> Result<Vec<NodeId>, DemoError> {
    let mut ids: Vec<NodeId> = Vec::new();
    for (n, task) in tasks.iter().enumerate() {
        let id = NodeId(Uuid::new_v4());
        let target = task.parent.map(|parent| at(&ids, parent)).transpose()?;
        let depth = depth(tasks, n);
        let day_ms = 24 * 3_600 * 1_000;
        let due = task.due_days.map(|days| clock::now().plus_ms(days * day_ms).whole_seconds());
        let row = u32::try_from(n).map_or(0.0, f64::from);
        let fields = NodeFields {
            title: Some(task.title.to_owned()),
            tags: Some(task.tags.iter().map(|tag| (*tag).to_owned()).collect()),
            due_date: due.map(Some),
            // A task with subtasks waits for them, so its own status follows from theirs.
            status: (!has_children(tasks, n)).then_some(task.status),
            x: Some(left + 160.0 * depth),
            y: Some(top + 40.0 * row),
            ..NodeFields::default()
        };
        ask(engine, owner, Operation::NodeAdd(NodeAdd { id: Some(id), target, fields: Box::new(fields) }))
            .await?;
        ids.push(id);
    }
    complete_parents(engine, owner, tasks, &ids).await?;
    Ok(ids)
}

/// Completes the finished parents, the deepest first.
async fn complete_parents(
    engine: &Engine,
    owner: &Person,
    tasks: &[Task],
    ids: &[NodeId],
) -> Result<(), DemoError> {
    for (n, (task, id)) in tasks.iter().zip(ids).enumerate().rev() {
        if has_children(tasks, n) && task.status == Status::Completed {
            let fields = NodeFields { status: Some(Status::Completed), ..NodeFields::default() };
            let operation =
                Operation::NodeUpdate(NodeUpdate { id: *id, fields: Box::new(fields), version: None });
            ask(engine, owner, operation).await?;
        }
    }
    Ok(())
}

fn has_children(tasks: &[Task], n: usize) -> bool {
    tasks.iter().any(|task| task.parent == Some(n))
}

fn depth(tasks: &[Task], mut n: usize) -> f64 {
    let mut depth = 0.0;
    while let Some(parent) = tasks.get(n).and_then(|task| task.parent) {
        n = parent;
        depth += 1.0;
    }
    depth
}

fn at(ids: &[NodeId], n: usize) -> Result<NodeId, DemoError> {
    ids.get(n).copied().ok_or(DemoError::Failed)
}

async fn grant(
    engine: &Engine,
    from: &Person,
    ids: &[NodeId],
    n: usize,
    to: &Person,
    level: Level,
) -> Result<(), DemoError> {
    let (id, email) = (at(ids, n)?, to.email.clone());
    ask(engine, from, Operation::AccessAdd(AccessAdd { id, email, level, branch: true, due: None }))
        .await
        .map(drop)
}

async fn link(
    engine: &Engine,
    who: &Person,
    (sources, source): (&[NodeId], usize),
    (targets, target): (&[NodeId], usize),
    kind: LinkType,
) -> Result<(), DemoError> {
    let (source, target) = (at(sources, source)?, at(targets, target)?);
    ask(engine, who, Operation::LinkAdd(LinkAdd { id: None, source, target, kind, private: false }))
        .await
        .map(drop)
}

/// Publishes a branch and returns its public token.
async fn publish(engine: &Engine, owner: &Person, id: NodeId) -> Result<String, DemoError> {
    let diff =
        ask(engine, owner, Operation::NodePublish(NodePublish { id, branch: true, due: None })).await?;
    let token = diff.nodes().iter().find_map(|change| match change {
        NodeChange::Edited { after, .. } if after.id == id => after.publication.as_ref(),
        _ => None,
    });
    token.map(|publication| publication.token.clone()).ok_or(DemoError::Failed)
}

async fn ask(engine: &Engine, who: &Person, operation: Operation) -> Result<Arc<DiffPart>, DemoError> {
    let (answer, answered) = oneshot::channel();
    let mutation = Mutation {
        caller: who.caller,
        operation,
        idempotency_key: None,
        connection: None,
        origin: None,
        limited: None,
        passed_on: None,
    };
    // The receiver is gone only when the demo itself has ended.
    engine.mutate(mutation, Box::new(|outcome| drop(answer.send(outcome))));
    match answered.await {
        Ok(Outcome::Changed { diff, .. }) => Ok(diff),
        Ok(Outcome::Failed(Failure::Refused(refusal))) => Err(DemoError::Refused(refusal)),
        _ => Err(DemoError::Failed),
    }
}

/// Prints what the demo offers and how to try it.
fn introduce(address: SocketAddr, shown: &DemoTokens, data: &Path) -> io::Result<()> {
    let url = format!("http://{address}");
    let mut out = format!("SynapTask demo at {url}\n");
    out += &format!("The data is in {} and is removed when the server stops.\n\n", data.display());
    for person in &shown.people {
        out += &format!("{:<18} {}\n", person.email, person.secret.reveal());
    }
    if let Some(first) = shown.people.first() {
        let token = first.secret.reveal();
        out += &format!("\nTry:\n  curl -H 'Authorization: Bearer {token}' '{url}/api/graph?limit=5'\n");
    }
    out += "\nOr open Ben's publication in a browser, without a token:\n";
    out += &format!("  {url}/api/branch?root={}\n", shown.public_token);
    print_harmless(&(out + "\nPress Ctrl-C to stop."))
}
