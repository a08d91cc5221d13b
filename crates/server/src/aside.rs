//! Large texts are made aside: on threads that may block, a few at a time. A thread of the async runtime that wrote them
//! would keep everybody else's small messages waiting.

use std::num::NonZeroUsize;
use std::sync::LazyLock;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// The fewest nodes and links that make a text large. They take about 100 µs to write.
pub const LARGE_ENTITIES: usize = 100;

/// How many texts are made at once in the whole process. The other processors are for the engine and the transports.
static MAKERS: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Semaphore::new((processors / 2).max(1))
});

/// Makes something on a thread that may block, when it is its turn; `None` if that panicked.
pub async fn make<T: Send + 'static>(make: impl FnOnce(&Handle) -> T + Send + 'static) -> Option<T> {
    let _one = MAKERS.acquire().await.ok()?;
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || make(&runtime)).await.ok()
}
