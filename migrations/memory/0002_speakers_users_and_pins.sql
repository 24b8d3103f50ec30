-- Whose conversation it is. One person's server has one user.
ALTER TABLE sessions ADD COLUMN user_id TEXT NOT NULL DEFAULT 'default';
CREATE INDEX sessions_by_user ON sessions (user_id);

-- The name of whoever speaks, where it is known; a JSON array of tags; kept above others on request.
ALTER TABLE messages ADD COLUMN speaker TEXT;
ALTER TABLE messages ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE messages ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1));
CREATE INDEX messages_by_project ON messages (project_id) WHERE project_id IS NOT NULL;
