"""Receiving: messages are leased, handed over, and acknowledged; whatever breaks in between loses none."""

from __future__ import annotations

import time

from .. import names
from ..errors import ProtocolError, RateLimited
from ..limits import BODY_BYTES, PAUSE_S
from .acknowledging import Acknowledging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

    from ..messages import Message
    from ..waiting import Fetched, Wait


class Receiving(Acknowledging):
    """The methods that take mail.

    ``wait``: seconds, 0 or more; a wait outlives restarts of the daemon. ``limit``: how many at once, 1 to
    100; more are 100. One answer holds at most 131,072 bytes of text; what is over comes with the next.

    ``sender`` (a name or an agent's id), ``kind`` and ``conversation`` (an id) let only such messages through;
    the others stay where they are. They raise `UnknownRecipient` for a name that nobody has, `Malformed` for
    what is no kind, `NotFound` for a conversation that this agent is not in.

    Whoever waits answers pings, as programs do, and sees none of them, unless ``kind`` is ``ping``.
    """

    def check(
        self,
        wait: float = 0.0,
        limit: int = 20,
        peek: bool = False,
        *,
        sender: Optional[str] = None,
        kind: Optional[str] = None,
        conversation: Optional[str] = None,
    ) -> List[Message]:
        """What is new, oldest first, after waiting at most ``wait`` seconds for something to come.

        The messages are acknowledged (``shim``) when all of them are in this process's memory, as
        the last thing before this method returns. What happens to them afterwards is the caller's:
        where a crash must not swallow one, use `receiving` or `listen`. An interrupted wait
        acknowledges nothing. With ``peek`` nothing is taken, and nothing is waited for.
        """
        params = wanted(limit, None, peek, sender, kind, conversation)
        found = self._fetch(None, params, 0.0 if peek else wait).messages
        if not peek:
            self._acknowledge(found)
        return found

    def receiving(
        self,
        wait: float = 0.0,
        limit: int = 20,
        answers_to: Optional[str] = None,
        *,
        sender: Optional[str] = None,
        kind: Optional[str] = None,
        conversation: Optional[str] = None,
    ) -> Received:
        """As `check`, for a ``with`` block: the messages are acknowledged when the block has ended, and
        given back at once when it ends by an exception.

        They are leased for 60 seconds. A block that takes longer may see them offered to another
        front-end of the same agent, marked ``redelivered``; the acknowledgement counts all the same.
        ``answers_to``: only answers to this message.
        """
        return Received(self, wanted(limit, answers_to, False, sender, kind, conversation), wait)

    def listen(
        self,
        callback: Callable[[Message], Optional[bool]],
        timeout: Optional[float] = None,
        *,
        sender: Optional[str] = None,
        kind: Optional[str] = None,
        conversation: Optional[str] = None,
    ) -> int:
        """Calls ``callback`` for each message as it comes; how many there were.

        A message is acknowledged after the callback for it has returned, and given back when it
        raises, which also ends this. It ends as well when the callback returns ``False``, and after
        ``timeout`` seconds.
        """
        params = wanted(1, None, False, sender, kind, conversation)
        clock = Listening(timeout)
        while True:
            try:
                found = self._fetch(None, params, clock.wait()).messages
            except RateLimited as error:
                time.sleep(clock.pause(error))
                continue
            for one in found:
                clock.heard += 1
                if self._heard(callback, one) is False:
                    return clock.heard
            if not found and clock.is_over():
                return clock.heard

    def read(self, message_id: str) -> Message:
        """A message that was sent or received, whole, with its data. Raises `NotFound`."""
        from ..messages import Message, message

        message_id = names.parse_message_id(message_id)
        found, text, offset = None, "", 0
        while True:
            page = self._call("read", {"message_id": message_id, "offset": offset})
            part = message(page.inner("message"))
            found, text = found or part, text + part.text
            following = page.maybe(page.whole, "next_offset")
            if following is None:
                return Message(**{**vars(found), "text": text, "truncated": False})
            if not offset < following <= BODY_BYTES or len(text) > BODY_BYTES:
                # A daemon that never comes to an end must not fill our memory, nor hold us for ever.
                raise ProtocolError(f"the pages of {message_id} do not end")
            offset = following

    def _heard(self, callback: Callable[[Message], Optional[bool]], one: Message) -> Optional[bool]:
        try:
            goes_on = callback(one)
        except BaseException:
            self._give_back([one])
            raise
        self._acknowledge([one])
        return goes_on

    def _fetch(self, wait: Optional[Wait], params: Dict[str, Any], wait_s: float) -> Fetched:
        from ..waiting import Wait

        self._settle()
        return (wait or Wait()).fetch(self._pool, self._pings, params, wait_s)


class Received:
    """Messages for a ``with`` block: fetched at its beginning, acknowledged or given back at its end."""

    def __init__(self, client: Receiving, params: Dict[str, Any], wait_s: float) -> None:
        self._client = client
        self._params = params
        self._wait_s = wait_s
        self._found: List[Message] = []

    def __enter__(self) -> List[Message]:
        self._found = self._client._fetch(None, self._params, self._wait_s).messages
        # The caller's own list: whatever happens to it, what was taken is acknowledged.
        return list(self._found)

    def __exit__(self, kind: Optional[type], *_: object) -> None:
        if kind is None:
            self._client._acknowledge(self._found)
        else:
            self._client._give_back(self._found)


class Listening:
    """How long `listen` still goes on, and what it has heard."""

    def __init__(self, timeout: Optional[float]) -> None:
        from ..waiting import seconds

        self._deadline = None if timeout is None else time.monotonic() + seconds(timeout)
        self.heard = 0

    def wait(self) -> float:
        """How long the next call may wait, in seconds."""
        return self._at_most(float("inf"))

    def pause(self, error: RateLimited) -> float:
        """How long to leave a daemon alone that asked for it, in seconds."""
        return self._at_most(min((error.retry_after_ms or 1_000) / 1_000, PAUSE_S))

    def is_over(self) -> bool:
        """Whether its time is over."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _at_most(self, most: float) -> float:
        if self._deadline is None:
            return most
        return max(0.0, min(self._deadline - time.monotonic(), most))


def wanted(
    limit: int,
    answers_to: Optional[str],
    peek: bool,
    sender: Optional[str] = None,
    kind: Optional[str] = None,
    conversation: Optional[str] = None,
) -> Dict[str, Any]:
    """The parameters of `fetch`. Raises `UsageError` for what is no id and no name."""
    wanted: Dict[str, Any] = {"limit": limit, "peek": peek}
    if answers_to is not None:
        wanted["answers_to"] = names.parse_message_id(answers_to)
    if sender is not None:
        wanted["sent_by"] = names.parse_agent(sender)
    if kind is not None:
        wanted["kind"] = kind
    if conversation is not None:
        wanted["conversation"] = names.parse_conversation_id(conversation)
    return wanted
