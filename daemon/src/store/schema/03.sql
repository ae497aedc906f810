CREATE TABLE conversations (
    conversation INTEGER PRIMARY KEY,
    title        TEXT,
    maker        INTEGER,
    key          TEXT,
    first        INTEGER,
    second       INTEGER,
    CHECK ((title IS NULL) = (first IS NOT NULL)),
    CHECK ((first IS NULL) = (second IS NULL)),
    CHECK (first < second),
    CHECK ((maker IS NULL) = (title IS NULL))
) STRICT;

CREATE UNIQUE INDEX conversations_made ON conversations (maker, key) WHERE key IS NOT NULL;
CREATE UNIQUE INDEX conversations_direct ON conversations (first, second) WHERE first IS NOT NULL;

CREATE TABLE members (
    conversation INTEGER NOT NULL REFERENCES conversations (conversation) ON DELETE CASCADE,
    agent        INTEGER NOT NULL REFERENCES agents (agent) ON DELETE CASCADE,
    after        INTEGER NOT NULL,
    PRIMARY KEY (conversation, agent)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_of_agent ON members (agent);

ALTER TABLE messages ADD COLUMN conversation INTEGER REFERENCES conversations (conversation);

CREATE INDEX messages_of_conversation ON messages (conversation, seq)
    WHERE conversation IS NOT NULL;
