//! The line of letters: one task sends them, and tries again those that a mail server did not take.

use super::Mail;
use lettre::Message;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long until each further attempt. A key in a letter works for at least an hour.
const PAUSES: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(60), Duration::from_secs(600)];

/// A mail was not sent.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) why: String,
    /// Whether another attempt would fail as well.
    pub(super) for_good: bool,
}

/// A letter that is to be sent again.
struct Again {
    due: Instant,
    attempts: usize,
    mail: Mail,
}

/// Sends what comes down the line until its other end is gone. At most `again_max` letters wait to be sent again.
pub(super) async fn run<F: Future<Output = Result<(), Failed>>>(
    mut line: mpsc::Receiver<Mail>,
    again_max: usize,
    send: impl Fn(Message) -> F,
) {
    let mut again: VecDeque<Again> = VecDeque::new();
    loop {
        let next_due = again.iter().map(|again| again.due).min();
        let (attempts, mail) = tokio::select! {
            // Letters that failed already must not keep new ones waiting.
            biased;
            new = line.recv() => match new {
                Some(mail) => (0, mail),
                None => return,
            },
            () = until(next_due) => match take_due(&mut again) {
                Some(again) => (again.attempts, again.mail),
                None => continue,
            },
        };
        match send(mail.message.clone()).await {
            Ok(()) => tracing::debug!(mail = mail.name, "mail sent"),
            Err(Failed { why, for_good }) => {
                let pause = PAUSES.get(attempts).filter(|_| !for_good && again.len() < again_max);
                match pause {
                    Some(pause) => {
                        tracing::warn!(
                            mail = mail.name,
                            why,
                            again_in_s = pause.as_secs(),
                            "mail not sent yet"
                        );
                        again.push_back(Again { due: Instant::now() + *pause, attempts: attempts + 1, mail });
                    }
                    None => tracing::error!(mail = mail.name, why, "mail not sent"),
                }
            }
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn take_due(again: &mut VecDeque<Again>) -> Option<Again> {
    let now = Instant::now();
    let place = again.iter().position(|one| one.due <= now)?;
    again.remove(place)
}
