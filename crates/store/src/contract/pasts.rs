//! The part of the suite about history: chains, pages and pruning, over arbitrary histories, compared with a naive
//! recomputation without indices.

use super::story::{self, uuid};
use super::{Storage, unnamed};
use crate::retention::{DAY_MS, Limits};
use crate::{
    HistoryPage, HistoryQuery, HistoryReader, HistoryScope, LoadScope, Log, LogError, PastBatch, Proposal,
    Retention, codec,
};
use graph::batch::{Change, Lineage};
use graph::hash::HashSet;
use graph::history_view::HistoryView;
use graph::model::{Embed, Grant, Level, Link, Node, Plan, Rev, Token, User};
use graph::{Batch, BatchId, Entry, LinkId, NodeId, Op, Subject, Timestamp, TokenId, UserId};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;
use uuid::Uuid;

/// Pseudo-random numbers, the same for the same seed.
pub struct Dice(u64);

impl Dice {
    /// With a seed that is printed, or the one in `SYNAPTASK_SEED`.
    pub fn thrown() -> Dice {
        let given = std::env::var("SYNAPTASK_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
        println!("SYNAPTASK_SEED={seed}");
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn of(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.of(0..n) == 0
    }
}

const USERS: Range<u64> = 1..6;
const NODES: Range<u64> = 100..112;
const LINKS: Range<u64> = 200..206;

/// Limits so low that a short history exceeds each of them.
pub const SMALL: Retention = Retention {
    basic: Limits { days: 1, batches: 2, bytes: 500 },
    plus: Limits { days: 3, batches: 6, bytes: 1_500 },
    pro: Limits { days: 9, batches: 12, bytes: 2_500 },
    keys_kept_ms: DAY_MS / 4,
};

fn plan(user: u64) -> Plan {
    [Plan::Basic, Plan::Plus, Plan::Pro][user as usize % 3]
}

/// A batch in the naive recomputation, which forgets nothing.
#[derive(Clone, Debug)]
pub struct Known {
    pub rev: Rev,
    pub batch: Batch,
    pub held: bool,
}

/// A history, with everything that was ever in it.
#[derive(Clone, Debug)]
pub struct Naive {
    pub known: Vec<Known>,
    pub now: i64,
    /// Nodes that are changed for a while, then deleted for good, and never used again.
    mortal: Vec<NodeId>,
    /// Whether view settings are changed: the first versions knew none.
    pub has_views: bool,
}

fn change<T>(before: Option<T>, after: Option<T>) -> Change<Arc<T>> {
    Change { before: before.map(Arc::new), after: after.map(Arc::new) }
}

fn entry(op: Op, subject: Subject) -> Entry {
    Entry { op, derived: false, subject, copy_of: None }
}

/// Any two forms of a thing: added, changed or deleted.
fn forms<T: Clone>(dice: &mut Dice, it: T) -> Change<Arc<T>> {
    match dice.of(0..5) {
        0 => change(None, Some(it)),
        1 => change(Some(it), None),
        _ => change(Some(it.clone()), Some(it)),
    }
}

fn user_of(number: u64) -> User {
    let (username, created) = (format!("user{number}"), Timestamp::from_ms(0));
    let email = format!("{username}@example.org");
    User::new(UserId(uuid(number)), username, email, plan(number), created)
}

fn any_user(dice: &mut Dice) -> UserId {
    UserId(uuid(dice.of(USERS)))
}

fn is_about(id: NodeId) -> impl Fn(&Entry) -> bool {
    move |entry| match &entry.subject {
        Subject::Node(change) => change.latest().is_some_and(|node| node.id == id),
        _ => false,
    }
}

impl Naive {
    /// A history of one batch, which adds the accounts.
    pub fn begun() -> Naive {
        let opened = |number| entry(Op::UserAdd, Subject::User(change(None, Some(user_of(number)))));
        let mut naive =
            Naive { known: Vec::new(), now: 1_000_000_000_000, mortal: Vec::new(), has_views: true };
        naive.push(None, Lineage::Fresh, USERS.map(opened).collect());
        naive
    }

    fn push(&mut self, actor: Option<UserId>, lineage: Lineage, entries: Vec<Entry>) {
        let rev = self.known.len() as Rev + 1;
        let id = BatchId(uuid(10_000 + rev));
        let batch = Batch { id, actor, guest: None, at: Timestamp::from_ms(self.now), lineage, entries };
        self.known.push(Known { rev, batch, held: true });
    }

    /// Continues with arbitrary batches by any user, some of which undo or redo an earlier one.
    pub fn go_on(&mut self, dice: &mut Dice, batches: u64) {
        for _ in 0..batches {
            self.now += dice.of(0..2_000_000) as i64;
            let actor = (!dice.one_in(9)).then(|| any_user(dice));
            let entries = (0..dice.of(0..4)).map(|_| self.any_entry(dice)).collect();
            let root = dice.of(0..self.known.len() as u64) as usize;
            let root = &self.known[root];
            let lineage = match dice.of(0..5) {
                _ if !root.held || root.batch.lineage != Lineage::Fresh => Lineage::Fresh,
                0 | 1 => Lineage::UndoOf(root.batch.id),
                2 => Lineage::RedoOf(root.batch.id),
                _ => Lineage::Fresh,
            };
            self.push(actor, lineage, entries);
        }
    }

    fn any_entry(&mut self, dice: &mut Dice) -> Entry {
        let (id, batch, at) = (dice.of(NODES), BatchId(uuid(1)), Timestamp::from_ms(1));
        let made = Node::new(NodeId(uuid(id)), any_user(dice), batch, at, id);
        match dice.of(0..14) {
            0..4 => entry(Op::NodeUpdate, Subject::Node(forms(dice, made))),
            4 => self.mortal_entry(dice, made),
            5 | 6 => {
                let link = Link { id: LinkId(uuid(dice.of(LINKS))), ..story::link(1, 100, 101, 1) };
                entry(Op::LinkUpdate, Subject::Link(forms(dice, link)))
            }
            7 | 8 => {
                let (node, user, granted_by) = (made.id, any_user(dice), made.owner);
                let (level, branch, due) = (Level::Viewer, true, None);
                let grant = Grant { node, user, level, branch, due, showing: true, granted_by, version: 1 };
                entry(Op::GrantUpsert, Subject::Grant(forms(dice, grant)))
            }
            9 => {
                let embed = Embed { user: any_user(dice), node: made.id };
                let change = Change { before: None, after: Some(embed) };
                entry(Op::NodeUpdate, Subject::Embed(change))
            }
            10 => {
                let user = user_of(dice.of(USERS));
                entry(Op::UserUpdate, Subject::User(change(Some(user.clone()), Some(user))))
            }
            11 if self.has_views => {
                let user = user_of(dice.of(USERS));
                let mut after = user.clone();
                after.view.show_all_cards = true;
                entry(Op::ViewUpdate, Subject::User(change(Some(user), Some(after))))
            }
            12 => {
                let user = user_of(dice.of(USERS));
                let closed = User { closing: Some(at), ..user.clone() };
                entry(Op::AccountUpdate, Subject::User(change(Some(user), Some(closed))))
            }
            _ => {
                let (id, user) = (TokenId(uuid(dice.of(300..303))), any_user(dice));
                let token = Token::api(id, user, String::new(), [id.0.as_bytes()[15]; 32], at);
                entry(Op::TokenUpdate, Subject::Token(change(None, Some(token))))
            }
        }
    }

    fn mortal_entry(&mut self, dice: &mut Dice, made: Node) -> Entry {
        if self.mortal.len() < 2 {
            self.mortal.push(NodeId(uuid(1_000_000 + dice.of(0..1 << 40))));
        }
        let nth = dice.of(0..self.mortal.len() as u64) as usize;
        let id = self.mortal[nth];
        let before = Node { id, seq: id.0.as_u128() as u32 as u64, ..made };
        match dice.one_in(2) {
            true => {
                self.mortal.swap_remove(nth);
                entry(Op::NodeDelete, Subject::Node(change(Some(before), None)))
            }
            false => entry(Op::NodeUpdate, Subject::Node(change(Some(before.clone()), Some(before)))),
        }
    }

    fn at(&self, id: BatchId) -> Option<&Known> {
        self.known.iter().find(|known| known.batch.id == id)
    }

    /// The root of a batch's chain, and the chain's latest undo and redo up to a rev.
    fn chain(&self, of: &Known, until: Rev) -> (BatchId, Option<&Known>, Option<&Known>) {
        let root = match of.batch.lineage {
            Lineage::Fresh => of.batch.id,
            Lineage::UndoOf(root) | Lineage::RedoOf(root) => root,
        };
        let last = |turn| self.known.iter().rfind(|known| known.rev <= until && known.batch.lineage == turn);
        (root, last(Lineage::UndoOf(root)), last(Lineage::RedoOf(root)))
    }

    /// The requested page, found by looking at everything.
    pub fn page(&self, query: &HistoryQuery) -> HistoryPage {
        let reader = &query.reader;
        let internal = [Op::TokenUpdate, Op::UserAdd, Op::AccountUpdate, Op::ViewUpdate];
        let is_history = |entry: &Entry| !internal.contains(&entry.op);
        let touches = |entry: &Entry, ids: &std::collections::HashSet<Uuid>| match &entry.subject {
            Subject::Node(change) => change.latest().is_some_and(|it| ids.contains(&it.id.0)),
            Subject::Link(change) => change.latest().is_some_and(|it| ids.contains(&it.id.0)),
            Subject::Grant(change) => {
                change.latest().is_some_and(|it| ids.contains(&it.node.0) || ids.contains(&it.user.0))
            }
            Subject::Embed(change) => change.latest().is_some_and(|it| ids.contains(&it.user.0)),
            Subject::User(change) if is_history(entry) => {
                change.before.as_ref().is_some_and(|it| ids.contains(&it.id.0))
            }
            Subject::User(_) | Subject::Token(_) | Subject::Key(_) => false,
        };
        let wanted = |batch: &Batch| match &query.scope {
            HistoryScope::Everything => true,
            HistoryScope::By(user) => batch.actor == Some(*user),
            HistoryScope::Touching(ids) => {
                batch.entries.iter().any(|entry| reader.sees_entry(entry) && touches(entry, ids))
            }
        };
        let shows =
            |entry: &Entry| is_history(entry) || reader.sees_everything() && entry.op != Op::ViewUpdate;
        let found = self.known.iter().rev().filter(|known| {
            let batch = &known.batch;
            known.held
                && known.rev <= query.until
                && reader.sees_batch(batch)
                && batch.entries.iter().any(shows)
                && wanted(batch)
        });
        let mut batches: Vec<_> =
            found.skip(query.offset).map(|known| self.past(known, query.until)).collect();
        let has_more = batches.len() > query.limit;
        batches.truncate(query.limit);
        HistoryPage { batches, has_more }
    }

    fn past(&self, known: &Known, until: Rev) -> PastBatch {
        let (root, undo, redo) = self.chain(known, until);
        let undone = undo.map(|known| known.rev) > redo.map(|known| known.rev);
        let named = |turn: Option<&Known>| turn.filter(|_| root == known.batch.id).map(|it| it.batch.id);
        let (undone_by, redone_by) = (named(undo), named(redo));
        PastBatch { rev: known.rev, batch: known.batch.clone(), undone, undone_by, redone_by }
    }

    /// Drops what a pruner would remove, and returns how many batches.
    pub fn prune(&mut self, retention: &Retention) -> usize {
        let mut removed = 0;
        let head = self.known.len() as Rev;
        let actors: HashSet<_> = self.known.iter().map(|known| known.batch.actor).collect();
        for actor in actors {
            let limits = USERS
                .map(user_of)
                .find(|user| Some(user.id) == actor)
                .map_or(retention.pro, |user| retention.of(user.plan));
            let mut theirs: Vec<_> =
                self.known.iter_mut().filter(|known| known.held && known.batch.actor == actor).collect();
            let size = |known: &Known| codec::encode(&known.batch).unwrap().len() as u64;
            let (mut count, mut bytes) =
                (theirs.len() as u64, theirs.iter().map(|known| size(known)).sum::<u64>());
            for known in &mut theirs {
                let age = self.now - known.batch.at.ms();
                let over =
                    age > i64::from(limits.days) * DAY_MS || count > limits.batches || bytes > limits.bytes;
                if !over || age <= retention.keys_kept_ms || known.rev == head {
                    break;
                }
                known.held = false;
                removed += 1;
                count -= 1;
                bytes -= size(known);
            }
        }
        removed
    }

    /// Every batch, in order.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.known.iter().map(|known| &known.batch)
    }

    /// Appends what the log does not have yet, in groups.
    pub fn write(&self, log: &mut dyn Log, dice: &mut Dice) {
        let mut head = log.load(LoadScope::Accounts).unwrap().rev();
        while head < self.known.len() as Rev {
            let group = self.known[head as usize..].iter().take(dice.of(1..20) as usize);
            let group: Vec<Proposal> = group.map(|known| unnamed(known.batch.clone())).collect();
            head = log.transact(head, &mut |_, _| Ok(group.clone())).unwrap();
        }
    }

    /// Asserts that a log agrees with this in every respect.
    pub fn compare(&self, log: &mut dyn Log, dice: &mut Dice) {
        self.compare_gaps(log);
        self.compare_gone(log);
        self.compare_past(log, dice);
    }

    /// Asserts that chains and pages agree.
    pub fn compare_past(&self, log: &dyn Log, dice: &mut Dice) {
        self.compare_chains(log);
        for _ in 0..30 {
            self.compare_pages(log, dice);
        }
    }

    fn compare_chains(&self, log: &dyn Log) {
        for known in &self.known {
            let remembered = log.past().batch(known.batch.id).unwrap();
            let held = known.held.then(|| (known.rev, known.batch.clone()));
            assert_eq!(remembered.map(|it| (it.rev, it.batch)), held, "batch {}", known.rev);
            let (root, undo, redo) = self.chain(known, Rev::MAX);
            let last = [undo, redo].into_iter().flatten().max_by_key(|known| known.rev);
            let last_held = last.filter(|known| known.held).map(|known| known.batch.clone());
            let latest = last.map_or(Lineage::Fresh, |known| known.batch.lineage);
            let is_held = known.held && self.at(root).is_some_and(|root| root.held);
            let want = is_held.then_some((root, latest, known.batch.lineage, last_held));
            let got = log.past().chain(known.batch.id).unwrap();
            let got = got.map(|it| (it.root.batch.id, it.latest, it.named, it.last));
            assert_eq!(got, want, "chain of {}", known.rev);
        }
    }

    fn compare_gaps(&self, log: &mut dyn Log) {
        for head in 0..=self.known.len() {
            let follow = &self.known[head..];
            match log.since(head as Rev) {
                Ok(news) => {
                    let same = news.iter().map(|it| it.rev).eq(follow.iter().map(|known| known.rev));
                    assert!(same && follow.iter().all(|known| known.held), "a silent gap after {head}");
                }
                Err(LogError::Astray { .. }) => {
                    assert!(follow.iter().any(|known| !known.held), "{head} is not astray");
                }
                Err(other) => panic!("{other}"),
            }
        }
    }

    /// What was deleted for good is remembered at least as long as any batch about it is kept.
    fn compare_gone(&self, log: &mut dyn Log) {
        let world = log.load(LoadScope::Everything).unwrap();
        for (rev, id) in self.deleted() {
            let is_remembered =
                self.known.iter().any(|known| known.held && known.batch.entries.iter().any(is_about(id)));
            assert!(world.is_gone(id.0) || !is_remembered, "what {rev} deleted is remembered");
        }
    }

    /// What was deleted and never used again, and by which batch.
    fn deleted(&self) -> impl Iterator<Item = (Rev, NodeId)> {
        let entries =
            self.known.iter().flat_map(|known| known.batch.entries.iter().map(|entry| (known.rev, entry)));
        entries.filter_map(|(rev, entry)| match &entry.subject {
            Subject::Node(Change { before: Some(node), after: None }) if node.id.0 > uuid(1_000_000) => {
                Some((rev, node.id))
            }
            _ => None,
        })
    }

    fn compare_pages(&self, log: &dyn Log, dice: &mut Dice) {
        self.compare_pages_of(&mut *log.history().unwrap(), dice);
    }

    /// Asserts that pages of one reader and scope agree.
    pub fn compare_pages_of(&self, history: &mut dyn HistoryReader, dice: &mut Dice) {
        let share = dice.of(1..10);
        let mut some =
            |range: Range<u64>| -> Vec<_> { range.filter(|_| dice.one_in(share)).map(uuid).collect() };
        let mut sees: HashSet<Uuid> = some(NODES).into_iter().chain(some(LINKS)).collect();
        let runs = some(NODES).into_iter().map(NodeId).collect();
        let holds = some(NODES).into_iter().map(NodeId).collect();
        let embeds = some(NODES).into_iter().map(NodeId).collect();
        let ids = some(NODES).into_iter().chain(some(LINKS)).chain(some(USERS)).collect();
        // Ids that were never touched: the more there are, the longer the latest batches are scanned one by one.
        sees.extend((0..dice.of(0..3) * dice.of(0..200)).map(|n| uuid(50_000 + n)));
        let everything = dice.one_in(6);
        let reader = Arc::new(HistoryView { user: any_user(dice), sees, runs, holds, embeds, everything });
        let moment = Timestamp::from_ms(self.now - dice.of(0..20) as i64 * DAY_MS / 2);
        let held_by = |known: &&Known| known.held && known.batch.at <= moment;
        let want = self.known.iter().rfind(held_by).map_or(0, |known| known.rev);
        assert_eq!(history.rev_by(moment).unwrap(), want, "{moment:?}");
        let scope = match dice.of(0..3) {
            0 => HistoryScope::Everything,
            1 => HistoryScope::By(any_user(dice)),
            _ => HistoryScope::Touching(Arc::new(ids)),
        };
        let last = self.known.len() as Rev;
        let until = if dice.one_in(2) { last } else { dice.of(0..last + 2) };
        let limit = dice.of(0..12) as usize;
        let mut passed = None;
        for offset in (0..).step_by(limit.max(1)) {
            let query = HistoryQuery { reader: reader.clone(), scope: scope.clone(), until, limit, offset };
            let (got, want) = (history.page(&query).unwrap(), self.page(&query));
            assert_eq!(got, want, "{query:?}");
            // The same page, counted from the end of the one before.
            if let Some(end) = passed {
                let query = HistoryQuery { offset: 0, ..query };
                assert_eq!(history.page_before(&query, end).unwrap(), want, "before {end}: {query:?}");
            }
            passed = want.batches.last().map(|last| last.rev);
            if !want.has_more || limit == 0 {
                break;
            }
        }
    }
}

/// H1, H3, H10, H18: chains and pages, before and after pruning.
pub fn h18_pages_and_chains_are_what_a_naive_search_finds(storage: &impl Storage) {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    for _ in 0..4 {
        naive.go_on(&mut dice, 40);
        naive.write(&mut *storage.open(), &mut dice);
        naive.compare(&mut *storage.open(), &mut dice);
    }
}

/// Any pruning, in steps of any size and with appends in between, has the result of a naive count.
pub fn h2_pruning_takes_what_a_naive_count_takes(storage: &impl Storage) {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    let mut log = storage.open();
    naive.write(&mut *log, &mut dice);
    let mut pruners = [log.pruner(SMALL).unwrap(), log.pruner(SMALL).unwrap()];
    for _ in 0..6 {
        let batches = dice.of(1..60);
        naive.go_on(&mut dice, batches);
        naive.write(&mut *log, &mut dice);
        naive.now += dice.of(0..2) as i64 * dice.of(0..DAY_MS as u64) as i64;
        let (mut removed, most) = (0, dice.of(1..30) as usize);
        let pruner = &mut pruners[dice.of(0..2) as usize];
        let oldest = loop {
            let pruned = pruner.prune_some(Timestamp::from_ms(naive.now), most).unwrap();
            assert!(pruned.removed <= most);
            removed += pruned.removed;
            if !pruned.more {
                break pruned.oldest;
            }
        };
        assert_eq!(removed, naive.prune(&SMALL));
        assert_eq!(Some(oldest), naive.known.iter().find(|known| known.held).map(|known| known.rev));
        naive.compare(&mut *storage.open(), &mut dice);
    }
    assert!(naive.known.iter().any(|known| !known.held), "this pruned something");
}

/// An id is not free while any batch about it is kept, even if the batch that deleted it is not.
pub fn n32_an_id_is_taken_while_any_batch_about_it_is_held(storage: &impl Storage) {
    let (mut log, mut naive) = (storage.open(), Naive::begun());
    let by = |wanted| USERS.map(user_of).find(|user| user.plan == wanted).map(|user| user.id);
    let (id, batch, at) = (NodeId(uuid(1_000_001)), BatchId(uuid(1)), Timestamp::from_ms(1));
    let node = Node::new(id, UserId(uuid(1)), batch, at, 1);
    let one = |op, change| vec![entry(op, Subject::Node(change))];
    naive.push(by(Plan::Pro), Lineage::Fresh, one(Op::NodeAdd, change(None, Some(node.clone()))));
    naive.push(by(Plan::Basic), Lineage::Fresh, one(Op::NodeDelete, change(Some(node), None)));
    naive.push(by(Plan::Pro), Lineage::Fresh, Vec::new());
    naive.write(&mut *log, &mut Dice(1));
    for (days, removed, is_gone) in [(2, 1, true), (400, 2, false)] {
        let mut pruner = log.pruner(Retention::default()).unwrap();
        let pruned = pruner.prune_some(Timestamp::from_ms(naive.now + days * DAY_MS), 10).unwrap();
        assert_eq!((pruned.removed, pruned.more), (removed, false));
        assert_eq!(storage.open().load(LoadScope::Everything).unwrap().is_gone(id.0), is_gone, "{days} days");
    }
}

/// Two pruners at once remove no more than one would.
pub fn h2_pruners_do_not_get_in_each_others_way(storage: &impl Storage) {
    let mut dice = Dice::thrown();
    let mut naive = Naive::begun();
    naive.go_on(&mut dice, 300);
    naive.now += DAY_MS;
    naive.write(&mut *storage.open(), &mut dice);
    let removed: usize = std::thread::scope(|threads| {
        let prune = || {
            let mut pruner = storage.open().pruner(SMALL).unwrap();
            pruner.prune_some(Timestamp::from_ms(naive.now), usize::MAX).unwrap().removed
        };
        let pruners = [threads.spawn(prune), threads.spawn(prune)];
        pruners.into_iter().map(|pruner| pruner.join().unwrap()).sum()
    });
    assert_eq!(removed, naive.prune(&SMALL));
    naive.compare(&mut *storage.open(), &mut dice);
}

/// By the default limits a basic user keeps 100 batches, but all of them, with their ids, for 24 h.
pub fn d8_keys_outlive_what_history_keeps(storage: &impl Storage) {
    let mut log = storage.open();
    let mut naive = Naive::begun();
    let basic = USERS.map(user_of).find(|user| user.plan == Plan::Basic).unwrap();
    for _ in 0..150 {
        naive.push(Some(basic.id), Lineage::Fresh, Vec::new());
    }
    let fingerprint = Some([7; 32]);
    let named = naive.known.iter().map(|known| Proposal { batch: known.batch.clone().into(), fingerprint });
    let named: Vec<_> = named.collect();
    log.transact(0, &mut |_, _| Ok(named.clone())).unwrap();
    let mut pruner = log.pruner(Retention::default()).unwrap();
    let mut prune = |ms| pruner.prune_some(Timestamp::from_ms(naive.now + ms), 1_000).unwrap();
    assert_eq!(prune(DAY_MS).removed, 0, "within 24 h everything stays");
    for proposal in &named {
        let remembered = log.past().batch(proposal.batch.id).unwrap().unwrap();
        assert_eq!((&remembered.batch, remembered.fingerprint), (&*proposal.batch, fingerprint));
    }
    let again = log.transact(151, &mut |_, _| Ok(vec![named[1].clone()]));
    assert!(matches!(again, Err(LogError::Duplicate(_))));
    // After a day everything a basic user keeps is removed, except the head of the log.
    assert_eq!(prune(DAY_MS + 1).removed, 149);
    assert_eq!(log.load(LoadScope::Accounts).unwrap().rev(), 151);
    assert!(log.past().batch(named[150].batch.id).unwrap().is_some());
    assert_eq!(
        log.transact(151, &mut |_, _| Ok(vec![named[1].clone()])).unwrap(),
        152,
        "the id is free again"
    );
}

/// The undo of a batch is known as long as the batch is kept, even if the undo itself is not.
pub fn h10_a_chain_keeps_its_state_when_a_turn_is_pruned(storage: &impl Storage) {
    let (mut log, mut naive) = (storage.open(), Naive::begun());
    let by = |wanted| USERS.map(user_of).find(|user| user.plan == wanted).map(|user| user.id);
    naive.push(by(Plan::Pro), Lineage::Fresh, Vec::new());
    let root = naive.known[1].batch.id;
    naive.push(by(Plan::Basic), Lineage::UndoOf(root), Vec::new());
    naive.push(by(Plan::Pro), Lineage::Fresh, Vec::new());
    naive.write(&mut *log, &mut Dice(1));
    let mut pruner = log.pruner(Retention::default()).unwrap();
    let pruned = pruner.prune_some(Timestamp::from_ms(naive.now + 2 * DAY_MS), 10).unwrap();
    assert_eq!((pruned.removed, pruned.more), (1, false));
    let chain = log.past().chain(root).unwrap().unwrap();
    assert_eq!((chain.root.rev, chain.latest, chain.named), (2, Lineage::UndoOf(root), Lineage::Fresh));
    assert_eq!(chain.last, None);
    assert!(log.past().chain(naive.known[2].batch.id).unwrap().is_none(), "the undo is not held");
}
