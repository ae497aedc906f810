CREATE TABLE notice_files (
    agent    INTEGER PRIMARY KEY REFERENCES agents (agent) ON DELETE CASCADE,
    since_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX deliveries_between ON deliveries (ifnull(sender, 0), agent, message);

CREATE VIEW searched AS
    SELECT message, CAST(substr(CAST(text AS BLOB), 1, 65536) AS TEXT) AS text FROM bodies;

CREATE VIRTUAL TABLE words USING fts5 (
    text,
    content = 'searched',
    content_rowid = 'message',
    columnsize = 0,
    tokenize = 'unicode61 remove_diacritics 2'
);

INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
INSERT INTO words (words) VALUES ('rebuild');

CREATE TRIGGER words_of_new_body AFTER INSERT ON bodies BEGIN
    INSERT INTO words (rowid, text)
        SELECT message, text FROM searched WHERE message = new.message;
END;

CREATE TRIGGER words_of_old_body BEFORE DELETE ON bodies BEGIN
    INSERT INTO words (words, rowid, text)
        SELECT 'delete', message, text FROM searched WHERE message = old.message;
END;

CREATE TRIGGER bodies_stay BEFORE UPDATE ON bodies BEGIN
    SELECT RAISE(ABORT, 'a body never changes');
END;

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

ALTER TABLE messages ADD COLUMN interim INTEGER NOT NULL DEFAULT 0 CHECK (interim IN (0, 1));

ALTER TABLE deliveries ADD COLUMN answer INTEGER;

ALTER TABLE deliveries ADD COLUMN ping INTEGER NOT NULL DEFAULT 0 CHECK (ping IN (0, 1));

CREATE INDEX deliveries_pings ON deliveries (message) WHERE ping AND state IN ('stored', 'offered');

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
