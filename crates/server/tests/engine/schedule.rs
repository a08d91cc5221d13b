//! Random schedules: users change, share and load at the same time, and each replica equals a fresh load.
//! `SYNAPTASK_SEED` sets another seed, and `SYNAPTASK_STEPS` more steps.

use crate::support::replica::Replica;
use crate::support::{Pending, Person, Server, Socket, batch_id, named, now};
use graph::model::{Level, LinkType, Status};
use graph::ops::{
    AccessAdd, AccessUpdate, LinkAdd, LinkUpdate, NodeAdd, NodePublish, NodePublishUpdate, NodeUpdate,
};
use graph::{LinkId, NodeFields, NodeId, Operation, Root};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use synaptask::engine::{EngineSettings, Outcome, PageRequest, Read};
use uuid::Uuid;

/// A small random number generator (splitmix64): a seed always has the same meaning.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn uuid(&mut self) -> Uuid {
        let half = |dice: &mut Self| dice.below(usize::MAX) as u64;
        uuid::Builder::from_random_bytes(
            (u128::from(half(self)) << 64 | u128::from(half(self))).to_le_bytes(),
        )
        .into_uuid()
    }
}

/// A connection and its client's data.
struct Client {
    socket: Socket,
    replica: Replica,
    /// The progress of its load; `None` once everything is loaded.
    loading: Option<usize>,
    /// The pages that were asked for and not waited for.
    pages: Vec<Pending>,
}

struct Story {
    dice: Dice,
    nodes: Vec<NodeId>,
    links: Vec<LinkId>,
    emails: Vec<String>,
}

/// How many ids the story uses.
const RECENT: usize = 24;

impl Story {
    /// A request that this client may make: mostly about what they see, sometimes about anything.
    fn operation(&mut self, held: &Replica) -> Operation {
        let dice = &mut self.dice;
        let seen: Vec<NodeId> = held.nodes.keys().copied().collect();
        let any = &self.nodes[self.nodes.len().saturating_sub(RECENT)..];
        let pick = |dice: &mut Dice| match seen.is_empty() || dice.one_in(4) {
            true => dice.pick(any),
            false => dice.pick(&seen),
        };
        let (id, other, third) = (pick(dice), pick(dice), pick(dice));
        let links: Vec<LinkId> = held.links.keys().copied().collect();
        let any_link = &self.links[self.links.len().saturating_sub(RECENT)..];
        let link = if links.is_empty() || dice.one_in(3) { dice.pick(any_link) } else { dice.pick(&links) };
        let gone = dice.pick(any);
        let email = self.emails[dice.below(self.emails.len())].clone();
        let level = dice.pick(&[Level::Admin, Level::Editor, Level::Viewer]);
        let due = dice.one_in(3).then(|| now().plus_ms(20 + dice.below(150) as i64));
        let kind = dice.pick(&[LinkType::Primary, LinkType::Primary, LinkType::Secondary]);
        let (yes, root) = (dice.one_in(2), Root::Node(id));
        match dice.below(30) {
            0..=3 => {
                let id = NodeId(dice.uuid());
                self.nodes.push(id);
                let target = (!dice.one_in(3)).then_some(other);
                Operation::NodeAdd(NodeAdd { id: Some(id), target, fields: Box::default() })
            }
            4..=6 => {
                let status = dice.pick(&[Status::Available, Status::InProgress, Status::Completed]);
                let title = Some(dice.below(100).to_string());
                let fields = NodeFields {
                    status: yes.then_some(status),
                    independent: dice.one_in(6).then_some(yes),
                    title,
                    ..NodeFields::default()
                };
                Operation::NodeUpdate(NodeUpdate { id, fields: Box::new(fields), version: None })
            }
            7 => Operation::NodeTrash { id, branch: false },
            8..=9 => Operation::NodeRestore { id: gone },
            10 => Operation::NodeDelete { id: gone },
            11..=14 => {
                let id = LinkId(dice.uuid());
                self.links.push(id);
                let private = dice.one_in(4);
                Operation::LinkAdd(LinkAdd { id: Some(id), source: other, target: third, kind, private })
            }
            15 => Operation::LinkUpdate(LinkUpdate {
                id: link,
                kind: Some(kind),
                private: dice.one_in(2).then_some(yes),
            }),
            16 => Operation::LinkSwap { id: link },
            17 => Operation::LinkTrash { id: link },
            18 => Operation::LinkRestore { id: dice.pick(any_link) },
            19 => Operation::LinkDelete { id: dice.pick(any_link) },
            20..=22 => Operation::AccessAdd(AccessAdd { id, email, level, branch: !dice.one_in(3), due }),
            23 => Operation::AccessUpdate(AccessUpdate {
                id,
                email,
                level: Some(level),
                branch: Some(yes),
                due: Some(due),
            }),
            24 => Operation::AccessDelete { id, email },
            25 => Operation::AccessVisibility { id, showing: yes },
            26 => Operation::NodePublish(NodePublish { id, branch: yes, due }),
            27 => match yes {
                true => Operation::NodePublishUpdate(NodePublishUpdate {
                    id,
                    branch: Some(dice.one_in(2)),
                    due: Some(due),
                }),
                false => Operation::NodeUnpublish { id },
            },
            28 => Operation::NodeEmbed { root },
            _ => match dice.below(4) {
                0 => Operation::NodeUnembed { root },
                1 if dice.one_in(4) => Operation::TrashPurge { ids: None },
                2 => Operation::SettingsUsername { username: format!("name{}", dice.below(1_000)) },
                _ => Operation::NodeUpdate(NodeUpdate { id, fields: Box::default(), version: Some(1) }),
            },
        }
    }
}

fn settle(clients: &mut [Client], pending: &mut Vec<Pending>) -> usize {
    let outcomes = pending.drain(..).map(Pending::wait);
    let done = outcomes.filter(|outcome| matches!(outcome, Outcome::Changed { .. })).count();
    for client in clients {
        for asked in client.pages.drain(..) {
            if !crate::support::page(asked.wait()).has_more {
                client.loading = None;
            }
        }
        if client.loading.is_none() {
            client.socket.compares();
        }
        client.replica.follow(client.socket.hears());
    }
    done
}

/// A read lasts for as long as a few mutations, sometimes.
fn dawdle() {
    static READS: AtomicU64 = AtomicU64::new(0);
    let mut dice = Dice(READS.fetch_add(1, Ordering::Relaxed));
    if dice.one_in(2) {
        std::thread::sleep(Duration::from_micros(dice.below(8_000) as u64));
    }
}

/// What happens besides.
#[derive(Clone, Copy, PartialEq)]
enum Besides {
    Nothing,
    /// Clients are hasty: they ask for pages without waiting for those before.
    Haste,
    /// Commits are slow and fail, operations panic, and another process commits.
    Faults,
}

/// A commit that fails, a request of another process, or an operation that panics.
fn fault(server: &Server, clients: &mut [Client], story: &mut Story, pending: &mut Vec<Pending>) {
    let who = story.dice.below(clients.len());
    match story.dice.below(20) {
        0 => server.knobs.refuse(1),
        1..=2 => {
            let operation = story.operation(&clients[who].replica);
            let caller = clients[who].socket.person.caller;
            server.installation.tries(Some(caller.user), &operation);
        }
        3 => {
            // A World that is reloaded beside batches of another process cuts off everyone. The first commit follows
            // those, and the second one is decided on the reloaded World.
            let person = clients[who].socket.person.clone();
            let add = || {
                person.tries(Operation::NodeAdd(NodeAdd { id: None, target: None, fields: Box::default() }))
            };
            settle(clients, pending);
            add();
            let fatal = batch_id();
            server.knobs.panic_on(fatal);
            let operation = story.operation(&clients[who].replica);
            pending.push(clients[who].socket.sends(named(clients[who].socket.asks(operation), fatal)));
            settle(clients, pending);
            add();
        }
        _ => {}
    }
}

fn run(seed: u64, steps: usize, besides: Besides) {
    println!("seed {seed}");
    let hasty = besides == Besides::Haste;
    let names = ["anna", "ben", "carol"];
    let during_read = if hasty { dawdle } else { || {} };
    let settings =
        EngineSettings { part_entries_max: 4, group_max: 8, during_read, ..EngineSettings::default() };
    let mut server = Server::set(&names, settings);
    if besides == Besides::Faults {
        server.knobs.slow_down(Duration::from_millis(3));
    }
    let people: Vec<Person> = names.iter().map(|name| server.person(name)).collect();
    let emails = people.iter().map(|person| person.email.clone()).collect();
    let mut dice = Dice(seed);
    let (nodes, links) = (vec![people[0].adds("first", None)], vec![LinkId(dice.uuid())]);
    let mut story = Story { dice, nodes, links, emails };
    let client = |person: &Person| Client {
        socket: person.connects(),
        replica: Replica::default(),
        loading: Some(0),
        pages: Vec::new(),
    };
    let mut clients: Vec<Client> = people.iter().chain(&people).map(client).collect();
    let mut pending = Vec::new();
    let mut done = 0;
    for step in 0..steps {
        if besides == Besides::Faults {
            fault(&server, &mut clients, &mut story, &mut pending);
        }
        let who = story.dice.below(clients.len());
        let operation = story.operation(&clients[who].replica);
        let mutation = match story.dice.one_in(4) {
            true => clients[who].socket.person.asks(operation),
            false => clients[who].socket.asks(operation),
        };
        pending.push(match mutation.origin {
            Some(_) => clients[who].socket.sends(mutation),
            None => crate::support::ask(&server.engine, mutation),
        });
        let who = story.dice.below(clients.len());
        match clients[who].loading {
            Some(offset) if hasty => {
                let client = &mut clients[who];
                let page = Read::Graph { page: PageRequest { limit: 5, offset } };
                client.pages.push(client.socket.asks_to_read(page));
                client.loading = Some(offset + 5);
            }
            Some(offset) if step % 3 == 0 => {
                let page = clients[who].socket.loads(5, offset);
                clients[who].loading = page.has_more.then_some(offset + page.nodes.len());
            }
            // Sometimes a user connects anew.
            None if story.dice.one_in(40) => {
                let gone = std::mem::replace(&mut clients[who], client(&people[who % people.len()]));
                server.engine.disconnect(gone.socket.id);
            }
            _ => {}
        }
        if story.dice.one_in(8) {
            done += settle(&mut clients, &mut pending);
        }
    }
    done += settle(&mut clients, &mut pending);
    println!("{done} of {steps} operations went through");
    // By then every due time has passed; none passes between the two looks.
    std::thread::sleep(Duration::from_millis(250));
    let seen = |server: &Server| names.map(|name| server.person(name).sees());
    let before = seen(&server);
    server = server.restarted();
    assert_eq!(before, seen(&server), "it is the same after a restart");
    let problems = graph::check::problems(
        &store::Log::load(&mut server.installation.log(), store::LoadScope::Everything).unwrap(),
    );
    assert!(problems.is_empty(), "{problems:?}");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn p1_what_clients_hold_is_what_a_fresh_load_brings() {
    let steps = number("SYNAPTASK_STEPS").map_or(600, |steps| usize::try_from(steps).unwrap());
    match number("SYNAPTASK_SEED") {
        Some(seed) => run(seed, steps, Besides::Nothing),
        None => (1..=4).for_each(|seed| run(seed, steps, Besides::Nothing)),
    }
}

// Rules: P1, P4, P36.
#[test]
fn p4_pages_that_are_long_in_coming_keep_their_place() {
    let steps = number("SYNAPTASK_STEPS").map_or(400, |steps| usize::try_from(steps).unwrap());
    match number("SYNAPTASK_SEED") {
        Some(seed) => run(seed, steps, Besides::Haste),
        None => (1..=4).for_each(|seed| run(seed, steps, Besides::Haste)),
    }
}

// Rules: P1, D5, D6, D14, D21.
#[test]
fn d21_replicas_stay_right_through_faults_and_other_processes() {
    let steps = number("SYNAPTASK_STEPS").map_or(400, |steps| usize::try_from(steps).unwrap());
    match number("SYNAPTASK_SEED") {
        Some(seed) => run(seed, steps, Besides::Faults),
        None => (1..=4).for_each(|seed| run(seed, steps, Besides::Faults)),
    }
}
