-- A summary covers the messages of its session from `first_message` to `last_message`, both included; they may be gone by
-- now. Rolling summaries of one kind never overlap.
CREATE TABLE summaries (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT NOT NULL UNIQUE,
    session_id    TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL CHECK (kind IN ('rolling_10', 'rolling_100', 'snapshot')),
    text          TEXT NOT NULL,
    message_count INTEGER NOT NULL CHECK (message_count > 0),
    first_message INTEGER NOT NULL,
    last_message  INTEGER NOT NULL CHECK (last_message >= first_message),
    author        TEXT NOT NULL,
    created_ms    INTEGER NOT NULL
) STRICT;
CREATE INDEX summaries_by_session ON summaries (session_id, kind, last_message, first_message);
CREATE UNIQUE INDEX rolling_summaries_by_beginning ON summaries (session_id, kind, first_message) WHERE kind <> 'snapshot';

-- Whether nothing has changed since the session was last found to need no summary, so that sessions with work are found
-- without looking at the others. Triggers, because whoever adds a message or removes a summary makes work.
ALTER TABLE sessions ADD COLUMN summarised INTEGER NOT NULL DEFAULT 0 CHECK (summarised IN (0, 1));
CREATE INDEX sessions_to_summarise ON sessions (updated_ms) WHERE summarised = 0;

CREATE TRIGGER a_new_message_may_need_a_summary AFTER INSERT ON messages BEGIN
    UPDATE sessions SET summarised = 0 WHERE id = NEW.session_id AND summarised = 1;
END;
CREATE TRIGGER a_removed_summary_leaves_a_gap AFTER DELETE ON summaries BEGIN
    UPDATE sessions SET summarised = 0 WHERE id = OLD.session_id AND summarised = 1;
END;
