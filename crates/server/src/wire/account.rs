//! An account as its owner sees it.

use super::entity::{Exact, Seconds};
use super::shape::{self, about, list, object, shaped, string, time, uuid};
use crate::engine::protocol::Account;
use graph::NodeId;
use graph::model::{Grant, Level, User};
use serde::{Serialize, Serializer};
use std::sync::Arc;

pub(super) struct WholeAccount<'a>(pub &'a Account);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    id: graph::UserId,
    username: &'a str,
    email: &'a str,
    plan: &'static str,
    created_time: Seconds,
    granted_by: Vec<ShownGrant<'a>>,
    granted_to: Vec<ShownGrant<'a>>,
    public_embeds: &'a [NodeId],
}

/// A grant with the user at its other end.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownGrant<'a> {
    node_id: NodeId,
    user_name: &'a str,
    user_email: &'a str,
    level: Level,
    branch: bool,
    due: Option<Exact>,
    showing: bool,
}

impl Serialize for WholeAccount<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Account { user, granted_by, granted_to, embeds } = self.0;
        let shown = Shown {
            id: user.id,
            username: &user.username,
            email: &user.email,
            plan: user.plan.name(),
            created_time: Seconds(user.created),
            granted_by: granted_by.iter().map(shown_grant).collect(),
            granted_to: granted_to.iter().map(shown_grant).collect(),
            public_embeds: embeds,
        };
        shown.serialize(serializer)
    }
}

shaped!(WholeAccount<'_>, "Account", |generator| {
    let grants = list(generator.subschema_for::<ShownGrant<'_>>());
    object(
        "An account, as its owner sees it.",
        [
            ("id", uuid()),
            ("username", string()),
            ("email", string()),
            ("plan", shape::plan()),
            ("createdTime", time()),
            ("grantedBy", about(grants.clone(), "What the user gave to others.")),
            ("grantedTo", about(grants, "What others gave to the user.")),
            ("publicEmbeds", about(list(uuid()), "The publications that the user has embedded.")),
        ],
    )
});

shaped!(ShownGrant<'_>, "AccountGrant", |_| object(
    "A grant, with the user at its other end.",
    [
        ("nodeId", uuid()),
        ("userName", string()),
        ("userEmail", string()),
        ("level", shape::granted_level()),
        ("branch", about(shape::boolean(), "Whether it is of the whole branch.")),
        ("due", about(shape::nullable(time()), "When it ends; null if it does not.")),
        ("showing", about(shape::boolean(), "Whether the grantee has it in their graph.")),
    ],
));

fn shown_grant((grant, other): &(Arc<Grant>, Arc<User>)) -> ShownGrant<'_> {
    ShownGrant {
        node_id: grant.node,
        user_name: &other.username,
        user_email: &other.email,
        level: grant.level,
        branch: grant.branch,
        due: grant.due.map(Exact),
        showing: grant.showing,
    }
}
