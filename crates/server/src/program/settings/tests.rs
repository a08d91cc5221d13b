use super::layer::check_ranges;
use super::*;
use crate::limits::{CONNECT_USER, NamedLimit, OPEN_USER, REST, Rule};
use std::collections::BTreeMap;
use store::Limits;

fn layer(listen: Option<&str>, on: Option<bool>) -> Layer {
    let limits = LimitsLayer { on, rules: BTreeMap::new() };
    Layer { listen: listen.map(str::to_owned), limits, ..Layer::default() }
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
        let layers = [layer(flag, None), layer(env, None), layer(file, None)];
        assert_eq!(Settings::from_layers(layers).unwrap().listen, want);
    }
}

#[test]
fn c8_the_environment_is_read() {
    let variable = |name: &str| match name {
        "SYNAPTASK_DATA" => Some("/srv/tasks".into()),
        "SYNAPTASK_LISTEN" => Some("0.0.0.0:9".into()),
        "SYNAPTASK_LIMITS" => Some("off".into()),
        "SYNAPTASK_LOG" => Some("warn".into()),
        _ => None,
    };
    let settings = Settings::load(Layer::default(), None, variable).unwrap();
    assert_eq!(settings.data, PathBuf::from("/srv/tasks"));
    assert_eq!((settings.listen.as_str(), settings.log.as_str()), ("0.0.0.0:9", "warn"));
    assert_eq!(settings.transport.limits.rule(REST), None);
    let wrong = |name: &str| (name == "SYNAPTASK_LIMITS").then(|| "perhaps".into());
    let error = Settings::load(Layer::default(), None, wrong).unwrap_err();
    assert!(error.to_string().contains("SYNAPTASK_LIMITS"), "{error}");
}

#[test]
fn c8_the_file_beside_the_data_is_read() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE_NAME), "listen = \"here:1\"").unwrap();
    let flags = Layer { data: Some(dir.path().to_owned()), ..Layer::default() };
    assert_eq!(Settings::load(flags, None, |_| None).unwrap().listen, "here:1");
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
    let mut settings = Settings::default();
    settings.apply(parse_file(text).unwrap()).unwrap();
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
    let mut settings = Settings::default();
    settings.apply(parse_file(text).unwrap()).unwrap();
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
        ("node = 30", "limit `node`: 30 is neither like"),
        ("node = true", "limit `node`"),
        ("\"node trash\" = [\"30/10s\"]", "limit `node trash`"),
        ("\"open.user\" = \"10/1m\"", "limit `open.user`: \"10/1m\" is neither like \"10\""),
        ("\"open.user\" = \"-1\"", "limit `open.user`"),
        ("\"open.user\" = 3", "limit `open.user`"),
        ("connect.address = \"off\"", "unknown limit `connect`; put a name with a dot in quotes"),
        ("on = \"off\"", "limits.on: must be true or false"),
    ] {
        let error = parse_file(&format!("[limits]\n{wrong}")).unwrap_err();
        assert!(error.contains(named), "{error}");
    }
    assert_eq!(parse_file("[limits]\non = false").unwrap().limits.on, Some(false));
}

#[test]
fn c13_a_number_out_of_its_range_is_refused_by_name() {
    let huge = i64::MAX;
    for name in [
        "body_bytes_max",
        "connections_max",
        "outbox_entries_max",
        "outbox_bytes_max",
        "header_timeout_s",
        "body_timeout_s",
        "stall_timeout_s",
    ] {
        for value in [0, huge] {
            let error = parse_file(&format!("{name} = {value}")).unwrap_err();
            assert!(error.starts_with(&format!("{name}: must be from ")), "{error}");
            assert!(error.contains(&format!("not {value}")), "{error}");
        }
        assert!(parse_file(&format!("{name} = -1")).unwrap_err().contains(name));
        assert!(parse_file(&format!("{name} = 1024")).is_ok(), "{name}");
    }
}

#[test]
fn c13_the_defaults_are_within_their_ranges() {
    let it = Settings::default();
    let layer = Layer {
        body_bytes_max: Some(it.transport.body_bytes_max),
        connections_max: Some(it.connections_max),
        outbox_entries_max: Some(it.transport.outbox_entries_max),
        outbox_bytes_max: Some(it.transport.outbox_bytes_max),
        header_timeout_s: Some(it.header_timeout.as_secs()),
        body_timeout_s: Some(it.transport.body_timeout.as_secs()),
        stall_timeout_s: Some(it.transport.stall_timeout.as_secs()),
        ..Layer::default()
    };
    assert_eq!(check_ranges(&layer), Ok(()));
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
    let empty = |name: &str| name.starts_with("SYNAPTASK_").then(OsString::new);
    let dir = tempfile::tempdir().unwrap();
    let flags = Layer { data: Some(dir.path().to_owned()), ..Layer::default() };
    let want = Settings::load(flags.clone(), None, |_| None).unwrap();
    assert_eq!(Settings::load(flags, None, empty).unwrap(), want);
    assert!(parse_file("data = \"\"").is_err());
}
