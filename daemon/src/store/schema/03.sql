CREATE TABLE notice_files (
    agent    INTEGER PRIMARY KEY REFERENCES agents (agent) ON DELETE CASCADE,
    since_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_between ON deliveries (agent, sender, message);

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
