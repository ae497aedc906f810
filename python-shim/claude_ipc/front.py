"""Coming back to an agent, and getting a name: the same files and the same rules as the program `ipc`.

By the session that command line, hooks and this package share, else by the resume credential, which
makes a new session for all of them. A session that was taken over is the end: it is never replaced.
"""

import os
import time
import warnings
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from . import agent_files, mailbox, private, processes, reports
from .agent_files import AgentFiles, Locked, Record, StoredSession
from .autostart import reach
from .connection import Connection
from .errors import (
    Busy,
    ConnectionLost,
    Expired,
    FileNotTrusted,
    NameInUse,
    Refused,
    TakenOver,
    Unauthenticated,
    WeakSecret,
)
from .handshake import Credential
from .limits import ATTEMPTS, BUSY_PATIENCE_S, SECRET_BYTES
from .names import same
from .places import Places
from .reader import Reader
from .tokens import InvalidToken, Token
from .wire import not_ours

#: What the daemon says of a credential that it knows no more: another one may help.
STALE = (Unauthenticated, Expired)

_Host = Optional[Tuple[int, int]]


class Opened(NamedTuple):
    """A connection that is the agent."""

    agent_id: str
    name: str
    connection: Connection


class Front:
    """The way to the daemon of one data directory."""

    def __init__(self, places: Places, may_start: bool) -> None:
        self.places = places
        self.files = AgentFiles(places)
        self._may_start = may_start

    def prove(self, credential: Credential) -> Connection:
        """Proves ``credential`` to the daemon, on another connection if it leaves meanwhile, or has not yet
        made what scrypt is checked with, as in the first second of a new deployment."""
        lost, deadline = 0, time.monotonic() + BUSY_PATIENCE_S
        while True:
            connected = reach(self.places, self._may_start)
            try:
                return Connection(connected, credential, self.places.any_pid)
            except ConnectionLost:
                lost += 1
                if lost == ATTEMPTS:
                    raise
            except Busy as error:
                pause = max(0.1, (error.retry_after_ms or 0) / 1_000)
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)

    def prove_secret(self) -> Connection:
        """Proves the shared secret. The first daemon ever makes it, so it must run before that."""
        if self.places.find_secret() is None:
            reach(self.places, self._may_start).stream.close()
        secret = self.places.require_secret()
        if secret.is_weak:
            warnings.warn(
                f"the shared secret is shorter than {SECRET_BYTES[1]} bytes; "
                "`ipc admin rotate-secret` makes a strong one",
                WeakSecret,
                stacklevel=2,
            )
        try:
            return self.prove(secret)
        except STALE as error:
            error.hint = (
                "the secret (IPC_SHARED_SECRET, else the file `secret`) is not the one that this "
                "deployment was made with; `ipc admin rotate-secret` changes it"
            )
            raise

    def open(self, record: Record) -> Opened:
        """Opens a connection for the agent of ``record``."""
        session = record.session
        if session is None or not _is_good_for_now(session):
            return self._come_back(record.name, None)
        try:
            return Opened(record.agent_id, record.name, self.prove(session.token))
        except STALE:
            return self._come_back(record.name, session.token.sid)
        except TakenOver as error:
            raise taken_over(error, record.name) from None

    def enrol(
        self, name: str, takeover: bool, automatic: bool
    ) -> Tuple[reports.Registered, Connection]:
        """Gets ``name``: by the credential kept under exactly that name, else by the shared secret."""
        private.ensure_directory(self.places.root)
        with self.files.lock(name) as locked:
            kept = locked.read()
            request, host = _own_host()
            params: Dict[str, Any] = {
                "name": name,
                "when_live": "take_over" if takeover else "refuse",
                "automatic": automatic,
                **request,
            }
            connection = self._prove_either(kept)
            try:
                reply = connection.call("register", params)
                return self._keep(locked, reply, host), connection
            except NameInUse as error:
                connection.close()
                error.hint = error.hint or "register with takeover, or another name"
                raise
            except BaseException:
                connection.close()
                raise

    def _prove_either(self, kept: Optional[Record]) -> Connection:
        if kept is None:
            return self.prove_secret()
        try:
            return self.prove(kept.resume)
        except STALE:
            # A credential that was revoked or whose name was released says no more than the secret.
            return self.prove_secret()

    def _come_back(self, name: str, tried: Optional[str]) -> Opened:
        """Makes a new session under the lock of the agent's file. ``tried``: the one that is no good."""
        with self.files.lock(name) as locked:
            record = locked.read()
            if record is None:
                raise mailbox.not_kept(name)
            session = record.session
            # Somebody else may have come back while we waited for the lock: their session is ours too.
            if session is not None and _is_good_for_now(session) and session.token.sid != tried:
                try:
                    return Opened(record.agent_id, record.name, self.prove(session.token))
                except STALE:
                    pass
            return self._resume(locked, record)

    def _resume(self, locked: Locked, record: Record) -> Opened:
        try:
            connection = self.prove(record.resume)
        except STALE as error:
            message = f"the credentials kept here for {record.name} are no longer good"
            raise type(error)(message, f"`ipc register {record.name}`") from None
        except TakenOver as error:
            raise taken_over(error, record.name) from None
        try:
            request, host = _host(record.host)
            params = {"name": record.name, "when_live": "join", **request}
            registered = self._keep(locked, connection.call("register", params), host)
        except BaseException:
            connection.close()
            raise
        return Opened(registered.agent_id, registered.name, connection)

    def _keep(self, locked: Locked, reply: Dict[str, Any], host: _Host) -> reports.Registered:
        """Keeps what a registration gave: under another name by now, with a pointer here."""
        reader = Reader(reply)
        registered = reports.registered(reader)
        kept = locked.read()
        resume = _token(reader, "resume")
        if resume is None and kept is not None:
            resume = kept.resume
        session = _token(reader, "session")
        if session is None:
            raise not_ours()
        if resume is None:
            raise FileNotTrusted("the daemon gave no credential to keep")
        record = Record(
            agent_id=registered.agent_id,
            name=registered.name,
            resume=resume,
            session=StoredSession(session, registered.session_expires_ms),
            host=host,
            project=kept.project if kept else None,
            rest=kept.rest if kept else {},
        )
        if kept is None or same(kept.name, registered.name):
            locked.write(record)
            return registered
        with self.files.lock(registered.name) as other:
            other.write(record)
        locked.write_moved(registered.name)
        return registered


def rename(
    files: AgentFiles, old: str, new: str, ask: Callable[[], reports.Renamed]
) -> reports.Renamed:
    """Has ``ask`` rename the agent, and moves its file.

    Both files are locked before, always in the order of their names, so that two renames that cross
    do not wait for each other.
    """
    if same(old, new):
        with files.lock(old) as locked:
            done = ask()
            record = locked.read()
            if record is not None:
                locked.write(agent_files.renamed(record, done.name))
            return done
    first, second = sorted((old, new), key=str.lower)
    with files.lock(first) as one, files.lock(second) as other:
        at_old, at_new = (one, other) if first == old else (other, one)
        done = ask()
        record = at_old.read()
        if record is not None:
            at_new.write(agent_files.renamed(record, done.name))
            at_old.write_moved(done.name)
        return done


def forget(files: AgentFiles, agent_id: str, *names: str) -> None:
    """Forgets what is kept for an agent under ``names``; a file may be another agent's by now."""
    for name in names:
        with files.lock(name) as locked:
            record = locked.read()
            if record is not None and record.agent_id == agent_id:
                locked.remove()


def taken_over(error: Refused, name: str) -> Refused:
    """The same error with the command that takes the agent back."""
    error.hint = f"`ipc register {name} --takeover` takes it back"
    return error


def _is_good_for_now(session: StoredSession) -> bool:
    return session.abs_expires_ms > time.time() * 1_000


def _own_host() -> Tuple[Dict[str, Any], _Host]:
    """What `register` is told of the process that stands for the agent, and what is kept of it."""
    found = processes.find_host(os.getpid())
    if found is None:
        return {}, None
    facts, program = found
    host: Dict[str, Any] = {"pid": facts.pid}
    if program is not None:
        host["program"] = program
    return {"host": host}, (facts.pid, facts.start_ticks)


def _host(kept: _Host) -> Tuple[Dict[str, Any], _Host]:
    """The same for somebody who comes back. A process that still runs goes on standing for the agent:
    acting for it from elsewhere does not move it there."""
    request, found = _own_host()
    if found is None:
        return {}, kept
    if kept is not None and kept != found and processes.is_running(*kept):
        return {}, kept
    return request, found


def _token(reader: Reader, kind: str) -> Optional[Token]:
    text = reader.maybe(reader.text, kind)
    if text is None:
        return None
    try:
        token = Token(text)
    except InvalidToken:
        raise not_ours() from None
    if token.kind != kind:
        raise not_ours()
    return token
