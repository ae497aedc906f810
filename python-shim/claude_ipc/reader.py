"""Opening replies: each field is what the protocol says, or the reply is not of this protocol.

Fields that are not asked for are passed over, so that a newer daemon serves this client.
"""

from __future__ import annotations

from .limits import LATEST_MS
from .names import is_agent_id, is_conversation_id, is_message_id, is_name
from .wire import not_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, TypeVar

    T = TypeVar("T")


class Reader:
    """One object of a reply. Every method raises `ProtocolError` for a field of another kind."""

    def __init__(self, raw: Any) -> None:
        if not isinstance(raw, dict):
            raise not_ours()
        self.raw = raw

    def text(self, key: str) -> str:
        """A text."""
        return str(_must(self.raw.get(key), lambda value: isinstance(value, str)))

    def name(self, key: str) -> str:
        """A name."""
        return str(_must(self.raw.get(key), is_name))

    def agent_id(self, key: str) -> str:
        """An agent's id."""
        return str(_must(self.raw.get(key), is_agent_id))

    def message_id(self, key: str) -> str:
        """A message's id."""
        return str(_must(self.raw.get(key), is_message_id))

    def conversation_id(self, key: str) -> str:
        """A conversation's id."""
        return str(_must(self.raw.get(key), is_conversation_id))

    def whole(self, key: str) -> int:
        """A whole number, not negative."""
        return int(_must(self.raw.get(key), lambda value: type(value) is int and value >= 0))

    def time(self, key: str) -> int:
        """A time in milliseconds since 1970, in a year that a calendar can show."""
        return int(_must(self.raw.get(key), lambda value: type(value) is int and 0 <= value <= LATEST_MS))

    def flag(self, key: str) -> bool:
        """True or false; absent is false."""
        return bool(_must(self.raw.get(key, False), lambda value: isinstance(value, bool)))

    def maybe(self, read: Callable[[str], T], key: str) -> Optional[T]:
        """The field read by ``read``, or ``None`` where it is absent or null."""
        return None if self.raw.get(key) is None else read(key)

    def mapping(self, key: str) -> Dict[str, Any]:
        """An object, as it is."""
        return dict(_must(self.raw.get(key), lambda value: isinstance(value, dict)))

    def inner(self, key: str) -> "Reader":
        """An object to read on in."""
        return Reader(self.raw.get(key))

    def each(self, key: str, read: Callable[["Reader"], T]) -> List[T]:
        """A list of objects, each opened by ``read``."""
        rows = _must(self.raw.get(key), lambda value: isinstance(value, list))
        return [read(Reader(row)) for row in rows]

    def names(self, key: str) -> List[str]:
        """A list of names; absent is empty."""
        rows = _must(self.raw.get(key, []), lambda value: isinstance(value, list))
        return [_must(row, is_name) for row in rows]

    def texts(self, key: str) -> List[str]:
        """A list of texts; absent is empty."""
        rows = _must(self.raw.get(key, []), lambda value: isinstance(value, list))
        return [_must(row, lambda value: isinstance(value, str)) for row in rows]


def _must(value: Any, is_right: Callable[[Any], bool]) -> Any:
    if not is_right(value):
        raise not_ours()
    return value
