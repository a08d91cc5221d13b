//! The shapes of what is answered about people: one's own account, and the accounts that administrators manage.

use super::shape::{about, boolean, list, nullable, object, plan, shaped, string, success, time, uuid};
use schemars::Schema;

/// A camera position: a JSON object, or null.
fn camera() -> Schema {
    let object = schemars::json_schema!({ "type": "object" });
    about(nullable(object), "From where the user looks at the graph, as their client wrote it.")
}

/// View settings.
pub(super) fn view() -> [(&'static str, Schema); 2] {
    let cards = about(boolean(), "Whether the user's client shows all cards.");
    [("cameraPosition", camera()), ("showAllCards", cards)]
}

/// The event `settings:view`.
pub(super) struct ViewShape;
shaped!(ViewShape, "ViewSettings", |_| object("The user's view settings, as they are now.", view()));

/// The answer of account:sessions.
pub(crate) struct SessionsAnswer;
shaped!(SessionsAnswer, "Sessions", |_| {
    let session = object(
        "A session.",
        [
            ("id", uuid()),
            ("agent", about(nullable(string()), "How the browser calls itself.")),
            ("createdTime", time()),
            ("lastUsedTime", time()),
            ("current", about(boolean(), "Whether it is the caller's.")),
        ],
    );
    success("The caller's sessions, the oldest first.", [("sessions", list(session))])
});

/// The answer of account:email.
pub(crate) struct EmailAnswer;
shaped!(EmailAnswer, "EmailChange", |_| success(
    "Whether the email is the account's now.",
    [("confirmed", about(boolean(), "False if a link was sent to the new email, which confirms it."))],
));

/// The answer of account:email:confirm.
pub(crate) struct ConfirmedAnswer;
shaped!(ConfirmedAnswer, "EmailConfirmed", |_| success("The email is the account's.", [("email", string())]));

/// The answer of account:close.
pub(crate) struct ClosedAnswer;
shaped!(ClosedAnswer, "AccountClosed", |_| success(
    "The account is closed.",
    [("closing", about(nullable(time()), "When it is removed for good."))],
));

fn user() -> Schema {
    object(
        "An account, as an administrator sees it.",
        [
            ("id", uuid()),
            ("username", string()),
            ("email", string()),
            ("plan", plan()),
            ("admin", about(boolean(), "Whether the user is an administrator.")),
            ("disabled", boolean()),
            ("closing", about(nullable(time()), "When the account is removed, if its owner has closed it.")),
            ("hasPassword", boolean()),
            ("identities", about(list(string()), "The names of the identity providers that know the user.")),
            ("createdTime", time()),
        ],
    )
}

/// The answer of admin:users.
pub(crate) struct UsersAnswer;
shaped!(UsersAnswer, "Users", |_| success("The accounts, the oldest first.", [("users", list(user()))]));

/// The answer to a change of an account by an administrator.
pub(crate) struct UserAnswer;
shaped!(UserAnswer, "UserChanged", |_| success(
    "The account as it is now.",
    [("user", about(nullable(user()), "Null if somebody has removed it meanwhile."))],
));

/// The answer of admin:user:remove.
pub(crate) struct RemovedAnswer;
shaped!(RemovedAnswer, "UserRemoved", |_| success(
    "The account is removed.",
    [("name", about(nullable(string()), "What stands for the user from now on."))],
));
