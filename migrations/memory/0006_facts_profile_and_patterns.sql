-- One state of something known of a user. Nothing is overwritten: a change ends the row (`valid_to_ms` in the world, known
-- since `ended_ms`) and begins another; a row that turns out never to have been true is `retracted_ms` in what Mira
-- believes. `confirmations` is a JSON array of when and by which message it was said again.
CREATE TABLE facts (
    id             TEXT PRIMARY KEY,
    user_id        TEXT NOT NULL,
    project_id     TEXT,
    subject        TEXT NOT NULL,
    key            TEXT NOT NULL,
    value          TEXT NOT NULL,
    category       TEXT NOT NULL CHECK (category IN ('personal', 'professional', 'technical', 'preference', 'biographical')),
    confidence     REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    context        TEXT,
    source_message TEXT REFERENCES messages (id) ON DELETE SET NULL,
    valid_from_ms  INTEGER NOT NULL,
    valid_to_ms    INTEGER,
    recorded_ms    INTEGER NOT NULL,
    retracted_ms   INTEGER,
    ended          TEXT CHECK (ended IN ('superseded', 'refined', 'retracted')),
    ended_ms       INTEGER,
    replaced_by    TEXT REFERENCES facts (id) ON DELETE SET NULL,
    confirmations  TEXT NOT NULL DEFAULT '[]',
    tentative      INTEGER NOT NULL DEFAULT 0 CHECK (tentative IN (0, 1)),
    pinned         INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
    CHECK ((valid_to_ms IS NULL) = (ended IS NULL) AND (ended IS NULL) = (ended_ms IS NULL))
) STRICT;
CREATE INDEX facts_by_key ON facts (user_id, subject, key, recorded_ms);
CREATE INDEX facts_by_source ON facts (source_message) WHERE source_message IS NOT NULL;
CREATE INDEX facts_by_replacement ON facts (replaced_by) WHERE replaced_by IS NOT NULL;

-- Messages that a forgotten fact came from. Analysed again, they give no facts; nothing of what they gave is kept here.
CREATE TABLE forgotten_sources (
    message TEXT PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE
) STRICT;

CREATE TABLE profiles (
    user_id                  TEXT PRIMARY KEY,
    preferred_languages      TEXT NOT NULL DEFAULT '[]',
    coding_style             TEXT,
    code_verbosity           TEXT CHECK (code_verbosity IN ('minimal', 'moderate', 'verbose')),
    testing_philosophy       TEXT,
    architecture_preferences TEXT,
    explanation_depth        TEXT CHECK (explanation_depth IN ('concise', 'moderate', 'detailed')),
    conversation_style       TEXT CHECK (conversation_style IN ('casual', 'professional', 'technical')),
    profanity_comfort        TEXT CHECK (profanity_comfort IN ('none', 'mild', 'comfortable')),
    tech_stack               TEXT NOT NULL DEFAULT '[]',
    learning_goals           TEXT NOT NULL DEFAULT '[]',
    created_ms               INTEGER NOT NULL,
    updated_ms               INTEGER NOT NULL
) STRICT;

-- A habit. `examples` is a JSON array of the ids of the last messages that it showed in.
CREATE TABLE patterns (
    id               TEXT PRIMARY KEY,
    user_id          TEXT NOT NULL,
    kind             TEXT NOT NULL CHECK (kind IN ('coding_style', 'work_pattern', 'communication', 'preference', 'topic_interest', 'problem_solving')),
    name             TEXT NOT NULL,
    description      TEXT NOT NULL,
    examples         TEXT NOT NULL DEFAULT '[]',
    confidence       REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    applies_when     TEXT,
    observations     INTEGER NOT NULL DEFAULT 1,
    applications     INTEGER NOT NULL DEFAULT 0,
    first_observed_ms INTEGER NOT NULL,
    last_observed_ms INTEGER NOT NULL,
    weakened_ms      INTEGER,
    UNIQUE (user_id, kind, name)
) STRICT;
