"""Pings: answered by the program that waits for mail, and shown to nobody.

Only a ping is answered, and never an answer to one, so that two programs cannot go on answering each
other; the daemon gives out no ping that is older than a minute.
"""

from __future__ import annotations

import os
import time

from .errors import IpcError, Refused
from .limits import PINGS_PER_MINUTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from .connection import Connection
    from .messages import Message


class Pings:
    """Answers to pings within the present minute. Beyond them pings stay unanswered: each answer is a message
    of ours, and what we may send is for our own mail."""

    def __init__(self) -> None:
        self._minute = 0.0
        self._answered = 0

    def answer(self, connection: Connection, pings: List[Message]) -> bool:
        """Answers and acknowledges; whether ``connection`` is good for further calls. What does not get
        through is not said: whoever asked hears nothing, which is so."""
        for ping in pings:
            if self._has_room() and ping.sender is not None:
                params = {
                    "to": ping.sender.agent_id,
                    "text": "ack",
                    "kind": "ack",
                    "reply_to": ping.id,
                    "idempotency_key": "shim-" + os.urandom(16).hex(),
                    "known_only": True,
                }
                if not _is_good_after(connection, "send", params):
                    return False
        ids = {"message_ids": [ping.id for ping in pings], "handover": "shim"}
        return _is_good_after(connection, "ack", ids)

    def _has_room(self) -> bool:
        now = time.monotonic()
        if now - self._minute >= 60.0 or self._answered == 0:
            self._minute, self._answered = now, 0
        # Threads that meet here may answer one more or less: the daemon's own limit holds.
        self._answered += 1
        return self._answered <= PINGS_PER_MINUTE


def _is_good_after(connection: Connection, method: str, params: Dict[str, Any]) -> bool:
    try:
        connection.call(method, params)
    except Refused as error:
        return not error.ends_connection
    except IpcError:
        return False
    return True
