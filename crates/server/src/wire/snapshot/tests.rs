use super::*;
use crate::engine::RandomIds;
use graph::load::{Load, published_root, visible};
use graph::model::{Level, LinkType, Plan, Status};
use graph::ops::{
    AccessAdd, AccessUpdate, LinkAdd, LinkUpdate, NodeAdd, NodePublish, NodePublishUpdate, NodeUpdate,
};
use graph::world::Counts;
use graph::{Entity, LinkId, NodeFields, Operation, Timestamp, UserId, World, decide};
use proptest::prelude::*;

const BEGIN_MS: i64 = 1_700_000_000_000;
const PEOPLE: [&str; 3] = ["anna", "ben", "cleo"];

fn person(nth: usize) -> UserId {
    UserId(Uuid::from_u128(1 + nth as u128 % 3))
}

/// The World, what was ever made in it, and what each reader was shown last.
struct Story {
    world: World,
    nodes: Vec<NodeId>,
    links: Vec<LinkId>,
    tokens: Vec<String>,
    batches: u128,
    shown: HashMap<String, (String, Vec<u8>)>,
    tagged: HashMap<String, Vec<u8>>,
    /// How many steps changed what a reader is shown, and how many changed nothing.
    changed: usize,
    same: usize,
}

impl Story {
    fn begin() -> Self {
        let people = (0..3).map(|nth| {
            Entity::User(Arc::new(User::new(
                person(nth),
                PEOPLE[nth].to_owned(),
                format!("{}@example.org", PEOPLE[nth]),
                Plan::Pro,
                Timestamp::from_ms(BEGIN_MS),
            )))
        });
        let mut world = World::load(people, 0, Counts::default());
        world.advance(Timestamp::from_ms(BEGIN_MS));
        Story {
            world,
            nodes: Vec::new(),
            links: Vec::new(),
            tokens: Vec::new(),
            batches: 0,
            shown: HashMap::new(),
            tagged: HashMap::new(),
            changed: 0,
            same: 0,
        }
    }

    fn node(&self, nth: usize) -> NodeId {
        // Few of them, so that much happens to each.
        self.nodes.get(nth % self.nodes.len().clamp(1, 10)).copied().unwrap_or(NodeId(Uuid::nil()))
    }

    fn link(&self, nth: usize) -> LinkId {
        self.links.get(nth % self.links.len().clamp(1, 10)).copied().unwrap_or(LinkId(Uuid::nil()))
    }

    fn does(&mut self, caller: UserId, operation: Operation) {
        self.batches += 1;
        let batch = BatchId(Uuid::from_u128(0xB_0000 + self.batches));
        let Ok(batch) = decide(&self.world, Some(caller), &operation, batch, &mut RandomIds) else { return };
        self.world.apply(&batch);
        for node in self.world.nodes() {
            if !self.nodes.contains(&node.id) {
                self.nodes.push(node.id);
            }
            let token = node.publication.as_ref().map(|publication| publication.token.clone());
            self.tokens.extend(token.filter(|token| !self.tokens.contains(token)));
        }
        let new = self.world.links().map(|link| link.id).filter(|id| !self.links.contains(id));
        let new: Vec<LinkId> = new.collect();
        self.links.extend(new);
    }

    fn step(&mut self, [what, who, one, other, value]: [usize; 5]) {
        let (caller, id, root) = (person(who), self.node(one), self.node(other));
        let soon = (value % 3 == 0).then(|| self.world.clock().plus_ms(5_000));
        let (branch, email) = (value % 2 == 0, format!("{}@example.org", PEOPLE[other % 3]));
        let level = [Level::Admin, Level::Editor, Level::Viewer][value % 3];
        let fields = NodeFields {
            title: Some(format!("title {value}")),
            assignee: (value % 4 == 0).then(|| vec![email.clone()]),
            ..NodeFields::default()
        };
        let status = [Status::Available, Status::InProgress, Status::Completed][value % 3];
        let done = NodeFields { status: Some(status), ..NodeFields::default() };
        use Operation as O;
        let operation = match what {
            0..=3 => {
                let again = (value % 5 == 0).then_some(id);
                let target = (other % 2 == 0 && !self.nodes.is_empty()).then_some(root);
                // History has forgotten what was deleted: its id can be used again.
                self.world.forget_gone(u64::MAX);
                O::NodeAdd(NodeAdd { id: again, target, fields: Box::new(fields) })
            }
            4 => O::NodeUpdate(NodeUpdate { id, fields: Box::new(fields), version: None }),
            5 | 6 => O::NodeUpdate(NodeUpdate { id, fields: Box::new(done), version: None }),
            7 => O::NodeTrash { id, branch: value % 7 == 0 },
            8 => O::NodeRestore { id },
            9 => O::NodeDelete { id },
            10..=12 => O::LinkAdd(LinkAdd {
                id: None,
                source: id,
                target: root,
                kind: [LinkType::Primary, LinkType::Secondary][value % 2],
                private: value % 5 == 0,
            }),
            13 => O::LinkUpdate(LinkUpdate {
                id: self.link(one),
                kind: Some([LinkType::Primary, LinkType::Secondary][value % 2]),
                private: (value % 3 == 0).then_some(value % 2 == 0),
            }),
            14 => O::LinkTrash { id: self.link(one) },
            15 => O::LinkSwap { id: self.link(one) },
            16 | 17 => O::AccessAdd(AccessAdd { id, email, level, branch, due: soon }),
            18 => O::AccessUpdate(AccessUpdate {
                id,
                email,
                level: Some(level),
                branch: Some(branch),
                due: None,
            }),
            19 => O::AccessDelete { id, email },
            20 => O::AccessVisibility { id, showing: branch },
            21 | 22 => O::NodePublish(NodePublish { id, branch, due: soon }),
            23 => O::NodePublishUpdate(NodePublishUpdate { id, branch: Some(branch), due: None }),
            24 => O::NodeUnpublish { id },
            25 => O::NodeEmbed { root: graph::Root::Node(id) },
            26 => O::NodeUnembed { root: graph::Root::Node(id) },
            27 => O::SettingsUsername { username: format!("name-{}-{}", value % 10, who % 3) },
            _ => {
                let later = self.world.clock().plus_ms(3_000);
                return self.world.advance(later);
            }
        };
        self.does(caller, operation);
    }

    fn look(&mut self) {
        for nth in 0..3 {
            self.compare(format!("graph of {nth}"), Some(visible(&self.world, person(nth))), false);
            let root = self.node(nth);
            let branch = Load::of_branch(&self.world, person(nth), root).next(&self.world, usize::MAX);
            self.compare(format!("branch {root} of {nth}"), Some(branch), false);
        }
        for token in self.tokens.clone() {
            let root = published_root(&self.world, &token);
            let page = root.map(|root| Load::of_publication(&self.world, root).next(&self.world, usize::MAX));
            self.compare(token, page, true);
        }
    }

    fn compare(&mut self, reader: String, page: Option<Page>, anonymous: bool) {
        let Some(page) = page else { return };
        let text = Snapshot::new(page.clone(), 7, anonymous, "trace").write(usize::MAX);
        let mut piecewise = Snapshot::new(page.clone(), 7, anonymous, "trace");
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        while pieces.last().is_none_or(|piece| !piece.is_empty()) {
            pieces.push(piecewise.write(100));
        }
        assert_eq!(pieces.concat(), text, "the pieces of a text are the text");
        let tag = Snapshot::new(page, 8, anonymous, "other").tag();
        let before = self.shown.insert(reader, (tag.clone(), text.clone()));
        match before {
            Some((before, same)) if same == text => {
                assert_eq!(before, tag, "nothing changed in {}", String::from_utf8_lossy(&text));
                self.same += 1;
            }
            _ => self.changed += 1,
        }
        let known = self.tagged.entry(tag).or_insert_with(|| text.clone());
        assert_eq!(String::from_utf8_lossy(known), String::from_utf8_lossy(&text), "one tag, two texts");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    // Rules: G13.
    #[test]
    fn g13_the_tag_changes_with_whatever_is_shown_and_with_nothing_else(
        steps in prop::collection::vec([0..32_usize, 0..3, 0..1_000, 0..1_000, 0..1_000_usize], 150..250)
    ) {
        let mut story = Story::begin();
        for step in steps {
            story.step(step);
            story.look();
        }
        prop_assert!(story.changed > 10 && story.same > 10, "{} {}", story.changed, story.same);
    }
}

#[test]
fn g11_a_snapshot_of_nothing_has_empty_lists() {
    let nothing = Page { nodes: Vec::new(), links: Vec::new(), has_more: false };
    let text = Snapshot::new(nothing, 3, false, "abc").write(usize::MAX);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        r#"{"ok":true,"rev":3,"nodes":[],"links":[],"trace_id":"abc"}"#
    );
}
