CREATE TABLE notice_files (
    agent    INTEGER PRIMARY KEY REFERENCES agents (agent) ON DELETE CASCADE,
    since_ms INTEGER NOT NULL
) STRICT;
