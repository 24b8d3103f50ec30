//! Lanes: requests about the same thing are handled in the order they came, others side by side.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// A set of lanes, which clones share. The lock is a plain one: it is held for a few instructions and never across an await.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes(Arc<Mutex<HashMap<String, Tail>>>);

/// The last request of a lane: its number, and the end of its work.
#[derive(Debug)]
struct Tail {
    number: u64,
    done: oneshot::Receiver<()>,
}

/// A place in a lane; the next request's turn comes when it is dropped. A place that is given up before its turn lets
/// the next one pass it, so only a server that stops gives up places.
#[derive(Debug)]
pub(crate) struct Place {
    lanes: Lanes,
    key: String,
    number: u64,
    before: Option<oneshot::Receiver<()>>,
    /// Dropped with this, which wakes the next one.
    _done: oneshot::Sender<()>,
}

impl Lanes {
    fn tails(&self) -> MutexGuard<'_, HashMap<String, Tail>> {
        // Nothing panics while the lock is held; even so, its content would still be whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next place. The order of these calls is the order of the turns.
    pub(crate) fn join(&self, key: String) -> Place {
        let (sender, done) = oneshot::channel();
        let mut tails = self.tails();
        let number = tails.get(&key).map_or(0, |tail| tail.number + 1);
        let before = tails
            .insert(key.clone(), Tail { number, done })
            .map(|tail| tail.done);
        drop(tails);
        Place {
            lanes: self.clone(),
            key,
            number,
            before,
            _done: sender,
        }
    }
}

impl Place {
    /// Waits until everybody before is done. Cancel safe.
    pub(crate) async fn turn(&mut self) {
        if let Some(before) = &mut self.before {
            // The sender never sends; being dropped is its message.
            let _ = before.await;
            self.before = None;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tails = self.lanes.tails();
        if tails
            .get(&self.key)
            .is_some_and(|tail| tail.number == self.number)
        {
            tails.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lane_keeps_its_order_and_leaves_nothing_behind() {
        let lanes = Lanes::default();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..50 {
            let mut place = lanes.join("a".to_owned());
            let order = Arc::clone(&order);
            tasks.spawn(async move {
                place.turn().await;
                tokio::task::yield_now().await;
                order.lock().unwrap().push(number);
            });
        }
        let mut other = lanes.join("b".to_owned());
        other.turn().await;
        drop(other);
        tasks.join_all().await;
        assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
        assert!(lanes.tails().is_empty());
    }
}
