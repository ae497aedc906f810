"""Fetching mail, and waiting for it: over restarts of the daemon, and until somebody breaks it off."""

from __future__ import annotations

import threading
import time

from .errors import ConnectionLost, Expired, Malformed, NotRunning, TakenOver, Unavailable, UsageError
from .limits import NEXT_DAEMON_S, REOPENINGS, WAIT_S
from .messages import message
from .reader import Reader
from .records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from .connection import Connection
    from .messages import Message
    from .pings import Pings
    from .pool import Pool


@record(frozen=True)
class Fetched:
    """What came. ``ended``: why no further answers are waited for, where answers were asked for."""

    messages: List[Message]
    ended: Optional[str]


#: Nothing, because the wait was broken off.
_NOTHING = Fetched([], None)


class Wait:
    """One wait for mail. `break_off` ends it from any thread, at any moment."""

    def __init__(self) -> None:
        self._is_over = threading.Event()
        self._connection: Optional[Connection] = None

    def break_off(self) -> None:
        """Ends the wait: here, and in the daemon, which hears that the connection is closed."""
        self._is_over.set()
        connection = self._connection
        if connection is not None:
            connection.hang_up()

    @property
    def is_over(self) -> bool:
        """Whether it was broken off."""
        return self._is_over.is_set()

    def fetch(self, pool: Pool, pings: Pings, params: Dict[str, Any], wait_s: float) -> Fetched:
        """What is there, or what comes within ``wait_s`` seconds; nothing when it was broken off.

        What comes back is leased to this front-end for 60 seconds, unless ``params`` only peek. Pings that
        come meanwhile are answered here. A daemon that is lost is started again; one that said that it stops
        was stopped by somebody, perhaps on purpose, and the next one is waited for: `NotRunning` without any.
        """
        deadline = time.monotonic() + seconds(wait_s)
        reopenings = REOPENINGS
        while True:
            if self.is_over:
                return _NOTHING
            left = max(0.0, deadline - time.monotonic())
            try:
                fetched = self._ask(pool, pings, params, min(left, float(WAIT_S)))
                reopenings = REOPENINGS
                stops = fetched.ended == "shutting_down" and not fetched.messages
                if stops and time.monotonic() < deadline:
                    self._await_next(pool, deadline)
                    continue
                if fetched.messages or self.is_over or time.monotonic() >= deadline:
                    return fetched
                # One request waits for an hour at most; more may have been asked for.
                if fetched.ended not in (None, "timed_out"):
                    return fetched
            except (ConnectionLost, Expired, Unavailable) as error:
                if self.is_over:
                    return _NOTHING
                if _says_stop(error) and time.monotonic() < deadline:
                    self._await_next(pool, deadline)
                elif reopenings == 0 or not _passes(error):
                    raise
                else:
                    reopenings -= 1
                    pool.clear()
            except TakenOver as error:
                raise pool.end(error) from None

    def _ask(self, pool: Pool, pings: Pings, params: Dict[str, Any], wait_s: float) -> Fetched:
        connection = pool.take()
        self._connection = connection
        try:
            # Looked at after the connection is known: `break_off` either comes before this, or
            # finds the connection.
            if self.is_over:
                connection.close()
                return _NOTHING
            reader = _call(connection, params, wait_s)
            messages = reader.each("messages", message)
            ended = reader.maybe(reader.text, "ended")
            is_good = True
            if answers_pings(params, wait_s):
                asked = [one for one in messages if one.kind == "ping"]
                messages = [one for one in messages if one.kind != "ping"]
                is_good = not asked or pings.answer(connection, asked)
        except BaseException:
            connection.close()
            raise
        finally:
            self._connection = None
        if self.is_over or not is_good:
            # `break_off` may have closed it.
            connection.close()
        else:
            pool.give(connection)
        return Fetched(messages, ended)

    def _await_next(self, pool: Pool, deadline: float) -> None:
        """Waits for the daemon that follows one that said that it stops."""
        pool.clear()
        while not self._is_over.wait(min(NEXT_DAEMON_S, max(0.0, deadline - time.monotonic()))):
            if pool.is_reachable():
                return
            if time.monotonic() >= deadline:
                raise NotRunning("the daemon stopped, and none runs in its place")


def answers_pings(params: Dict[str, Any], wait_s: float) -> bool:
    """Whether pings are answered meanwhile: by whoever waits, unless it wants to see them."""
    return wait_s > 0 and not params["peek"] and params.get("kind") != "ping"


def _call(connection: Connection, params: Dict[str, Any], wait_s: float) -> Reader:
    asked = {**params, "wait_ms": int(wait_s * 1_000)}
    if not answers_pings(params, wait_s):
        return Reader(connection.call("fetch", asked, wait_s))
    try:
        return Reader(connection.call("fetch", {**asked, "pings": True}, wait_s))
    except Malformed as error:
        if error.ends_connection:
            raise
        # An older daemon, to which a ping is a message as any other.
        return Reader(connection.call("fetch", asked, wait_s))


def seconds(value: float) -> float:
    """``value``, if so long can be waited: not negative, and a number. Raises `UsageError`."""
    if not value >= 0:
        raise UsageError("a wait is a number of seconds, 0 or more")
    return value


def _says_stop(error: Exception) -> bool:
    """Whether it is the word of a daemon that stops, which says when to come back."""
    return isinstance(error, (ConnectionLost, Unavailable)) and error.retry_after_ms is not None


def _passes(error: Exception) -> bool:
    """Whether another connection may bring what this one did not."""
    return not isinstance(error, Unavailable) or error.retry_after_ms is not None
