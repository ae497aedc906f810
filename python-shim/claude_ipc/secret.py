"""The shared secret of a deployment."""

from __future__ import annotations

from .errors import NoSecret
from .limits import SECRET_BYTES


class SharedSecret:
    """What every agent of a deployment must know to enrol: 8 to 1,024 bytes, no NUL.

    One newline at the end is not part of it. Never shown: ``repr`` hides it, and it cannot be pickled.
    """

    __slots__ = ("_bytes",)

    #: What `hello` calls it, and the public id that goes with it: there is none.
    kind = "secret"
    sid = None

    def __init__(self, raw: bytes) -> None:
        if raw[-1:] == b"\n":
            raw = raw[:-1]
        shortest, _, longest = SECRET_BYTES
        hint = "a secret is 8 to 1024 bytes without NUL, better 16 up"
        if len(raw) < shortest:
            raise NoSecret("the shared secret is shorter than 8 bytes", hint)
        if len(raw) > longest:
            raise NoSecret("the shared secret is longer than 1024 bytes", hint)
        if 0 in raw:
            raise NoSecret("the shared secret holds a NUL byte", hint)
        self._bytes = raw

    def expose(self) -> bytes:
        """The bytes, for deriving the key and for nothing else."""
        return self._bytes

    def key_for(self, kdf: str, params: str, salt: bytes) -> bytes:
        """The key that a challenge asks for. Raises `UnsafeDerivation` outside the bounds, `NoScrypt`."""
        from .kdf import derive

        return derive(self, kdf, params, salt)

    @property
    def is_weak(self) -> bool:
        """Whether it is under 16 bytes, so that whoever set it should be warned."""
        return len(self._bytes) < SECRET_BYTES[1]

    def __repr__(self) -> str:
        return "SharedSecret(…)"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")
