-- What files held, each content once per project.
CREATE TABLE file_content (
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    hash       TEXT NOT NULL,       -- SHA-256 of the bytes, lower-case hex
    bytes      BLOB NOT NULL,
    PRIMARY KEY (project_id, hash)
) STRICT;

-- A change belongs to the directory it was made in: a project may be attached elsewhere later.
CREATE TABLE file_change (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    change_id   TEXT NOT NULL UNIQUE,
    project_id  TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    directory   TEXT NOT NULL,
    path        TEXT NOT NULL,
    batch       TEXT NOT NULL,      -- the first change of those that were made together
    before_hash TEXT,               -- NULL: there was no file
    after_hash  TEXT,               -- NULL: the file was removed
    before_mode INTEGER,            -- the permission bits that a removed file had
    size        INTEGER NOT NULL,   -- bytes before and after together
    state       TEXT NOT NULL CHECK (state IN ('prepared', 'done', 'reverting', 'reverted')),
    time        INTEGER NOT NULL,
    FOREIGN KEY (project_id, before_hash) REFERENCES file_content (project_id, hash),
    FOREIGN KEY (project_id, after_hash) REFERENCES file_content (project_id, hash)
) STRICT;

CREATE INDEX file_change_by_path ON file_change (project_id, directory, path, id);
CREATE INDEX file_change_by_before ON file_change (project_id, before_hash);
CREATE INDEX file_change_by_after ON file_change (project_id, after_hash);
CREATE INDEX file_change_unfinished ON file_change (project_id) WHERE state IN ('prepared', 'reverting');

-- Directories that exist because a file was written into them; an undo removes them once they are empty.
CREATE TABLE made_directory (
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    directory  TEXT NOT NULL,
    path       TEXT NOT NULL,
    PRIMARY KEY (project_id, directory, path)
) STRICT, WITHOUT ROWID;
