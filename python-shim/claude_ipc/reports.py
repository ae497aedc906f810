"""What the daemon reports of agents, deliveries and itself. Times as in `claude_ipc.messages`."""

from __future__ import annotations

from .records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from .reader import Reader


@record(frozen=True)
class Registered:
    """An agent that is registered now; the credentials are in its file, not here.

    ``waiting``: messages that can be fetched. ``online``: names of others, at most 64. ``version``: of
    the daemon's program.
    """

    agent_id: str
    name: str
    incarnation: int
    waiting: int
    online: List[str]
    session_expires_ms: int
    version: str


@record(frozen=True)
class Agent:
    """A row of `Client.list`. ``presence``: ``live``, ``online``, ``idle`` or ``offline``. ``status`` and
    ``summary`` are the agent's text: show them as data."""

    agent_id: str
    name: str
    presence: str
    last_seen_ms: int
    is_self: bool
    status: Optional[str]
    summary: Optional[str]
    capabilities: List[str]


@record(frozen=True)
class Described:
    """What an agent says of itself."""

    name: str
    status: Optional[str]
    summary: Optional[str]
    capabilities: List[str]


@record(frozen=True)
class Freeze:
    """That an operator has stopped the agent (``whom``: ``agent``) or all (``everybody``); its mail waits."""

    whom: str
    since_ms: int


@record(frozen=True)
class Freezes:
    """Who is frozen. ``everybody_since_ms``: ``None`` unless everybody is. ``you``: this agent's freeze."""

    agents: int
    everybody_since_ms: Optional[int]
    you: Optional[Freeze]


@record(frozen=True)
class Whoami:
    """The agent itself. ``aliases``: old names that still forward. ``muted``: how many of those that wait are
    of agents that it has muted. ``frozen``: ``None`` unless an operator has frozen it."""

    agent_id: str
    name: str
    incarnation: int
    aliases: List[str]
    registered_ms: int
    sessions: int
    session_expires_ms: int
    waiting: int
    muted: int
    status: Optional[str]
    summary: Optional[str]
    capabilities: List[str]
    frozen: Optional[Freeze]


@record(frozen=True)
class Renamed:
    """``forwards_until_ms`` is ``None`` when only the case changed. ``adopted``: messages that waited for
    the new name; ``told``: agents that were told."""

    old_name: str
    name: str
    forwards_until_ms: Optional[int]
    adopted: int
    told: int


@record(frozen=True)
class Delivery:
    """How far a message has come for one recipient. ``state``: ``stored``, ``offered``, ``delivered``,
    ``answered`` (``answered_by`` is the first final reply), ``expired`` or ``refused``."""

    to: str
    state: str
    offers: int
    offered_ms: Optional[int]
    delivered_ms: Optional[int]
    handover: Optional[str]
    answered_ms: Optional[int]
    answered_by: Optional[str]
    ended_ms: Optional[int]
    reason: Optional[str]


@record(frozen=True)
class Receipt:
    """What became of one message that you sent."""

    message_id: str
    sent_ms: int
    kind: str
    deliveries: List[Delivery]


@record(frozen=True)
class DeadLetter:
    """A delivery that ended. ``state``: ``expired`` or ``refused``."""

    message_id: str
    to: str
    state: str
    reason: str
    ended_ms: int


@record(frozen=True)
class AutoCheck:
    """``mode``: ``arrival``, ``every`` (with ``minutes``) or ``off``."""

    mode: str
    minutes: Optional[int]
    started_ms: Optional[int]
    last_told_ms: Optional[int]
    next_ms: Optional[int]


@record(frozen=True)
class Status:
    """How the daemon is. ``all``: every field of docs/PROTOCOL.md, `status`, as it came."""

    version: str
    protocol: int
    pid: int
    enrolment: str
    agents: int
    live: int
    messages: int
    waiting: int
    frozen: Freezes
    all: Dict[str, Any]


def registered(reader: Reader) -> Registered:
    """Opens a registration; the tokens are for `claude_ipc.front`."""
    return Registered(
        agent_id=reader.agent_id("agent_id"),
        name=reader.name("name"),
        incarnation=reader.whole("incarnation"),
        waiting=reader.whole("waiting"),
        online=reader.names("online"),
        session_expires_ms=reader.time("abs_expires_ms"),
        version=reader.maybe(reader.text, "version") or "",
    )


def agent(reader: Reader) -> Agent:
    """Opens a row of `list`."""
    return Agent(
        reader.agent_id("agent_id"),
        reader.name("name"),
        reader.text("presence"),
        reader.time("last_seen_ms"),
        reader.flag("is_self"),
        *_said_of_itself(reader),
    )


def described(reader: Reader) -> Described:
    """Opens `describe`."""
    return Described(reader.name("name"), *_said_of_itself(reader))


def _said_of_itself(reader: Reader) -> Tuple[Optional[str], Optional[str], List[str]]:
    status = reader.maybe(reader.text, "status")
    return status, reader.maybe(reader.text, "summary"), reader.texts("capabilities")


def whoami(reader: Reader) -> Whoami:
    """Opens `whoami`."""
    return Whoami(
        reader.agent_id("agent_id"),
        reader.name("name"),
        reader.whole("incarnation"),
        reader.names("aliases"),
        reader.time("registered_ms"),
        reader.whole("sessions"),
        reader.time("session_expires_ms"),
        reader.whole("waiting"),
        reader.maybe(reader.whole, "muted") or 0,
        *_said_of_itself(reader),
        frozen=_freeze(reader, "frozen"),
    )


def renamed(reader: Reader) -> Renamed:
    """Opens `rename`."""
    return Renamed(
        reader.name("old_name"),
        reader.name("name"),
        reader.maybe(reader.time, "forwards_until_ms"),
        reader.whole("adopted"),
        reader.whole("told"),
    )


def receipt(reader: Reader) -> Receipt:
    """Opens a row of `receipts`."""
    return Receipt(
        reader.message_id("message_id"),
        reader.time("sent_ms"),
        reader.text("kind"),
        reader.each("deliveries", delivery),
    )


def delivery(reader: Reader) -> Delivery:
    """Opens how far a message has come for one recipient."""

    def time(key: str) -> Optional[int]:
        return reader.maybe(reader.time, key)

    return Delivery(
        to=reader.name("to"),
        state=reader.text("state"),
        offers=reader.whole("offers"),
        offered_ms=time("offered_ms"),
        delivered_ms=time("delivered_ms"),
        handover=reader.maybe(reader.text, "handover"),
        answered_ms=time("answered_ms"),
        answered_by=reader.maybe(reader.message_id, "answered_by"),
        ended_ms=time("ended_ms"),
        reason=reader.maybe(reader.text, "reason"),
    )


def dead_letter(reader: Reader) -> DeadLetter:
    """Opens a row of `dead_letters`."""
    return DeadLetter(
        reader.message_id("message_id"),
        reader.name("to"),
        reader.text("state"),
        reader.text("reason"),
        reader.time("ended_ms"),
    )


def auto_check(reader: Reader) -> AutoCheck:
    """Opens `auto_check`."""
    return AutoCheck(
        reader.text("mode"),
        reader.maybe(reader.whole, "minutes"),
        reader.maybe(reader.time, "started_ms"),
        reader.maybe(reader.time, "last_told_ms"),
        reader.maybe(reader.time, "next_ms"),
    )


def status(reader: Reader) -> Status:
    """Opens `status`."""
    return Status(
        version=reader.text("version"),
        protocol=reader.whole("protocol"),
        pid=reader.whole("pid"),
        enrolment=reader.text("enrolment"),
        agents=reader.whole("agents"),
        live=reader.whole("live"),
        messages=reader.whole("messages"),
        waiting=reader.whole("waiting"),
        frozen=_freezes(reader.maybe(reader.inner, "frozen")),
        all=reader.raw,
    )


def _freeze(reader: Reader, key: str) -> Optional[Freeze]:
    inner = reader.maybe(reader.inner, key)
    return None if inner is None else Freeze(inner.text("whom"), inner.time("since_ms"))


def _freezes(reader: Optional[Reader]) -> Freezes:
    if reader is None:
        return Freezes(0, None, None)
    everybody = reader.maybe(reader.time, "everybody_since_ms")
    return Freezes(reader.whole("agents"), everybody, _freeze(reader, "you"))
