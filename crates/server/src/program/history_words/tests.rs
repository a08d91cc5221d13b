use super::*;
use crate::engine::RandomIds;
use graph::model::Plan;
use graph::ops::{
    AccessAdd, AccessUpdate, LinkAdd, LinkUpdate, NodeAdd, NodePublish, NodePublishUpdate, NodeUpdate,
    TokenCreate, UserAdd, UserSet,
};
use graph::{Graph as _, NodeFields, Operation, Root, Timestamp, TokenId, World, decide};
use std::cell::Cell;

const DUE: i64 = 1_900_000_000_000;

/// A World that executes operations and describes them in words.
struct Teller {
    world: World,
    users: HashMap<&'static str, UserId>,
    nodes: HashMap<&'static str, NodeId>,
    names: Names,
}

impl Teller {
    fn new() -> Self {
        let mut teller = Teller {
            world: World::default(),
            users: HashMap::new(),
            nodes: HashMap::new(),
            names: Names::default(),
        };
        teller.world.advance(Timestamp::from_ms(1_700_000_000_000));
        for name in ["ada", "ben"] {
            let (email, username) = (format!("{name}@example.org"), name.to_owned());
            teller.does(None, Operation::UserAdd(UserAdd::new(email, username, Plan::Pro)));
            let id = teller.world.user_by_username(name).unwrap().user.id;
            teller.users.insert(name, id);
            teller.names.users.insert(id, name.to_owned());
        }
        teller
    }

    fn does(&mut self, actor: Option<&str>, operation: Operation) -> Batch {
        let actor = actor.map(|name| self.users[name]);
        let batch = decide(&self.world, actor, &operation, RandomIds::batch(), &mut RandomIds).unwrap();
        self.world.apply(&batch);
        batch
    }

    fn adds(&mut self, title: &'static str, under: Option<&str>) -> Batch {
        let target = under.map(|title| self.nodes[title]);
        let id = NodeId(uuid::Uuid::new_v4());
        self.nodes.insert(title, id);
        let batch = self
            .does(Some("ada"), Operation::NodeAdd(NodeAdd { id: Some(id), target, fields: titled(title) }));
        self.names.titles.insert(id, title.to_owned());
        batch
    }

    fn says(&self, batch: &Batch) -> String {
        sentence(batch, &self.names)
    }
}

fn titled(title: &str) -> Box<NodeFields> {
    Box::new(NodeFields { title: Some(title.to_owned()), ..NodeFields::default() })
}

#[test]
fn c11_every_operation_has_its_words() {
    let mut it = Teller::new();
    let opened =
        it.does(None, Operation::UserAdd(UserAdd::new("eve@example.org".into(), "eve".into(), Plan::Plus)));
    assert_eq!(it.says(&opened), "the installation created the user eve <eve@example.org> (plus)");
    let ada = it.users["ada"];
    let made = it.does(
        None,
        Operation::TokenCreate(TokenCreate::new(TokenId(uuid::Uuid::nil()), ada, "cli".into(), [7; 32])),
    );
    assert_eq!(it.says(&made), "the installation created the API token “cli” of ada");

    let added = it.adds("Release", None);
    assert_eq!(it.says(&added), "ada added “Release”");
    let added = it.adds("Ship it", Some("Release"));
    assert_eq!(it.says(&added), "ada added “Ship it” and made “Release” wait for “Ship it”; 1 task blocked");
    it.adds("Test", Some("Ship it"));
    it.adds("Write", Some("Ship it"));
    it.adds("Alone", None);
    let id = |it: &Teller, title: &str| it.nodes[title];
    let (release, ship, test, alone) =
        (id(&it, "Release"), id(&it, "Ship it"), id(&it, "Test"), id(&it, "Alone"));
    let link = it.world.links_at(test).next().unwrap().id;
    let email = || "ben@example.org".to_owned();
    let fields = |fields: NodeFields| Box::new(fields);
    let update = |id, fields| Operation::NodeUpdate(NodeUpdate { id, fields, version: None });
    let due = Some(Timestamp::from_ms(DUE));
    let (admin, viewer) = (Some(Level::Admin), Level::Viewer);
    let cases: Vec<(&str, Operation, &str)> = vec![
        ("ada", update(alone, titled("On its own")), "ada renamed “Alone” to “On its own”"),
        (
            "ada",
            update(
                alone,
                fields(NodeFields {
                    title: Some("Alone".into()),
                    priority: Some(3),
                    volume: Some(1),
                    ..NodeFields::default()
                }),
            ),
            "ada renamed “On its own” to “Alone” and changed its priority and volume",
        ),
        (
            "ada",
            update(alone, fields(NodeFields { x: Some(1.0), ..NodeFields::default() })),
            "ada moved “Alone”",
        ),
        (
            "ada",
            update(
                alone,
                fields(NodeFields {
                    description: Some("long".into()),
                    tags: Some(vec!["a".into()]),
                    pinned: Some(true),
                    ..NodeFields::default()
                }),
            ),
            "ada changed the description, tags and pin of “Alone”",
        ),
        (
            "ada",
            update(test, fields(NodeFields { status: Some(Status::InProgress), ..NodeFields::default() })),
            "ada set “Test” to in progress",
        ),
        (
            "ada",
            Operation::NodeTrash { id: ship, branch: false },
            "ada trashed “Ship it” and 3 links; 1 task freed",
        ),
        ("ada", Operation::NodeRestore { id: ship }, "ada restored “Ship it” and 3 links; 1 task blocked"),
        ("ada", Operation::LinkTrash { id: link }, "ada trashed the link “Test” → “Ship it”"),
        ("ada", Operation::LinkRestore { id: link }, "ada restored the link “Test” → “Ship it”"),
        (
            "ada",
            Operation::LinkUpdate(LinkUpdate {
                id: link,
                kind: Some(LinkType::Secondary),
                private: Some(true),
            }),
            "ada made the link “Test” → “Ship it” secondary and private",
        ),
        ("ada", Operation::LinkSwap { id: link }, "ada reversed the link to “Ship it” → “Test”"),
        (
            "ada",
            Operation::LinkAdd(LinkAdd {
                id: None,
                source: alone,
                target: test,
                kind: LinkType::Secondary,
                private: false,
            }),
            "ada linked “Alone” → “Test”",
        ),
        (
            "ada",
            Operation::AccessAdd(AccessAdd { id: release, email: email(), level: viewer, branch: true, due }),
            "ada gave ben view access to “Release” with its branch until 2030-03-17T17:46:40Z",
        ),
        (
            "ada",
            Operation::AccessUpdate(AccessUpdate {
                id: release,
                email: email(),
                level: admin,
                branch: None,
                due: Some(None),
            }),
            "ada made ben admin instead of viewer of “Release” with its branch",
        ),
        (
            "ada",
            Operation::AccessUpdate(AccessUpdate {
                id: release,
                email: email(),
                level: None,
                branch: Some(false),
                due: None,
            }),
            "ada changed ben's access to “Release” alone",
        ),
        (
            "ben",
            Operation::AccessVisibility { id: release, showing: false },
            "ben hid “Release” in their graph",
        ),
        (
            "ben",
            Operation::AccessVisibility { id: release, showing: true },
            "ben showed “Release” in their graph",
        ),
        (
            "ada",
            Operation::NodePublish(NodePublish { id: alone, branch: true, due: None }),
            "ada published “Alone” with its branch",
        ),
        (
            "ada",
            Operation::NodePublishUpdate(NodePublishUpdate { id: alone, branch: Some(false), due: None }),
            "ada changed the publication of “Alone”",
        ),
        (
            "ben",
            Operation::NodeEmbed { root: Root::Node(alone) },
            "ben embedded the public branch “Alone” in their graph",
        ),
        ("ada", Operation::NodeUnpublish { id: alone }, "ada unpublished “Alone”; 1 embed ended"),
        (
            "ben",
            Operation::AccessDelete { id: release, email: email() },
            "ben gave up their access to “Release”",
        ),
        (
            "ada",
            Operation::AccessAdd(AccessAdd {
                id: alone,
                email: email(),
                level: Level::Editor,
                branch: false,
                due: None,
            }),
            "ada gave ben edit access to “Alone” alone",
        ),
        ("ada", Operation::AccessDelete { id: alone, email: email() }, "ada removed ben's access to “Alone”"),
        (
            "ben",
            Operation::SettingsUsername { username: "benny".into() },
            "ben changed the username ben to benny",
        ),
    ];
    for (who, operation, want) in cases {
        let batch = it.does(Some(who), operation);
        assert_eq!(it.says(&batch), want);
        assert!(nodes_named(&batch).iter().all(|id| it.names.titles.contains_key(id)));
    }
    it.does(Some("ada"), Operation::NodeTrash { id: ship, branch: false });
    let deleted = it.does(Some("ada"), Operation::NodeDelete { id: ship });
    assert_eq!(it.says(&deleted), "ada permanently deleted “Ship it” and 3 links");
}

#[test]
fn c11_many_of_a_kind_are_counted_and_what_was_undone_is_named() {
    let mut it = Teller::new();
    for title in ["1", "2", "3", "4", "5", "6"] {
        it.adds(title, None);
        let id = it.nodes[title];
        it.does(Some("ada"), Operation::NodeTrash { id, branch: false });
    }
    let purged = it.does(Some("ada"), Operation::TrashPurge { ids: None });
    let said = it.says(&purged);
    assert!(said.starts_with("ada permanently deleted “") && said.ends_with(" and 3 more"), "{said}");
    let root = graph::BatchId(uuid::Uuid::from_u128(0x1234_5678 << 96));
    let undo = Batch { lineage: Lineage::UndoOf(root), ..it.adds("New", None) };
    assert_eq!(it.says(&undo), "ada undid 12345678: added “New”");
    let redo = Batch { lineage: Lineage::RedoOf(root), entries: Vec::new(), ..undo };
    assert_eq!(it.says(&redo), "ada redid 12345678: changed nothing");
}

#[test]
fn c11_no_title_reaches_the_terminal_as_more_than_text() {
    for (title, want) in [
        ("a\nb\tc", "“a b c”"),
        ("\u{9b}31mred", "“31mred”"),
        ("\u{202e}drawkcab", "“drawkcab”"),
        ("", "an untitled task"),
        (" \n", "an untitled task"),
        (&"x".repeat(41), &format!("“{}…”", "x".repeat(40))),
    ] {
        assert_eq!(quoted(title), want);
    }
}

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Notes that the words looked at one entry of a batch.
pub(super) fn note_step() {
    STEPS.set(STEPS.get() + 1);
}

/// The steps for the words of a purge: a hub with this many links, and each link's other end, are permanently deleted.
fn steps_of_a_purge(links: usize) -> usize {
    let mut it = Teller::new();
    it.adds("Hub", None);
    let hub = it.nodes["Hub"];
    for _ in 0..links {
        let id = NodeId(uuid::Uuid::new_v4());
        let (target, fields) = (Some(hub), titled("Spoke"));
        it.does(Some("ada"), Operation::NodeAdd(NodeAdd { id: Some(id), target, fields }));
        it.does(Some("ada"), Operation::NodeTrash { id, branch: false });
    }
    it.does(Some("ada"), Operation::NodeTrash { id: hub, branch: false });
    let purged = it.does(Some("ada"), Operation::TrashPurge { ids: None });
    assert_eq!(purged.entries.len(), 2 * links + 1);
    STEPS.set(0);
    let said = it.says(&purged);
    nodes_named(&purged);
    assert!(said.ends_with(&format!(" and {links} links")), "{said}");
    STEPS.get()
}

#[test]
fn c11_words_take_steps_in_proportion_to_the_batch() {
    let (few, many) = (steps_of_a_purge(50), steps_of_a_purge(400));
    assert!(few > 0 && many <= 9 * few, "{few} steps for 50 links, {many} for 400");
}

#[test]
fn c11_what_became_of_an_account_has_its_words() {
    let mut it = Teller::new();
    let user = it.users["ada"];
    it.adds("Release", None);
    it.adds("Ship it", Some("Release"));
    let set = |email: Option<&str>, username: Option<&str>, plan| {
        let (email, username) = (email.map(str::to_owned), username.map(str::to_owned));
        Operation::UserSet(UserSet { user, email, username, plan, admin: None })
    };
    let id = TokenId(uuid::Uuid::nil());
    let cases = [
        (set(None, Some("eva"), None), "changed the username ada to eva"),
        (set(Some("a@b"), None, None), "changed the user eva: email ada@example.org to a@b"),
        (
            set(Some("c@d"), Some("ada"), Some(Plan::Plus)),
            "changed the user eva: username eva to ada, email a@b to c@d, plan pro to plus",
        ),
        (Operation::UserDisable { user }, "disabled the user ada <c@d>"),
        (Operation::UserEnable { user }, "enabled the user ada <c@d>"),
        (
            Operation::TokenCreate(TokenCreate::new(id, user, "cli".into(), [7; 32])),
            "created the API token “cli” of ada",
        ),
        (Operation::TokenRotate { id, hash: [8; 32] }, "gave a new secret to the API token “cli” of ada"),
    ];
    for (operation, words) in cases {
        let batch = it.does(None, operation);
        assert_eq!(it.says(&batch), format!("the installation {words}"));
    }
    let removal = it.does(None, Operation::UserRemove { user });
    let name = it.world.user(user).unwrap().user.username.clone();
    let words = format!(
        "the installation removed the user ada <c@d> (now {name}) and permanently deleted “Release” and “Ship it” and 1 link"
    );
    assert_eq!(it.says(&removal), words);
}
