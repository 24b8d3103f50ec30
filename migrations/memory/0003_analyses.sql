-- What was found out about a message. `original_salience` is written once; `salience` is the reinforced value before
-- decay, which depends on the time of reading.
CREATE TABLE analyses (
    message             INTEGER PRIMARY KEY REFERENCES messages (number) ON DELETE CASCADE,
    salience            REAL NOT NULL CHECK (salience BETWEEN 0 AND 1),
    original_salience   REAL NOT NULL CHECK (original_salience BETWEEN 0 AND 1),
    topics              TEXT NOT NULL DEFAULT '[]',
    mood                TEXT,
    intensity           REAL CHECK (intensity BETWEEN 0 AND 1),
    intent              TEXT,
    summary             TEXT,
    relationship_impact TEXT,
    contains_code       INTEGER NOT NULL DEFAULT 0 CHECK (contains_code IN (0, 1)),
    programming_language TEXT,
    contains_error      INTEGER NOT NULL DEFAULT 0 CHECK (contains_error IN (0, 1)),
    error_type          TEXT CHECK (error_type IN ('compiler', 'runtime', 'test_failure', 'build_failure', 'linter', 'type_error')),
    error_severity      TEXT CHECK (error_severity IN ('critical', 'warning', 'info')),
    error_file          TEXT,
    heads               TEXT NOT NULL DEFAULT '[]',
    analyser            TEXT NOT NULL,
    analysed_ms         INTEGER NOT NULL,
    recall_count        INTEGER NOT NULL DEFAULT 0,
    last_recalled_ms    INTEGER
) STRICT;
