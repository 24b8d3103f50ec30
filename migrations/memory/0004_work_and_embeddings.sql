-- What is still to be done, written in the transaction that makes it necessary and removed in the one that does it.
CREATE TABLE outbox (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    work     TEXT NOT NULL CHECK (work IN ('analyse', 'embed')),
    kind     TEXT NOT NULL CHECK (kind IN ('message', 'summary', 'fact')),
    subject  TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    noted_ms INTEGER NOT NULL,
    due_ms   INTEGER NOT NULL,
    error    TEXT,
    UNIQUE (work, subject)
) STRICT;
CREATE INDEX outbox_by_due ON outbox (work, due_ms, seq);

-- What all embeddings were made with: one row, or none before the first.
CREATE TABLE embedding_space (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    embedder  TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    text_form INTEGER NOT NULL
) STRICT;

-- The truth about vectors: half-precision numbers of unit length, little endian. `version` is never used twice.
CREATE TABLE embeddings (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('message', 'summary', 'fact')),
    head    TEXT NOT NULL CHECK (head IN ('semantic', 'code', 'summary', 'documents', 'relationship')),
    vector  BLOB NOT NULL,
    UNIQUE (subject, head)
) STRICT;
CREATE INDEX embeddings_by_head ON embeddings (head, subject, version);
