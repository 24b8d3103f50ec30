CREATE TABLE project (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    description TEXT,
    tags        TEXT NOT NULL,      -- a JSON array of texts
    directory   TEXT,               -- absolute, symbolic links resolved
    created     INTEGER NOT NULL,
    updated     INTEGER NOT NULL
) STRICT;

CREATE INDEX project_by_update ON project (updated);
