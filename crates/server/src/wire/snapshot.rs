//! The answer of graph:snapshot. It is written piece by piece while it is sent, and has a tag that tells whether
//! anything in it has changed.

use super::entity::{Form, WholeLink, WholeNode};
use graph::load::Page;
use graph::model::{Rev, User};
use graph::view::Sight;
use graph::{BatchId, NodeId};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;
use uuid::Uuid;

/// A snapshot, as far as its text is not written yet.
pub struct Snapshot {
    page: Page,
    rev: Rev,
    form: Form,
    trace_id: String,
    /// How many nodes and links are written; `None` before the beginning.
    written: Option<usize>,
    is_over: bool,
}

impl Snapshot {
    /// A snapshot of what a caller sees, without emails if they are `anonymous`.
    pub fn new(page: Page, rev: Rev, anonymous: bool, trace_id: &str) -> Self {
        let form = if anonymous { Form::Public } else { Form::Graph };
        Snapshot { page, rev, form, trace_id: trace_id.to_owned(), written: None, is_over: false }
    }

    /// Writes more of the text: at least `bytes` bytes, unless it ends. Nothing at the end.
    pub fn write(&mut self, bytes: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes.saturating_add(bytes / 8).min(CAPACITY_MAX));
        if self.written.is_none() && !self.is_over {
            self.written = Some(0);
            let _ = write!(text, r#"{{"ok":true,"rev":{},"nodes":["#, self.rev);
        }
        while text.len() < bytes && !self.is_over {
            self.write_next(&mut text);
        }
        text
    }

    fn write_next(&mut self, text: &mut Vec<u8>) {
        let Page { nodes, links, .. } = &self.page;
        let at = self.written.unwrap_or_default();
        let after_nodes = at.checked_sub(nodes.len());
        if after_nodes == Some(0) {
            text.extend(br#"],"links":["#);
        }
        let form = self.form;
        match (nodes.get(at), after_nodes.and_then(|at| links.get(at))) {
            (Some(seen), _) => item(text, at > 0, &WholeNode { seen, form }),
            (None, Some(seen)) => item(text, at > nodes.len(), &WholeLink::of(seen, form)),
            (None, None) => {
                self.is_over = true;
                let _ = write!(text, r#"],"trace_id":"{}"}}"#, self.trace_id);
            }
        }
        self.written = Some(at + 1);
    }

    /// A tag of all that is shown, besides the rev and the trace id. Snapshots with the same tag show the same.
    ///
    /// It is made from ids and versions rather than from the text, which costs many times more. What is not shown must
    /// not change it: it would tell of changes that the caller may not know of.
    pub fn tag(&self) -> String {
        let mut tag = Tag { is_public: self.form == Form::Public, ..Tag::default() };
        tag.bytes.push(u8::from(tag.is_public));
        for seen in &self.page.nodes {
            let node = &seen.node;
            match &seen.sight {
                Sight::Phantom => {
                    tag.bytes.extend([1, node.status.number()]);
                    tag.bytes.extend(node.id.0.as_bytes());
                }
                Sight::Full { level, roots } => {
                    tag.bytes.extend([2, level.number()]);
                    tag.state(node.id.0, node.version, node.seq, node.last_batch);
                    tag.roots(roots);
                    tag.owner(seen.owner.as_ref());
                }
            }
            tag.flush(FLUSH_BYTES);
        }
        for seen in &self.page.links {
            let link = &seen.link;
            tag.bytes.push(3);
            tag.state(link.id.0, link.version, link.seq, link.last_batch);
            tag.roots(&seen.roots);
            tag.flush(FLUSH_BYTES);
        }
        tag.flush(0);
        tag.hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn item(text: &mut Vec<u8>, follows: bool, item: &impl Serialize) {
    if follows {
        text.push(b',');
    }
    // Writing to memory cannot fail, and neither can serializing.
    let _ = serde_json::to_writer(text, item);
}

/// How much room is made at once for text.
const CAPACITY_MAX: usize = 1 << 20;
/// How much is hashed at once.
const FLUSH_BYTES: usize = 4 << 10;

/// A tag in the making.
#[derive(Default)]
struct Tag {
    hash: Sha256,
    /// What is not hashed yet.
    bytes: Vec<u8>,
    is_public: bool,
    /// Lists of roots that were met, by where they are, with their hashes: most nodes and links share one.
    roots: HashMap<(usize, usize), [u8; 32]>,
    /// The last owner that was met, with the hash of their names.
    owner: Option<(Arc<User>, [u8; 32])>,
}

impl Tag {
    /// A state of an entity. An id can be used again once history has forgotten it, and a backup can be restored. A
    /// version with another past has another number in the order of creation, or another batch.
    fn state(&mut self, id: Uuid, version: u64, seq: u64, last_batch: BatchId) {
        self.bytes.extend(id.as_bytes());
        self.bytes.extend(version.to_le_bytes());
        self.bytes.extend(seq.to_le_bytes());
        self.bytes.extend(last_batch.0.as_bytes());
    }

    fn roots(&mut self, roots: &Arc<[NodeId]>) {
        self.bytes.push(u8::from(!roots.is_empty()));
        if !roots.is_empty() {
            let place = (roots.as_ptr().addr(), roots.len());
            let hash = self.roots.entry(place).or_insert_with(|| {
                let mut hash = Sha256::new();
                roots.iter().for_each(|root| hash.update(root.0.as_bytes()));
                hash.finalize().into()
            });
            self.bytes.extend(hash.iter());
        }
    }

    fn owner(&mut self, owner: Option<&Arc<User>>) {
        let Some(owner) = owner else { return self.bytes.push(0) };
        if self.owner.as_ref().is_none_or(|(known, _)| !Arc::ptr_eq(known, owner)) {
            let mut hash = Sha256::new();
            hash.update(&owner.username);
            if !self.is_public {
                hash.update([0]);
                hash.update(&owner.email);
            }
            self.owner = Some((Arc::clone(owner), hash.finalize().into()));
        }
        if let Some((_, hash)) = &self.owner {
            self.bytes.push(1);
            self.bytes.extend(hash);
        }
    }

    fn flush(&mut self, from: usize) {
        if self.bytes.len() >= from {
            self.hash.update(&self.bytes);
            self.bytes.clear();
        }
    }
}

#[cfg(test)]
mod tests;
