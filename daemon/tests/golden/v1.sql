-- A database of schema 1, as version 0.1.0 wrote it. It must open for ever: never edit it.
PRAGMA foreign_keys = OFF;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA application_id = 1229996849;
BEGIN TRANSACTION;
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
INSERT INTO "agents" VALUES(-4805177379915737049,1,0,1795247257844,1795247257906,NULL,NULL,NULL);
INSERT INTO "agents" VALUES(2478123085853789357,1,0,1795247257879,1795247257910,1795247257910,NULL,NULL);
CREATE TABLE bodies (
    message INTEGER PRIMARY KEY REFERENCES messages (seq) ON DELETE CASCADE,
    text    TEXT NOT NULL,
    data    TEXT
) STRICT;
INSERT INTO "bodies" VALUES(1,'first: grüße','{"n":1}');
INSERT INTO "bodies" VALUES(2,'an answer',NULL);
INSERT INTO "bodies" VALUES(3,'still unread',NULL);
INSERT INTO "bodies" VALUES(4,'for whoever comes',NULL);
INSERT INTO "bodies" VALUES(5,'',NULL);
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
INSERT INTO "credentials" VALUES(X'E5686E8D4B4E1A34CA2BE14280A801C1','resume',2478123085853789357,X'623784000FC755FB96039CF14DFDA70B8590602095E97703466C2892A472C8B3',X'81D5C053FD957A42575D967CD36E48E4FE6E6740FBCE43AD03EB7C30216A800A','k1',1795247257879,5621841,'246a21ce-e5c6-4eeb-a0ea-ff1186280e42',NULL,1795247257879,0,23158,995,2894,X'E2CA2A2FDFE7212FB3C0463E8469FE78C99DBFF5860A1129B5F677AB180897D2');
INSERT INTO "credentials" VALUES(X'EEC74FC7C6F2A6276EFFBAC6246C9CD4','resume',-4805177379915737049,X'873DA5AF048D7876029FE7D745471E7106ADD2884E4DF81ACB0F672FE3C20050',X'FA365A47A83A6C361B9BFAD5838BF2A8947D7B8A7C869F8B44FB08DCD3FC8428','k1',1795247257844,5621807,'246a21ce-e5c6-4eeb-a0ea-ff1186280e42',NULL,1795247257844,0,23152,995,2894,X'155FA4EDDB57128F1891AB6B98EA32BD7C0CC9EE4014C707DDA6ABF7A5B9E3BB');
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
INSERT INTO "deliveries" VALUES(1,1,-4805177379915737049,2478123085853789357,NULL,'bob',NULL,'answered',1,1795247257891,NULL,1795247257892,'cli',1795247257897,NULL,NULL);
INSERT INTO "deliveries" VALUES(2,2,2478123085853789357,-4805177379915737049,NULL,'alice',NULL,'stored',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "deliveries" VALUES(3,3,-4805177379915737049,2478123085853789357,NULL,'bob',NULL,'stored',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "deliveries" VALUES(4,4,-4805177379915737049,NULL,'nobody-yet','nobody-yet',NULL,'stored',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "deliveries" VALUES(5,5,NULL,-4805177379915737049,NULL,'alice',NULL,'stored',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE deployment (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    created_ms INTEGER NOT NULL
) STRICT;
INSERT INTO "deployment" VALUES(1,X'0FB9849986157FD01779142BD50C9CA5',1795247257781);
CREATE TABLE idempotency (
    agent   INTEGER NOT NULL REFERENCES agents (agent),
    key     TEXT    NOT NULL,
    content BLOB    NOT NULL CHECK (length(content) = 32),
    message INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    PRIMARY KEY (agent, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "idempotency" VALUES(-4805177379915737049,'7NwRdMYLBtjBKklrLk7O4g',X'969583771FFDB5B29A8FB53BD5D63A372E66A8B18A6F2AAFDE0FF5AF18C61352',4);
INSERT INTO "idempotency" VALUES(-4805177379915737049,'a0_503HJzMJvBqju-oH8zw',X'199A85A3630C7262A5149C87520CCD842661AA17D8BC5A9CC4353124B4751C31',1);
INSERT INTO "idempotency" VALUES(-4805177379915737049,'gx26rpFf8PqKyDqxTQQVUQ',X'F0B1A84B6AAF38EA65706424AD11229B528C072ADF06F5858AF01110E43ECA53',3);
INSERT INTO "idempotency" VALUES(2478123085853789357,'zsByq86-7Iq10UiMVuX5pQ',X'770CD15D7A378037AABB1FAB61B296AFFFAFEE8851977D99A63CDF88A3325CE2',2);
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
INSERT INTO "messages" VALUES(1,-6593753903666574473,-4805177379915737049,'alice',1,'message',NULL,0,1795247257886,14,NULL,0,23159,562184,NULL);
INSERT INTO "messages" VALUES(2,-817117973397469974,2478123085853789357,'bob',1,'message',-6593753903666574473,0,1795247257897,9,NULL,0,23161,562185,NULL);
INSERT INTO "messages" VALUES(3,5997334934184491189,-4805177379915737049,'alice',1,'message',NULL,0,1795247257901,12,NULL,0,23162,562186,NULL);
INSERT INTO "messages" VALUES(4,5597813219769003552,-4805177379915737049,'alice',1,'message',NULL,0,1795247257906,17,NULL,0,23163,562186,NULL);
INSERT INTO "messages" VALUES(5,2445016343326442288,NULL,NULL,NULL,'system',NULL,0,1795247257910,0,'{"type":"renamed","old":"bob","new":"robert"}',NULL,NULL,NULL,NULL);
CREATE TABLE names (
    folded   TEXT    PRIMARY KEY,
    shown    TEXT    NOT NULL CHECK (lower(shown) = folded),
    agent    INTEGER NOT NULL REFERENCES agents (agent),
    until_ms INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO "names" VALUES('alice','alice',-4805177379915737049,NULL);
INSERT INTO "names" VALUES('bob','bob',2478123085853789357,1795254457910);
INSERT INTO "names" VALUES('robert','robert',2478123085853789357,NULL);
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
INSERT INTO "verifiers" VALUES('k1','argon2id','m=19456,t=2,p=1',X'5652CB56F8946821354E18C47BB2A817',X'52785BDAF570EF9EA77FCE271E791CBE4F4822A3174273F13DB3B645C79437A8',X'B17AEEEBC60ED385B8E6FFCFCAF2397EDA8ABD4DB3F1A07107E2ED101668672B',1795247257781,X'4F11737B98FD4CC960B05A6ED340870A205695D8BACFECACC743786E69FAF941');
INSERT INTO "verifiers" VALUES('k1','scrypt','n=32768,r=8,p=3',X'221553D40A6F7BA2A8B08EE3E60204A7',X'1D52E5F841001FA1E43946654EDC0F006F48FA1BAB7F66B3109C982DB864113B',X'19B5D7FC7FEACC80F941312F72DCCFCE7A565EADD83C34F5514EDB6FBB25BF1C',1795247258000,X'D7CDE401BAA246839673FECDA5FADFEB9546A721A83CE446C3669228AEF1484A');
CREATE UNIQUE INDEX names_current ON names (agent) WHERE until_ms IS NULL;
CREATE INDEX names_alias ON names (agent) WHERE until_ms IS NOT NULL;
CREATE INDEX credentials_of_agent ON credentials (agent);
CREATE INDEX messages_of_sender ON messages (sender, seq);
CREATE INDEX messages_sent ON messages (sent_ms);
CREATE UNIQUE INDEX deliveries_of_message
    ON deliveries (message, ifnull(agent, 0), ifnull(unclaimed, ''));
CREATE INDEX deliveries_of_agent ON deliveries (agent, message);
CREATE INDEX deliveries_waiting ON deliveries (agent, message)
    WHERE state IN ('stored', 'offered');
CREATE INDEX deliveries_waiting_from ON deliveries (agent, sender)
    WHERE state IN ('stored', 'offered');
CREATE INDEX deliveries_unclaimed ON deliveries (unclaimed, sender) WHERE unclaimed IS NOT NULL;
CREATE INDEX deliveries_ended ON deliveries (sender, ended_ms) WHERE ended_ms IS NOT NULL;
CREATE INDEX idempotency_of_message ON idempotency (message);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('messages',5);
COMMIT;
PRAGMA user_version = 1;
