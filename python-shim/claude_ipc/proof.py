"""From the key to proof and signature (RFC 5802 section 3, with SHA-256). Arithmetic only."""

from __future__ import annotations

import hashlib
import hmac

from .records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence


@record(frozen=True)
class Seen:
    """Both ends: user id and process id of the client, user id of the daemon."""

    client_uid: int
    client_pid: int
    server_uid: int


@record(frozen=True)
class Fields:
    """What both sides saw, in the order in which it is proved."""

    deployment: bytes
    client_nonce: bytes
    server_nonce: bytes
    credential: str
    key_id: str
    kdf: str
    params: str
    salt: bytes
    offered: Sequence[str]
    peers: Seen


def transcript(fields: Fields) -> bytes:
    """The bytes that are proved and signed: each field behind its length."""
    peers = fields.peers
    numbers = (peers.client_uid, peers.client_pid, peers.server_uid)
    parts = (
        fields.deployment,
        fields.client_nonce,
        fields.server_nonce,
        fields.credential.encode(),
        fields.key_id.encode(),
        fields.kdf.encode(),
        fields.params.encode(),
        fields.salt,
        ",".join(fields.offered).encode(),
        b"".join(number.to_bytes(4, "big") for number in numbers),
    )
    return b"claude-ipc/1 auth\0" + b"".join(
        len(part).to_bytes(4, "big") + part for part in parts
    )


def client_key(key: bytes) -> bytes:
    """``HMAC(key, "Client Key")``."""
    return _hmac(key, b"Client Key")


def stored_key(key: bytes) -> bytes:
    """``SHA-256(client key)``: what the daemon keeps to check proofs."""
    return hashlib.sha256(client_key(key)).digest()


def server_key(key: bytes) -> bytes:
    """``HMAC(key, "Server Key")``: what the daemon keeps to sign."""
    return _hmac(key, b"Server Key")


def prove(key: bytes, proved: bytes) -> bytes:
    """The client's proof for the transcript ``proved``."""
    mask = _hmac(stored_key(key), proved)
    return bytes(a ^ b for a, b in zip(client_key(key), mask))


def sign(key: bytes, proved: bytes) -> bytes:
    """The signature that an honest daemon gives for the transcript ``proved``."""
    return _hmac(server_key(key), proved)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
