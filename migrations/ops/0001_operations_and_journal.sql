-- Rows of these tables are listed in the order they were made, which is that of their rowid, because ids of one
-- millisecond sort at random.

-- One row per turn. `first_seq` is the event that announced it, so that its events are found without an index of their own.
CREATE TABLE operations (
    id              TEXT PRIMARY KEY,
    session_id      TEXT NOT NULL,
    first_seq       INTEGER NOT NULL DEFAULT 0,
    message_id      TEXT NOT NULL,
    answer_id       TEXT,
    project_id      TEXT,
    kind            TEXT NOT NULL,
    status          TEXT NOT NULL,
    failure         TEXT,
    idempotency_key TEXT,
    request_hash    TEXT NOT NULL,
    created_ms      INTEGER NOT NULL,
    started_ms      INTEGER,
    finished_ms     INTEGER
) STRICT;

CREATE INDEX operations_by_session ON operations (session_id);
CREATE UNIQUE INDEX operations_by_key ON operations (session_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX operations_by_message ON operations (message_id);
CREATE INDEX operations_by_answer ON operations (answer_id) WHERE answer_id IS NOT NULL;
CREATE INDEX operations_unfinished ON operations (status)
    WHERE status IN ('pending', 'started', 'delegating', 'generating');

-- The journal: every event of a session, numbered without a gap from 1.
CREATE TABLE events (
    session_id   TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    operation_id TEXT NOT NULL,
    time_ms      INTEGER NOT NULL,
    body         TEXT NOT NULL,
    PRIMARY KEY (session_id, seq)
) STRICT, WITHOUT ROWID;

-- What each model was asked for and what it cost, per operation.
CREATE TABLE usage (
    operation_id TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    role         TEXT NOT NULL,
    model        TEXT NOT NULL,
    calls        INTEGER NOT NULL,
    input        INTEGER NOT NULL,
    cached_input INTEGER NOT NULL,
    cache_write  INTEGER NOT NULL,
    output       INTEGER NOT NULL,
    reasoning    INTEGER NOT NULL,
    PRIMARY KEY (operation_id, role, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE delegations (
    id           TEXT PRIMARY KEY,
    operation_id TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    call_id      TEXT NOT NULL,
    tool         TEXT NOT NULL,
    model        TEXT NOT NULL,
    path         TEXT NOT NULL,
    brief        TEXT NOT NULL,
    manifest     TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
    failure      TEXT,
    artifact_id  TEXT,
    input        INTEGER NOT NULL DEFAULT 0,
    cached_input INTEGER NOT NULL DEFAULT 0,
    cache_write  INTEGER NOT NULL DEFAULT 0,
    output       INTEGER NOT NULL DEFAULT 0,
    reasoning    INTEGER NOT NULL DEFAULT 0,
    created_ms   INTEGER NOT NULL,
    finished_ms  INTEGER
) STRICT;

CREATE INDEX delegations_by_operation ON delegations (operation_id);

CREATE TABLE artifacts (
    id           TEXT PRIMARY KEY,
    operation_id TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    session_id   TEXT NOT NULL,
    project_id   TEXT,
    path         TEXT NOT NULL,
    language     TEXT,
    content      TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    diff         TEXT NOT NULL,
    base_hash    TEXT,
    origin       TEXT NOT NULL CHECK (origin IN ('reasoner', 'coder')),
    -- The project it is applied in, which may be another than the one it was made in, and the recorded change.
    applied_in   TEXT,
    change_id    TEXT,
    created_ms   INTEGER NOT NULL,
    applied_ms   INTEGER,
    undone_ms    INTEGER
) STRICT;

CREATE INDEX artifacts_by_operation ON artifacts (operation_id);
CREATE INDEX artifacts_by_session ON artifacts (session_id);
CREATE INDEX artifacts_by_project ON artifacts (project_id) WHERE project_id IS NOT NULL;

-- Answers to requests that carried an idempotency key.
CREATE TABLE answered_requests (
    key          TEXT NOT NULL,
    method       TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    response     TEXT NOT NULL,
    time_ms      INTEGER NOT NULL,
    PRIMARY KEY (key, method)
) STRICT, WITHOUT ROWID;
