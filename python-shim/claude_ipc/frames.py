"""Frames: a length, four bytes big-endian, and a payload. Without I/O."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


class BadLength(ValueError):
    """A length that is 0 or over the cap; found before the payload came."""


def encode(payload: bytes, cap: int) -> bytes:
    """``payload`` as a frame. Raises `BadLength` when it does not fit ``cap`` bytes."""
    if not 1 <= len(payload) <= cap:
        raise BadLength("the payload does not fit a frame")
    return len(payload).to_bytes(4, "big") + payload


class Decoder:
    """Cuts a stream of bytes into payloads. Holds at most one frame and one read."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._bytes = bytearray()

    def push(self, chunk: bytes) -> None:
        """Takes in what was read."""
        self._bytes += chunk

    def next_payload(self) -> Optional[bytes]:
        """The next whole payload, or ``None`` until it is there. Raises `BadLength`."""
        if len(self._bytes) < 4:
            return None
        length = int.from_bytes(self._bytes[:4], "big")
        if not 1 <= length <= self.cap:
            raise BadLength("a frame outside the range")
        if len(self._bytes) < 4 + length:
            return None
        payload = bytes(self._bytes[4 : 4 + length])
        del self._bytes[: 4 + length]
        return payload
