use super::*;
use std::cell::RefCell;
use std::rc::Rc;

fn mailer() -> (Mailer, mpsc::Receiver<Mail>) {
    let (line, waiting) = mpsc::channel(4);
    let from = parse_sender("SynapTask <tasks@example.com>").unwrap();
    (Mailer { line, from, server: PublicUrl::of_origin("https://tasks.example") }, waiting)
}

fn reset(username: &str) -> Letter {
    Letter::PasswordReset { username: username.to_owned(), key: "st_key".to_owned() }
}

fn text(message: &Message) -> String {
    String::from_utf8(message.formatted()).unwrap()
}

// Rules: I3.
#[test]
fn i3_a_mail_is_plain_text_with_the_headers_that_it_needs() {
    let message = mailer().0.message("ada@example.com", &reset("ada")).unwrap();
    let text = text(&message);
    for line in [
        "From: SynapTask <tasks@example.com>\r\n",
        "To: ada@example.com\r\n",
        "Subject: Set a new password\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Date: ",
        "@tasks.example>\r\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert_eq!(message.envelope().to().len(), 1);
}

// Rules: I3.
#[test]
fn i3_no_name_or_address_adds_a_header_or_a_receiver() {
    let (mailer, _waiting) = mailer();
    for address in [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com>\r\nRCPT TO:<eve@example.com",
        "<ada@example.com>",
        "ada@exam\nple.com",
        "ada",
        "",
    ] {
        assert!(mailer.message(address, &reset("ada")).is_none(), "{address:?}");
    }
    for name in ["x\r\nBcc: eve@example.com", "x\nBcc: eve@example.com\n\nbody", "x\rBcc: eve@example.com"] {
        let invite = Letter::Invite { by: name.to_owned(), key: "st_key".to_owned() };
        let message = mailer.message("ada@example.com", &invite).unwrap();
        let text = text(&message);
        let head = text.split_once("\r\n\r\n").unwrap().0;
        assert!(!head.split(['\r', '\n']).any(|line| line.starts_with("Bcc")), "{head}");
        assert_eq!(message.envelope().to().len(), 1);
    }
}

// Rules: I4.
#[test]
fn i4_the_logs_name_a_part_of_an_address() {
    assert_eq!(masked("ada@example.com"), "a…@example.com");
    assert_eq!(masked("nobody"), "n…@?");
    assert_eq!(masked(""), "?…@?");
}

// Rules: I4.
#[test]
fn i4_a_full_line_drops_a_mail_and_delays_nobody() {
    let (mailer, waiting) = mailer();
    for _ in 0..9 {
        mailer.send("ada@example.com", &reset("ada"));
    }
    assert_eq!(waiting.len(), 4);
    drop(waiting);
    mailer.send("ada@example.com", &reset("ada"));
}

/// Sends three letters down a line whose mail server takes each as `answers` says; when which were attempted, in
/// seconds from the start.
async fn attempts(for_good: bool, fails: usize) -> Vec<(String, u64)> {
    let (mailer, waiting) = mailer();
    let attempts = Rc::new(RefCell::new(Vec::<(String, u64)>::new()));
    let (seen, start) = (Rc::clone(&attempts), tokio::time::Instant::now());
    for name in ["a", "b", "c"] {
        mailer.send(&format!("{name}@example.com"), &reset("ada"));
    }
    let running = line::run(waiting, 2, |message: Message| {
        let to = message.envelope().to().first().unwrap().to_string();
        seen.borrow_mut().push((to.chars().take(1).collect(), start.elapsed().as_secs()));
        let earlier = seen.borrow().iter().filter(|(name, _)| to.starts_with(name.as_str())).count();
        async move { if earlier > fails { Ok(()) } else { Err(Failed { why: "it is a test".into(), for_good }) } }
    });
    let _ = tokio::time::timeout(Duration::from_secs(7_200), running).await;
    drop(mailer);
    attempts.take()
}

// Rules: I4.
#[tokio::test(start_paused = true)]
async fn i4_a_mail_is_tried_again_three_times_and_then_given_up() {
    let of = |all: &[(String, u64)], name: &str| {
        all.iter().filter(|(to, _)| to == name).map(|(_, at)| *at).collect::<Vec<_>>()
    };
    let refused = attempts(false, usize::MAX).await;
    assert_eq!(of(&refused, "a"), [0, 5, 65, 665]);
    assert_eq!(of(&refused, "b"), [0, 5, 65, 665]);
    // Two wait to be sent again already.
    assert_eq!(of(&refused, "c"), [0]);
    let late = attempts(false, 1).await;
    assert_eq!(of(&late, "a"), [0, 5]);
    let for_good = attempts(true, usize::MAX).await;
    assert_eq!(of(&for_good, "a"), [0]);
}
