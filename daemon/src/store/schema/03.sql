CREATE TABLE profiles (
    agent        INTEGER PRIMARY KEY REFERENCES agents (agent) ON DELETE CASCADE,
    status       TEXT    NOT NULL DEFAULT '',
    summary      TEXT    NOT NULL DEFAULT '',
    capabilities TEXT    NOT NULL DEFAULT '',
    directory    BLOB    CHECK (length(directory) = 16),
    repository   BLOB    CHECK (length(repository) = 16),
    CHECK (repository IS NULL OR directory IS NOT NULL)
) STRICT;
