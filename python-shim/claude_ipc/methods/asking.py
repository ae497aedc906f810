"""Asking: sending, and waiting for the answers, interim ones included, until nobody is left who may answer."""

from __future__ import annotations

import time

from .. import names
from ..errors import ConnectionLost, NotRunning, Unavailable
from ..limits import FETCH_MESSAGES
from ..records import record
from .receiving import Receiving, wanted
from .sending import Sending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

    from ..messages import Message, Sent
    from ..waiting import Fetched

#: What a wait for answers meets when the daemon has stopped: what was asked is stored all the same.
STOPPED = (ConnectionLost, NotRunning, Unavailable)


@record(frozen=True)
class Answers:
    """What a question came to. ``answers``: in the order in which they came, each once.

    ``ended``: ``answered`` (everybody has, not only ``interim``), ``recipient_gone`` (whoever has not answered
    has gone), ``timed_out``, or ``shutting_down`` (the daemon stopped and did not come back). In each case the
    question is stored, and later answers come as mail.
    """

    message_id: str
    answers: List[Message]
    ended: str

    @property
    def final(self) -> List[Message]:
        """The answers that are not ``interim``."""
        return [one for one in self.answers if not one.interim]


class Asking(Receiving, Sending):
    """The methods that wait for answers. Other mail stays where it is."""

    def ask(
        self,
        to: str,
        text: str,
        wait: float = 60.0,
        *,
        kind: str = "request",
        data: Optional[Dict[str, Any]] = None,
        heard: Optional[Callable[[Message], object]] = None,
        reply_to: Optional[str] = None,
        known_only: bool = False,
        idempotency_key: Optional[str] = None,
    ) -> Answers:
        """Sends ``text`` as `send` does, and waits at most ``wait`` seconds for the answers of everybody whom it
        went to. Raises as `send`; then as `answers`.
        """
        gathering = Gathering(wait)
        sent = self.send(
            to,
            text,
            kind=kind,
            data=data,
            reply_to=reply_to,
            known_only=known_only,
            idempotency_key=idempotency_key,
        )
        return self._gather(gathering.about(sent), heard)

    def answers(
        self,
        message_id: str,
        wait: float = 0.0,
        heard: Optional[Callable[[Message], object]] = None,
    ) -> Answers:
        """Waits at most ``wait`` seconds for answers to a message that this agent sent.

        ``heard`` is called with each as it comes. All are acknowledged when this returns, and given back when it
        raises; those that were taken before are not among them.
        """
        gathering = Gathering(wait)
        gathering.message_id = names.parse_message_id(message_id)
        return self._gather(gathering, heard)

    def _gather(
        self, gathering: Gathering, heard: Optional[Callable[[Message], object]]
    ) -> Answers:
        try:
            while gathering.ended is None:
                try:
                    fetched = self._fetch(None, gathering.wanted(), gathering.wait())
                except STOPPED:
                    gathering.ended = "shutting_down"
                    break
                for one in gathering.take(fetched):
                    if heard is not None:
                        heard(one)
        except BaseException:
            self._give_back(gathering.found)
            raise
        self._acknowledge(gathering.found)
        return gathering.end()


class Gathering:
    """The answers so far, and whether more are waited for."""

    def __init__(self, wait: float) -> None:
        from ..waiting import seconds

        self._deadline = time.monotonic() + seconds(wait)
        self.message_id = ""
        self.found: List[Message] = []
        self.ended: Optional[str] = None
        self._is_for_one = False

    def about(self, sent: Sent) -> Gathering:
        """From now on these are answers to what was sent."""
        self.message_id = sent.message_id
        self._is_for_one = len(sent.recipients) == 1
        return self

    def wanted(self) -> Dict[str, Any]:
        """The parameters of `fetch`."""
        return wanted(FETCH_MESSAGES, self.message_id, False)

    def wait(self) -> float:
        """How long the next call may wait, in seconds."""
        return max(0.0, self._deadline - time.monotonic())

    def take(self, fetched: Fetched) -> List[Message]:
        """Keeps what came; those that are new. What is kept for longer than its lease comes again."""
        known = {one.id for one in self.found}
        new = [one for one in fetched.messages if one.id not in known]
        self.found += new
        if fetched.ended not in (None, "timed_out"):
            self.ended = fetched.ended
        elif self._is_for_one and any(not one.interim for one in new):
            # An older daemon does not say that all have answered.
            self.ended = "answered"
        elif self.wait() <= 0.0:
            self.ended = "timed_out"
        return new

    def end(self) -> Answers:
        """What it came to."""
        return Answers(self.message_id, list(self.found), self.ended or "timed_out")
