"""Saying what was handed over, and what was not. Nothing here fails: what cannot be said is said later."""

from __future__ import annotations

from collections import deque

from ..errors import IpcError
from ..limits import ACK_IDS, OWED_ACKS
from ..pings import Pings
from .base import Base

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Deque, List, Sequence

    from ..messages import Message


class Acknowledging(Base):
    """What is owed to the daemon for messages that it handed out."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        #: Message ids. A deque, because each of its steps is whole for every thread.
        self._owed: Deque[str] = deque(maxlen=OWED_ACKS)
        self._pings = Pings()

    def _acknowledge(self, found: Sequence[Message]) -> None:
        self._owed.extend(message.id for message in found)
        self._settle()

    def _settle(self) -> None:
        """Acknowledges what is owed. What cannot be said now is said before the next fetch, or at the end:
        the messages are with the caller, whatever becomes of the connection."""
        while True:
            ids = self._take_owed()
            if not ids:
                return
            try:
                self._call("ack", {"message_ids": ids, "handover": "shim"})
            except BaseException as error:
                self._owed.extendleft(reversed(ids))
                if isinstance(error, IpcError):
                    return
                raise

    def _take_owed(self) -> List[str]:
        ids: List[str] = []
        try:
            while len(ids) < ACK_IDS:
                ids.append(self._owed.popleft())
        except IndexError:
            pass
        return ids

    def _give_back(self, found: Sequence[Message]) -> None:
        """Ends the leases at once. Where that cannot be said they end by themselves."""
        if found:
            try:
                self._call("nack", {"message_ids": [message.id for message in found]})
            except IpcError:
                pass
