//! Methods of memory.

use mira_proto::native::*;
use serde_json::{Value, json};

use super::{check, message};

fn hit() -> Value {
    json!({
        "message": message(),
        "analysis": {
            "original_salience": 0.75, "intensity": 0.5, "relationship_impact": "trusts more",
            "error": {"kind": "compiler", "severity": "critical", "file": "src/a.rs"}, "heads": ["semantic", "code"],
            "analyser": "rules", "analysed_ms": 6, "recall_count": 2, "last_recalled_ms": 7,
        },
        "score": 0.75,
        "score_parts": {
            "meaning": 0.5, "words": 0.25, "window": 0.0, "fact": 0.0, "summary": 0.0, "answer": 0.0, "neighbours": 0.0,
            "conversation": 0.0, "speaker": 0.0, "role": 0.0, "salience": 0.0, "recency": 0.0, "repetition": 0.0,
        },
    })
}

fn summary() -> Value {
    json!({
        "summary_id": "y1", "session_id": "s1", "kind": "rolling_10", "text": "They met.", "message_count": 10,
        "author": "extractive", "created_ms": 8,
    })
}

fn fact() -> Value {
    json!({
        "fact_id": "f1", "user": "ada", "project_id": "p1", "subject": "user", "key": "indentation", "value": "tabs",
        "category": "preference", "confidence": 0.75, "context": "in Go", "source_message_id": "m1",
        "valid_from_ms": 1, "valid_to_ms": 2, "ended": "superseded", "ended_ms": 3, "recorded_ms": 4,
        "retracted_ms": 5, "replaced_by": "f2", "confirmations": 1, "last_confirmed_ms": 6, "tentative": false,
        "pinned": true,
    })
}

fn preferences() -> Value {
    json!({
        "user": "ada", "preferred_languages": ["rust"], "coding_style": "short functions", "code_verbosity": "minimal",
        "testing_philosophy": "at the edges", "architecture_preferences": "flat", "explanation_depth": "concise",
        "conversation_style": "casual", "profanity_comfort": "mild", "tech_stack": ["sqlite"],
        "learning_goals": ["lifetimes"],
    })
}

fn profile() -> Value {
    let mut profile = preferences();
    profile["updated_ms"] = json!(9);
    profile
}

fn pattern() -> Value {
    json!({
        "pattern_id": "h1", "kind": "work_pattern", "name": "tests first", "description": "Writes tests first.",
        "examples": ["m1"], "confidence": 0.75, "applies_when": "fixing", "observations": 3, "applications": 1,
        "first_observed_ms": 1, "last_observed_ms": 2, "deprecated": false,
    })
}

pub(super) fn memory_methods() -> Vec<&'static str> {
    let scope = json!({"session_id": "s1", "project_id": "p1", "user": "ada"});
    let with = |more: Value| {
        let mut params = scope.clone();
        let more = more.as_object().unwrap().clone();
        params.as_object_mut().unwrap().extend(more);
        params
    };
    let change = json!({"message_id": "m1", "idempotency_key": "k"});
    let changed = json!({"message": message()});
    let session = json!({"session_id": "s1", "idempotency_key": "k"});
    vec![
        check::<MemoryGetRecent>(
            &json!({"session_id": "s1", "limit": 50, "cursor": "c"}),
            &json!({"messages": [message()], "next_cursor": "d"}),
        ),
        check::<MemorySave>(
            &json!({
                "session_id": "s1", "content": "I use tabs", "role": "user", "project_id": "p1", "tags": ["x"],
                "idempotency_key": "k",
            }),
            &changed,
        ),
        check::<MemorySearch>(
            &with(json!({
                "query": "tabs", "roles": ["user"], "heads": ["semantic"], "since_ms": 1, "until_ms": 2,
                "max_results": 3,
            })),
            &json!({"hits": [hit()], "count": 1, "degraded": "the vector index failed"}),
        ),
        check::<MemoryExplain>(
            &with(json!({"query": "tabs", "message_id": "m1"})),
            &json!({"rank": 1, "hit": hit(), "degraded": "the vector index failed"}),
        ),
        check::<MemoryGetContext>(
            &json!({"session_id": "s1", "user_text": "tabs?", "recent_count": 10, "semantic_count": 5}),
            &json!({
                "recent": [message()], "semantic": [hit()], "summaries": [summary()], "facts": [fact()],
                "patterns": [pattern()], "profile": profile(), "degraded": "the vector index failed",
            }),
        ),
        check::<MemoryPin>(&change, &changed),
        check::<MemoryUnpin>(&change, &changed),
        check::<MemoryUpdateSalience>(
            &json!({"message_id": "m1", "salience": 0.5, "idempotency_key": "k"}),
            &changed,
        ),
        check::<MemoryDelete>(&change, &json!({"message_id": "m1"})),
        check::<MemoryTriggerRollingSummary>(
            &json!({"session_id": "s1", "window_size": 10, "idempotency_key": "k"}),
            &json!({"summary": summary()}),
        ),
        check::<MemoryTriggerSnapshotSummary>(&session, &json!({"summary": summary()})),
        check::<MemorySummaries>(
            &json!({"session_id": "s1", "limit": 5}),
            &json!({"summaries": [summary()]}),
        ),
        check::<MemoryGetStats>(
            &scope,
            &json!({
                "sessions": 1, "messages": 2, "messages_by_role": {"user": 1, "assistant": 1}, "analysed": 2,
                "pinned": 0, "oldest_ms": 1, "newest_ms": 2, "vectors": {"semantic": 2}, "summaries": {"snapshot": 1},
                "current_facts": 3, "other_facts": 4, "patterns": 5, "waiting_for_analysis": 0,
                "waiting_for_embedding": 0, "database_bytes": 4096,
            }),
        ),
        check::<MemoryImport>(
            &json!({
                "session_id": "s1",
                "memories": [{
                    "content": "x", "role": "user", "time_ms": 1, "speaker": "Ada", "salience": 0.5, "tags": ["x"],
                    "memory_type": "note",
                }],
                "lines": ["{}"], "idempotency_key": "k",
            }),
            &json!({
                "sessions": 1, "messages": 2, "summaries": 3, "facts": 4, "profiles": 5, "patterns": 6, "skipped": 7,
                "refused": 1, "errors": [{"line": 2, "message": "the line is no message"}],
            }),
        ),
        check::<MemoryExport>(
            &with(json!({"cursor": "c", "limit": 2})),
            &json!({"lines": ["{}"], "next_cursor": "d"}),
        ),
        check::<MemoryErase>(
            &with(json!({"idempotency_key": "k"})),
            &json!({
                "sessions": 1, "messages": 2, "summaries": 3, "facts": 4, "patterns": 5, "profiles": 6,
                "operations": 7, "undo_copies": 8,
            }),
        ),
    ]
}

pub(super) fn fact_methods() -> Vec<&'static str> {
    let change = json!({"fact_id": "f1", "idempotency_key": "k"});
    let changed = json!({"fact": fact()});
    let mut preferred = preferences();
    preferred["idempotency_key"] = json!("k");
    vec![
        check::<FactsList>(
            &json!({
                "user": "ada", "project_id": "p1", "subject": "user", "key": "indentation", "category": "preference",
                "as_of_ms": 1, "known_at_ms": 2, "include_ended": true, "cursor": "c", "limit": 3,
            }),
            &json!({"facts": [fact()], "next_cursor": "d"}),
        ),
        check::<FactsAdd>(
            &json!({
                "user": "ada", "project_id": "p1", "subject": "user", "key": "indentation", "value": "tabs",
                "category": "preference", "confidence": 0.75, "context": "in Go", "since_ms": 1,
                "idempotency_key": "k",
            }),
            &changed,
        ),
        check::<FactsCorrect>(
            &json!({"fact_id": "f1", "value": "spaces", "idempotency_key": "k"}),
            &changed,
        ),
        check::<FactsPin>(&change, &changed),
        check::<FactsUnpin>(&change, &changed),
        check::<FactsForget>(
            &json!({"fact_id": "f1", "erase_sources": true, "idempotency_key": "k"}),
            &json!({"forgotten": 2, "messages": 1}),
        ),
        check::<FactsExplain>(
            &json!({"fact_id": "f1"}),
            &json!({"fact": fact(), "predecessors": [fact()], "successors": [fact()], "source": message()}),
        ),
        check::<ProfileGet>(&json!({"user": "ada"}), &json!({"profile": profile()})),
        check::<ProfileSet>(&preferred, &json!({"profile": profile()})),
        check::<PatternsList>(&json!({"user": "ada"}), &json!({"patterns": [pattern()]})),
    ]
}

pub(super) fn system_status() -> &'static str {
    let backlog = json!({"waiting": 2, "failing": 1, "lag_ms": 300, "error": "no network"});
    check::<SystemStatus>(
        &json!({}),
        &json!({
            "version": "0.1.0", "uptime_ms": 5,
            "models": [{"role": "embedder", "model": "text-embedding-3-large", "configured": true}],
            "memory": {
                "index": {"state": "filling", "done": 1, "total": 2},
                "embedder": {"name": "text-embedding-3-large", "dimension": 3072},
                "vectors": {"ready": true, "detail": "2 points"},
                "analysis": backlog, "embedding": backlog,
                "jobs": [{
                    "name": "analysis", "interval_ms": 10_000, "runs": 3, "done": 4, "failures": 1,
                    "last_started_ms": 5, "last_finished_ms": 6, "last_error": "disk full",
                }],
                "degraded": "the vector index is being rebuilt: 1 of 2",
            },
        }),
    )
}
