"""Turning the shared secret into a key, slowly, with floors and ceilings.

A false server chooses the parameters it asks for. Under the floors the proof would be cheap to crack;
over the ceilings the client would work without end. Only scrypt (RFC 7914) is offered: Python's
library has no Argon2.
"""

from __future__ import annotations

import hashlib
import re

from .errors import NoScrypt, UnsafeDerivation
from .limits import OFFERED
from .secret import SharedSecret

_SCRYPT = re.compile(r"n=([1-9][0-9]{0,9}),r=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,9})\Z")
_COSTS = (32_768, 65_536, 131_072)
_BLOCK = 8
_LANES = range(1, 6)
_SALT_BYTES = range(16, 33)
#: What OpenSSL may use: 128 × r × (n + p + 2) bytes at the ceilings, and some more.
_MEMORY = 160 * 1_024 * 1_024


def require_scrypt() -> None:
    """Raises `NoScrypt` where this Python cannot do it: said before a word is sent."""
    if not hasattr(hashlib, "scrypt"):
        raise NoScrypt("this Python has no hashlib.scrypt, so it cannot prove the shared secret")


def derive(secret: SharedSecret, kdf: str, params: str, salt: bytes) -> bytes:
    """The key of 32 bytes. Takes a third of a second with the usual parameters.

    Raises `UnsafeDerivation` outside the bounds, `NoScrypt` where Python lacks it.
    """
    numbers = _SCRYPT.match(params)
    if kdf not in OFFERED or numbers is None or len(salt) not in _SALT_BYTES:
        raise UnsafeDerivation()
    cost, block, lanes = (int(number) for number in numbers.groups())
    if cost not in _COSTS or block != _BLOCK or lanes not in _LANES:
        raise UnsafeDerivation()
    require_scrypt()
    try:
        return hashlib.scrypt(
            secret.expose(), salt=salt, n=cost, r=block, p=lanes, maxmem=_MEMORY, dklen=32
        )
    except ValueError:
        # As where OpenSSL allows only what FIPS 140 approves.
        pass
    raise NoScrypt("the OpenSSL of this Python refuses scrypt, so it cannot prove the shared secret")
