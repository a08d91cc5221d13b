//! Text for a terminal. Users' text may have characters that a terminal acts on: controls, and characters that
//! change the text direction or end a line. None of them is printed unchanged.

use super::command_error::CommandError;
use clap::Args;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// The output format of a command.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct OutputFormat {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints an answer as JSON or as text.
pub(super) fn show(
    form: OutputFormat,
    json: &Value,
    text: impl FnOnce() -> String,
) -> Result<(), CommandError> {
    if form.json { print_json(json) } else { print_text(&text()) }
}

/// Prints JSON, indented. Characters that a terminal would act on are escaped, so the value is unchanged.
pub(super) fn print_json(json: &Value) -> Result<(), CommandError> {
    Ok(print(&escaped(&format!("{json:#}")))?)
}

/// Prints lines of text.
pub(super) fn print_text(text: &str) -> Result<(), CommandError> {
    Ok(print_harmless(text)?)
}

/// Prints lines of text, for callers with errors of their own.
pub(super) fn print_harmless(text: &str) -> io::Result<()> {
    print(&harmless(text))
}

/// One line for each item, or `none` if there are no items.
pub(super) fn lines(lines: impl Iterator<Item = String>, none: &str) -> String {
    let lines: Vec<String> = lines.map(|line| one_line(&line)).collect();
    if lines.is_empty() { none.to_owned() } else { lines.join("\n") }
}

/// Lines of text, with a space in place of each character that a terminal would act on.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c != '\n' && acts(c) { ' ' } else { c }).collect()
}

/// The same on one line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if acts(c) { ' ' } else { c }).collect()
}

/// JSON with an escape for each character that a terminal would act on, except line ends, which JSON has only
/// between its strings. JSON has none of the others outside strings, so each escape is inside a string.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && acts(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// Whether a terminal acts on a character instead of showing it: it moves the cursor, ends the line or changes
/// direction.
fn acts(c: char) -> bool {
    let turns = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
    );
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// The reader at the other end of a pipe may have closed it.
fn print(text: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{}", text.trim_end_matches('\n')) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Each character with its form in JSON and in text.
    const ACTING: [(&str, &str); 12] = [
        ("\u{7f}", "\\u007f"),
        ("\u{80}", "\\u0080"),
        ("\u{85}", "\\u0085"),
        ("\u{9b}", "\\u009b"),
        ("\u{61c}", "\\u061c"),
        ("\u{200f}", "\\u200f"),
        ("\u{2028}", "\\u2028"),
        ("\u{2029}", "\\u2029"),
        ("\u{202e}", "\\u202e"),
        ("\u{2069}", "\\u2069"),
        ("\u{feff}", "\\ufeff"),
        ("\u{1b}", "\\u001b"),
    ];

    #[test]
    fn c16_json_escapes_what_a_terminal_acts_on_and_stays_the_same_value() {
        for (character, escape) in ACTING {
            let value = json!({ format!("key{character}"): [format!("a{character}z"), 1] });
            let text = escaped(&format!("{value:#}"));
            assert!(!text.contains(character) && text.contains(&format!("a{escape}z")), "{text}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
        for plain in ["її", "שלום", "👩\u{200d}🚀", "é", "\u{a0}", "日本"] {
            assert_eq!(escaped(&json!(plain).to_string()), format!("\"{plain}\""));
        }
    }

    #[test]
    fn c16_words_have_a_space_for_what_a_terminal_acts_on() {
        for (character, _) in ACTING {
            assert_eq!(harmless(&format!("a{character}z\nnext")), "a z\nnext");
            assert_eq!(one_line(&format!("a{character}z\nnext")), "a z next");
            let list = lines([format!("a{character}"), "b\nc".to_owned()].into_iter(), "none");
            assert_eq!(list, "a \nb c");
        }
        assert_eq!(harmless("שלום 👩\u{200d}🚀"), "שלום 👩\u{200d}🚀");
    }

    #[test]
    fn c15_a_list_of_nothing_says_so() {
        assert_eq!(lines(std::iter::empty(), "There are none."), "There are none.");
        assert_eq!(lines(["a".to_owned(), "b".to_owned()].into_iter(), "There are none."), "a\nb");
    }
}
