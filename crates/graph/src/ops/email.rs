//! Valid email addresses. Stored addresses are not judged again; see [`crate::check`].

/// The greatest length of an email address, in characters.
pub const EMAIL_CHARS_MAX: usize = 254;
/// The greatest length of the part before the `@`, in characters.
const LOCAL_CHARS_MAX: usize = 64;
/// The greatest length of a domain label, in characters.
const LABEL_CHARS_MAX: usize = 63;

/// Whether a text is a valid email address: `local@domain`, in visible characters that no list, header or web page
/// interprets. Letters of any script are allowed on both sides. Quoted local parts and bracketed IP addresses are
/// not.
pub fn is_email(text: &str) -> bool {
    let parts = text.split_once('@').filter(|_| text.chars().count() <= EMAIL_CHARS_MAX);
    parts.is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain))
}

/// Words with single dots between them.
fn is_local_part(text: &str) -> bool {
    let in_word =
        |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c) || is_letter_beyond_ascii(c);
    let is_word = |word: &str| !word.is_empty() && word.chars().all(in_word);
    text.chars().count() <= LOCAL_CHARS_MAX && text.split('.').all(is_word)
}

/// Labels with single dots between them. One label alone is a local host name.
fn is_domain(text: &str) -> bool {
    let in_label = |c: char| c.is_ascii_alphanumeric() || c == '-' || is_letter_beyond_ascii(c);
    let is_label = |label: &str| {
        let short = (1..=LABEL_CHARS_MAX).contains(&label.chars().count());
        short && label.chars().all(in_label) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.split('.').all(is_label)
}

/// A visible character of some script that is not a space, a control or punctuation.
fn is_letter_beyond_ascii(c: char) -> bool {
    !c.is_ascii()
        && !c.is_whitespace()
        && !c.is_control()
        && !UNFIT.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// Characters that are invisible (the general category Cf, and default ignorables), punctuation or look-alikes of
/// ASCII punctuation, private-use characters and noncharacters; by the first and last of each range.
const UNFIT: [(char, char); 38] = [
    ('\u{80}', '\u{a9}'), // controls, punctuation and signs of Latin-1, with the no-break space
    ('\u{ab}', '\u{b4}'), // «, the soft hyphen and other signs
    ('\u{b6}', '\u{b9}'),
    ('\u{bb}', '\u{bf}'), // » and ¿
    ('\u{34f}', '\u{34f}'),
    ('\u{37e}', '\u{37e}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{2000}', '\u{206f}'), // spaces, quotation marks, bidi and other format characters
    ('\u{2190}', '\u{2bff}'), // arrows, technical signs, shapes
    ('\u{2e00}', '\u{2e7f}'),
    ('\u{3000}', '\u{3004}'), // the ideographic space, comma and full stop
    ('\u{3008}', '\u{3020}'),
    ('\u{3030}', '\u{3030}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fe00}', '\u{fe1f}'),
    ('\u{fe30}', '\u{fe6f}'),
    ('\u{feff}', '\u{ff0f}'), // the byte order mark; wide ASCII
    ('\u{ff1a}', '\u{ff20}'),
    ('\u{ff3b}', '\u{ff40}'),
    ('\u{ff5b}', '\u{ff65}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{ffe0}', '\u{ffff}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1345f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{1f000}', '\u{1faff}'), // pictures
    ('\u{e0000}', '\u{10ffff}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n33_an_email_is_a_local_part_and_a_domain_that_show_themselves() {
        let longest =
            format!("{}@{}", "a".repeat(64), ["b".repeat(63), "c".repeat(63), "d".repeat(61)].join("."));
        let good = [
            "a@b",
            "A.B+c@host",
            "olha@example.com",
            "Olha.Petrenko+tasks@mail.example.co.uk",
            "o'brien@example.ie",
            "x_y-z=1/2@example.com",
            "!#$%&'*+/=?^_`{|}~-@example.com",
            "1@2.3",
            "me@xn--80ak6aa92e.com",
            "їжак@приклад.укр",
            "संपर्क@डाटामेल.भारत",
            "josé@example.es",
            "jose\u{301}@example.es",
            "用户@例子.中国",
            "ªº@example.com",
            longest.as_str(),
        ];
        for text in good {
            assert!(is_email(text), "{text:?}");
        }
        assert_eq!(longest.chars().count(), EMAIL_CHARS_MAX);
        let too_long = longest.replace('d', "dd");
        let (long_local, long_label) = (format!("{}@b", "a".repeat(65)), format!("a@{}", "b".repeat(64)));
        let bad = [
            "",
            "a",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a@@b",
            " a@b",
            "a@b ",
            "a b@c",
            "a@b c",
            "a\t@b",
            "a\n@b",
            "a@b\r\nBcc: c",
            "\0a@b",
            "a\u{7f}@b",
            "a\u{9b}@b",
            "<a@b.c>",
            "a<b@c",
            "a>b@c",
            "Ann <a@b.c>",
            "\"a\"@b",
            "\"a b\"@c",
            "a@\"b\"",
            "“a”@b",
            "«a»@b",
            "a,b@c",
            "a;b@c",
            "a:b@c",
            "mailto:a@b",
            "(c)a@b",
            "a[b]@c",
            "a@[127.0.0.1]",
            "a\\b@c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@.b",
            "a@b.",
            "a@b..c",
            "a@-b",
            "a@b-",
            "a@b-.c",
            "a@b_c",
            "a@b!c",
            "a@b/c",
            "a@b'c",
            "a\u{202e}@b",
            "a@b\u{202e}c",
            "\u{202a}a@b",
            "a\u{2066}@b",
            "a\u{200b}@b",
            "a\u{200d}@b",
            "a\u{200f}@b",
            "a\u{feff}@b",
            "a\u{ad}@b",
            "a\u{61c}@b",
            "a\u{180e}@b",
            "a\u{2060}@b",
            "a\u{e0061}@b",
            "a\u{fe0f}@b",
            "a\u{3164}@b",
            "a\u{a0}@b",
            "a\u{2028}@b",
            "a\u{3000}@b",
            "a@b。c",
            "a＠b",
            "a＠b@c",
            "＜a＞@b",
            "a\u{fffd}@b",
            "a\u{e000}@b",
            "😀@b",
            long_local.as_str(),
            long_label.as_str(),
            too_long.as_str(),
        ];
        for text in bad {
            assert!(!is_email(text), "{text:?}");
        }
        assert!(good.len() + bad.len() >= 90);
    }

    #[test]
    fn n33_the_ranges_are_in_order() {
        assert!(UNFIT.iter().all(|(first, last)| first <= last));
        assert!(UNFIT.is_sorted_by(|one, next| one.1 < next.0));
    }
}
