//! The rows of accounts: registration, sessions, passwords, invitations and tokens. They are carried out by the room
//! `accounts`, over REST alone.

use super::Method::{Delete, Get, Post};
use super::account_request::{AccountRequest, Register};
use super::fields::*;
use super::input::{Input, Reading, input};
use super::row::{Row, row};
use crate::limits::{NamedLimit, Rule};
use crate::wire::Problem;
use graph::Reason::*;

const ANSWER: &str = "{ok, trace_id}";
const ACCOUNT_ANSWER: &str = "{ok, account, rev, trace_id}, with Set-Cookie";
const WRONG_CREDENTIALS: &[Problem] = &[Problem::Unauthorized];
const WRONG_PASSWORD: &[Problem] = &[Problem::WrongPassword];

const INVITE_LIMIT: NamedLimit = limit("account:invite", 30, 3_600);
const KEY_LIMIT: NamedLimit = limit("account:password:reset", 10, 60);

/// A limit of `count` in this many seconds.
const fn limit(name: &'static str, count: usize, window_s: u64) -> NamedLimit {
    NamedLimit { name, default: Rule::per_s(count, window_s) }
}

/// Every operation on accounts.
pub(super) fn accounts() -> Vec<Row> {
    [door(), invitations(), passwords()].concat()
}

fn door() -> Vec<Row> {
    vec![
        row("account:register", limit("account:register", 10, 60))
            .account(input!(AccountRequest::Register(Register {
                email: EMAIL,
                username: USERNAME,
                password: PASSWORD,
                invite: INVITE,
            })))
            .rest(Post, &["/api/register"])
            .for_anyone()
            .refuses(&[RegistrationClosed, InvalidInvite, EmailTaken, UsernameTaken])
            .gives(ACCOUNT_ANSWER),
        row("account:login", limit("account:login", 10, 60))
            .account(input!(AccountRequest::Login { email: EMAIL, password: PASSWORD }))
            .rest(Post, &["/api/login"])
            .for_anyone()
            .fails(WRONG_CREDENTIALS)
            .gives(ACCOUNT_ANSWER),
        row("account:logout", limit("account:logout", 30, 10))
            .account(input!(AccountRequest::Logout))
            .rest(Post, &["/api/logout"])
            .for_sessions()
            .gives(ANSWER),
    ]
}

fn invitations() -> Vec<Row> {
    vec![
        row("account:invite", INVITE_LIMIT)
            .account(input!(AccountRequest::Invite { email: EMAIL_IF_ANY }))
            .rest(Post, &["/api/invite"])
            .for_sessions()
            .carries_secret()
            .refuses(&[NoPermission])
            .gives("{ok, invite: {id, email, expires, url}, trace_id}; the url is sent this once"),
        row("account:invites", limit("account:invites", 30, 10))
            .account(input!(AccountRequest::Invites))
            .rest(Get, &["/api/invite"])
            .for_sessions()
            .refuses(&[NoPermission])
            .gives("{ok, invites: [{id, email, by, createdTime, expires}], trace_id}"),
        row("account:invite:revoke", limit("account:invites", 30, 10))
            .account(input!(AccountRequest::InviteRevoke { id: INVITE_ID }))
            .rest(Delete, &["/api/invite"])
            .for_sessions()
            .refuses(&[NoPermission, KeyNotFound])
            .gives(ANSWER),
    ]
}

fn passwords() -> Vec<Row> {
    vec![
        row("account:password:forgot", limit("account:password:forgot", 10, 60))
            .account(input!(AccountRequest::PasswordForgot { email: EMAIL }))
            .rest(Post, &["/api/password/forgot"])
            .for_anyone()
            .gives(ANSWER),
        row("account:password:reset", KEY_LIMIT)
            .account(input!(AccountRequest::PasswordReset { key: KEY, password: PASSWORD }))
            .rest(Post, &["/api/password/reset"])
            .for_anyone()
            .refuses(&[InvalidKey])
            .gives(ANSWER),
        row("account:password", limit("account:password", 5, 3_600))
            .account(input!(AccountRequest::PasswordChange { old: OLD_PASSWORD, new: NEW_PASSWORD }))
            .rest(Post, &["/api/account/password"])
            .for_sessions()
            .fails(WRONG_PASSWORD)
            .gives(ANSWER),
    ]
}
