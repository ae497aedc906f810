"""Conversations, past mail and boundaries, as the daemon reports them. Times as in `claude_ipc.messages`."""

from __future__ import annotations

from .messages import message
from .records import record
from .reports import delivery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

    from .messages import Message
    from .reader import Reader
    from .reports import Delivery


@record(frozen=True)
class Conversation:
    """A conversation. ``title``: a peer's text; ``None`` between two agents. ``members``: names, of which a list
    shows five, and ``more_members`` are not shown. ``unread``: its messages that wait for this agent."""

    id: str
    title: Optional[str]
    members: List[str]
    more_members: int
    unread: int
    last_ms: Optional[int]


@record(frozen=True)
class Conversations:
    """What a request about conversations came to: the one in question, or those of the list. ``total``: how many
    this agent is in; ``added``: names that were not in it before."""

    conversations: List[Conversation]
    total: int
    added: List[str]


@record(frozen=True)
class Entry:
    """A row of `Client.history`. ``direction``: ``sent`` or ``received``. ``deliveries``: of each recipient, or of
    this agent alone."""

    direction: str
    message: Message
    deliveries: List[Delivery]


@record(frozen=True)
class History:
    """Past mail, oldest first. ``next_before``: the ``before`` that continues with older messages. ``waiting``:
    messages that `Client.check` gives, none of them here."""

    entries: List[Entry]
    next_before: Optional[str]
    waiting: int


@record(frozen=True)
class Rule:
    """What this agent decided about another one. ``rule``: ``block``, ``mute`` or ``allow``."""

    agent_id: str
    name: str
    rule: str
    since_ms: int


@record(frozen=True)
class Held:
    """Mail of an agent that is kept outside the mailbox."""

    agent_id: str
    name: str
    messages: int
    latest_ms: int


@record(frozen=True)
class Boundaries:
    """Whose mail this agent takes. ``released`` and ``refused``: how much held mail the request took in or
    refused."""

    allow_only: bool
    rules: List[Rule]
    held: List[Held]
    released: int
    refused: int


def conversations(reader: Reader) -> Conversations:
    """Opens `conversation`."""
    return Conversations(
        reader.each("conversations", _conversation),
        reader.whole("total"),
        reader.names("added"),
    )


def history(reader: Reader) -> History:
    """Opens `history`."""
    return History(
        reader.each("entries", _entry),
        reader.maybe(reader.message_id, "next_before"),
        reader.whole("waiting"),
    )


def boundaries(reader: Reader) -> Boundaries:
    """Opens `boundaries`."""
    return Boundaries(
        reader.flag("allow_only"),
        reader.each("rules", _rule),
        reader.each("held", _held),
        reader.whole("released"),
        reader.whole("refused"),
    )


def _conversation(reader: Reader) -> Conversation:
    return Conversation(
        id=reader.conversation_id("id"),
        title=reader.maybe(reader.text, "title"),
        members=reader.names("members"),
        more_members=reader.maybe(reader.whole, "more_members") or 0,
        unread=reader.whole("unread"),
        last_ms=reader.maybe(reader.time, "last_ms"),
    )


def _entry(reader: Reader) -> Entry:
    return Entry(
        reader.text("direction"),
        message(reader.inner("message")),
        reader.each("deliveries", delivery),
    )


def _rule(reader: Reader) -> Rule:
    return Rule(
        reader.agent_id("agent_id"), reader.name("name"), reader.text("rule"), reader.time("since_ms")
    )


def _held(reader: Reader) -> Held:
    return Held(
        reader.agent_id("agent_id"),
        reader.name("name"),
        reader.whole("messages"),
        reader.time("latest_ms"),
    )
