"""Sending. Everything here carries an idempotency key, so that a call can be made again."""

from __future__ import annotations

import os

from .. import names
from .base import Base, about

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

    from .. import messages


class Sending(Base):
    """The methods that store a message. Each returns once it is on disk, flushed.

    ``text``: not empty; with ``data`` (an object of JSON, at most 14 levels deep) at most 1,048,576 bytes.
    ``idempotency_key``: 1 to 128 printable ASCII characters; the same key with the same content stores
    nothing again (``Sent.duplicate``), with other content it is a `Conflict`. Without it one is made.

    All of them raise `UsageError` for what is no JSON, `TooLarge`, `MailboxFull`, `RateLimited`,
    `LoopDetected`, `Forbidden` (a token in the body), `Blocked` and `Unavailable` (no space on the disk).
    """

    def send(
        self,
        to: str,
        text: str,
        *,
        data: Optional[Dict[str, Any]] = None,
        kind: str = "message",
        reply_to: Optional[str] = None,
        known_only: bool = False,
        idempotency_key: Optional[str] = None,
    ) -> messages.Sent:
        """Sends ``text`` to a name, an agent's id, a conversation's id (everybody else who is in it), or ``all``.

        ``kind``: ``message``, ``request``, ``response``, ``ping``, ``ack``, ``task_proposal`` or
        ``task_accept``; `Malformed` or `Conflict` where ``reply_to`` is not what such a kind answers. ``reply_to``: the id of a message that this agent sent or received.
        ``known_only`` refuses a name that nobody has, with `UnknownRecipient`; else mail to it is kept for
        whoever claims it. Raises also `InvalidNameHere`, `NotFound` (``reply_to``, or a conversation that
        this agent is not in), and as `Sending`.
        """
        params: Dict[str, Any] = {"to": names.parse_recipient(to), "text": text, "kind": kind}
        if known_only:
            params["known_only"] = True
        if reply_to is not None:
            params["reply_to"] = names.parse_message_id(reply_to)
        return self._post("send", params, data, idempotency_key)

    def broadcast(
        self,
        text: str,
        *,
        data: Optional[Dict[str, Any]] = None,
        idempotency_key: Optional[str] = None,
    ) -> messages.Sent:
        """Sends to everybody who was here in the last 24 hours.

        Raises `UnknownRecipient` where nobody was, `TooLarge` where they are too many, and as `Sending`.
        """
        params = {"to": "all", "text": text, "kind": "message"}
        return self._post("send", params, data, idempotency_key)

    def reply(
        self,
        text: str,
        message_id: Optional[str] = None,
        *,
        final: bool = True,
        private: bool = False,
        data: Optional[Dict[str, Any]] = None,
        idempotency_key: Optional[str] = None,
    ) -> messages.Sent:
        """Answers a message; without an id the last one that was taken from an agent.

        It goes to the group that the message was said in, else, and always with ``private``, to its
        sender. With ``final=False`` more of the answer is to come: whoever asked goes on waiting.
        Raises `NotFound` where there is no such message, or this agent has left the group, and as `Sending`.
        """
        params: Dict[str, Any] = {"text": text, **about(message_id)}
        if private:
            params["private"] = True
        if not final:
            params["final"] = False
        return self._post("reply", params, data, idempotency_key)

    def forward(
        self, to: str, message_id: Optional[str] = None, *, idempotency_key: Optional[str] = None
    ) -> messages.Sent:
        """Passes a message on whole; without an id the last one that was taken from an agent.

        Raises `NotFound` where there is none, and as `Sending`.
        """
        params = {"to": names.parse_recipient(to), **about(message_id)}
        return self._post("forward", params, None, idempotency_key)

    def _post(
        self, method: str, params: Dict[str, Any], data: Optional[Dict[str, Any]], key: Optional[str]
    ) -> messages.Sent:
        from .. import messages

        if data is not None:
            params["data"] = data
        params["idempotency_key"] = key if key is not None else "shim-" + os.urandom(16).hex()
        return messages.sent(self._call(method, params))
