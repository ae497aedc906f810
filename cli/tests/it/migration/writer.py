"""Writes a database as the Python server did, with the library that it used.

Arguments: the database, how many messages. The last argument `hold` leaves a transaction open
until standard input ends.
"""
import datetime
import os
import sqlite3
import sys

path, number = sys.argv[1], int(sys.argv[2])
os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
db = sqlite3.connect(path)
db.executescript(
    """
    CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT,
        from_id TEXT NOT NULL, to_id TEXT NOT NULL, content TEXT NOT NULL,
        timestamp TEXT NOT NULL, data TEXT, summary TEXT, large_file_path TEXT,
        read_flag INTEGER DEFAULT 0);
    CREATE TABLE IF NOT EXISTS instances (instance_id TEXT PRIMARY KEY, last_seen TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS sessions (session_token_hash TEXT PRIMARY KEY,
        instance_id TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS name_history (old_name TEXT PRIMARY KEY, new_name TEXT NOT NULL,
        changed_at TEXT NOT NULL);
    """
)
now = datetime.datetime.now()
for name in ("alice", "bob"):
    db.execute("INSERT OR IGNORE INTO instances VALUES (?, ?)", (name, now.isoformat()))
rows = (
    ("alice", "bob", "message %d" % i, now.isoformat(), '{"n": %d}' % i, i % 2)
    for i in range(number)
)
insert = (
    "INSERT INTO messages (from_id, to_id, content, timestamp, data, read_flag) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
db.executemany(insert, rows)
db.commit()
if sys.argv[3:] == ["hold"]:
    db.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    sys.stdin.read()
db.close()
