//! The rows of accounts: registration, sessions, passwords, invitations and tokens. They are carried out by the room
//! `accounts`, over REST alone.

use super::Method::{Delete, Get, Post, Put};
use super::account_request::{AccountRequest, Register};
use super::fields::*;
use super::input::{Changes, Input, Reading, input};
use super::oidc_rows;
use super::row::{Row, row};
use crate::limits::{NamedLimit, Rule};
use crate::wire::{self, Problem};
use graph::Reason::*;

pub(super) const COOKIE: &str = "with Set-Cookie, which begins the session";
const WRONG_CREDENTIALS: &[Problem] = &[Problem::Unauthorized];
const WRONG_PASSWORD: &[Problem] = &[Problem::WrongPassword];

const INVITE_LIMIT: NamedLimit = limit("account:invite", 30, 3_600);
const KEY_LIMIT: NamedLimit = limit("account:password:reset", 10, 60);

/// A limit of `count` in this many seconds.
pub(super) const fn limit(name: &'static str, count: usize, window_s: u64) -> NamedLimit {
    NamedLimit { name, default: Rule::per_s(count, window_s) }
}

/// Every operation on accounts.
pub(super) fn accounts() -> Vec<Row> {
    [door(), invitations(), passwords(), oidc_rows::rows(), own(), admin()].concat()
}

fn door() -> Vec<Row> {
    vec![
        row("account:register", limit("account:register", 10, 60))
            .about("Makes an account and begins a session of it.")
            .account(input!(AccountRequest::Register(Register {
                email: EMAIL,
                username: USERNAME,
                password: PASSWORD,
                invite: INVITE,
            })))
            .rest(Post, &["/api/register"])
            .for_anyone()
            .refuses(&[RegistrationClosed, InvalidInvite, EmailTaken, UsernameTaken])
            .answers::<wire::OwnAccount>()
            .gives(COOKIE),
        row("account:login", limit("account:login", 10, 60))
            .about("Begins a session.")
            .account(input!(AccountRequest::Login { email: EMAIL, password: PASSWORD }))
            .rest(Post, &["/api/login"])
            .for_anyone()
            .fails(WRONG_CREDENTIALS)
            .answers::<wire::OwnAccount>()
            .gives(COOKIE),
        row("account:logout", limit("account:logout", 30, 10))
            .account(input!(AccountRequest::Logout))
            .rest(Post, &["/api/logout"])
            .for_sessions()
            .about("Ends the session of the caller.")
            .answers::<wire::Done>(),
    ]
}

fn invitations() -> Vec<Row> {
    vec![
        row("account:invite", INVITE_LIMIT)
            .about("Invites someone, or anyone, to make an account.")
            .account(input!(AccountRequest::Invite { email: EMAIL_IF_ANY }))
            .rest(Post, &["/api/invite"])
            .for_sessions()
            .carries_secret()
            .refuses(&[NoPermission])
            .answers::<wire::InvitedAnswer>()
            .gives("the url is sent this once"),
        row("account:invites", limit("account:invites", 30, 10))
            .about("Lists the invitations that nobody has used.")
            .account(input!(AccountRequest::Invites))
            .rest(Get, &["/api/invite"])
            .for_sessions()
            .refuses(&[NoPermission])
            .answers::<wire::InvitesAnswer>(),
        row("account:invite:revoke", limit("account:invites", 30, 10))
            .about("Revokes an invitation.")
            .account(input!(AccountRequest::InviteRevoke { id: INVITE_ID }))
            .rest(Delete, &["/api/invite"])
            .for_sessions()
            .refuses(&[NoPermission, KeyNotFound])
            .answers::<wire::Done>(),
    ]
}

fn passwords() -> Vec<Row> {
    vec![
        row("account:password:forgot", limit("account:password:forgot", 10, 60))
            .about("Sends whoever has this email a link to choose a new password. The answer does not tell whether anyone has.")
            .account(input!(AccountRequest::PasswordForgot { email: EMAIL }))
            .rest(Post, &["/api/password/forgot"])
            .for_anyone()
            .answers::<wire::Done>(),
        row("account:password:reset", KEY_LIMIT)
            .about("Chooses a new password with the key of such a link.")
            .account(input!(AccountRequest::PasswordReset { key: KEY, password: PASSWORD }))
            .rest(Post, &["/api/password/reset"])
            .for_anyone()
            .refuses(&[InvalidKey])
            .answers::<wire::Done>(),
        row("account:password", limit("account:password", 5, 3_600))
            .about("Chooses a new password, by the old one.")
            .account(input!(AccountRequest::PasswordChange { old: OLD_PASSWORD, new: NEW_PASSWORD }))
            .rest(Post, &["/api/account/password"])
            .for_sessions()
            .fails(WRONG_PASSWORD)
            .answers::<wire::Done>(),
    ]
}

const MAY_HAVE_NO_PASSWORD: &[Problem] = &[Problem::WrongPassword, Problem::SignInAgain];

/// One's own account.
fn own() -> Vec<Row> {
    vec![
        row("account:sessions", limit("account:sessions", 30, 10))
            .about("Lists the sessions of the caller.")
            .account(input!(AccountRequest::Sessions))
            .rest(Get, &["/api/account/sessions"])
            .for_sessions()
            .answers::<wire::SessionsAnswer>(),
        row("account:sessions:end", limit("account:sessions", 30, 10))
            .about("Ends a session of the caller, or all others than the one that asks.")
            .account(input!(AccountRequest::SessionsEnd { id: SESSION_ID }))
            .rest(Delete, &["/api/account/sessions"])
            .for_sessions()
            .refuses(&[SessionNotFound])
            .answers::<wire::Done>(),
        row("account:email", limit("account:email", 5, 3_600))
            .about("Gives the caller's account another email, which may have to be confirmed.")
            .account(input!(AccountRequest::EmailChange { email: EMAIL, password: OWN_PASSWORD }))
            .rest(Put, &["/api/account/email"])
            .for_sessions()
            .refuses(&[EmailTaken])
            .fails(MAY_HAVE_NO_PASSWORD)
            .answers::<wire::EmailAnswer>(),
        row("account:email:confirm", limit("account:email:confirm", 10, 60))
            .about("Confirms an email with the key of the link that was sent there.")
            .account(input!(AccountRequest::EmailConfirm { key: KEY }))
            .rest(Post, &["/api/account/email/confirm"])
            .for_anyone()
            .refuses(&[InvalidKey, EmailTaken])
            .answers::<wire::ConfirmedAnswer>(),
        row("account:close", limit("account:close", 5, 3_600))
            .about("Closes the caller's account. It is removed after a grace.")
            .account(input!(AccountRequest::Close { password: OWN_PASSWORD }))
            .rest(Delete, &["/api/account"])
            .for_sessions()
            .refuses(&[LastAdmin])
            .fails(MAY_HAVE_NO_PASSWORD)
            .answers::<wire::ClosedAnswer>(),
    ]
}

const ADMIN_LIMIT: NamedLimit = limit("admin:user", 30, 10);

/// The accounts of others, for administrators.
fn admin() -> Vec<Row> {
    vec![
        row("admin:users", limit("admin:users", 30, 10))
            .about("Lists the accounts, for administrators.")
            .account(input!(AccountRequest::Users))
            .rest(Get, &["/api/admin/users"])
            .refuses(&[NoPermission])
            .answers::<wire::UsersAnswer>(),
        row("admin:user", ADMIN_LIMIT)
            .about("Changes an account, for administrators.")
            .account(input!(AccountRequest::UserSet {
                id: USER_ID,
                plan: Changes(PLAN),
                admin: Changes(ADMIN),
            }))
            .rest(Put, &["/api/admin/users/{id}"])
            .refuses(&[NoPermission, UserNotFound, LastAdmin])
            .answers::<wire::UserAnswer>(),
        row("admin:user:disable", ADMIN_LIMIT)
            .about("Disables an account, for administrators.")
            .account(input!(AccountRequest::UserDisable { id: USER_ID }))
            .rest(Post, &["/api/admin/users/{id}/disable"])
            .refuses(&[NoPermission, UserNotFound, LastAdmin])
            .answers::<wire::UserAnswer>(),
        row("admin:user:enable", ADMIN_LIMIT)
            .about("Enables an account again, for administrators.")
            .account(input!(AccountRequest::UserEnable { id: USER_ID }))
            .rest(Post, &["/api/admin/users/{id}/enable"])
            .refuses(&[NoPermission, UserNotFound])
            .answers::<wire::UserAnswer>(),
        row("admin:user:reopen", ADMIN_LIMIT)
            .about("Opens an account again that its owner has closed, for administrators.")
            .account(input!(AccountRequest::UserReopen { id: USER_ID }))
            .rest(Post, &["/api/admin/users/{id}/reopen"])
            .refuses(&[NoPermission, UserNotFound, NotClosing])
            .answers::<wire::UserAnswer>(),
        row("admin:user:remove", ADMIN_LIMIT)
            .about("Removes an account for good, for administrators.")
            .account(input!(AccountRequest::UserRemove { id: USER_ID }))
            .rest(Delete, &["/api/admin/users/{id}"])
            .refuses(&[NoPermission, UserNotFound, LastAdmin])
            .answers::<wire::RemovedAnswer>(),
    ]
}
