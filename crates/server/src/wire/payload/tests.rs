use super::{Json, Malformed, NESTING_MOST};
use proptest::prelude::*;

fn parse(text: &str) -> Result<Json, Malformed> {
    Json::parse(text)
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn t20_malformed_json_is_refused() {
    let cases = [
        "",
        " ",
        "{",
        "}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "{a:1}",
        "{'a':1}",
        "nul",
        "NaN",
        "Infinity",
        "-Infinity",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "0x10",
        "\"\\x41\"",
        "\"a\nb\"",
        "\"\u{0}\"",
        "// comment\n{}",
        "{} {}",
        "{}x",
        "\u{feff}{}",
    ];
    for text in cases {
        assert!(parse(text).is_err(), "{text:?}");
    }
    for bytes in [&b"\"\xff\""[..], b"\xc3\x28", b"{\"\xed\xa0\x80\":1}", b"\xff\xfe{\0}\0"] {
        assert!(Json::parse(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn t20_a_key_given_twice_is_refused_at_any_depth() {
    let cases = [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"a":3}"#,
        r#"{"a":1,"\u0061":1}"#,
        r#"{"a":{"b":1,"b":1}}"#,
        r#"[[{"b":1,"b":null}]]"#,
        r#"{"":1,"":2}"#,
    ];
    for text in cases {
        assert!(parse(text).is_err(), "{text}");
    }
    assert!(parse(r#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
}

#[test]
fn t20_many_keys_are_told_apart_in_good_time() {
    let keys: Vec<String> = (0..100_000).map(|nth| format!("\"{nth}\":0")).collect();
    assert!(parse(&format!("{{{}}}", keys.join(","))).is_ok());
    assert!(parse(&format!("{{{},\"7\":0}}", keys.join(","))).is_err());
}

#[test]
fn t20_half_a_surrogate_pair_is_refused() {
    for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\ud800""#, r#"{"\ud83d":1}"#, r#""\ud800x""#] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert_eq!(parse(r#""\ud83d\ude00""#), Ok(Json::Text("😀".to_owned())));
}

#[test]
fn t20_nesting_is_bounded_and_no_depth_overflows_the_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let inner = if close == "]" { "" } else { "1" };
        let text = |depth: usize| format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        assert!(parse(&text(NESTING_MOST)).is_ok(), "{open}");
        assert!(parse(&text(NESTING_MOST + 1)).is_err(), "{open}");
        assert!(parse(&text(1_000_000)).is_err(), "{open}");
        assert!(parse(&open.repeat(1_000_000)).is_err(), "{open}");
    }
    assert!(parse(&nested("[{\"a\":", "}]", 500_000)).is_err());
    // The second look at how a number is written reaches the same depths.
    let beside = format!("{{\"n\":-0,\"deep\":{}}}", nested("[", "]", NESTING_MOST - 1));
    assert_eq!(parse(&beside).ok().and_then(|json| json.get("n").cloned()), Some(Json::Int(0)));
}

#[test]
fn t20_a_number_that_no_double_holds_is_refused() {
    for text in ["1e400", "-1e400", "{\"x\":1e309}", "[1.8e308]", "1e99999999999999999999"] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert!(parse(&"9".repeat(400)).is_err());
    assert_eq!(parse("1e-400"), Ok(Json::Real(0.0)));
}

#[test]
fn o5_integers_are_what_is_written_as_integers() {
    let field = |text: &str| parse(&format!("{{\"n\":{text}}}")).ok().and_then(|json| json.get("n").cloned());
    let cases = [
        ("5", Json::Int(5)),
        ("-5", Json::Int(-5)),
        ("0", Json::Int(0)),
        ("-0", Json::Int(0)),
        ("5.0", Json::Real(5.0)),
        ("5e0", Json::Real(5.0)),
        ("0.0", Json::Real(0.0)),
        ("9223372036854775807", Json::Int(i64::MAX)),
        ("-9223372036854775808", Json::Int(i64::MIN)),
        ("9223372036854775808", Json::Huge(9_223_372_036_854_775_808.0)),
        ("18446744073709551616", Json::Huge(18_446_744_073_709_551_616.0)),
        ("-100000000000000000000", Json::Huge(-1e20)),
        ("1e20", Json::Real(1e20)),
        ("100000000000000000000.0", Json::Real(1e20)),
    ];
    for (text, want) in cases {
        assert_eq!(field(text), Some(want), "{text}");
    }
}

#[test]
fn n14_minus_zero_becomes_zero() {
    for text in ["{\"x\":-0.0}", "{\"x\":-0e5}", "{\"x\":[-0.0]}", "-0.0", "{\"x\":{\"y\":-0}}"] {
        let shown = format!("{:?}", parse(text));
        assert!(!shown.contains("-0"), "{text}: {shown}");
    }
}

#[test]
fn n14_positions_are_read_to_the_last_bit() {
    for value in [0.1, 0.30000000000000004, 1.7976931348623157e308, 5e-324, 123_456.789_012_345_67, -2.5e-10]
    {
        assert_eq!(parse(&format!("{value:?}")), Ok(Json::Real(value)));
    }
}

#[test]
fn t21_nothing_at_all_counts_as_an_empty_object() {
    assert_eq!(Json::from_body(b""), Ok(Json::Object(Vec::new())));
    assert_eq!(Json::from_query("", |_| true), Ok(Json::Object(Vec::new())));
    assert_eq!(Json::from_body(b"null"), Ok(Json::Null));
    assert!(Json::from_body(b" ").is_err());
}

#[test]
fn d7_the_canonical_form_is_the_same_for_the_same_content() {
    let same = [
        (r#"{"b":1,"a":[true,null,"x"]}"#, "{ \"a\" : [ true , null , \"\\u0078\" ], \"b\" : 1.0 }"),
        (r#"{"x":0.0}"#, r#"{"x":-0}"#),
        (r#"{"x":100}"#, r#"{"x":1e2}"#),
        (r#"{"x":1e20}"#, r#"{"x":100000000000000000000}"#),
        (r#"{"a":{"d":1,"c":2}}"#, r#"{"a":{"c":2,"d":1}}"#),
    ];
    for (a, b) in same {
        let canonical = |text| parse(text).map(|json| json.canonical());
        assert_eq!(canonical(a), canonical(b), "{a} {b}");
    }
    let different = [
        (r#"{"a":1}"#, r#"{"a":"1"}"#),
        (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
        (r#"{"a":null}"#, "{}"),
        (r#"{"a":"b\",\"c\":\"d"}"#, r#"{"a":"b","c":"d"}"#),
        (r#"{"x":0.1}"#, r#"{"x":0.10000000000000002}"#),
        (r#"{"x":9007199254740993}"#, r#"{"x":9007199254740992}"#),
    ];
    for (a, b) in different {
        let canonical = |text| parse(text).map(|json| json.canonical());
        assert_ne!(canonical(a), canonical(b), "{a} {b}");
    }
}

#[test]
fn d7_the_canonical_form_leaves_out_the_named_field_alone() {
    let json = parse(r#"{"id":1,"batchId":"x","in":{"batchId":"y"}}"#).expect("well-formed");
    assert_eq!(json.canonical_without("batchId"), r#"{"id":1,"in":{"batchId":"y"}}"#);
    assert_eq!(json.canonical(), r#"{"batchId":"x","id":1,"in":{"batchId":"y"}}"#);
}

#[test]
fn t1_a_query_string_is_an_object() {
    let read = |query: &str| Json::from_query(query, |key| key == "limit" || key == "offset");
    let field = |query: &str, key: &str| read(query).ok().and_then(|json| json.get(key).cloned());
    let text = |text: &str| Some(Json::Text(text.to_owned()));
    assert_eq!(field("limit=10&offset=-3", "limit"), Some(Json::Int(10)));
    assert_eq!(field("limit=10&offset=-3", "offset"), Some(Json::Int(-3)));
    assert_eq!(field("limit=99999999999999999999", "limit"), Some(Json::Huge(1e20)));
    for odd in ["", "5.0", "1e2", "05", "%205", "+5", "abc", "true", "null", "0x5", "٣"] {
        assert!(matches!(field(&format!("limit={odd}"), "limit"), Some(Json::Text(_))), "{odd}");
    }
    assert_eq!(field("root=a%2Bb+c%C3%A4", "root"), text("a+b cä"));
    assert_eq!(field("r%6fot=x&&", "root"), text("x"));
    assert_eq!(field("root", "root"), text(""));
    assert_eq!(field("root=a=b", "root"), text("a=b"));
    assert_eq!(field("root=123", "root"), text("123"));
}

#[test]
fn t20_a_query_string_that_is_not_clear_is_refused() {
    for query in ["limit=1&limit=1", "limit=1&l%69mit=2", "a=%", "a=%2", "a=%zz", "a=%ff", "%c3=1"] {
        assert!(Json::from_query(query, |_| true).is_err(), "{query}");
    }
    let long = "9".repeat(400);
    assert!(matches!(
        Json::from_query(&format!("limit={long}"), |_| true).expect("well-formed").get("limit"),
        Some(Json::Huge(_))
    ));
}

proptest! {
    #[test]
    fn t20_any_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Json::parse(&bytes);
        let _ = Json::from_query(&String::from_utf8_lossy(&bytes), |_| true);
    }

    #[test]
    fn t20_whatever_looks_like_json_has_the_answer_serde_json_has(
        text in r#"([\[\]{}:,"\\u0-9a-e.+ -]|true|null|"[a-c]":){0,20}"#,
    ) {
        let ours = Json::parse(&text);
        match (serde_json::from_str::<serde_json::Value>(&text), &ours) {
            // Only what this reader also refuses: repeated keys.
            (Ok(_), Err(Malformed(why))) => prop_assert!(why.contains("twice"), "{}: {}", text, why),
            (theirs, ours) => prop_assert_eq!(theirs.is_ok(), ours.is_ok(), "{}", text),
        }
    }

    #[test]
    fn d7_the_canonical_form_is_its_own(text in r#"\{"a":(-?[0-9]{1,25}(\.[0-9]{1,5})?|"[^"\\\x00-\x1f]{0,9}")\}"#) {
        if let Ok(json) = Json::parse(&text) {
            let canonical = json.canonical();
            let again = Json::parse(&canonical).map(|json| json.canonical());
            prop_assert_eq!(again, Ok(canonical));
        }
    }
}

#[test]
fn k1_a_parameter_of_the_path_is_a_field_that_nothing_else_gives() {
    let mut payload = Json::parse("{\"a\":1}").unwrap();
    payload.put_parameter("name", "google".to_owned()).unwrap();
    assert_eq!(payload.get("name"), Some(&Json::Text("google".to_owned())));
    assert!(payload.put_parameter("name", "other".to_owned()).is_err());
    let mut query = Json::from_query("name=x", |_| false).unwrap();
    assert!(query.put_parameter("name", "google".to_owned()).is_err());
}
