"""Tokens: the credentials of a session and of an agent that comes back.

``ipcs_`` or ``ipcr_``, base64url of a public 16-byte id and a secret 32-byte key, ``_``, base64url of
the CRC-32 over prefix, id and key. The checksum is for scanners of leaked credentials; it proves nothing.
"""

from __future__ import annotations

import binascii
import hmac

from . import base64url
from .errors import UnsafeDerivation

_PREFIXES = {"ipcs_": "session", "ipcr_": "resume"}
_PAYLOAD_CHARS = 64


class InvalidToken(ValueError):
    """Not a token, or damaged; the text is not in the error."""


class Token:
    """A token. ``repr`` hides its key, and it cannot be pickled.

    ``kind``: ``session`` or ``resume``. ``sid``: the public id as text; it may be logged.
    """

    __slots__ = ("_key", "_text", "kind", "sid")

    def __init__(self, text: str) -> None:
        """Parses ``text``. Raises `InvalidToken` for anything but the one spelling of a token."""
        kind = _PREFIXES.get(text[:5]) if isinstance(text, str) else None
        if kind is None:
            raise InvalidToken("not a token")
        payload, check = text[5 : 5 + _PAYLOAD_CHARS], text[5 + _PAYLOAD_CHARS :]
        try:
            raw = base64url.decode(payload)
        except ValueError:
            raw = b""
        crc = binascii.crc32(text[:5].encode("ascii") + raw).to_bytes(4, "big")
        right = "_" + base64url.encode(crc)
        if len(raw) != 48 or not hmac.compare_digest(check.encode(), right.encode()):
            raise InvalidToken("not a token")
        self.kind = kind
        self.sid = base64url.encode(raw[:16])
        self._key = raw[16:]
        self._text = text

    @property
    def key(self) -> bytes:
        """The secret half, for the proof."""
        return self._key

    def key_for(self, kdf: str, params: str, salt: bytes) -> bytes:
        """The same, if that is what a challenge asks for. Raises `UnsafeDerivation`: nothing is derived."""
        if kdf != "none" or params or salt:
            raise UnsafeDerivation()
        return self._key

    def expose(self) -> str:
        """The text form: for the agent's own file and nothing else."""
        return self._text

    def __repr__(self) -> str:
        return f"Token({self.kind}, {self.sid}, …)"

    def __reduce__(self) -> str:
        raise TypeError("a token is not pickled")
