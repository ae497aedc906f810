"""A connection on which both sides have proved themselves: one call at a time, each with a deadline."""

from __future__ import annotations

import os
import select
import socket
import time

from . import handshake
from .connect import Connected
from .errors import ConnectionLost, IpcError, Refused, TimedOut, Unavailable
from .limits import PATIENCE_S
from .wire import Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

_CHUNK = 16 * 1_024


class Connection:
    """Proved. Whatever goes wrong but a refusal ends it; `hang_up` may come from another thread."""

    def __init__(
        self, connected: Connected, credential: handshake.Credential, any_pid: bool
    ) -> None:
        """Proves ``credential``, and has the daemon prove itself.

        Raises `Untrusted` where it cannot be trusted: nothing that matters was sent; otherwise
        the daemon's refusal, `ConnectionLost`, `TimedOut` or `ProtocolError`.
        """
        self._stream = connected.stream
        self._wire = Wire()
        self.process = os.getpid()
        try:
            attempt = handshake.Handshake(credential, os.urandom(32))
            challenge = self.call("hello", attempt.hello())
            answer, expected = attempt.answer(challenge, connected.seen, any_pid)
            handshake.check_signature(self.call("authenticate", answer), expected)
        except BaseException:
            self.close()
            raise
        self._wire.open_up()

    def __repr__(self) -> str:
        return "Connection(…)"

    def call(self, method: str, params: Dict[str, Any], wait_s: float = 0.0) -> Dict[str, Any]:
        """Makes one call; the daemon may take ``wait_s`` seconds longer than usual to answer.

        Raises the daemon's refusal; anything else ends the connection.
        """
        frame = self._wire.call(method, params)
        patience = PATIENCE_S + wait_s
        try:
            return self._exchange(frame, patience)
        except Refused as error:
            if error.ends_connection:
                self.close()
            if error.ends_connection and isinstance(error, Unavailable):
                raise _stopping(error) from None
            raise
        except BaseException:
            # Also a signal that broke in: what comes now would answer another call.
            self.close()
            raise

    def farewell(self) -> Optional[IpcError]:
        """Why the connection has ended while nobody used it; ``None`` if it has not."""
        if self._stream.fileno() < 0:
            return _lost()
        if not _is_readable(self._stream):
            return None
        try:
            self._stream.settimeout(0.0)
            self._wire.push(self._stream.recv(_CHUNK))
            self._wire.reply()
            return _lost()
        except IpcError as error:
            return error
        except OSError:
            return _lost()

    def hang_up(self) -> None:
        """Ends the connection from any thread: whoever waits on it hears that it is closed."""
        try:
            self._stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self) -> None:
        """Lets go of it. A child process that inherited it does no more than that."""
        if self.process == os.getpid():
            self.hang_up()
        self._stream.close()

    def _exchange(self, frame: bytes, patience: float) -> Dict[str, Any]:
        # One deadline for the whole exchange: a false daemon could send a byte at a time.
        deadline = time.monotonic() + patience
        broken = self._send(frame, deadline, patience)
        while True:
            result = self._wire.reply()
            if result is not None:
                return result
            chunk = self._receive(deadline, patience)
            if not chunk:
                raise broken or _lost()
            self._wire.push(chunk)

    def _send(self, frame: bytes, deadline: float, patience: float) -> Optional[IpcError]:
        """Sends. A daemon that refuses early has closed its side; what it said is still there."""
        try:
            self._stream.settimeout(_left(deadline, patience))
            self._stream.sendall(frame)
        except socket.timeout:
            raise _late(patience) from None
        except (BrokenPipeError, ConnectionResetError):
            return _lost()
        except OSError as error:
            raise _failed(error) from None
        return None

    def _receive(self, deadline: float, patience: float) -> bytes:
        try:
            self._stream.settimeout(_left(deadline, patience))
            return self._stream.recv(_CHUNK)
        except socket.timeout:
            raise _late(patience) from None
        except ConnectionResetError:
            raise _lost() from None
        except OSError as error:
            raise _failed(error) from None


def _is_readable(stream: socket.socket) -> bool:
    """Whether something, or the end, can be read at once."""
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(0))


def _stopping(error: Unavailable) -> ConnectionLost:
    lost = ConnectionLost(error.message)
    lost.retry_after_ms = error.retry_after_ms
    return lost


def _left(deadline: float, patience: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise _late(patience)
    return left


def _late(patience: float) -> TimedOut:
    return TimedOut(f"the daemon did not answer within {patience:.0f} s")


def _lost() -> ConnectionLost:
    return ConnectionLost("the daemon closed the connection before it answered")


def _failed(error: OSError) -> ConnectionLost:
    return ConnectionLost(f"talking to the daemon: {error.strerror}")
