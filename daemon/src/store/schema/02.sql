CREATE TABLE auto_checks (
    agent       INTEGER PRIMARY KEY REFERENCES agents (agent) ON DELETE CASCADE,
    mode        TEXT    NOT NULL CHECK (mode IN ('arrival', 'every', 'off')),
    minutes     INTEGER CHECK (minutes BETWEEN 1 AND 60),
    started_ms  INTEGER,
    told_ms     INTEGER,
    outstanding INTEGER,
    CHECK ((mode = 'every') = (minutes IS NOT NULL)),
    CHECK (outstanding IS NULL OR told_ms IS NOT NULL)
) STRICT;
