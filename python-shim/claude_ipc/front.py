"""Coming back to an agent: the same files and the same rules as the program `ipc`.

By the session that command line, hooks and this package share, else by the resume credential, which
makes a new session for all of them. A session that was taken over is the end: it is never replaced.
"""

from __future__ import annotations

import os
import time

from . import mailbox, reports
from .agent_files import AgentFiles, Both, Record, StoredSession
from .connect import connect
from .connection import Connection
from .errors import (
    Busy,
    ConnectionLost,
    Expired,
    FileNotTrusted,
    NotRunning,
    TakenOver,
    Unauthenticated,
)
from .limits import ATTEMPTS, BUSY_PATIENCE_S, MOST_MOVES
from .names import same
from .reader import Reader
from .records import record
from .tokens import InvalidToken, Token
from .wire import not_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Tuple

    from .agent_files import Locked
    from .connect import Connected
    from .handshake import Credential
    from .places import Places

    Host = Optional[Tuple[int, int]]

#: What the daemon says of a credential that it knows no more: another one may help.
STALE = (Unauthenticated, Expired)


@record(frozen=True)
class Opened:
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

    def reach(self) -> Connected:
        """Connects; a daemon that does not run is started by the program `ipc`, if it may be.

        Raises `Unreachable`; `CannotStart` when the daemon does not run and cannot be started.
        """
        try:
            return connect(self.places.socket)
        except NotRunning:
            if not self._may_start:
                raise
        from .autostart import start

        start(self.places)
        return connect(self.places.socket)

    def is_reachable(self) -> bool:
        """Whether a daemon takes connections; none is started. Raises `Unreachable` for one not to be trusted."""
        try:
            connect(self.places.socket).stream.close()
        except NotRunning:
            return False
        return True

    def prove(self, credential: Credential) -> Connection:
        """Proves ``credential`` to the daemon, on another connection if it leaves meanwhile, or has not yet
        made what scrypt is checked with, as in the first second of a new deployment."""
        lost, deadline = 0, time.monotonic() + BUSY_PATIENCE_S
        while True:
            connected = self.reach()
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

    def open(self, kept: Record) -> Opened:
        """Opens a connection for the agent of ``kept``."""
        session = kept.session
        if session is None or not _is_good_for_now(session):
            return self._come_back(kept, None)
        try:
            return Opened(kept.agent_id, kept.name, self._prove_for(kept, session.token))
        except STALE:
            return self._come_back(kept, session.token.sid)

    def keep(self, locked: Locked, reply: Dict[str, Any], host: Host) -> reports.Registered:
        """Keeps what a registration gave, under the name that the file has; `settle` moves it from there."""
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
        fresh = Record(
            agent_id=registered.agent_id,
            name=kept.name if kept else registered.name,
            resume=resume,
            session=StoredSession(session, registered.session_expires_ms),
            host=host,
            project=kept.project if kept else None,
            rest=kept.rest if kept else {},
        )
        locked.write(fresh)
        return registered

    def settle(self, name: str, registered: reports.Registered) -> None:
        """Moves what was kept under ``name``, where the agent goes by another name by now. Under no lock."""
        if not same(name, registered.name):
            self.files.move(registered.agent_id, name, registered.name)

    def _prove_for(self, kept: Record, credential: Token) -> Connection:
        try:
            return self.prove(credential)
        except TakenOver as error:
            raise taken_over(error, kept.name) from None

    def _come_back(self, kept: Record, tried: Optional[str]) -> Opened:
        """Makes a new session under the lock of the agent's file. ``tried``: the one that is no good."""
        for _ in range(MOST_MOVES):
            with self.files.lock(kept.name) as locked:
                now = locked.read()
                if now is not None and now.agent_id == kept.agent_id:
                    opened = self._come_back_as(locked, now, tried)
                    break
            # Renamed while we waited for the lock.
            kept = mailbox.again(self.files, kept.name, kept.agent_id)
        else:
            raise mailbox.not_kept(kept.name)
        if not same(now.name, opened.name):
            self.files.move(opened.agent_id, now.name, opened.name)
        return opened

    def _come_back_as(self, locked: Locked, now: Record, tried: Optional[str]) -> Opened:
        session = now.session
        # Somebody else may have come back while we waited for the lock: their session is ours too.
        if session is not None and _is_good_for_now(session) and session.token.sid != tried:
            try:
                return Opened(now.agent_id, now.name, self._prove_for(now, session.token))
            except STALE:
                pass
        try:
            connection = self._prove_for(now, now.resume)
        except STALE as error:
            message = f"the credentials kept here for {now.name} are no longer good"
            raise type(error)(message, f"`ipc register {now.name}`") from None
        try:
            request, host = _host(now.host)
            params = {"name": now.name, "when_live": "join", **request}
            registered = self.keep(locked, connection.call("register", params), host)
        except BaseException:
            connection.close()
            raise
        return Opened(registered.agent_id, registered.name, connection)


def rename(
    files: AgentFiles, agent_id: str, old: str, new: str, ask: Callable[[], reports.Renamed]
) -> reports.Renamed:
    """Has ``ask`` rename the agent, and moves its file, with both names locked before."""
    with Both(files, old, new) as (at_old, at_new):
        done = ask()
        at_old.move_to(at_new, agent_id, done.name)
        return done


def forget(files: AgentFiles, agent_id: str, *names: str) -> None:
    """Forgets what is kept for an agent under ``names``; a file may be another agent's by now."""
    for name in names:
        with files.lock(name) as locked:
            kept = locked.read()
            if kept is not None and kept.agent_id == agent_id:
                locked.remove()


def taken_over(error: TakenOver, name: str) -> TakenOver:
    """The same error with the command that takes the agent back."""
    error.hint = f"`ipc register {name} --takeover` takes it back"
    return error


def own_host() -> Tuple[Dict[str, Any], Host]:
    """What `register` is told of the process that stands for the agent, and what is kept of it."""
    from . import processes

    found = processes.find_host(os.getpid())
    if found is None:
        return {}, None
    facts, program = found
    host: Dict[str, Any] = {"pid": facts.pid}
    if program is not None:
        host["program"] = program
    return {"host": host}, (facts.pid, facts.start_ticks)


def _host(kept: Host) -> Tuple[Dict[str, Any], Host]:
    """The same for somebody who comes back. A process that still runs goes on standing for the agent:
    acting for it from elsewhere does not move it there."""
    from . import processes

    request, found = own_host()
    if found is None:
        return {}, kept
    if kept is not None and kept != found and processes.is_running(*kept):
        return {}, kept
    return request, found


def _is_good_for_now(session: StoredSession) -> bool:
    return session.abs_expires_ms > time.time() * 1_000


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
