"""Records: as frozen dataclasses, without what it costs to import `dataclasses` and to make each class.

`dataclasses.asdict`, `fields` and `replace` work on them all the same.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass as record
    from typing import Any, Callable
else:

    def record(frozen: bool) -> Callable[[type], type]:
        """Makes a class a record of the fields that it annotates: all required, none ever changed."""
        assert frozen, "records do not change"
        return _make

    def _make(kind: type) -> type:
        kind.__match_args__ = tuple(kind.__annotations__)
        kind.__dataclass_fields__ = _Fields()
        for method in (__init__, __repr__, __eq__, __hash__, __setattr__, __delattr__):
            if kind.__dict__.get(method.__name__) is None:
                setattr(kind, method.__name__, method)
        return kind


__all__ = ["record"]


class _Fields:
    """What `dataclasses` looks for, made when it does."""

    def __get__(self, _record: object, kind: type) -> Any:
        import dataclasses

        like = dataclasses.make_dataclass(kind.__name__, _names(kind), frozen=True)
        return like.__dataclass_fields__  # type: ignore[attr-defined]


def _names(thing: Any) -> Any:
    return thing.__match_args__


def __init__(self: object, *values: object, **named: object) -> None:
    names = _names(self)
    given = dict(zip(names, values))
    if len(values) > len(names) or given.keys() & named.keys() or {*given, *named} != {*names}:
        raise TypeError(f"{type(self).__name__} takes {', '.join(names)}, each of them once")
    self.__dict__.update(given, **named)


def __repr__(self: object) -> str:
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in _names(self))
    return f"{type(self).__name__}({values})"


def __eq__(self: object, other: object) -> bool:
    if type(other) is not type(self):
        return NotImplemented
    return self.__dict__ == other.__dict__


def __hash__(self: object) -> int:
    return hash(tuple(getattr(self, name) for name in _names(self)))


def __setattr__(self: object, name: str, _value: object) -> None:
    raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")


def __delattr__(self: object, name: str) -> None:
    raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")
