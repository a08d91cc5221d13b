use super::declared::Form;
use super::*;
use crate::limits::{CONNECT_USER, NamedLimit, OPEN_USER, REST, Rule};
use std::collections::BTreeSet;
use store::Limits;

/// What a settings file comes to.
fn parse_file(text: &str) -> Result<Settings, String> {
    let mut settings = Settings::default();
    settings.read_toml(text).map(|()| settings)
}

/// What the environment comes to, on a data directory without a file.
fn with_variables(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let dir = tempfile::tempdir().unwrap();
    let flags = Flags { data: Some(dir.path().to_owned()), ..Flags::default() };
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Settings::load(flags, None, variables).map_err(|error| error.to_string())
}

#[test]
fn c8_a_flag_goes_before_the_environment_before_the_file_before_the_default() {
    let cases = [
        (None, None, None, "127.0.0.1:8000"),
        (None, None, Some("file:1"), "file:1"),
        (None, Some("env:1"), Some("file:1"), "env:1"),
        (Some("flag:1"), Some("env:1"), Some("file:1"), "flag:1"),
        (Some("flag:1"), None, None, "flag:1"),
    ];
    for (flag, env, file, want) in cases {
        let dir = tempfile::tempdir().unwrap();
        if let Some(file) = file {
            std::fs::write(dir.path().join(FILE_NAME), format!("listen = \"{file}\"")).unwrap();
        }
        let flags =
            Flags { data: Some(dir.path().to_owned()), listen: flag.map(str::to_owned), ..Flags::default() };
        let variables = env.map(|env| ("SYNAPTASK_LISTEN".into(), env.into()));
        assert_eq!(Settings::load(flags, None, variables).unwrap().listen, want);
    }
}

#[test]
fn c8_the_environment_is_read() {
    let variables = [
        ("SYNAPTASK_DATA", "/srv/tasks"),
        ("SYNAPTASK_LISTEN", "0.0.0.0:9"),
        ("SYNAPTASK_LIMITS", "off"),
        ("SYNAPTASK_LOG", "warn"),
    ]
    .map(|(name, value)| (name.into(), value.into()));
    let settings = Settings::load(Flags::default(), None, variables).unwrap();
    assert_eq!(settings.data, PathBuf::from("/srv/tasks"));
    assert_eq!((settings.listen.as_str(), settings.log.as_str()), ("0.0.0.0:9", "warn"));
    assert_eq!(settings.transport.limits.rule(REST), None);
    let error = with_variables(&[("SYNAPTASK_LIMITS", "perhaps")]).unwrap_err();
    assert!(error.contains("SYNAPTASK_LIMITS"), "{error}");
}

#[test]
fn c8_the_file_beside_the_data_is_read() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE_NAME), "listen = \"here:1\"").unwrap();
    let flags = Flags { data: Some(dir.path().to_owned()), ..Flags::default() };
    assert_eq!(Settings::load(flags, None, []).unwrap().listen, "here:1");
}

#[test]
fn c9_unknown_keys_are_refused_by_name() {
    for text in ["lisen = \"x\"", "[limits]\n\"graph:got\" = \"1/1s\"", "[limit]\non = true"] {
        let error = parse_file(text).unwrap_err();
        assert!(["lisen", "graph:got", "limit"].iter().any(|name| error.contains(name)), "{error}");
    }
}

#[test]
fn h2_how_long_history_is_kept_can_be_set() {
    let text = "[history]\nkeys_hours = 48\n[history.basic]\ndays = 7\n[history.pro]\ndays = 9\nbatches = 10\nbytes = 11";
    let settings = parse_file(text).unwrap();
    let default = Retention::default();
    let want = Retention {
        basic: Limits { days: 7, ..default.basic },
        plus: default.plus,
        pro: Limits { days: 9, batches: 10, bytes: 11 },
        keys_kept_ms: 48 * 3_600_000,
    };
    assert_eq!(settings.history, want);
    assert_eq!(Settings::default().history, default);
    for (wrong, named) in [
        ("[history]\nkeys_hours = 23", "keys_hours"),
        ("[history.free]\ndays = 1", "free"),
        ("[history.basic]\nweeks = 1", "weeks"),
        ("[history.basic]\ndays = -1", "days"),
        ("[history.basic]\nbytes = \"20MB\"", "bytes"),
    ] {
        let error = parse_file(wrong).unwrap_err();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn r6_every_limit_can_be_changed_or_switched_off() {
    let text = "[limits]\nrest = \"5/1m\"\n\"graph:get\" = \"off\"\n\"open.user\" = \"3\"";
    let settings = parse_file(text).unwrap();
    let limits = &settings.transport.limits;
    assert_eq!(limits.rule(REST), Some(Rule::per_s(5, 60)));
    assert_eq!(limits.rule(NamedLimit { name: "graph:get", default: Rule::per_s(10, 10) }), None);
    assert_eq!(limits.rule(OPEN_USER).map(|rule| rule.count), Some(3));
    assert_eq!(limits.rule(CONNECT_USER), Some(CONNECT_USER.default));
    for wrong in ["5", "x/1s", "5/1", "5/1d", "5/0s", "on", ""] {
        let error = parse_file(&format!("[limits]\nrest = \"{wrong}\"")).unwrap_err();
        assert!(error.contains("limit `rest`") && error.contains("30/10s"), "{error}");
    }
}

#[test]
fn r6_what_is_wrong_with_a_limit_is_said_by_its_name() {
    for (wrong, named) in [
        ("node = 30", "limit `node`: 30 is neither a limit such as"),
        ("node = true", "limit `node`"),
        ("\"node trash\" = [\"30/10s\"]", "limit `node trash`"),
        ("\"open.user\" = \"10/1m\"", "limit `open.user`: \"10/1m\" is neither a limit such as \"10\""),
        ("\"open.user\" = \"-1\"", "limit `open.user`"),
        ("\"open.user\" = 3", "limit `open.user`"),
        ("connect.address = \"off\"", "unknown limit `connect`; put a name with a dot in quotes"),
        ("on = \"off\"", "limits.on: must be true or false"),
    ] {
        let error = parse_file(&format!("[limits]\n{wrong}")).unwrap_err();
        assert!(error.contains(named), "{error}");
    }
    assert!(!parse_file("[limits]\non = false").unwrap().transport.limits.on);
}

/// Every number there is to set.
fn numbers() -> impl Iterator<Item = (&'static Setting, &'static declared::Number)> {
    SETTINGS.iter().filter_map(|setting| match &setting.form {
        Form::Number(number) => Some((setting, number)),
        _ => None,
    })
}

/// A line of a settings file.
fn line(setting: &Setting, value: impl std::fmt::Display) -> String {
    format!("{} = {value}", setting.key)
}

#[test]
fn c13_a_number_out_of_its_range_is_refused_by_name() {
    let mut bounded = 0;
    for (setting, number) in numbers() {
        let (key, variable) = (setting.key, setting.variable());
        let (least, most) = (*number.range.start(), *number.range.end());
        let mut wrong = vec![i128::from(least) - 1, -1];
        if most < i64::MAX as u64 {
            wrong.extend([i128::from(most) + 1, i128::from(i64::MAX)]);
        }
        for value in wrong {
            let want = format!(": must be {}, not {value}", number.range_in_words());
            assert_eq!(parse_file(&line(setting, value)).unwrap_err(), format!("{key}{want}"));
            let refused = with_variables(&[(&variable, &value.to_string())]).unwrap_err();
            assert_eq!(refused, format!("{variable}{want}"));
        }
        for value in [least, most, 1_024.clamp(least, most)] {
            let by_file = parse_file(&line(setting, value)).unwrap();
            let by_variable = with_variables(&[(&variable, &value.to_string())]).unwrap();
            for settings in [by_file, by_variable] {
                assert_eq!((number.get)(&settings), value, "{key}");
            }
        }
        for value in ["", "x", "1.5", "1_024", "0x400", "9999999999999999999999999999999999999999"] {
            let refused = with_variables(&[(&variable, value)]);
            assert_eq!(refused.is_err(), !value.is_empty(), "{variable} {value}");
        }
        assert!(parse_file(&line(setting, "\"1024\"")).unwrap_err().starts_with(&format!("{key}: ")));
        bounded += usize::from(least > 0);
    }
    assert!(bounded >= 8, "{bounded}");
}

#[test]
fn c13_the_defaults_are_within_their_ranges() {
    for (setting, number) in numbers() {
        assert!(number.range.contains(&(number.get)(&Settings::default())), "{}", setting.key);
    }
}

#[test]
fn c13_the_bounds_are_those_that_the_specification_names() {
    for (key, want) in [
        ("body_bytes_max", "from 1024 to 1073741824"),
        ("outbox_bytes_max", "from 1024 to 1073741824"),
        ("connections_max", "from 1 to 1000000"),
        ("outbox_entries_max", "from 1 to 1000000"),
        ("header_timeout_s", "from 1 to 86400"),
        ("body_timeout_s", "from 1 to 86400"),
        ("stall_timeout_s", "from 1 to 86400"),
        ("history.keys_hours", "24 or more"),
        ("history.pro.days", "0 or more"),
    ] {
        let setting = SETTINGS.iter().find(|setting| setting.key == key).unwrap();
        assert_eq!(setting.values_in_words(), want, "{key}");
    }
}

#[test]
fn c13_an_allowed_origin_is_written_as_browsers_write_it() {
    for right in [
        "https://app.example",
        "http://localhost:3000",
        "https://APP.example:8443",
        "http://127.0.0.1:5173",
        "http://[::1]:5173",
        "http://[::1]",
        "chrome-extension://abcdefghijklmnop",
        "https://xn--bcher-kva.example",
    ] {
        assert!(parse_file(&format!("allowed_origins = [\"{right}\"]")).is_ok(), "{right}");
    }
    for (wrong, helps) in [
        ("*", "wildcards are not supported"),
        ("https://*.example", "wildcards are not supported"),
        ("https://app.example/", "ends with"),
        ("https://app.example/tasks", "has a path"),
        ("app.example", "scheme, host and port"),
        ("null", "scheme, host and port"),
        ("", "scheme, host and port"),
        ("https://", "scheme, host and port"),
        ("://app.example", "scheme, host and port"),
        ("https://app.example:", "scheme, host and port"),
        ("https://app.example:x", "scheme, host and port"),
        ("https://app.example:99999", "scheme, host and port"),
        ("https://me@app.example", "scheme, host and port"),
        ("https://app.example?a", "scheme, host and port"),
        ("https://app example", "scheme, host and port"),
        (" https://app.example", "scheme, host and port"),
        ("https://bücher.example", "ASCII"),
        ("https://app.example:443", "leave it out"),
        ("http://app.example:80", "leave it out"),
    ] {
        let error =
            parse_file(&format!("allowed_origins = [\"https://a.example\", \"{wrong}\"]")).unwrap_err();
        assert!(error.contains(&format!("allowed_origins: \"{wrong}\"")) && error.contains(helps), "{error}");
    }
}

#[test]
fn c8_a_variable_set_to_nothing_counts_as_not_set() {
    let known = SETTINGS.iter().map(Setting::variable).chain(limit_names().map(limit_variable));
    let others = [CONFIG, DATABASE, "SYNAPTASK_UNKNOWN"].map(str::to_owned);
    let empty = known.chain(others).filter(|name| name != "SYNAPTASK_DATA");
    let dir = tempfile::tempdir().unwrap();
    let flags = Flags { data: Some(dir.path().to_owned()), ..Flags::default() };
    let want = Settings::load(flags.clone(), None, []).unwrap();
    assert_eq!(Settings::load(flags, None, empty.map(|name| (name.into(), OsString::new()))).unwrap(), want);
    assert!(parse_file("data = \"\"").is_err());
}

#[test]
fn c17_an_unknown_variable_is_refused_with_those_that_are_known() {
    for name in
        ["SYNAPTASK_LISTN", "SYNAPTASK_", "SYNAPTASK_PORT", "SYNAPTASK_LIMITS_GRAPH", "SYNAPTASK_HISTORY"]
    {
        let error = with_variables(&[(name, "1")]).unwrap_err();
        assert!(error.starts_with(&format!("{name}: is an unknown variable")), "{error}");
        let every = SETTINGS.iter().map(Setting::variable).chain([CONFIG.to_owned()]);
        every.for_each(|known| assert!(error.contains(&known), "{error}"));
    }
    for (name, value) in [("SYNAPTAS_LISTEN", "1"), ("synaptask_listen", "1"), ("PATH", "/bin")] {
        assert!(with_variables(&[(name, value)]).is_ok(), "{name}");
    }
    assert!(with_variables(&[(DATABASE, "postgres://")]).unwrap_err().contains("SQLite"));
    assert!(parse_file("database = \"postgres://\"").unwrap_err().contains("SQLite"));
}

#[test]
fn c17_what_kubernetes_says_of_a_service_is_passed_over() {
    let of_service = [
        ("SYNAPTASK_SERVICE_HOST", "10.0.0.1"),
        ("SYNAPTASK_SERVICE_PORT_HTTP", "80"),
        ("SYNAPTASK_PORT", "tcp://10.0.0.1:80"),
        ("SYNAPTASK_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("SYNAPTASK_WEB_SERVICE_HOST", "10.0.0.2"),
        ("SYNAPTASK_WEB_PORT_80_TCP", "tcp://10.0.0.2:80"),
    ];
    assert!(with_variables(&of_service).is_ok());
    // Without the service's own variable they belong to no service.
    for alone in of_service.iter().filter(|(name, _)| !name.ends_with("_HOST")) {
        assert!(with_variables(&[*alone]).unwrap_err().starts_with(alone.0), "{}", alone.0);
    }
    assert!(with_variables(&[&of_service[..], &[("SYNAPTASK_LISTN", "1")]].concat()).is_err());
}

#[test]
fn c8_every_setting_has_a_variable_of_its_own() {
    let all: Vec<String> =
        SETTINGS.iter().map(Setting::variable).chain(limit_names().map(limit_variable)).collect();
    let limits: BTreeSet<&str> = limit_names().collect();
    let different: BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), SETTINGS.len() + limits.len(), "{all:?}");
    let text = |name: &str, value: &str| with_variables(&[(name, value)]).unwrap().transport;
    let origins = text("SYNAPTASK_ALLOWED_ORIGINS", "https://a.example, https://b.example").allowed_origins;
    assert_eq!(origins, ["https://a.example", "https://b.example"]);
    let proxies = text("SYNAPTASK_TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8").trusted_proxies;
    assert_eq!(proxies.names(), ["127.0.0.1/32", "10.0.0.0/8"]);
    let limits = text("SYNAPTASK_LIMITS_OPEN_USER", "3").limits;
    assert_eq!(limits.rule(OPEN_USER).map(|rule| rule.count), Some(3));
    let wrong = [
        ("SYNAPTASK_ALLOWED_ORIGINS", "https://a.example,*", "\"*\" contains \"*\""),
        ("SYNAPTASK_TRUSTED_PROXIES", "127.0.0.1,", "\"\" is neither an address"),
        ("SYNAPTASK_LIMITS_REST", "5", "\"5\" is neither a limit such as \"30/10s\""),
        ("SYNAPTASK_LIMITS_NODE_TRASH", "on", "\"on\" is neither a limit such as"),
    ];
    for (name, value, want) in wrong {
        let error = with_variables(&[(name, value)]).unwrap_err();
        assert!(error.starts_with(&format!("{name}: {want}")), "{error}");
    }
}

#[test]
fn c13_a_choice_is_one_of_its_words() {
    let mut words_known = 0;
    for setting in SETTINGS {
        let Form::Choice(choice) = &setting.form else { continue };
        assert!(choice.words.contains(&(choice.get)(&Settings::default())));
        for word in choice.words {
            let by_file = parse_file(&line(setting, format!("\"{word}\""))).unwrap();
            let by_variable = with_variables(&[(&setting.variable(), word)]).unwrap();
            assert_eq!([&by_file, &by_variable].map(|settings| (choice.get)(settings)), [*word; 2]);
            words_known += 1;
        }
        let error = parse_file(&line(setting, "\"perhaps\"")).unwrap_err();
        assert!(error.starts_with(&format!("{}: must be one of ", setting.key)), "{error}");
        let error = with_variables(&[(&setting.variable(), "perhaps")]).unwrap_err();
        assert!(error.starts_with(&format!("{}: must be one of ", setting.variable())), "{error}");
    }
    assert!(words_known >= 3);
}

// Rules: I1, I2.
#[test]
fn i1_i2_mail_takes_a_server_a_sender_and_the_public_url() {
    let all = [
        ("SYNAPTASK_MAIL_SMTP", "smtps://tasks:hunter2@mail.example"),
        ("SYNAPTASK_MAIL_FROM", "SynapTask <tasks@example.com>"),
        ("SYNAPTASK_PUBLIC_URL", "https://tasks.example"),
    ];
    let settings = with_variables(&all).unwrap();
    assert!(settings.accounts.mail.smtp.is_some() && settings.accounts.mail.from.is_some());
    assert_eq!(settings.accounts.public_url.as_ref().unwrap().host(), "tasks.example");
    assert!(!format!("{settings:?}").contains("hunter2"));
    for (without, named) in [(1, "mail.smtp: needs `mail.from`"), (2, "mail.smtp: needs `public_url`")] {
        let some: Vec<_> =
            all.iter().enumerate().filter(|(at, _)| *at != without).map(|(_, it)| *it).collect();
        assert!(with_variables(&some).unwrap_err().starts_with(named), "{without}");
    }
    for (wrong, helps) in [
        ("tasks.example", "scheme, host and port"),
        ("https://tasks.example/", "ends with"),
        ("https://tasks.example/app", "has a path"),
        ("https://tasks.example:443", "leave it out"),
        ("ftp://tasks.example", "must begin with \"https://\""),
    ] {
        let error = parse_file(&format!("public_url = \"{wrong}\"")).unwrap_err();
        assert!(error.starts_with("public_url: ") && error.contains(helps), "{error}");
    }
}

// Rules: I2.
#[test]
fn i2_no_error_about_a_setting_shows_a_secret() {
    for text in [
        "[mail]\nsmtp = \"https://u:hunter2@mail.example\"",
        "[mail]\nsmtp = [\"smtps://u:hunter2@mail.example\"]",
        "[mail]\nsmtp = \"smtps://u:hunter2@mail.example",
        "[mail]\nsmtp = smtps://u:hunter2@mail.example",
        "[mail]\nsmtp = \"smtps://u:hunter2\\q@mail.example\"",
    ] {
        let error = parse_file(text).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        assert!(error.contains("mail.smtp") || error.starts_with("line 2: "), "{error}");
    }
}

// Rules: I5.
#[test]
fn i5_each_identity_provider_has_a_table_and_variables() {
    let dir = tempfile::tempdir().unwrap();
    let file = "public_url = \"https://tasks.example\"\n[oidc.google]\nissuer = \"https://accounts.google.com\"\n\
                client_id = \"a\"\ntitle = \"Google\"\n[oidc.my-idp]\nissuer = \"https://id.example\"\n\
                client_id = \"b\"\ntrust_email = true";
    std::fs::write(dir.path().join(FILE_NAME), file).unwrap();
    let flags = Flags { data: Some(dir.path().to_owned()), ..Flags::default() };
    let variables = [
        ("SYNAPTASK_OIDC_MY_IDP_CLIENT_SECRET", "hunter2"),
        ("SYNAPTASK_OIDC_THIRD_ISSUER", "http://127.0.0.1:4000"),
        ("SYNAPTASK_OIDC_THIRD_CLIENT_ID", "c"),
        ("SYNAPTASK_OIDC_THIRD_TRUST_EMAIL", "off"),
    ];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    let settings = Settings::load(flags, None, variables).unwrap();
    let oidc = &settings.accounts.oidc;
    assert_eq!(oidc.keys().collect::<Vec<_>>(), ["google", "my-idp", "third"]);
    let issuers = oidc.values().map(|provider| provider.issuer.as_ref().unwrap().as_str());
    assert_eq!(
        issuers.collect::<Vec<_>>(),
        ["https://accounts.google.com", "https://id.example", "http://127.0.0.1:4000"]
    );
    assert_eq!(oidc.values().map(|provider| provider.trust_email).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(oidc["google"].title.as_deref(), Some("Google"));
    assert!(!format!("{settings:?}").contains("hunter2"));
    let with_secret = |secret: &str| {
        let mut provider = oidc["my-idp"].clone();
        provider.set_client_secret(secret).unwrap();
        provider
    };
    assert!(oidc["my-idp"] == with_secret("hunter2") && oidc["my-idp"] != with_secret("other"));
}

// Rules: I5.
#[test]
fn i5_what_a_provider_lacks_is_said_by_its_key() {
    let url = ("SYNAPTASK_PUBLIC_URL", "https://tasks.example");
    let issuer = ("SYNAPTASK_OIDC_A_ISSUER", "https://id.example");
    let client = ("SYNAPTASK_OIDC_A_CLIENT_ID", "a");
    assert!(with_variables(&[url, issuer, client]).is_ok());
    for (some, named) in [
        (vec![url, client], "oidc.a.issuer: is missing"),
        (vec![url, issuer], "oidc.a.client_id: is missing"),
        (vec![issuer, client], "oidc.a: needs `public_url`"),
        (vec![url, ("SYNAPTASK_OIDC_A_ISSUER", "http://id.example")], "SYNAPTASK_OIDC_A_ISSUER: must begin"),
        (vec![url, ("SYNAPTASK_OIDC_A_B", "c")], "SYNAPTASK_OIDC_A_B: is an unknown variable"),
        (vec![url, ("SYNAPTASK_OIDC_ISSUER", "c")], "SYNAPTASK_OIDC_ISSUER: is an unknown variable"),
        (
            vec![url, issuer, client, ("SYNAPTASK_OIDC_A_TRUST_EMAIL", "1")],
            "SYNAPTASK_OIDC_A_TRUST_EMAIL: must be on",
        ),
    ] {
        let error = with_variables(&some).unwrap_err();
        assert!(error.starts_with(named), "{error}");
    }
    for (text, named) in [
        ("[oidc]\nissuer = \"https://id.example\"", "unknown setting `oidc.issuer`"),
        ("[oidc.a]\nsecret = \"hunter2\"", "unknown setting `oidc.a.secret`"),
        ("[oidc.a.b]\nissuer = \"https://id.example\"", "unknown setting `oidc.a.b`"),
        ("[oidc.a]\nclient_secret = 5", "oidc.a.client_secret: must be text"),
        ("[oidc.a]\nclient_secret = \"hunter2\\nhunter2\"", "oidc.a.client_secret: must be one line"),
    ] {
        let error = parse_file(text).unwrap_err();
        assert!(error.starts_with(named) && !error.contains("hunter2"), "{error}");
    }
    let of = |names: &[String]| {
        let mut settings = parse_file("public_url = \"https://tasks.example\"").unwrap();
        for name in names {
            let key = format!("[oidc.\"{name}\"]\nissuer = \"https://id.example\"\nclient_id = \"a\"");
            settings.read_toml(&key)?;
        }
        settings.accounts.check().map_err(|(key, reason)| format!("{key}: {reason}"))
    };
    assert!(of(&["A".to_owned()]).unwrap_err().starts_with("oidc.A: must have a name"));
    let many: Vec<String> = (0..21).map(|n| format!("p{n}")).collect();
    assert_eq!(of(&many[..20]), Ok(()));
    assert!(of(&many).unwrap_err().starts_with("oidc: has more than 20"));
}

/// README.md's table of settings, derived from the declarations.
fn readme_table() -> String {
    let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
    let mut table =
        "| flag | environment | `synaptask.toml` | values | default | |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for setting in SETTINGS {
        table.push_str(&format!(
            "| {} | `{}` | `{}` | {} | {} | {} |\n",
            code(setting.flag.unwrap_or_default()),
            setting.variable(),
            setting.key,
            setting.values_in_words(),
            setting.default_in_words(),
            setting.help,
        ));
    }
    table
}

#[test]
fn c8_the_table_in_the_readme_has_every_setting() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let table = readme_table();
    assert!(readme.contains(&table), "README.md must have this table of settings:\n{table}");
}

#[test]
fn c15_the_help_has_every_setting() {
    let help = settings_help();
    for setting in SETTINGS {
        for part in [setting.key, &setting.variable(), &setting.default_in_words()] {
            assert!(help.contains(part), "{part}:\n{help}");
        }
        assert!(!setting.help.is_empty(), "{}", setting.key);
        if let Some(flag) = setting.flag {
            assert!(flag_help(flag).contains(&setting.variable()), "{flag}");
        }
    }
}
