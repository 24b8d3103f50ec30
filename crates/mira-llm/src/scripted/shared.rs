//! What the handle and every reply of one upstream share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::endpoint::Endpoint;
use super::facts::Facts;
use super::ledger::{Ledger, SentReply};
use super::record::{Log, Outcome, Recorded};
use super::script::{Rule, Script};
use super::violation::Violation;

/// Violations after the first so many are refused like the others, and not kept.
const VIOLATIONS_KEPT: usize = 1000;

#[derive(Debug)]
pub(super) struct Shared {
    /// Short critical sections without an await, from the handle and from the task of every connection.
    state: Mutex<State>,
    /// Told of every change that somebody may wait for.
    changed: watch::Sender<()>,
    pub(super) ids: Ids,
    pub(super) tasks: TaskTracker,
    pub(super) stopping: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    api_key: Option<Arc<str>>,
    /// The rules with the uses they have had.
    rules: Vec<(Arc<Rule>, u32)>,
    log: Log,
    violations: Vec<Violation>,
    holds: HashMap<String, Hold>,
    ledger: Ledger,
}

#[derive(Debug, Default)]
struct Hold {
    arrived: bool,
    released: CancellationToken,
}

impl Shared {
    pub(super) fn new(script: Script) -> Self {
        let shared = Self {
            state: Mutex::default(),
            changed: watch::Sender::new(()),
            ids: Ids::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        };
        shared.replace(script);
        shared
    }

    pub(super) fn replace(&self, script: Script) {
        let mut state = self.state();
        state.api_key = script.api_key.map(Arc::from);
        state.rules = script.rules.into_iter().map(|rule| (Arc::new(rule), 0)).collect();
    }

    pub(super) fn api_key(&self) -> Option<Arc<str>> {
        self.state().api_key.clone()
    }

    /// The models that the rules name, in order, each once.
    pub(super) fn models(&self) -> Vec<String> {
        let mut models = Vec::new();
        for (rule, _) in &self.state().rules {
            if let Some(model) = &rule.when.model
                && !models.contains(model)
            {
                models.push(model.clone());
            }
        }
        models
    }

    /// Takes one use of the first rule that matches and has uses left.
    pub(super) fn take_rule(&self, endpoint: Endpoint, facts: &Facts<'_>) -> Option<(usize, Arc<Rule>)> {
        let mut state = self.state();
        let (index, (rule, uses)) = state.rules.iter_mut().enumerate().find(|(_, (rule, uses))| {
            rule.times.is_none_or(|times| *uses < times) && facts.satisfy(endpoint, &rule.when)
        })?;
        *uses = uses.saturating_add(1);
        Some((index, Arc::clone(rule)))
    }

    /// The rules as one line for the message that none matches.
    pub(super) fn describe_rules(&self) -> String {
        let state = self.state();
        let rules = state.rules.iter().enumerate().map(|(index, (rule, uses))| {
            let left = match rule.times {
                Some(times) if *uses >= times => " (used up)",
                Some(_) | None => "",
            };
            format!("{index} {:?}{left}: {}", rule.name, rule.when)
        });
        let rules: Vec<String> = rules.collect();
        if rules.is_empty() {
            "none".to_owned()
        } else {
            rules.join("; ")
        }
    }

    pub(super) fn record(&self, request: Recorded, body_bytes: usize) -> usize {
        let number = self.state().log.push(request, body_bytes);
        self.changed.send_replace(());
        number
    }

    pub(super) fn set_outcome(&self, number: usize, outcome: Outcome) {
        if let Some(request) = self.state().log.get_mut(number) {
            request.outcome = outcome;
        }
        self.changed.send_replace(());
    }

    pub(super) fn outcome(&self, number: usize) -> Option<Outcome> {
        self.state().log.get_mut(number).map(|request| request.outcome)
    }

    pub(super) fn requests(&self) -> Vec<Recorded> {
        self.state().log.to_vec()
    }

    pub(super) fn request_count(&self) -> usize {
        self.state().log.count()
    }

    pub(super) fn add_violations(&self, violations: impl IntoIterator<Item = Violation>) {
        let mut state = self.state();
        let room = VIOLATIONS_KEPT.saturating_sub(state.violations.len());
        state.violations.extend(violations.into_iter().take(room));
    }

    pub(super) fn violations(&self) -> Vec<Violation> {
        self.state().violations.clone()
    }

    /// Notes that a reply is at the hold; the token is cancelled when the hold is released.
    pub(super) fn arrive(&self, hold: &str) -> CancellationToken {
        let mut state = self.state();
        let hold = state.holds.entry(hold.to_owned()).or_default();
        hold.arrived = true;
        let released = hold.released.clone();
        drop(state);
        self.changed.send_replace(());
        released
    }

    pub(super) fn release(&self, hold: &str) {
        self.state()
            .holds
            .entry(hold.to_owned())
            .or_default()
            .released
            .cancel();
    }

    pub(super) fn has_arrived(&self, hold: &str) -> bool {
        self.state().holds.get(hold).is_some_and(|hold| hold.arrived)
    }

    pub(super) fn remember(&self, reply: SentReply) {
        self.state().ledger.insert(reply);
    }

    pub(super) fn sent_call(&self, call_id: &str) -> Option<Arc<SentReply>> {
        self.state().ledger.call(call_id)
    }

    pub(super) fn sent_response(&self, id: &str) -> Option<Arc<SentReply>> {
        self.state().ledger.response(id)
    }

    /// Waits until the condition gives something. Nothing is lost when the future is dropped.
    pub(super) async fn wait_for<T>(&self, mut condition: impl FnMut() -> Option<T>) -> T {
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if let Some(found) = condition() {
                return found;
            }
            if changes.changed().await.is_err() {
                // The sender lives in `self`, so this cannot come; waiting is what was asked for.
                std::future::pending::<()>().await;
            }
        }
    }

    /// A panic inside a critical section cannot leave the state half changed in a way that matters to a test.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Numbers from 1, each kind on its own, so that a script played in order always gives the same ids.
#[derive(Debug, Default)]
pub(super) struct Ids {
    responses: AtomicU64,
    completions: AtomicU64,
    reasoning: AtomicU64,
    messages: AtomicU64,
    function_calls: AtomicU64,
    calls: AtomicU64,
}

impl Ids {
    pub(super) fn response(&self) -> String {
        next(&self.responses, "resp_")
    }

    pub(super) fn completion(&self) -> String {
        next(&self.completions, "chatcmpl-")
    }

    pub(super) fn reasoning(&self) -> String {
        next(&self.reasoning, "rs_")
    }

    pub(super) fn message(&self) -> String {
        next(&self.messages, "msg_")
    }

    pub(super) fn function_call(&self) -> String {
        next(&self.function_calls, "fc_")
    }

    pub(super) fn call(&self) -> String {
        next(&self.calls, "call_")
    }
}

fn next(counter: &AtomicU64, prefix: &str) -> String {
    format!("{prefix}{}", counter.fetch_add(1, Ordering::Relaxed) + 1)
}
