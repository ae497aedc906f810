"""Bounds of the protocol that the client holds too (docs/PROTOCOL.md, Limits). Sizes are in bytes."""

#: Version spoken in ``hello``.
PROTOCOL_VERSION = 1

#: Key derivations that this client offers, best first: Python's library has no Argon2.
OFFERED = ("scrypt",)

#: Largest frame until both sides have proved themselves: a stranger cannot make us hold more.
FRAME_BEFORE_AUTH = 4_096

#: Largest frame afterwards.
FRAME_AFTER_AUTH = 2 * 1_024 * 1_024

#: Deepest nesting of arrays and objects in a call.
CALL_DEPTH = 16

#: The same in a reply, where attached data lies deeper.
REPLY_DEPTH = 24

#: Most digits of a whole number in JSON: converting long ones takes quadratic time.
NUMBER_DIGITS = 20

#: Largest body of a message.
BODY_BYTES = 1_048_576

#: Pings that one client answers in a minute: its answers are messages of its agent, whose rate is for mail.
PINGS_PER_MINUTE = 20

#: Messages in one answer of the daemon.
FETCH_MESSAGES = 100

#: Message ids in one ``ack`` or ``nack``.
ACK_IDS = 100

#: Longest wait in one request, in seconds.
WAIT_S = 3_600

#: Shared secret: shortest accepted, shortest that passes without a warning, longest.
SECRET_BYTES = (8, 16, 1_024)

#: How long an answer that waits for nothing may take, in seconds.
PATIENCE_S = 15.0

#: How long connecting may take, in seconds: a daemon that is stopped leaves its backlog full.
CONNECT_PATIENCE_S = 5.0

#: How long ``ipc daemon start`` may take, in seconds: it waits 30 for the daemon itself.
START_PATIENCE_S = 40.0

#: Connections that one proof may take: a daemon that leaves may take one, and leave another in its queue.
ATTEMPTS = 4

#: How long an agent's file may be held by others, in seconds: whoever holds it may be starting a daemon and
#: proving a secret.
LOCK_PATIENCE_S = 60.0

#: Latest time that is believed, in milliseconds: the last one that Python's calendar can show.
LATEST_MS = 253_402_300_799_999

#: Longest pause that a daemon's ``retry_after_ms`` makes `listen` take, in seconds.
PAUSE_S = 60.0

#: How long a daemon that is busy is asked again for, in seconds.
BUSY_PATIENCE_S = 15.0

#: Connections that one wait may use after its first: a restart of the daemon costs one or two.
REOPENINGS = 4

#: Seconds between two looks for the daemon that follows one that stopped.
NEXT_DAEMON_S = 0.2

#: Acknowledgements that are remembered while no connection takes them.
OWED_ACKS = 10_000

#: Renames that are followed before a ring of pointers is given up on.
MOST_MOVES = 16

#: Largest file of credentials that is read.
AGENT_FILE_BYTES = 16 * 1_024

#: Longest chain of ancestors that is looked at.
ANCESTORS = 64

#: Bytes that a socket's path may have: ``sun_path`` less its closing NUL.
SOCKET_PATH_BYTES = 107
