"""What lying servers say, and one that knows the secret and lies afterwards."""

import json
import os
import socket
import zlib

from harness import frame, reply
from claude_ipc import base64url, kdf, proof
from claude_ipc.secret import SharedSecret

SECRET = b"canary-of-the-shared-secret-77ab"
SALT = bytes(16)
PARAMS = "n=32768,r=8,p=1"


def challenge(**change: object) -> dict:
    """A challenge as the real one, but for what ``change`` sets."""
    said = {
        "v": 1, "dep": "A" * 22, "sn": "A" * 43, "kid": "k1", "kdf": "scrypt", "params": PARAMS,
        "salt": base64url.encode(SALT), "peer": {"uid": os.geteuid(), "pid": os.getpid()},
        "suid": os.geteuid(),
    }  # fmt: skip
    said.update(change)
    return said


FOREIGN = """
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
listener.listen()
print('listening', flush=True)
stream, _ = listener.accept()
print(len(stream.recv(4096)), flush=True)
"""


def saying(peer):
    class Saying(socket.socket):
        def getsockopt(self, level, option, *rest):
            if option != socket.SO_PEERCRED:
                return super().getsockopt(level, option, *rest)
            if isinstance(peer, OSError):
                raise peer
            return peer

    return Saying


def registered(**change: object) -> dict:
    said = {
        "agent_id": "a.0000000000002", "name": "alice", "incarnation": 1, "session": "", "waiting": 0,
        "online": [], "idle_s": 1, "abs_expires_ms": 1, "version": "0.1.0",
    }  # fmt: skip
    said.update(change)
    return said


class Knowing:
    """A server that knows the secret: it signs as an honest one, and answers the next call with a lie."""

    def __init__(self, lie, signed: "dict | None" = None, more: "dict | None" = None) -> None:
        self._lie, self._signed, self._more = lie, signed or {}, more or {}
        self._key = kdf.derive(SharedSecret(SECRET), "scrypt", PARAMS, SALT)
        self._nonce = b""

    def __call__(self, call: dict, number: int):
        if number == 0:
            self._nonce = base64url.decode(call["params"]["cn"])
            return reply(call, challenge(**self._more))
        if number == 1:
            return reply(call, {"sig": base64url.encode(proof.sign(self._key, self._transcript()))})
        return self._lie(call)

    def _transcript(self) -> bytes:
        uid = os.geteuid()
        fields = {
            "deployment": bytes(16), "client_nonce": self._nonce, "server_nonce": bytes(32),
            "credential": "secret", "key_id": "k1", "kdf": "scrypt", "params": PARAMS, "salt": SALT,
            "offered": ["scrypt"], "peers": proof.Seen(uid, os.getpid(), uid),
        }  # fmt: skip
        return proof.transcript(proof.Fields(**{**fields, **self._signed}))


def _token(prefix: bytes) -> str:
    raw = b"canary-of-a-token".ljust(48, b"x")
    return (prefix + base64url.encode(raw).encode()).decode() + "_" + base64url.encode(
        zlib.crc32(prefix + raw).to_bytes(4, "big")
    )


def resume_token() -> str:
    return _token(b"ipcr_")


def session_token() -> str:
    return _token(b"ipcs_")


def refuse(number: "int | None", data: dict) -> bytes:
    """A refusal of call ``number``."""
    return frame(json.dumps({"id": number, "error": {"message": "no", "data": data}}).encode())


def everything(error: "BaseException | None") -> str:
    """All that an error and the errors behind it hold, as a tool that reports them would see it."""
    said = ""
    while error is not None:
        said += repr([error, error.args, vars(error), getattr(error, "doc", ""), getattr(error, "object", "")])
        error = error.__cause__ or error.__context__
    return said
