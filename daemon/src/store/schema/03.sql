CREATE TABLE profiles (
    agent        INTEGER PRIMARY KEY REFERENCES agents (agent) ON DELETE CASCADE,
    status       TEXT    NOT NULL DEFAULT '',
    summary      TEXT    NOT NULL DEFAULT '',
    capabilities TEXT    NOT NULL DEFAULT '',
    directory    BLOB    CHECK (length(directory) = 16),
    repository   BLOB    CHECK (length(repository) = 16),
    CHECK (repository IS NULL OR directory IS NOT NULL)
) STRICT;

CREATE TABLE boundaries (
    owner   INTEGER NOT NULL REFERENCES agents (agent) ON DELETE CASCADE,
    peer    INTEGER NOT NULL REFERENCES agents (agent) ON DELETE CASCADE,
    rule    TEXT    NOT NULL CHECK (rule IN ('block', 'mute', 'allow')),
    made_ms INTEGER NOT NULL,
    PRIMARY KEY (owner, peer)
) STRICT, WITHOUT ROWID;

CREATE INDEX boundaries_of_peer ON boundaries (peer);

CREATE TABLE allow_only (
    agent   INTEGER PRIMARY KEY REFERENCES agents (agent) ON DELETE CASCADE,
    made_ms INTEGER NOT NULL
) STRICT;
