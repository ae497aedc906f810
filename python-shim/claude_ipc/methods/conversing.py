"""Conversations: groups are made, joined by who is brought in, and left. What is said there goes by `send`."""

from __future__ import annotations

import os

from .. import names
from ..errors import ProtocolError
from .base import Base

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Sequence

    from .. import talks

_NONE: Sequence[str] = ()


class Conversing(Base):
    """The methods about conversations.

    Two agents have one from their first message; a group is made. A conversation that this agent is not in is a
    `NotFound`, whether it exists or not. Members hear of changes by the daemon's notices.
    """

    def create_conversation(
        self, title: str, members: Sequence[str] = _NONE, *, idempotency_key: Optional[str] = None
    ) -> talks.Conversation:
        """Makes a group of this agent and ``members``, all or nothing.

        ``title``: one line, at most 128 bytes. The same key and title again: the same group; another title is
        a `Conflict`. Raises `UnknownRecipient`, `TooLarge` (too many members or groups), `Malformed` (no
        title), `Forbidden` (a token in it), `RateLimited`.
        """
        key = idempotency_key if idempotency_key is not None else "shim-" + os.urandom(16).hex()
        params = {"title": title, "members": _names(members), "idempotency_key": key}
        return self._one("create", params)

    def add_to_conversation(self, conversation_id: str, members: Sequence[str]) -> talks.Conversations:
        """Brings agents into a group; ``added`` says which were not in it before.

        Raises `NotFound`, `UnknownRecipient`, `TooLarge`, `Conflict` (between two agents), `RateLimited`.
        """
        params = {**_id(conversation_id), "names": _names(members)}
        return self._converse("add", params)

    def leave_conversation(self, conversation_id: str) -> talks.Conversation:
        """Leaves a group: what was said before is kept, nothing comes after.

        Never made twice: after `ConnectionLost`, `conversations` says whether it was done. Raises `NotFound`,
        `Conflict` (between two agents).
        """
        return self._one("leave", _id(conversation_id), again=False)

    def conversation(self, conversation_id: str) -> talks.Conversation:
        """A conversation with all its members. Raises `NotFound`."""
        return self._one("members", _id(conversation_id))

    def conversations(self, limit: int = 20) -> talks.Conversations:
        """This agent's conversations, the latest first. ``limit``: 1 to 500; more are 500."""
        return self._converse("list", {"limit": limit})

    def _one(self, action: str, params: Dict[str, Any], again: bool = True) -> talks.Conversation:
        found = self._converse(action, params, again).conversations
        if len(found) != 1:
            raise ProtocolError("the daemon answered about another conversation")
        return found[0]

    def _converse(
        self, action: str, params: Dict[str, Any], again: bool = True
    ) -> talks.Conversations:
        from .. import talks

        return talks.conversations(self._call("conversation", {"action": action, **params}, again))


def _id(conversation_id: str) -> Dict[str, str]:
    return {"conversation_id": names.parse_conversation_id(conversation_id)}


def _names(members: Sequence[str]) -> Any:
    # A single name would be taken apart into its letters.
    rows = [members] if isinstance(members, str) else members
    return [names.parse_name(name) for name in rows]
