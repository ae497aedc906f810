"""base64url (RFC 4648 section 5) without padding and with one spelling only."""

from __future__ import annotations

import binascii

_TO_URL = bytes.maketrans(b"+/", b"-_")
#: What is no letter of base64url becomes a byte that base64 refuses.
_FROM_URL = bytes.maketrans(b"-_+/=\n", b"+/\0\0\0\0")


def encode(data: bytes) -> str:
    """``data`` as text."""
    text = binascii.b2a_base64(data, newline=False)
    return text.translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes that ``text`` spells. Raises `ValueError` for any but the one spelling of them."""
    padding = b"=" * (-len(text) % 4)
    data = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + padding)
    # base64's own reader passes over what it does not know.
    if encode(data) != text:
        raise ValueError("not base64url in its one spelling")
    return data
