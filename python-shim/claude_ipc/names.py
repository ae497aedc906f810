"""Names, ids and recipients: parsed once, then right."""

from __future__ import annotations

import re

from .errors import InvalidNameHere, UsageError

#: Names that nobody can have: they would read as the system, a person, or everybody.
RESERVED = frozenset(
    "system broadcast all everyone daemon root admin ipc human user".split()
)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
_AGENT_ID = re.compile(r"a\.[0-9a-v]{12}[02468acegikmoqsu]\Z")
_MESSAGE_ID = re.compile(r"m\.[0-9a-v]{12}[02468acegikmoqsu]\Z")


def parse_name(text: str) -> str:
    """``text``, if it is a name as a whole. Raises `InvalidNameHere`."""
    if not isinstance(text, str) or not _NAME.match(text):
        raise InvalidNameHere("a name is 1 to 32 letters, digits, `_` or `-`")
    if text.lower() in RESERVED:
        raise InvalidNameHere("this name is reserved")
    return text


def is_name(text: object) -> bool:
    """Whether ``text`` is a name."""
    return isinstance(text, str) and bool(_NAME.match(text)) and text.lower() not in RESERVED


def is_agent_id(text: object) -> bool:
    """Whether ``text`` is an agent's id, in its one spelling."""
    return isinstance(text, str) and bool(_AGENT_ID.match(text))


def is_message_id(text: object) -> bool:
    """Whether ``text`` is a message's id, in its one spelling."""
    return isinstance(text, str) and bool(_MESSAGE_ID.match(text))


def parse_recipient(text: str) -> str:
    """``text``, if it is ``all``, an agent's id or a name. Raises `InvalidNameHere`."""
    if isinstance(text, str) and text.lower() == "all":
        return "all"
    return text if is_agent_id(text) else parse_name(text)


def parse_message_id(text: str) -> str:
    """``text``, if it is a message's id. Raises `UsageError`."""
    if not is_message_id(text):
        raise UsageError("a message's id is `m.` and 13 of 0-9a-v")
    return text


def same(one: str, other: str) -> bool:
    """Whether both are the same name, whatever their case."""
    return one.lower() == other.lower()
