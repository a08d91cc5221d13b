//! The lists of publications, each shared by everyone who reads it by its public token over REST.

use graph::published::PublishedList;
use graph::{Batch, NodeId, World};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many lists are kept at most.
const LISTS_MAX: usize = 64;
/// How many nodes they have together at most, if there is more than one. Each takes about 60 bytes.
const NODES_MAX: usize = 1_000_000;
/// How long a list is kept after it was last read.
const KEPT: Duration = Duration::from_secs(60);

/// The lists of the publications that are being read.
#[derive(Default)]
pub(super) struct Publications {
    /// The one that was last read comes last.
    lists: Mutex<Vec<Listed>>,
}

struct Listed {
    root: NodeId,
    list: Arc<PublishedList>,
    read: Instant,
}

impl Publications {
    /// The list of the publication of a node, made anew if none is kept. `None` if none is in force.
    pub(super) fn list(&self, world: &World, root: NodeId) -> Option<Arc<PublishedList>> {
        let read = Instant::now();
        let kept = {
            let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
            lists.iter().position(|listed| listed.root == root).map(|at| lists.remove(at))
        };
        let list = match kept {
            Some(Listed { list, .. }) => list,
            None => Arc::new(PublishedList::of(world, root)?),
        };
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        // Another reader may have listed it too.
        lists.retain(|listed| listed.root != root);
        lists.push(Listed { root, list: Arc::clone(&list), read });
        let mut nodes: usize = lists.iter().map(|listed| listed.list.len()).sum();
        while lists.len() > LISTS_MAX || (nodes > NODES_MAX && lists.len() > 1) {
            nodes -= lists.remove(0).list.len();
        }
        Some(list)
    }

    /// Drops the lists that a batch ends.
    pub(super) fn follow(&mut self, batch: &Batch) {
        let lists = self.lists.get_mut().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|listed| listed.list.outlives(batch));
    }

    /// Drops all lists.
    pub(super) fn clear(&mut self) {
        self.lists.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Drops the lists that nobody has read for a while.
    pub(super) fn drop_stale(&mut self, now: Instant) {
        let lists = self.lists.get_mut().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|listed| now.saturating_duration_since(listed.read) <= KEPT);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::engine::RandomIds;
    use graph::model::{Plan, User};
    use graph::ops::{NodeAdd, NodePublish, NodeUpdate};
    use graph::world::{Counts, Entity};
    use graph::{NodeFields, Operation, Timestamp, UserId, decide};
    use uuid::Uuid;

    struct Site {
        world: World,
        publications: Publications,
    }

    impl Site {
        fn new() -> Self {
            let user = User::new(
                USER,
                "anna".to_owned(),
                "anna@example.org".to_owned(),
                Plan::Pro,
                Timestamp::from_ms(0),
            );
            let world = World::load([Entity::User(Arc::new(user))], 0, Counts::default());
            Site { world, publications: Publications::default() }
        }

        fn does(&mut self, operation: &Operation) {
            let batch =
                decide(&self.world, Some(USER), operation, RandomIds::batch(), &mut RandomIds).unwrap();
            self.world.apply(&batch);
            self.publications.follow(&batch);
        }

        fn adds(&mut self, target: Option<NodeId>) -> NodeId {
            let id = NodeId(Uuid::new_v4());
            self.does(&Operation::NodeAdd(NodeAdd { id: Some(id), target, fields: Box::default() }));
            id
        }

        fn publishes(&mut self) -> NodeId {
            let id = self.adds(None);
            self.does(&Operation::NodePublish(NodePublish { id, branch: true, due: None }));
            id
        }

        fn list(&self, root: NodeId) -> Arc<PublishedList> {
            self.publications.list(&self.world, root).unwrap()
        }
    }

    const USER: UserId = UserId(Uuid::from_u128(1));

    #[test]
    fn g14_a_list_is_shared_until_what_it_lists_changes() {
        let mut site = Site::new();
        let root = site.publishes();
        let task = site.adds(Some(root));
        let list = site.list(root);
        assert_eq!(list.len(), 2);
        site.adds(None);
        let fields = NodeFields { title: Some("renamed".to_owned()), ..NodeFields::default() };
        site.does(&Operation::NodeUpdate(NodeUpdate { id: task, fields: Box::new(fields), version: None }));
        assert!(Arc::ptr_eq(&list, &site.list(root)), "the same list, with today's titles");
        assert_eq!(site.list(root).page(&site.world, 1, 1).nodes[0].node.title, "renamed");
        site.adds(Some(task));
        assert_eq!(site.list(root).len(), 3);
        site.does(&Operation::NodeUnpublish { id: root });
        assert!(site.publications.list(&site.world, root).is_none());
    }

    #[test]
    fn g14_lists_are_bounded_and_dropped_when_nobody_reads_them() {
        let mut site = Site::new();
        let roots: Vec<NodeId> = (0..=LISTS_MAX).map(|_| site.publishes()).collect();
        let first = site.list(roots[0]);
        for root in &roots[1..LISTS_MAX] {
            site.list(*root);
        }
        assert!(Arc::ptr_eq(&first, &site.list(roots[0])));
        // The one that was not read for longest goes.
        let second = site.list(roots[1]);
        site.list(roots[0]);
        site.list(roots[LISTS_MAX]);
        assert_eq!(site.publications.lists.lock().unwrap().len(), LISTS_MAX);
        assert!(Arc::ptr_eq(&second, &site.list(roots[1])));
        site.publications.drop_stale(Instant::now() + KEPT * 2);
        assert!(site.publications.lists.lock().unwrap().is_empty());
    }
}
