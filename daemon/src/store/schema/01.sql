CREATE TABLE deployment (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE verifiers (
    kid        TEXT    NOT NULL,
    kdf        TEXT    NOT NULL CHECK (kdf IN ('argon2id', 'scrypt')),
    params     TEXT    NOT NULL,
    salt       BLOB    NOT NULL CHECK (length(salt) BETWEEN 16 AND 32),
    stored_key BLOB    NOT NULL CHECK (length(stored_key) = 32),
    server_key BLOB    NOT NULL CHECK (length(server_key) = 32),
    created_ms INTEGER NOT NULL,
    row_mac    BLOB    NOT NULL CHECK (length(row_mac) = 32),
    PRIMARY KEY (kid, kdf)
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
    agent         INTEGER PRIMARY KEY,
    incarnation   INTEGER NOT NULL,
    automatic     INTEGER NOT NULL CHECK (automatic IN (0, 1)),
    registered_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    renamed_ms    INTEGER,
    offline_ms    INTEGER,
    ended_ms      INTEGER
) STRICT;

CREATE TABLE names (
    folded   TEXT    PRIMARY KEY,
    shown    TEXT    NOT NULL CHECK (lower(shown) = folded),
    agent    INTEGER NOT NULL REFERENCES agents (agent),
    until_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX names_current ON names (agent) WHERE until_ms IS NULL;
CREATE INDEX names_alias ON names (agent) WHERE until_ms IS NOT NULL;

CREATE TABLE credentials (
    sid             BLOB    PRIMARY KEY CHECK (length(sid) = 16),
    kind            TEXT    NOT NULL CHECK (kind IN ('session', 'resume')),
    agent           INTEGER NOT NULL REFERENCES agents (agent),
    stored_key      BLOB    NOT NULL CHECK (length(stored_key) = 32),
    server_key      BLOB    NOT NULL CHECK (length(server_key) = 32),
    kid             TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    created_boot_ms INTEGER NOT NULL,
    boot_id         TEXT    NOT NULL,
    expires_ms      INTEGER,
    last_used_ms    INTEGER NOT NULL,
    peer_uid        INTEGER NOT NULL,
    peer_pid        INTEGER NOT NULL,
    host_pid        INTEGER,
    host_start      INTEGER,
    row_mac         BLOB    NOT NULL CHECK (length(row_mac) = 32)
) STRICT, WITHOUT ROWID;

CREATE INDEX credentials_of_agent ON credentials (agent);

CREATE TABLE messages (
    seq                INTEGER PRIMARY KEY AUTOINCREMENT,
    id                 INTEGER NOT NULL UNIQUE,
    sender             INTEGER REFERENCES agents (agent),
    sender_name        TEXT,
    sender_incarnation INTEGER,
    kind               TEXT    NOT NULL,
    reply_to           INTEGER,
    hops               INTEGER NOT NULL,
    sent_ms            INTEGER NOT NULL,
    bytes              INTEGER NOT NULL,
    event              TEXT,
    uid                INTEGER,
    pid                INTEGER,
    start_ticks        INTEGER,
    program            TEXT,
    CHECK ((sender IS NULL) = (kind = 'system'))
) STRICT;

CREATE INDEX messages_of_sender ON messages (sender, seq);
CREATE INDEX messages_sent ON messages (sent_ms);

CREATE TABLE bodies (
    message INTEGER PRIMARY KEY REFERENCES messages (seq) ON DELETE CASCADE,
    text    TEXT NOT NULL,
    data    TEXT
) STRICT;

CREATE TABLE deliveries (
    delivery       INTEGER PRIMARY KEY,
    message        INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    sender         INTEGER,
    agent          INTEGER REFERENCES agents (agent),
    unclaimed      TEXT,
    name           TEXT    NOT NULL,
    via_alias      TEXT,
    state          TEXT    NOT NULL CHECK (state IN
                   ('stored', 'offered', 'delivered', 'answered', 'expired', 'refused')),
    offers         INTEGER NOT NULL DEFAULT 0,
    offered_ms     INTEGER,
    lease_until_ms INTEGER,
    delivered_ms   INTEGER,
    handover       TEXT,
    answered_ms    INTEGER,
    ended_ms       INTEGER,
    reason         TEXT,
    CHECK ((agent IS NULL) = (unclaimed IS NOT NULL)),
    CHECK ((state IN ('expired', 'refused')) = (ended_ms IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX deliveries_of_message
    ON deliveries (message, ifnull(agent, 0), ifnull(unclaimed, ''));
CREATE INDEX deliveries_of_agent ON deliveries (agent, message);
CREATE INDEX deliveries_waiting ON deliveries (agent, message)
    WHERE state IN ('stored', 'offered');
CREATE INDEX deliveries_waiting_from ON deliveries (agent, sender)
    WHERE state IN ('stored', 'offered');
CREATE INDEX deliveries_unclaimed ON deliveries (unclaimed, sender) WHERE unclaimed IS NOT NULL;
CREATE INDEX deliveries_ended ON deliveries (sender, ended_ms) WHERE ended_ms IS NOT NULL;

CREATE TABLE idempotency (
    agent   INTEGER NOT NULL REFERENCES agents (agent),
    key     TEXT    NOT NULL,
    content BLOB    NOT NULL CHECK (length(content) = 32),
    message INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    PRIMARY KEY (agent, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_of_message ON idempotency (message);
