//! What is served of the descriptions: the two documents, and the pages that show them. The viewer of OpenAPI is
//! Swagger UI, from its package. Nothing is loaded from elsewhere.

use super::{ASYNCAPI, OPENAPI};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// A page runs its own scripts and reads its own server. The viewer sets styles, and has its icons in its style sheet.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is at a path.
pub enum File {
    /// A text, with its media type.
    Text(&'static str, &'static str),
    /// A file of the viewer's package, with its media type and its name.
    OfViewer(&'static str, &'static str),
}

/// The file at a path, if there is one.
pub fn file(path: &str) -> Option<File> {
    const HTML: &str = "text/html; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    const STYLE: &str = "text/css; charset=utf-8";
    Some(match path {
        "/api/openapi.json" => File::Text("application/json", &OPENAPI),
        "/api/asyncapi.json" => File::Text("application/json", &ASYNCAPI),
        "/api/docs" => File::Text(HTML, include_str!("docs/docs.html")),
        "/api/docs/docs.js" => File::Text(SCRIPT, include_str!("docs/docs.js")),
        "/api/docs/docs.css" => File::Text(STYLE, include_str!("docs/docs.css")),
        "/api/docs/events" => File::Text(HTML, include_str!("docs/events.html")),
        "/api/docs/events.js" => File::Text(SCRIPT, include_str!("docs/events.js")),
        "/api/docs/swagger-ui-bundle.js" => File::OfViewer(SCRIPT, "/swagger-ui-bundle.js"),
        "/api/docs/swagger-ui.css" => File::OfViewer(STYLE, "/swagger-ui.css"),
        _ => return None,
    })
}

/// Whether there is a file at a path.
pub fn is_at(path: &str) -> bool {
    file(path).is_some()
}

/// The tag of everything served here. It changes with the binary.
pub static TAG: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for text in [OPENAPI.as_str(), ASYNCAPI.as_str(), env!("CARGO_PKG_VERSION")] {
        hash.update(text);
        hash.update([0]);
    }
    for text in [
        include_str!("docs/docs.html"),
        include_str!("docs/docs.js"),
        include_str!("docs/docs.css"),
        include_str!("docs/events.html"),
        include_str!("docs/events.js"),
    ] {
        hash.update(text);
        hash.update([0]);
    }
    let hash: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("W/\"{hash}\"")
});
