//! An account as its owner sees it.

use super::entity::{Exact, Seconds};
use super::shape::{self, about, list, object, shaped, string, time, uuid};
use crate::engine::protocol::Account;
use graph::NodeId;
use graph::model::{Grant, Identity, Level, User, ViewSettings};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
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
    admin: bool,
    has_password: bool,
    identities: Vec<ShownIdentity<'a>>,
    #[serde(flatten)]
    view: View<'a>,
    // The documented original has these; nobody pays here.
    subscription_state: &'static str,
    annually_payment: bool,
    card_pan: Option<&'static str>,
}

/// Who the user is at an identity provider.
#[derive(Serialize)]
struct ShownIdentity<'a> {
    provider: &'a str,
    issuer: &'a str,
    subject: &'a str,
    since: Seconds,
}

/// A user's view settings.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    camera_position: Option<&'a RawValue>,
    show_all_cards: bool,
}

impl<'a> View<'a> {
    pub(super) fn of(view: &'a ViewSettings) -> Self {
        // It was JSON when it was set.
        let camera = view.camera_position.as_deref().and_then(|text| serde_json::from_str(text).ok());
        View { camera_position: camera, show_all_cards: view.show_all_cards }
    }
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
            admin: user.admin,
            has_password: user.password.is_some(),
            identities: user.identities.iter().map(shown_identity).collect(),
            view: View::of(&user.view),
            subscription_state: "active",
            annually_payment: false,
            card_pan: None,
        };
        shown.serialize(serializer)
    }
}

fn shown_identity(identity: &Identity) -> ShownIdentity<'_> {
    let Identity { provider, issuer, subject, since } = identity;
    ShownIdentity { provider, issuer, subject, since: Seconds(*since) }
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
            ("admin", about(shape::boolean(), "Whether the user administers the installation.")),
            ("hasPassword", about(shape::boolean(), "Whether the user signs in with a password.")),
            ("identities", about(list(identity()), "Who the user is at identity providers.")),
            ("subscriptionState", shape::only("active")),
            ("annuallyPayment", shape::only(false)),
            ("cardPan", shape::only(serde_json::Value::Null)),
        ]
        .into_iter()
        .chain(super::people::view()),
    )
});

fn identity() -> schemars::Schema {
    object(
        "Who a user is at an identity provider.",
        [
            ("provider", about(string(), "The name of the provider here.")),
            ("issuer", string()),
            ("subject", string()),
            ("since", time()),
        ],
    )
}

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
