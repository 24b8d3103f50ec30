-- A summary covers the messages of its session from `first_message` to `last_message`, both included. Rolling summaries of
-- one kind follow each other without gap and without overlap.
CREATE TABLE summaries (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT NOT NULL UNIQUE,
    session_id    TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL CHECK (kind IN ('rolling_10', 'rolling_100', 'snapshot')),
    text          TEXT NOT NULL,
    message_count INTEGER NOT NULL,
    first_message INTEGER NOT NULL,
    last_message  INTEGER NOT NULL,
    author        TEXT NOT NULL,
    created_ms    INTEGER NOT NULL
) STRICT;
CREATE INDEX summaries_by_session ON summaries (session_id, kind, last_message);
