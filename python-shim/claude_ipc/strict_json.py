"""JSON, strictly: one object, no key twice, a bound on its depth, nothing that is no JSON.

Python's own reader lets the last of two equal keys win, takes ``NaN``, and recurses as deep as the
peer likes. Here such a payload is refused, in time and memory that grow with its length only.
"""

from __future__ import annotations

import json
import re

from .limits import NUMBER_DIGITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional


class NotStrict(ValueError):
    """The bytes are not a strict JSON object. Holds none of them, nor does any error behind it: they are a
    peer's, or credentials."""


#: What says how deep a place is, outside of texts. A pattern that `re` compiles when it is needed first.
_MARKS = rb'"|\\.|[\[\]{}]'
#: Longest fraction, in characters: a float needs 25, and reading a long one takes time.
_FRACTION_CHARS = 400
_INFINITE = float("inf")


def parse_object(payload: bytes, depth: int) -> dict[str, Any]:
    """The object in ``payload``, nested at most ``depth`` deep.

    Raises `NotStrict` for anything else.
    """
    _check_depth(payload, depth)
    value = _load(payload)
    # Raised here and not where Python's error is caught: that one holds the whole payload.
    if value is None:
        raise NotStrict("not a strict JSON object")
    return value


def encode(value: Any) -> bytes:
    """``value`` as compact JSON in UTF-8.

    Raises `ValueError` for what JSON cannot hold: NaN, infinity, half of a surrogate pair, an
    object that contains itself; `TypeError` for values of other types.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def _load(payload: bytes) -> Optional[dict[str, Any]]:
    try:
        value = json.loads(
            payload.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_constant,
        )
        if b"\\ud" in payload or b"\\uD" in payload:
            # Half of a pair is no character; Python would carry it until somebody writes it.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _check_depth(payload: bytes, most: int) -> None:
    if payload.count(b"[") + payload.count(b"{") <= most:
        return
    depth, in_text = 0, False
    for mark in re.finditer(_MARKS, payload, re.DOTALL):
        byte = mark.group()
        if byte == b'"':
            in_text = not in_text
        elif in_text or byte[:1] == b"\\":
            continue
        elif byte in b"[{":
            depth += 1
            if depth > most:
                raise NotStrict("nested too deep")
        else:
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise NotStrict("a key twice")
    return built


def _whole(digits: str) -> int:
    if len(digits) > NUMBER_DIGITS:
        raise NotStrict("a number that is too long")
    return int(digits)


def _fraction(digits: str) -> float:
    if len(digits) > _FRACTION_CHARS:
        raise NotStrict("a number that is too long")
    number = float(digits)
    if abs(number) == _INFINITE:
        raise NotStrict("a number that is too large")
    return number


def _constant(_name: str) -> Any:
    raise NotStrict("not JSON")
