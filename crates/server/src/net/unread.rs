//! Answers to requests that the HTTP library could not read.
//!
//! The library answers them by itself, with a status and no body, and offers no hook. It does so last on a
//! connection, in one write of a known form, so the write is replaced here, on its way to the client. The router's
//! own answers have more headers, and the bytes of an upgraded connection do not come here.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{io, str};
use tokio::io::AsyncWrite;

/// The answers that are sent instead.
#[derive(Clone, Copy, Debug)]
pub struct Explain {
    /// Makes the whole answer, head and body, for a status that the library gives by itself; `None` leaves its answer
    /// as it is. It is given the further header lines.
    pub answer: fn(u16, &str) -> Option<String>,
    /// Further header lines, each with its line end.
    pub headers: &'static str,
}

/// The longest that an answer of the library is.
const ANSWER_BYTES_MAX: usize = 256;

/// Replaces the library's own answer on one connection.
#[derive(Debug)]
pub struct Unread {
    explain: Explain,
    /// What is written instead, and how much of it has been.
    instead: Option<(String, usize)>,
}

impl Unread {
    /// For a connection that has sent nothing yet.
    pub fn new(explain: Explain) -> Self {
        Unread { explain, instead: None }
    }

    /// Writes `bytes` or what replaces them. Until the whole of that is written, none of `bytes` counts as written.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn poll_write(
        &mut self,
        mut stream: Pin<&mut impl AsyncWrite>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.instead.is_none() {
            let Explain { answer, headers } = self.explain;
            let text = status_alone(bytes).and_then(|status| answer(status, headers));
            self.instead = text.map(|text| (text, 0));
        }
        let Some((text, written)) = &mut self.instead else { return stream.poll_write(cx, bytes) };
        while let Some(rest) = text.as_bytes().get(*written..).filter(|rest| !rest.is_empty()) {
            match ready!(stream.as_mut().poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                more => *written += more,
            }
        }
        self.instead = None;
        Poll::Ready(Ok(bytes.len()))
    }
}

/// The status of an answer that has nothing else: no header but those that every answer has, and no body.
fn status_alone(bytes: &[u8]) -> Option<u16> {
    if bytes.len() > ANSWER_BYTES_MAX || !bytes.starts_with(b"HTTP/1.") {
        return None;
    }
    let mut lines = str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let (mut closes, mut empty) = (false, false);
    for line in lines {
        match line {
            "connection: close" => closes = true,
            "content-length: 0" => empty = true,
            line if line.starts_with("date: ") => {}
            _ => return None,
        }
    }
    (closes && empty).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, duplex};

    const OWN: &[u8] =
        b"HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-length: 0\r\ndate: Sat, 28 Nov 2026 07:10:09 GMT\r\n\r\n";

    /// What arrives of these bytes through a pipe that takes so many at a time.
    async fn check(at_a_time: usize, bytes: &[u8], want: &[u8]) {
        let (near, mut far) = duplex(at_a_time);
        let answer = |status, headers: &str| (status == 414).then(|| format!("{headers}instead"));
        let (mut near, mut unread) = (near, Unread::new(Explain { answer, headers: "" }));
        let bytes = bytes.to_vec();
        let writing = tokio::spawn(async move {
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let written =
                    std::future::poll_fn(|cx| unread.poll_write(Pin::new(&mut near), cx, rest)).await;
                rest = rest.get(written.unwrap()..).unwrap();
            }
        });
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        writing.await.unwrap();
        assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(want));
    }

    #[tokio::test]
    async fn t29_only_the_librarys_own_answer_is_replaced() {
        check(1, OWN, b"instead").await;
        check(1_000, OWN, b"instead").await;
        let text = str::from_utf8(OWN).unwrap();
        for other in [
            text.replace("414 URI Too Long", "400 Bad Request"),
            text.replace("connection", "x-trace-id: 0\r\nconnection"),
            text.replace("content-length: 0", "content-length: 1") + "x",
            format!("{text}{text}"),
            format!("2{text}"),
            text.replace("connection: close\r\n", ""),
        ] {
            check(1_000, other.as_bytes(), other.as_bytes()).await;
        }
    }
}
