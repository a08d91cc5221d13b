//! Tokens by their owner: rules of group Y that the state machine and the stories do not reach.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod supply;

use graph::model::LinkType;
use graph::model::{Level, Plan, TokenScope, User};
use graph::ops::{
    AccessAdd, AccountOperation, LinkAdd, NodeAdd, NodePublish, TokenCreate, TokenSet, UserSet,
};
use graph::world::Counts;
use graph::{
    BatchId, Entity, Graph, LinkId, NodeId, Operation, Reason, Timestamp, TokenId, UserId, World, check,
    decide,
};
use std::sync::Arc;
use supply::Supply;
use uuid::Uuid;

const NOW_MS: i64 = 1_700_000_000_000;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

const ANN: UserId = UserId(Uuid::from_u128(1));
const GUEST: UserId = UserId(Uuid::from_u128(7));

struct Site {
    world: World,
    next: u128,
}

impl Site {
    fn new() -> Self {
        let user = |number, name: &str| {
            let (username, email) = (name.to_owned(), format!("{name}@example.org"));
            User::new(UserId(id(number)), username, email, Plan::Pro, Timestamp::from_ms(0))
        };
        let users = [user(1, "ann"), user(2, "ben")].map(|user| Entity::User(Arc::new(user)));
        let mut world = World::load(users, 0, Counts::default());
        world.advance(Timestamp::from_ms(NOW_MS));
        Site { world, next: 0x1000 }
    }

    fn does(&mut self, actor: Option<UserId>, operation: &Operation) -> Result<(), Reason> {
        self.next += 0x1000;
        let (batch, mut ids) = (BatchId(id(self.next)), Supply::new(self.next));
        let batch =
            decide(&self.world, actor, operation, batch, &mut ids).map_err(|refusal| refusal.reason)?;
        self.world.apply(&batch);
        assert_eq!(check::problems(&self.world), Vec::<String>::new());
        Ok(())
    }

    /// A root and a node below it, both Ann's, and the guest of a token of this level on the root.
    fn with_guest(level: Level, expires: Option<Timestamp>) -> (Self, NodeId, NodeId) {
        let mut site = Site::new();
        let [root, below] = [NodeId(id(100)), NodeId(id(101))];
        for (node, target) in [(root, None), (below, Some(root))] {
            let add = NodeAdd { id: Some(node), target, fields: Box::default() };
            site.does(Some(ANN), &Operation::NodeAdd(add)).unwrap();
        }
        let scope = TokenScope::Branch { node: root, level, guest: GUEST };
        let token =
            TokenCreate { expires, scope, ..TokenCreate::new(TokenId(id(50)), ANN, String::new(), [5; 32]) };
        site.does(Some(ANN), &Operation::TokenCreate(token)).unwrap();
        (site, root, below)
    }
}

// Rules: Y10, S23.
#[test]
fn y10_a_branch_token_gives_what_its_owners_plan_permits() {
    let (mut site, root, below) = Site::with_guest(Level::Admin, None);
    let publish = |id| Operation::NodePublish(NodePublish { id, branch: true, due: None });
    let grant = |id| {
        let (email, level) = ("ben@example.org".to_owned(), Level::Viewer);
        Operation::AccessAdd(AccessAdd { id, email, level, branch: true, due: None })
    };
    site.does(Some(GUEST), &publish(below)).unwrap();
    site.does(Some(GUEST), &grant(below)).unwrap();
    assert_eq!(site.world.grant(below, UserId(id(2))).unwrap().granted_by, ANN);
    let plus = UserSet { user: ANN, email: None, username: None, plan: Some(Plan::Plus), admin: None };
    site.does(None, &Operation::UserSet(plus)).unwrap();
    assert_eq!(site.does(Some(GUEST), &publish(root)), Err(Reason::PlanLimit));
    assert_eq!(site.does(Some(GUEST), &grant(root)), Err(Reason::PlanLimit));
}

// Rules: Y12.
#[test]
fn y12_a_guest_does_nothing_that_concerns_accounts() {
    let (mut site, ..) = Site::with_guest(Level::Admin, None);
    let token = TokenId(id(50));
    for operation in [
        Operation::TokenCreate(TokenCreate::new(TokenId(id(51)), ANN, String::new(), [6; 32])),
        Operation::TokenSet(TokenSet { id: token, name: Some("mine".into()), expires: None }),
        Operation::TokenRotate { id: token, hash: [6; 32] },
        Operation::TokenRevoke { ids: vec![token] },
        Operation::SettingsUsername { username: "mallory".into() },
        Operation::Account(Box::new(AccountOperation::Close { user: ANN, verified: None })),
        Operation::UserDisable { user: ANN },
    ] {
        assert_eq!(site.does(Some(GUEST), &operation), Err(Reason::NoPermission), "{operation:?}");
    }
}

// Rules: Y6, Y14.
#[test]
fn y6_what_has_expired_is_deleted_with_its_guest() {
    let due = Timestamp::from_ms(NOW_MS + 1_000);
    let (mut site, root, below) = Site::with_guest(Level::Editor, Some(due));
    let link = |kind, private, number| {
        let (id, source, target) = (Some(LinkId(id(number))), root, below);
        Operation::LinkAdd(LinkAdd { id, source, target, kind, private })
    };
    site.does(Some(GUEST), &link(LinkType::Secondary, true, 200)).unwrap();
    let tidy = Operation::Account(Box::new(AccountOperation::Tidy { sessions: Vec::new() }));
    site.does(None, &tidy).unwrap();
    assert!(
        site.world.token(&[5; 32]).is_some() && site.world.user(GUEST).is_some(),
        "not before it expires"
    );
    site.world.advance(due);
    assert_eq!(graph::access::level(&site.world, GUEST, below), None, "its grant ends with it");
    site.does(None, &tidy).unwrap();
    assert!(site.world.token(&[5; 32]).is_none() && site.world.user(GUEST).is_none());
    assert!(site.world.grant(root, GUEST).is_none());
    assert!(site.world.link(LinkId(id(200))).is_none(), "nobody else could see it");
}
