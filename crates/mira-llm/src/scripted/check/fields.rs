//! The fields of a request, and what was found wrong with them.

use serde_json::Value;

use crate::scripted::violation::Problem;

const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

#[derive(Debug)]
pub(super) struct Fields<'a> {
    pub(super) body: &'a Value,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(body: &'a Value) -> Self {
        Self {
            body,
            problems: Vec::new(),
        }
    }

    pub(super) fn expect(&mut self, holds: bool, path: impl Into<String>, expected: &'static str) {
        if !holds {
            self.problems.push(Problem::Field {
                path: path.into(),
                expected,
            });
        }
    }

    /// The text at this path; empty, and a problem, when there is none.
    pub(super) fn text(&mut self, value: &'a Value, path: impl Into<String>) -> &'a str {
        let text = value.as_str().unwrap_or_default();
        self.expect(!text.is_empty(), path, "a text that is not empty");
        text
    }

    /// What every request has.
    pub(super) fn check_common(&mut self) {
        let body = self.body;
        self.text(&body["model"], "model");
        self.expect(
            body["stream"].is_null() || body["stream"].is_boolean(),
            "stream",
            "a boolean",
        );
    }

    pub(super) fn check_effort(&mut self, effort: &Value, path: &'static str) {
        let known = effort.is_null() || EFFORTS.iter().any(|name| effort == name);
        self.expect(known, path, "none, minimal, low, medium, high, xhigh or max");
    }

    pub(super) fn check_limit(&mut self, key: &'static str) {
        let limit = &self.body[key];
        self.expect(
            limit.is_null() || limit.as_u64().is_some_and(|limit| limit > 0),
            key,
            "a positive integer",
        );
    }
}

/// The elements of an array; none for anything else.
pub(super) fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
