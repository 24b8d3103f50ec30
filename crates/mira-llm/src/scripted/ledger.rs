//! What was sent to clients and has to come back in later requests.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;

/// The oldest replies are forgotten beyond this; their calls are then checked like calls the upstream never made.
const REPLIES_KEPT: usize = 10_000;

/// The calls of one reply and the reasoning that led to them.
#[derive(Debug, Default)]
pub(super) struct SentReply {
    pub(super) id: String,
    /// Each call with the number of `reasoning` items sent before it.
    pub(super) calls: Vec<(String, usize)>,
    /// Items of the Responses API, as sent.
    pub(super) reasoning: Vec<Value>,
    /// The `reasoning_content` of chat completions, whole.
    pub(super) reasoning_content: String,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    by_call: HashMap<String, Arc<SentReply>>,
    by_response: HashMap<String, Arc<SentReply>>,
    order: VecDeque<Arc<SentReply>>,
}

impl Ledger {
    pub(super) fn insert(&mut self, reply: SentReply) {
        let reply = Arc::new(reply);
        for (call_id, _) in &reply.calls {
            self.by_call.insert(call_id.clone(), Arc::clone(&reply));
        }
        self.by_response.insert(reply.id.clone(), Arc::clone(&reply));
        self.order.push_back(reply);
        if self.order.len() > REPLIES_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            for (call_id, _) in &oldest.calls {
                self.by_call.remove(call_id);
            }
            self.by_response.remove(&oldest.id);
        }
    }

    pub(super) fn response(&self, id: &str) -> Option<Arc<SentReply>> {
        self.by_response.get(id).cloned()
    }

    pub(super) fn call(&self, call_id: &str) -> Option<Arc<SentReply>> {
        self.by_call.get(call_id).cloned()
    }
}
