//! Pages of history, which are searched beside the engine while it continues.

use crate::support::{Server, add, ask, changed, failure, grant, named, rename, revoke};
use graph::history_view::HistoryView;
use graph::model::Level;
use graph::{NodeId, Operation};
use std::sync::Arc;
use store::{HistoryQuery, HistoryScope, Log as _};
use synaptask::engine::protocol::RequestedScope;
use synaptask::engine::{Failure, Outcome, PageRequest, Read};
use uuid::Uuid;

const ALL: Read =
    Read::History { scope: RequestedScope::Everything, page: PageRequest { limit: 100, offset: 0 } };

// Rules: P2, P3, P4.
#[test]
fn p3_a_page_found_before_a_revocation_and_told_after_it_holds_nothing_of_what_is_hidden() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let [plan, kept] = ["plan", "kept"].map(|title| anna.adds(title, None));
    anna.does(grant(kept, &ben, Level::Viewer));
    anna.does(grant(plan, &ben, Level::Viewer));
    anna.does(rename(plan, "secret"));
    let bens = ben.connects();
    server.knobs.hold_pages();
    let asked = bens.asks_to_read(ALL);
    server.knobs.until_page_held();
    anna.does(revoke(plan, &ben));
    server.knobs.release_pages();
    let Outcome::History { page, .. } = asked.wait() else { panic!("no page") };
    let shown = |page: &synaptask::engine::protocol::PageOfHistory, id: NodeId| {
        page.past.batches.iter().flat_map(|past| &past.batch.entries).any(|entry| {
            page.reader.sees_entry(entry)
                && matches!(&entry.subject, graph::batch::Subject::Node(change) if change.latest().is_some_and(|node| node.id == id))
        })
    };
    assert!(shown(&page, kept) && !shown(&page, plan));
    // With nothing in between the page is as found.
    let Outcome::History { page, .. } = anna.reads(ALL) else { panic!("no page") };
    assert!(shown(&page, plan));
}

#[test]
fn p24_what_waited_when_its_token_was_revoked_is_not_done() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let plan = anna.adds("plan", None);
    let (other, hash) = server.installation.add_token(anna.caller.user);
    let on_other = anna.with_token(other, hash);
    changed(on_other.tries(rename(plan, "known")));
    server.knobs.hold_pages();
    let bens = ben.connects();
    let asked = bens.asks_to_read(ALL);
    server.knobs.until_page_held();
    for person in [&on_other, &ben] {
        server.installation.revoke(person.caller.token);
    }
    // The engine has not looked at the log since.
    let late = add(NodeId(Uuid::new_v4()), "late", None);
    assert_eq!(failure(on_other.tries(late.clone())), Failure::Revoked);
    assert_eq!(failure(on_other.tries(rename(plan, "late"))), Failure::Revoked);
    let replay = named(on_other.asks(late), crate::support::batch_id());
    assert_eq!(failure(ask(&server.engine, replay).wait()), Failure::Revoked);
    server.knobs.release_pages();
    assert_eq!(failure(asked.wait()), Failure::Revoked);
    assert_eq!(failure(on_other.reads(ALL)), Failure::Revoked);
    assert_eq!(anna.sees_titles(), ["known"]);
}

/// What a user sees who sees so much that it is not found out at once is judged alike.
#[test]
fn h18_who_sees_much_is_shown_the_same_batches() {
    let server = Server::with(&["anna", "ben"]);
    let (anna, ben) = (server.person("anna"), server.person("ben"));
    let [plan, secret] = ["plan", "secret"].map(|title| anna.adds(title, None));
    anna.does(grant(plan, &ben, Level::Viewer));
    let adds = |n: usize| ben.asks(add(NodeId(Uuid::new_v4()), &n.to_string(), None));
    let pending: Vec<_> = (0..2_100).map(|n| ask(&server.engine, adds(n))).collect();
    pending.into_iter().for_each(|pending| drop(changed(pending.wait())));
    for n in 0..30 {
        anna.adds(&format!("in the plan {n}"), Some(plan));
        anna.adds(&format!("elsewhere {n}"), Some(secret));
        let node = ben.adds("mine", None);
        if n % 3 == 0 {
            ben.does(grant(node, &anna, Level::Editor));
            anna.does(rename(node, "ours"));
        }
        if n % 6 == 0 {
            ben.does(Operation::NodeTrash { id: node, branch: false });
        }
    }
    let mut log = server.installation.log();
    let world = store::Log::load(&mut log, store::LoadScope::Everything).unwrap();
    let view = HistoryView::of(&world, ben.caller.user);
    let everything = HistoryQuery {
        reader: Arc::new(HistoryView::of_everything()),
        scope: HistoryScope::Everything,
        until: world.rev(),
        limit: usize::MAX,
        offset: 0,
    };
    let all = log.history().unwrap().page(&everything).unwrap().batches;
    let seen: Vec<_> = all.into_iter().filter(|past| view.sees_batch(&past.batch)).collect();
    assert!(seen.len() > 2_100 + 60 && seen.len() < usize::try_from(world.rev()).unwrap() - 30);
    for offset in [0, 40, seen.len() - 50, seen.len()] {
        let page = PageRequest { limit: 100, offset };
        let read = ben.reads(Read::History { scope: RequestedScope::Everything, page });
        let Outcome::History { page, .. } = read else { panic!("{read:?}") };
        let want: Vec<_> = seen.iter().skip(offset).take(100).collect();
        assert_eq!(page.past.batches.iter().collect::<Vec<_>>(), want, "from {offset}");
        for entry in page.past.batches.iter().flat_map(|past| &past.batch.entries) {
            assert_eq!(page.reader.sees_entry(entry), view.sees_entry(entry), "{entry:?}");
        }
    }
}
