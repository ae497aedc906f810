"""Connecting to the daemon's socket, and looking at who listens before saying a word. Linux only."""

from __future__ import annotations

import errno
import os
import socket
import struct

from .errors import ForeignServer, Hung, NotRunning, Sandboxed, Unreachable
from .limits import CONNECT_PATIENCE_S
from .proof import Seen

#: ``struct ucred`` of unix(7): process id, user id, group id.
_UCRED = struct.Struct("iII")

#: The user id of nobody known.
_NO_UID = 2**32 - 1


class Connected:
    """A connected stream, and what the kernel says of both ends."""

    def __init__(self, stream: socket.socket, seen: Seen) -> None:
        self.stream = stream
        self.seen = seen


def connect(path: str) -> Connected:
    """Connects to the socket at ``path`` and checks that this very user listens there.

    Raises `Unreachable`; nothing has been sent.
    """
    try:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as error:
        raise _no_socket(error) from None
    try:
        stream.settimeout(CONNECT_PATIENCE_S)
        _reach(stream, path)
        return Connected(stream, _examine(stream, path))
    except BaseException:
        stream.close()
        raise


def _no_socket(error: OSError) -> Unreachable:
    if error.errno in (errno.EPERM, errno.EACCES, errno.EAFNOSUPPORT):
        return Sandboxed("this process may not open Unix sockets: a sandbox forbids it")
    return Unreachable(f"opening a socket: {error.strerror}")


def _reach(stream: socket.socket, path: str) -> None:
    # A stream with a timeout does not block: where Linux would wait for room in the queue, it says
    # EAGAIN at once. SO_SNDTIMEO has the kernel wait, for as long as it says.
    stream.setblocking(True)
    patience = struct.pack("ll", int(CONNECT_PATIENCE_S), 0)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
    try:
        stream.connect(path)
    except OSError as error:
        number = error.errno
        if number in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTSOCK):
            raise NotRunning(f"no daemon listens at {path}") from None
        if number in (errno.EAGAIN, errno.ETIMEDOUT):
            raise Hung(
                f"the daemon at {path} does not take connections "
                f"(waited {CONNECT_PATIENCE_S:.0f} s); it is stopped or overloaded"
            ) from None
        if number == errno.EPERM:
            raise Sandboxed("this process may not open Unix sockets: a sandbox forbids it") from None
        if number == errno.EACCES:
            raise Unreachable(
                f"permission to {path} is denied",
                "the directories on the way to it must be yours; IPC_DATA_DIR names another place",
            ) from None
        raise Unreachable(f"connecting to {path}: {error.strerror}") from None


def _examine(stream: socket.socket, path: str) -> Seen:
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        raise Unreachable("this system does not say who listens; only Linux is supported")
    try:
        server_pid, server_uid, _ = _UCRED.unpack(
            stream.getsockopt(socket.SOL_SOCKET, option, _UCRED.size)
        )
    except (OSError, struct.error):
        raise _nobody_known(path) from None
    if server_pid == 0 and server_uid == _NO_UID:
        # What the kernel says of a stream that is not connected: a signal broke in.
        raise _nobody_known(path)
    own_uid = os.geteuid()
    if server_uid != own_uid:
        raise ForeignServer(
            f"the process that listens at {path} belongs to user {server_uid}, not to you; "
            "nothing was sent to it"
        )
    return Seen(client_uid=own_uid, client_pid=os.getpid(), server_uid=server_uid)


def _nobody_known(path: str) -> Unreachable:
    return Unreachable(f"the system does not say who listens at {path}; nothing was sent to it", "try again")
