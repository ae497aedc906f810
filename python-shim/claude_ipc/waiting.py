"""Fetching mail, and waiting for it: over restarts of the daemon, and until somebody breaks it off."""

from __future__ import annotations

import threading
import time

from .errors import ConnectionLost, Expired, TakenOver, Unavailable, UsageError
from .limits import REOPENINGS, WAIT_S
from .messages import message
from .reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from .connection import Connection
    from .messages import Message
    from .pool import Pool


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

    def fetch(self, pool: Pool, params: Dict[str, Any], wait_s: float) -> List[Message]:
        """What is there, or what comes within ``wait_s`` seconds; nothing when it was broken off.

        What comes back is leased to this front-end for 60 seconds, unless ``params`` only peek.
        """
        deadline = time.monotonic() + seconds(wait_s)
        reopenings = REOPENINGS
        while True:
            left = max(0.0, deadline - time.monotonic())
            try:
                messages = self._ask(pool, params, min(left, float(WAIT_S)))
                if messages or self.is_over or time.monotonic() >= deadline:
                    return messages
            except (ConnectionLost, Expired, Unavailable) as error:
                if self.is_over:
                    return []
                if reopenings == 0 or not _passes(error):
                    raise
                reopenings -= 1
                pool.clear()
                self._pause(error, max(0.0, deadline - time.monotonic()))
            except TakenOver as error:
                raise pool.end(error) from None

    def _ask(self, pool: Pool, params: Dict[str, Any], wait_s: float) -> List[Message]:
        connection = pool.take()
        self._connection = connection
        try:
            # Looked at after the connection is known: `break_off` either comes before this, or
            # finds the connection.
            if self.is_over:
                connection.close()
                return []
            asked = {**params, "wait_ms": int(wait_s * 1_000)}
            reader = Reader(connection.call("fetch", asked, wait_s))
            messages = reader.each("messages", message)
        except BaseException:
            connection.close()
            raise
        finally:
            self._connection = None
        if self.is_over:
            # `break_off` may have closed it.
            connection.close()
        else:
            pool.give(connection)
        return messages

    def _pause(self, error: Exception, most: float) -> None:
        # A daemon that stops says when to come back.
        retry = getattr(error, "retry_after_ms", None) or 0
        self._is_over.wait(min(retry / 1_000, most))


def seconds(value: float) -> float:
    """``value``, if so long can be waited: not negative, and a number. Raises `UsageError`."""
    if not value >= 0:
        raise UsageError("a wait is a number of seconds, 0 or more")
    return value


def _passes(error: Exception) -> bool:
    """Whether another connection may bring what this one did not."""
    return not isinstance(error, Unavailable) or error.retry_after_ms is not None
