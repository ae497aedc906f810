"""The mutual proof: hello → challenge → proof → signature. Without I/O.

What always holds: nothing but ``hello`` is said before the challenge has been checked, and nothing
but the proof before the daemon's signature has been.
"""

from __future__ import annotations

import hmac

from . import base64url, proof
from .errors import OtherVersion, WrongPeer, WrongSignature
from .limits import OFFERED, PROTOCOL_VERSION
from .wire import not_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Protocol

    class Credential(Protocol):
        """A shared secret or a token. ``sid``: the public id of a token."""

        @property
        def kind(self) -> str: ...
        @property
        def sid(self) -> Optional[str]: ...
        def key_for(self, kdf: str, params: str, salt: bytes) -> bytes: ...



class Handshake:
    """One attempt to prove ``credential``. ``nonce``: 32 fresh random bytes."""

    def __init__(self, credential: Credential, nonce: bytes) -> None:
        self._credential = credential
        self._nonce = nonce

    def __repr__(self) -> str:
        return f"Handshake({self._credential!r})"

    def hello(self) -> dict[str, Any]:
        """The parameters of ``hello``."""
        hello: dict[str, Any] = {
            "v": PROTOCOL_VERSION,
            "cred": self._credential.kind,
            "cn": base64url.encode(self._nonce),
            "kdfs": list(OFFERED),
        }
        if self._credential.sid is not None:
            hello["id"] = self._credential.sid
        return hello

    def answer(
        self, challenge: dict[str, Any], seen: proof.Seen, any_pid: bool
    ) -> tuple[dict[str, Any], bytes]:
        """The parameters of ``authenticate``, and the signature that must come back.

        ``seen`` is what this kernel says; with ``any_pid`` the daemon may see another process id.
        Raises `Untrusted` when the challenge must not be answered, `ProtocolError` when it is none.
        """
        version = challenge.get("v")
        if type(version) is not int or version != PROTOCOL_VERSION:
            raise OtherVersion("the daemon speaks another version of the protocol")
        fields = self._fields(challenge)
        named = fields.peers
        same_uids = (named.client_uid, named.server_uid) == (seen.client_uid, seen.server_uid)
        if not same_uids or not (any_pid or named.client_pid == seen.client_pid):
            raise WrongPeer("the daemon sees another process than this one at the other end")
        key = self._credential.key_for(fields.kdf, fields.params, fields.salt)
        proved = proof.transcript(fields)
        answer = {"proof": base64url.encode(proof.prove(key, proved))}
        return answer, proof.sign(key, proved)

    def _fields(self, challenge: dict[str, Any]) -> proof.Fields:
        peer = challenge.get("peer")
        if not isinstance(peer, dict):
            raise not_ours()
        return proof.Fields(
            deployment=_bytes(challenge.get("dep"), 16),
            client_nonce=self._nonce,
            server_nonce=_bytes(challenge.get("sn"), 32),
            credential=self._credential.kind,
            key_id=_text(challenge.get("kid")),
            kdf=_text(challenge.get("kdf")),
            params=_text(challenge.get("params")),
            salt=_bytes(challenge.get("salt"), None),
            offered=OFFERED,
            peers=proof.Seen(_u32(peer.get("uid")), _u32(peer.get("pid")), _u32(challenge.get("suid"))),
        )


def check_signature(signed: dict[str, Any], expected: bytes) -> None:
    """Compares in constant time. Raises `WrongSignature`: nothing more may be sent."""
    if not hmac.compare_digest(_bytes(signed.get("sig"), 32), expected):
        raise WrongSignature(
            "the daemon could not prove that it knows the credential; it may be false"
        )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise not_ours()
    return value


def _u32(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**32:
        raise not_ours()
    return value


def _bytes(value: Any, length: Optional[int]) -> bytes:
    try:
        decoded = base64url.decode(_text(value))
    except ValueError:
        raise not_ours() from None
    if length is not None and len(decoded) != length:
        raise not_ours()
    return decoded
