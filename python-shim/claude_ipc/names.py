"""Names, ids and recipients: parsed once, then right."""

from __future__ import annotations

from .errors import InvalidNameHere, UsageError

#: Names that nobody can have: they would read as the system, a person, or everybody.
RESERVED = frozenset(
    "system broadcast all everyone daemon root admin ipc human user".split()
)

# Texts are looked at without `re`: compiling patterns is what an import would take longest for.
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
#: 13 digits are 65 bits, and an id has 64: the last one is even.
_LAST_DIGITS = _DIGITS[::2]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_NAME_CHARS = 32
_ID_CHARS = 15


def parse_name(text: str) -> str:
    """``text``, if it is a name as a whole. Raises `InvalidNameHere`."""
    if not _is_spelled_as_name(text):
        raise InvalidNameHere("a name is 1 to 32 letters, digits, `_` or `-`")
    if text.lower() in RESERVED:
        raise InvalidNameHere("this name is reserved")
    return text


def is_name(text: object) -> bool:
    """Whether ``text`` is a name."""
    return _is_spelled_as_name(text) and str(text).lower() not in RESERVED


def is_agent_id(text: object) -> bool:
    """Whether ``text`` is an agent's id, in its one spelling."""
    return _is_id(text, "a.")


def is_message_id(text: object) -> bool:
    """Whether ``text`` is a message's id, in its one spelling."""
    return _is_id(text, "m.")


def is_conversation_id(text: object) -> bool:
    """Whether ``text`` is a conversation's id, in its one spelling."""
    return _is_id(text, "c.")


def parse_recipient(text: str) -> str:
    """``text``, if it is ``all``, an agent's or a conversation's id, or a name. Raises `InvalidNameHere`."""
    if isinstance(text, str) and text.lower() == "all":
        return "all"
    return text if is_conversation_id(text) else parse_agent(text)


def parse_agent(text: str) -> str:
    """``text``, if it is an agent's id or a name. Raises `InvalidNameHere`."""
    return text if is_agent_id(text) else parse_name(text)


def parse_conversation_id(text: str) -> str:
    """``text``, if it is a conversation's id. Raises `UsageError`."""
    if not is_conversation_id(text):
        raise UsageError("a conversation's id is `c.` and 13 of 0-9a-v")
    return text


def parse_message_id(text: str) -> str:
    """``text``, if it is a message's id. Raises `UsageError`."""
    if not is_message_id(text):
        raise UsageError("a message's id is `m.` and 13 of 0-9a-v")
    return text


def same(one: str, other: str) -> bool:
    """Whether both are the same name, whatever their case."""
    return one.lower() == other.lower()


def _is_spelled_as_name(text: object) -> bool:
    return isinstance(text, str) and 1 <= len(text) <= _NAME_CHARS and not text.strip(_LETTERS)


def _is_id(text: object, prefix: str) -> bool:
    if not isinstance(text, str) or len(text) != _ID_CHARS or not text.startswith(prefix):
        return False
    return not text[2:].strip(_DIGITS) and text[-1] in _LAST_DIGITS
