"""The connections of one client: opened when needed, kept for the next call, one call on each."""

import os
import threading
from typing import List, Optional

from . import mailbox
from .connection import Connection
from .errors import TakenOver, UsageError
from .front import Front, Opened

#: Connections that are kept while nobody uses them.
_IDLE = 4


class Pool:
    """Connections of one agent. Safe for threads; the first use chooses the mailbox, for good."""

    def __init__(self, front: Front, as_name: Optional[str]) -> None:
        self._front = front
        self._as_name = as_name
        self._lock = threading.Lock()
        self._idle: List[Connection] = []
        self._is_closed = False
        self.ended: Optional[TakenOver] = None
        self.agent_id: Optional[str] = None
        self.name: Optional[str] = None

    def take(self) -> Connection:
        """A connection that is the agent, for one call at a time. Raises as `Front.open`."""
        with self._lock:
            self._check()
            while self._idle:
                connection = self._idle.pop()
                # A child process must not speak on a connection of its parent.
                is_own = connection.process == os.getpid()
                farewell = connection.farewell() if is_own else None
                if is_own and farewell is None:
                    return connection
                connection.close()
                if isinstance(farewell, TakenOver):
                    self.ended = farewell
                    self._check()
        return self._open()

    def give(self, connection: Connection) -> None:
        """Puts a connection back on which nothing is under way."""
        with self._lock:
            if not self._is_closed and len(self._idle) < _IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def adopt(self, opened: Opened) -> None:
        """From now on this is the agent."""
        self.clear()
        with self._lock:
            self.ended = None
            self.agent_id, self.name = opened.agent_id, opened.name
        self.give(opened.connection)

    def clear(self) -> None:
        """Closes what nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Closes it for good: connections in use are closed when they are given back."""
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
            hint = f"`ipc register {self.name or 'NAME'} --takeover` takes it back"
            raise TakenOver(self.ended.message, hint)

    def _open(self) -> Connection:
        files = self._front.files
        if self.name is None:
            record = mailbox.find(files, self._as_name)
        else:
            record = mailbox.follow(files, self.name)
        try:
            opened = self._front.open(record)
        except TakenOver as error:
            self.ended = error
            raise
        with self._lock:
            self.agent_id, self.name = opened.agent_id, opened.name
        return opened.connection
