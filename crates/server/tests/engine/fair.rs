//! The engine's inbox: users take turns, and a flood fills only its own line.

use crate::support::{PATIENCE, Pending, Person, Server, ask, batch_id, changed, failure, named, rename};
use graph::NodeId;
use synaptask::engine::{EngineSettings, Failure};

/// A server, with one commit held, and the node of each user.
fn held<const N: usize>(people: [&str; N], settings: EngineSettings) -> (Server, Pending, [Flood; N]) {
    let server = Server::set(&people, settings);
    let floods = people.map(|name| {
        let person = server.person(name);
        Flood { node: person.adds("task", None), person, asked: 0 }
    });
    server.knobs.hold();
    let busy = floods[0].person.asks(rename(floods[0].node, "busy"));
    let busy = ask(&server.engine, busy);
    server.knobs.until_held();
    (server, busy, floods)
}

struct Flood {
    person: Person,
    node: NodeId,
    asked: usize,
}

impl Flood {
    fn asks(&mut self, server: &Server) -> Pending {
        self.asked += 1;
        ask(&server.engine, self.person.asks(rename(self.node, &self.asked.to_string())))
    }

    /// Asks, and waits until the engine decides that.
    fn is_decided(&self, server: &Server) -> Pending {
        let name = batch_id();
        let pending = ask(&server.engine, named(self.person.asks(rename(self.node, "decided")), name));
        server.knobs.until_sought(name);
        pending
    }
}

fn revs(pending: Vec<Pending>) -> Vec<u64> {
    pending.into_iter().map(|pending| changed(pending.wait()).rev).collect()
}

#[test]
fn r17_users_take_turns() {
    let settings = EngineSettings { group_max: 4, group_time: PATIENCE, ..EngineSettings::default() };
    let (server, busy, [mut anna, mut ben, mut carol]) = held(["anna", "ben", "carol"], settings);
    let annas: Vec<_> = (0..20).map(|_| anna.asks(&server)).collect();
    let bens: Vec<_> = (0..3).map(|_| ben.asks(&server)).collect();
    let carols = vec![carol.asks(&server)];
    server.knobs.release();
    let rev = changed(busy.wait()).rev;
    let [annas, bens, carols] = [annas, bens, carols].map(revs);
    assert!(annas.is_sorted() && bens.is_sorted(), "each line keeps its order");
    // At most four of anna's were decided before the others asked.
    assert!(carols[0] <= rev + 4 + 3 && bens[0] <= rev + 4 + 3, "{bens:?} {carols:?}");
    assert!(bens[2] <= rev + 4 + 3 + 4, "{bens:?}");
}

#[test]
fn r17_no_user_fills_a_group() {
    let settings = EngineSettings { group_share: 3, group_time: PATIENCE, ..EngineSettings::default() };
    let (server, busy, [mut anna, ben]) = held(["anna", "ben"], settings);
    server.knobs.groups();
    let mut annas: Vec<_> = (0..2).map(|_| anna.asks(&server)).collect();
    annas.push(anna.is_decided(&server));
    annas.extend((0..5).map(|_| anna.asks(&server)));
    let bens = ben.is_decided(&server);
    server.knobs.release();
    changed(busy.wait());
    let (annas, bens) = (revs(annas), revs(vec![bens]));
    assert_eq!(bens[0], annas[2] + 1);
    assert_eq!(annas[3], annas[2] + 2);
    let groups = server.knobs.groups();
    assert!(groups[0] == 4 && groups[1..].iter().all(|group| *group <= 3), "{groups:?}");
    assert_eq!(groups.iter().sum::<usize>(), 9);
}

// Rules: R18, T18.
#[test]
fn r18_a_flood_gives_way_to_others() {
    let settings =
        EngineSettings { queue_max: 6, group_max: 1, group_time: PATIENCE, ..EngineSettings::default() };
    let (server, busy, [mut anna, mut ben]) = held(["anna", "ben"], settings);
    let unavailable = |pending: &Pending| match pending.glance() {
        Some(outcome) => {
            assert_eq!(failure(outcome), Failure::Unavailable);
            true
        }
        None => false,
    };
    // One is decided, and still waits. Five stand in line.
    let decided = anna.is_decided(&server);
    let annas: Vec<_> = (0..5).map(|_| anna.asks(&server)).collect();
    assert!(annas.iter().all(|pending| !unavailable(pending)));
    assert!(unavailable(&anna.asks(&server)), "the queue is full");

    let bens: Vec<_> = (0..4).map(|_| ben.asks(&server)).collect();
    let refused = |pending: &[Pending]| pending.iter().map(unavailable).collect::<Vec<_>>();
    // Each of ben's displaces the latest of anna's, as long as her line stays the longer one.
    assert_eq!(refused(&annas), [false, false, false, true, true]);
    assert_eq!(refused(&bens), [false, false, true, true]);

    server.knobs.release();
    changed(busy.wait());
    changed(decided.wait());
    let mut accepted = annas.into_iter().take(3).chain(bens.into_iter().take(2));
    accepted.by_ref().for_each(|pending| drop(changed(pending.wait())));
    changed(ben.asks(&server).wait());
}
