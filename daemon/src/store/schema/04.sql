CREATE TABLE frozen (
    agent     INTEGER PRIMARY KEY REFERENCES agents (agent) ON DELETE CASCADE,
    frozen_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE standstill (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    since_ms INTEGER NOT NULL
) STRICT;
