DROP TRIGGER words_of_new_body;

CREATE TABLE indexed (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    through INTEGER NOT NULL
) STRICT;

INSERT INTO indexed (one, through) SELECT 1, coalesce(max(message), 0) FROM bodies;

DROP VIEW searched;

CREATE VIEW searched AS
    SELECT message, CAST(substr(CAST(text AS BLOB), 1, 65536) AS TEXT) AS text FROM bodies
    WHERE message <= (SELECT through FROM indexed);

CREATE TRIGGER words_of_new_bodies AFTER UPDATE ON indexed BEGIN
    INSERT INTO words (rowid, text)
        SELECT message, text FROM searched WHERE message > old.through ORDER BY message;
END;

CREATE TRIGGER indexed_goes_on BEFORE UPDATE ON indexed
    WHEN new.through < old.through
        OR new.through > ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'messages'), 0)
BEGIN
    SELECT RAISE(ABORT, 'the index of words goes on from where it is, through what is there');
END;

CREATE TRIGGER indexed_stays BEFORE DELETE ON indexed BEGIN
    SELECT RAISE(ABORT, 'without its place the index of words is of no use');
END;
