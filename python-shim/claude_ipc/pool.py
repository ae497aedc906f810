"""The connections of one client: opened when needed, kept for the next call, one call on each."""

from __future__ import annotations

import os
from _thread import allocate_lock

from . import mailbox
from .errors import Expired, Refused, TakenOver, UsageError
from .front import Opened, taken_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Optional, TypeVar

    from .connection import Connection
    from .front import Front

    T = TypeVar("T")

#: Connections that are kept while nobody uses them.
_IDLE = 4


class Pool:
    """Connections of one agent. Safe for threads and forks; the first use chooses the mailbox, for good."""

    def __init__(self, front: Front, as_name: Optional[str]) -> None:
        self._front = front
        self._as_name = as_name
        self._lock = allocate_lock()
        self._process = os.getpid()
        self._idle: List[Connection] = []
        self._is_closed = False
        self.ended: Optional[TakenOver] = None
        self.agent_id: Optional[str] = None
        self.name: Optional[str] = None

    def use(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` makes of a connection, which nobody else uses meanwhile. Raises as `Front.open`, and
        what ``work`` raises: a refusal leaves the connection as it was, anything else ends it."""
        connection = self.take()
        try:
            made = work(connection)
        except TakenOver as error:
            connection.close()
            raise self.end(error) from None
        except Refused as error:
            if isinstance(error, Expired) or error.ends_connection:
                connection.close()
            else:
                self.give(connection)
            raise
        except BaseException:
            connection.close()
            raise
        self.give(connection)
        return made

    def take(self) -> Connection:
        """A connection that is the agent, for one call at a time. Raises as `Front.open`."""
        self._notice_fork()
        with self._lock:
            self._check()
            while self._idle:
                connection = self._idle.pop()
                farewell = connection.farewell()
                if farewell is None:
                    return connection
                connection.close()
                if isinstance(farewell, TakenOver):
                    self.ended = farewell
                    self._check()
        return self._open()

    def give(self, connection: Connection) -> None:
        """Puts a connection back on which nothing is under way."""
        self._notice_fork()
        with self._lock:
            if not self._is_closed and len(self._idle) < _IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def end(self, error: TakenOver) -> TakenOver:
        """Notes that the agent was taken over; the error, with what takes it back."""
        self.ended = error
        return taken_over(error, self.name or "NAME")

    def adopt(self, opened: Opened) -> None:
        """From now on this is the agent."""
        self.clear()
        with self._lock:
            self.ended = None
            self.agent_id, self.name = opened.agent_id, opened.name
        self.give(opened.connection)

    def clear(self) -> None:
        """Closes what nobody uses."""
        self._notice_fork()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def is_reachable(self) -> bool:
        """Whether a daemon takes connections; none is started."""
        return self._front.is_reachable()

    def close(self) -> None:
        """Closes it for good: connections in use are closed when they are given back."""
        self.clear()
        with self._lock:
            self._is_closed = True
        self.clear()

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._is_closed

    def _check(self) -> None:
        if self._is_closed:
            raise UsageError("this client is closed")
        if self.ended is not None:
            # Never by itself: a person decides who has the agent.
            raise taken_over(TakenOver(self.ended.message), self.name or "NAME")

    def _notice_fork(self) -> None:
        """A child process must not speak on a connection of its parent, and the lock may have been held by a
        thread that the child does not have."""
        if self._process == os.getpid():
            return
        inherited, self._idle = self._idle, []
        self._lock, self._process = allocate_lock(), os.getpid()
        for connection in inherited:
            connection.close()

    def _open(self) -> Connection:
        files = self._front.files
        if self.agent_id is None or self.name is None:
            kept = mailbox.find(files, self._as_name)
        else:
            kept = mailbox.again(files, self.name, self.agent_id)
        self.agent_id, self.name = kept.agent_id, kept.name
        try:
            opened = self._front.open(kept)
        except TakenOver as error:
            self.ended = error
            raise
        with self._lock:
            self.agent_id, self.name = opened.agent_id, opened.name
        return opened.connection
