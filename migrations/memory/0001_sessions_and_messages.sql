-- A session keeps its count and title itself, so that listing thousands never reads a message.
CREATE TABLE sessions (
    id            TEXT PRIMARY KEY,
    name          TEXT UNIQUE,
    title         TEXT,
    message_count INTEGER NOT NULL DEFAULT 0,
    created_ms    INTEGER NOT NULL,
    updated_ms    INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_by_update ON sessions (updated_ms DESC, id DESC);

-- `number` orders messages by arrival and is never used twice.
CREATE TABLE messages (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    role       TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
    content    TEXT NOT NULL,
    time_ms    INTEGER NOT NULL,
    project_id TEXT,
    reply_to   TEXT REFERENCES messages (id) ON DELETE SET NULL
) STRICT;

CREATE INDEX messages_by_session ON messages (session_id, number);
CREATE INDEX messages_by_reply ON messages (reply_to) WHERE reply_to IS NOT NULL;
