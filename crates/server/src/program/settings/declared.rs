//! Every setting, declared once: its sources, its values, its default and its purpose. The settings table of
//! README.md is derived from it.

use super::Settings;
use super::values::{check_origin, check_public_url};
use crate::accounts::mail::{Smtp, parse_sender};
use crate::accounts::oidc::ProviderSettings;
use crate::accounts::{InviteBy, PublicUrl, Registration};
use crate::net::cors::CorsMode;
use crate::net::forwarded::TrustedProxies;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// One setting.
pub(super) struct Setting {
    /// Its key in `synaptask.toml`, with a dot after each table name.
    pub(super) key: &'static str,
    /// Its flag on the command line.
    pub(super) flag: Option<&'static str>,
    /// Its purpose, in the words of README.md.
    pub(super) help: &'static str,
    pub(super) form: Form,
}

/// The form of its value, and the field of [`Settings`] that it sets.
pub(super) enum Form {
    Directory(fn(&mut Settings) -> &mut PathBuf),
    Text(fn(&mut Settings) -> &mut String),
    /// `on` or `off` in the environment, `true` or `false` in the file.
    Switch(fn(&mut Settings) -> &mut bool),
    Number(Number),
    /// One of several words.
    Choice(Choice),
    /// A list in the file; in the environment its entries are separated by commas.
    List(List),
    /// Text of a certain form, by default none.
    Checked(Checked),
    /// Of each identity provider, as its name is in the key.
    Provider(ProviderForm),
}

/// A number in a range.
pub(super) struct Number {
    pub(super) range: RangeInclusive<u64>,
    pub(super) set: fn(&mut Settings, u64),
    pub(super) get: fn(&Settings) -> u64,
}

/// One of several words.
pub(super) struct Choice {
    pub(super) words: &'static [&'static str],
    /// Sets one of the words.
    pub(super) set: fn(&mut Settings, &str),
    pub(super) get: fn(&Settings) -> &'static str,
}

/// Text of a certain form. It may be a secret, so it is never shown.
pub(super) struct Checked {
    /// Its form, in words.
    pub(super) form: &'static str,
    /// Fails with a sentence that does not repeat the text.
    pub(super) set: fn(&mut Settings, &str) -> Result<(), String>,
}

/// A setting of each identity provider. It may be a secret, so it is never shown.
pub(super) enum ProviderForm {
    /// Its form in words. Setting it fails with a sentence that does not repeat the text.
    Text(&'static str, fn(&mut ProviderSettings, &str) -> Result<(), String>),
    Switch(fn(&mut ProviderSettings) -> &mut bool),
}

/// A list of texts.
pub(super) struct List {
    /// Fails with a sentence that names the wrong entry.
    pub(super) set: fn(&mut Settings, Vec<String>) -> Result<(), String>,
    pub(super) get: fn(&Settings) -> Vec<String>,
}

impl Setting {
    /// The setting that a flag sets.
    pub(super) fn of_flag(flag: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.flag == Some(flag))
    }

    /// Its values, in words.
    pub(super) fn values_in_words(&self) -> String {
        match &self.form {
            Form::Directory(_) => "a directory".to_owned(),
            Form::Text(_) => "text".to_owned(),
            Form::Switch(_) => "on or off".to_owned(),
            Form::Number(number) => number.range_in_words(),
            Form::Choice(choice) => choice.words.join(", "),
            Form::List(_) => "a list".to_owned(),
            Form::Checked(Checked { form, .. }) | Form::Provider(ProviderForm::Text(form, _)) => {
                (*form).to_owned()
            }
            Form::Provider(ProviderForm::Switch(_)) => "on or off".to_owned(),
        }
    }

    /// Its default, in words.
    pub(super) fn default_in_words(&self) -> String {
        let mut default = Settings::default();
        match &self.form {
            Form::Directory(place) => place(&mut default).display().to_string(),
            Form::Text(place) => place(&mut default).clone(),
            Form::Switch(place) => if *place(&mut default) { "on" } else { "off" }.to_owned(),
            Form::Number(number) => (number.get)(&default).to_string(),
            Form::Choice(choice) => (choice.get)(&default).to_owned(),
            Form::List(list) => {
                let entries = (list.get)(&default);
                if entries.is_empty() { "none".to_owned() } else { entries.join(", ") }
            }
            Form::Checked(_) | Form::Provider(ProviderForm::Text(..)) => "none".to_owned(),
            Form::Provider(ProviderForm::Switch(place)) => {
                if *place(&mut ProviderSettings::default()) { "on" } else { "off" }.to_owned()
            }
        }
    }

    /// The name in a key that this setting describes: that of an identity provider, or empty.
    pub(super) fn name_in<'k>(&self, key: &'k str) -> Option<&'k str> {
        match self.key.split_once(NAME) {
            None => (self.key == key).then_some(""),
            Some((before, after)) => {
                let name = key.strip_prefix(before)?.strip_suffix(after)?;
                (!name.is_empty() && !name.contains('.')).then_some(name)
            }
        }
    }

    /// The name in a variable that this setting describes.
    pub(super) fn name_in_variable(&self, variable: &str) -> Option<String> {
        let own = self.variable();
        let Some((before, after)) = self.key.contains(NAME).then(|| own.split_once(NAME)).flatten() else {
            return (own == variable).then(String::new);
        };
        let name = variable.strip_prefix(before)?.strip_suffix(after)?;
        // A name has hyphens, which a variable cannot have.
        (!name.is_empty()).then(|| name.to_ascii_lowercase().replace('_', "-"))
    }

    /// Its environment variable.
    pub(super) fn variable(&self) -> String {
        match self.key {
            // Its table holds the limits themselves.
            LIMITS_ON => "SYNAPTASK_LIMITS".to_owned(),
            key => variable(key),
        }
    }
}

/// The environment variable of a key.
pub(super) fn variable(key: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("SYNAPTASK_{}", key.chars().map(letter).collect::<String>())
}

/// What stands in a key for the name of an identity provider.
const NAME: &str = "NAME";

/// The key that switches every limit on or off.
pub(super) const LIMITS_ON: &str = "limits.on";

const BYTES: RangeInclusive<u64> = 1 << 10..=1 << 30;
const COUNT: RangeInclusive<u64> = 1..=1_000_000;
const SECONDS: RangeInclusive<u64> = 1..=86_400;
/// A repeated request is recognized for at least 24 hours (D8).
const KEYS_HOURS: RangeInclusive<u64> = 24..=u32::MAX as u64;
const SESSION_DAYS: RangeInclusive<u64> = 1..=400;
const DAYS: RangeInclusive<u64> = 0..=u32::MAX as u64;
/// Up to the largest number in a settings file.
const ANY: RangeInclusive<u64> = 0..=i64::MAX as u64;
const HOUR_MS: i64 = 3_600_000;

const fn setting(key: &'static str, form: Form, help: &'static str) -> Setting {
    Setting { key, flag: None, help, form }
}

const fn flagged(flag: &'static str, key: &'static str, form: Form, help: &'static str) -> Setting {
    Setting { key, flag: Some(flag), help, form }
}

const fn number(range: RangeInclusive<u64>, set: fn(&mut Settings, u64), get: fn(&Settings) -> u64) -> Form {
    Form::Number(Number { range, set, get })
}

/// A number as a smaller type, whose range includes that of the setting.
fn fit<T: TryFrom<u64>>(value: u64, largest: T) -> T {
    T::try_from(value).unwrap_or(largest)
}

fn size(value: u64) -> usize {
    fit(value, usize::MAX)
}

fn days(value: u64) -> u32 {
    fit(value, u32::MAX)
}

/// All settings, in the order of README.md, except the limits, whose names come from the table of operations.
pub(super) static SETTINGS: &[Setting] = &[
    flagged("--data", "data", Form::Directory(|of| &mut of.data), "the data directory"),
    flagged("--listen", "listen", Form::Text(|of| &mut of.listen), "the address to listen on"),
    flagged(
        "--log",
        "log",
        Form::Text(|of| &mut of.log),
        "what is logged, such as `warn` or `synaptask=debug,info`",
    ),
    setting(
        "registration",
        Form::Choice(Choice {
            words: &["open", "invite", "closed"],
            set: |to, word| {
                to.accounts.registration = match word {
                    "open" => Registration::Open,
                    "closed" => Registration::Closed,
                    _ => Registration::Invite,
                };
            },
            get: |of| match of.accounts.registration {
                Registration::Open => "open",
                Registration::Invite => "invite",
                Registration::Closed => "closed",
            },
        }),
        "who may make an account: `open` (anyone), `invite` (whoever has an invitation) or `closed` (nobody)",
    ),
    setting(
        "invite_by",
        Form::Choice(Choice {
            words: &["admins", "all"],
            set: |to, word| {
                to.accounts.invite_by = if word == "all" { InviteBy::All } else { InviteBy::Admins };
            },
            get: |of| match of.accounts.invite_by {
                InviteBy::Admins => "admins",
                InviteBy::All => "all",
            },
        }),
        "who may invite: `admins` or `all`",
    ),
    setting(
        "session_days",
        number(
            SESSION_DAYS,
            |to, it| to.accounts.session_days = days(it),
            |of| of.accounts.session_days.into(),
        ),
        "how many days a web session lives from its last use",
    ),
    flagged(
        "--admin-listen",
        "admin_listen",
        Form::Checked(Checked {
            form: "an address",
            set: |to, text| {
                to.admin_listen = Some(text.to_owned());
                Ok(())
            },
        }),
        "a second address, for whoever watches the server: `/metrics`, `/livez` and `/readyz`, without credentials",
    ),
    setting(
        "access_log",
        Form::Switch(|of| &mut of.transport.access_log),
        "whether each request is logged, with its user and address (in the file `true` or `false`)",
    ),
    setting(
        LIMITS_ON,
        Form::Switch(|of| &mut of.transport.limits.on),
        "rate limits, `on` or `off` (in the file `true` or `false`)",
    ),
    setting(
        "history.keys_hours",
        number(
            KEYS_HOURS,
            |to, hours| to.history.keys_kept_ms = i64::from(days(hours)) * HOUR_MS,
            |of| u64::try_from(of.history.keys_kept_ms / HOUR_MS).unwrap_or_default(),
        ),
        "how many hours a repeated request (same `batchId`) is recognized",
    ),
    setting(
        "history.basic.days",
        number(DAYS, |to, it| to.history.basic.days = days(it), |of| of.history.basic.days.into()),
        "how many days the history of a user on the basic plan is kept",
    ),
    setting(
        "history.basic.batches",
        number(ANY, |to, it| to.history.basic.batches = it, |of| of.history.basic.batches),
        "how many batches of a user on the basic plan are kept",
    ),
    setting(
        "history.basic.bytes",
        number(ANY, |to, it| to.history.basic.bytes = it, |of| of.history.basic.bytes),
        "how many bytes of batches of a user on the basic plan are kept",
    ),
    setting(
        "history.plus.days",
        number(DAYS, |to, it| to.history.plus.days = days(it), |of| of.history.plus.days.into()),
        "how many days the history of a user on the plus plan is kept",
    ),
    setting(
        "history.plus.batches",
        number(ANY, |to, it| to.history.plus.batches = it, |of| of.history.plus.batches),
        "how many batches of a user on the plus plan are kept",
    ),
    setting(
        "history.plus.bytes",
        number(ANY, |to, it| to.history.plus.bytes = it, |of| of.history.plus.bytes),
        "how many bytes of batches of a user on the plus plan are kept",
    ),
    setting(
        "history.pro.days",
        number(DAYS, |to, it| to.history.pro.days = days(it), |of| of.history.pro.days.into()),
        "how many days the history of a user on the pro plan is kept",
    ),
    setting(
        "history.pro.batches",
        number(ANY, |to, it| to.history.pro.batches = it, |of| of.history.pro.batches),
        "how many batches of a user on the pro plan are kept",
    ),
    setting(
        "history.pro.bytes",
        number(ANY, |to, it| to.history.pro.bytes = it, |of| of.history.pro.bytes),
        "how many bytes of batches of a user on the pro plan are kept",
    ),
    setting(
        "public_url",
        Form::Checked(Checked {
            form: "an origin",
            set: |to, text| {
                check_public_url(text)?;
                to.accounts.public_url = Some(PublicUrl::of_origin(text));
                Ok(())
            },
        }),
        "where people reach the server, such as `https://tasks.example`; links in mails begin with it",
    ),
    setting(
        "oidc.NAME.issuer",
        Form::Provider(ProviderForm::Text("an issuer", ProviderSettings::set_issuer)),
        "the issuer of an identity provider, such as `https://accounts.google.com`; needs `public_url`. NAME is yours \
         to choose: lower-case letters, digits and hyphens",
    ),
    setting(
        "oidc.NAME.client_id",
        Form::Provider(ProviderForm::Text("text", ProviderSettings::set_client_id)),
        "what this server is called there",
    ),
    setting(
        "oidc.NAME.client_secret",
        Form::Provider(ProviderForm::Text("text", ProviderSettings::set_client_secret)),
        "its secret there; none for a public client",
    ),
    setting(
        "oidc.NAME.title",
        Form::Provider(ProviderForm::Text("text", ProviderSettings::set_title)),
        "what people call the provider; otherwise its NAME",
    ),
    setting(
        "oidc.NAME.trust_email",
        Form::Provider(ProviderForm::Switch(|of| &mut of.trust_email)),
        "whether every email that it tells counts as verified; only where people cannot change theirs as they like",
    ),
    setting(
        "mail.smtp",
        Form::Checked(Checked {
            form: "a mail server",
            set: |to, text| {
                to.accounts.mail.smtp = Some(Smtp::parse(text)?);
                Ok(())
            },
        }),
        "the server that takes mails, such as `smtps://user:password@mail.example:465`; needs `mail.from` and \
         `public_url`",
    ),
    setting(
        "mail.from",
        Form::Checked(Checked {
            form: "a sender",
            set: |to, text| {
                to.accounts.mail.from = Some(parse_sender(text)?);
                Ok(())
            },
        }),
        "the sender of mails, such as `SynapTask <tasks@example.com>`",
    ),
    setting(
        "allowed_origins",
        Form::List(List {
            set: |to, entries| {
                for entry in &entries {
                    check_origin(entry).map_err(|reason| format!("\"{entry}\" {reason}"))?;
                }
                to.transport.allowed_origins = entries;
                Ok(())
            },
            get: |of| of.transport.allowed_origins.clone(),
        }),
        "other origins, such as `https://app.example`, whose web pages may use a browser's session; the server's own \
         origin is always allowed",
    ),
    setting(
        "cors",
        Form::Choice(Choice {
            words: &["any", "listed", "off"],
            set: |to, word| {
                to.transport.cors = match word {
                    "off" => CorsMode::Off,
                    "listed" => CorsMode::Listed,
                    _ => CorsMode::Any,
                };
            },
            get: |of| match of.transport.cors {
                CorsMode::Any => "any",
                CorsMode::Listed => "listed",
                CorsMode::Off => "off",
            },
        }),
        "the origins whose web pages may call the server: `any` (all, with a token), `listed` (only `allowed_origins`) \
         or `off` (none)",
    ),
    setting(
        "trusted_proxies",
        Form::List(List {
            set: |to, entries| {
                to.transport.trusted_proxies = TrustedProxies::try_from(entries)?;
                Ok(())
            },
            get: |of| of.transport.trusted_proxies.names(),
        }),
        "addresses or networks, such as `10.0.0.0/8`, of reverse proxies that are trusted to report a client's address",
    ),
    setting(
        "body_bytes_max",
        number(
            BYTES,
            |to, it| to.transport.body_bytes_max = size(it),
            |of| of.transport.body_bytes_max as u64,
        ),
        "the largest body, and the largest message over a socket",
    ),
    setting(
        "connections_max",
        number(COUNT, |to, it| to.connections_max = size(it), |of| of.connections_max as u64),
        "how many TCP connections may be open at the same time",
    ),
    setting(
        "outbox_entries_max",
        number(
            COUNT,
            |to, it| to.transport.outbox_entries_max = size(it),
            |of| of.transport.outbox_entries_max as u64,
        ),
        "how many messages may wait for a slow client before it is disconnected",
    ),
    setting(
        "outbox_bytes_max",
        number(
            BYTES,
            |to, it| to.transport.outbox_bytes_max = size(it),
            |of| of.transport.outbox_bytes_max as u64,
        ),
        "how many bytes may wait for a slow client before it is disconnected",
    ),
    setting(
        "header_timeout_s",
        number(
            SECONDS,
            |to, it| to.header_timeout = Duration::from_secs(it),
            |of| of.header_timeout.as_secs(),
        ),
        "how many seconds a client may take to send a header",
    ),
    setting(
        "body_timeout_s",
        number(
            SECONDS,
            |to, it| to.transport.body_timeout = Duration::from_secs(it),
            |of| of.transport.body_timeout.as_secs(),
        ),
        "how many seconds a client may take to send a body",
    ),
    setting(
        "stall_timeout_s",
        number(
            SECONDS,
            |to, it| to.transport.stall_timeout = Duration::from_secs(it),
            |of| of.transport.stall_timeout.as_secs(),
        ),
        "how many seconds a client may go without acknowledging the data sent to it; twice as long where the system \
         does not report acknowledgements",
    ),
];
