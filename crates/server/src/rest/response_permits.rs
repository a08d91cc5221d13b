//! Response permits: each caller may have a few large REST answers in progress, each until its last byte has been
//! handed on. A caller that does not read its answers delays only its own.

use crate::limits::Who;
use axum::body::{Body, HttpBody};
use hyper::body::{Bytes, Frame, SizeHint};
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many permits one caller may hold.
const PERMITS_MAX: usize = 4;
/// How much is handed on at once. It is small, so that unread data stays here.
const SLICE_BYTES: usize = 64 << 10;

/// The number of permits held by each caller.
#[derive(Debug, Default)]
pub struct ResponsePermits {
    by_caller: Mutex<(HashMap<Who, Weak<Semaphore>>, usize)>,
}

/// The permit for one large answer. It is released when it is dropped.
#[derive(Debug)]
pub struct ResponsePermit {
    _permit: OwnedSemaphorePermit,
}

impl ResponsePermits {
    /// Waits for a permit.
    pub async fn acquire(&self, who: Who) -> Option<ResponsePermit> {
        self.semaphore(who).acquire_owned().await.ok().map(|permit| ResponsePermit { _permit: permit })
    }

    fn semaphore(&self, who: Who) -> Arc<Semaphore> {
        let mut guard = self.by_caller.lock().unwrap_or_else(PoisonError::into_inner);
        let (by_caller, sweep_at) = &mut *guard;
        if by_caller.len() >= *sweep_at {
            by_caller.retain(|_, semaphore| semaphore.strong_count() > 0);
            *sweep_at = (by_caller.len() * 2).max(64);
        }
        if let Some(semaphore) = by_caller.get(&who).and_then(Weak::upgrade) {
            return semaphore;
        }
        let semaphore = Arc::new(Semaphore::new(PERMITS_MAX));
        by_caller.insert(who, Arc::downgrade(&semaphore));
        semaphore
    }
}

/// A body that holds a permit until it has been handed on to its last byte.
pub fn holding(permit: Arc<ResponsePermit>, body: Body) -> Body {
    Body::new(HoldingBody { body, _permit: permit })
}

/// A text as a body that is handed on in slices.
pub fn in_slices(text: String) -> Body {
    Body::new(SlicedBody(Bytes::from(text)))
}

struct HoldingBody {
    body: Body,
    _permit: Arc<ResponsePermit>,
}

impl HttpBody for HoldingBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

struct SlicedBody(Bytes);

impl HttpBody for SlicedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let size = self.0.len().min(SLICE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.0.split_to(size)))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::UserId;
    use http_body_util::BodyExt as _;
    use std::time::Duration;
    use uuid::Uuid;

    fn user(n: u128) -> Who {
        Who::User(UserId(Uuid::from_u128(n)))
    }

    #[tokio::test(start_paused = true)]
    async fn r11_whoever_does_not_read_their_pages_waits_for_them() {
        let pages = ResponsePermits::default();
        let mut unread = Vec::new();
        for _ in 0..PERMITS_MAX {
            let permit = Arc::new(pages.acquire(user(1)).await.unwrap());
            unread.push(holding(permit, in_slices("x".repeat(200_000))));
        }
        let more = tokio::time::timeout(Duration::from_secs(60), pages.acquire(user(1))).await;
        assert!(more.is_err(), "one more has to wait");
        pages.acquire(user(2)).await.unwrap();
        let read = unread.pop().unwrap().collect().await.unwrap().to_bytes();
        assert_eq!(read.len(), 200_000);
        assert!(pages.acquire(user(1)).await.is_some(), "what has been read makes room");
    }

    #[tokio::test]
    async fn r11_callers_who_are_done_are_forgotten() {
        let pages = ResponsePermits::default();
        for n in 0..1_000 {
            drop(pages.acquire(user(n)).await);
        }
        assert!(pages.by_caller.lock().unwrap().0.len() < 200);
    }
}
