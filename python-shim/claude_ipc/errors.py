"""What can go wrong, one class for each thing that a caller may want to tell apart.

Every error has a ``message`` (lower case, no full stop) and, where something helps, a ``hint``.
``exit_status`` is the number that the program ``ipc`` ends with for the same trouble: 1 refused, 2
used wrongly or no mailbox named, 3 no daemon that can be reached and trusted. No error holds a
secret, a token or the text of a message.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Type


class IpcError(Exception):
    """Anything that this package reports.

    ``message``: what happened. ``hint``: what helps, or ``None``. ``exit_status``: see the module.
    """

    exit_status = 1
    default_hint: Optional[str] = None

    def __init__(self, message: str, hint: Optional[str] = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint


class UsageError(IpcError):
    """A call that cannot be right, whatever the daemon says."""

    exit_status = 2


class InvalidNameHere(UsageError):
    """A text that is no name, found before anything was sent."""


class NoMailbox(UsageError):
    """It is not clear whose mailbox is meant, or nothing is kept for that name."""


class NoSecret(UsageError):
    """There is no shared secret to enrol with, or it cannot be one."""


class WeakSecret(UserWarning):
    """The shared secret is under 16 bytes: a warning, once."""


class FileNotTrusted(IpcError):
    """A file or directory is not this user's alone, or cannot be read or written."""


class FileHeld(IpcError):
    """Another process holds an agent's file for longer than anything takes."""


class Unreachable(IpcError):
    """There is no daemon to talk to, or none that can be trusted."""

    exit_status = 3


class NotRunning(Unreachable):
    """Nobody listens at the socket's path."""

    default_hint = "`ipc daemon start`"


class CannotStart(Unreachable):
    """The daemon does not run and could not be started."""


class Hung(Unreachable):
    """Something listens but takes no connection."""

    default_hint = "`ipc daemon restart`"


class Sandboxed(Unreachable):
    """This process may not use Unix sockets."""

    default_hint = (
        "use the MCP tools of ipc, which run outside that sandbox, or the host's own setting that "
        "allows Unix sockets"
    )


class ConnectionLost(Unreachable):
    """The daemon closed the connection before it answered: whether the call was done is not known.

    ``retry_after_ms``: when a daemon that stops says to come back, in milliseconds.
    """

    retry_after_ms: Optional[int] = None

    default_hint = "`ipc status` says whether the daemon runs; it may have restarted"


class TimedOut(Unreachable):
    """The daemon did not answer in time."""

    default_hint = "`ipc daemon restart`"


class ProtocolError(Unreachable):
    """What came is not of this protocol."""

    default_hint = "compare `ipc --version` with the version of this package; `ipc daemon restart`"


class Untrusted(Unreachable):
    """What listens may be false; nothing that matters was sent to it."""

    default_hint = (
        "check that IPC_DATA_DIR and IPC_SOCKET name your own daemon; `ipc daemon restart`"
    )


class ForeignServer(Untrusted):
    """Another user's process listens; not one byte was sent."""

    default_hint = (
        "set IPC_DATA_DIR or IPC_SOCKET to a place of your own, then `ipc daemon start`"
    )


class OtherVersion(Untrusted):
    """The daemon speaks another version of the protocol."""

    default_hint = "compare `ipc --version` with the daemon's; `ipc daemon restart`"


class UnsafeDerivation(Untrusted):
    """The daemon asks for a key derivation that would be cheap to crack, endless, or was not offered."""

    def __init__(self) -> None:
        super().__init__("the daemon asks for a key derivation outside safe bounds; it may be false")


class WrongPeer(Untrusted):
    """The daemon sees another process than this one at the other end: something stands between."""

    default_hint = "if this is a container that shares the socket, set IPC_ALLOW_NS=1"


class WrongSignature(Untrusted):
    """The daemon could not prove that it knows the credential."""


class NoScrypt(UsageError):
    """This Python has no ``hashlib.scrypt``, so the shared secret cannot be proved."""

    default_hint = (
        "use a Python whose hashlib is built with OpenSSL 1.1 or later, or enrol with "
        "`ipc register NAME`: tokens need no scrypt"
    )


class Refused(IpcError):
    """The daemon said no.

    ``code``: the daemon's code, see docs/PROTOCOL.md. ``retry_after_ms``: where waiting helps, how
    long, in milliseconds.
    """

    code = "unknown"
    #: Whether it answers no call but ends the connection.
    ends_connection = False

    def __init__(
        self, message: str, hint: Optional[str] = None, retry_after_ms: Optional[int] = None
    ) -> None:
        super().__init__(message, hint)
        self.retry_after_ms = retry_after_ms


class Unauthenticated(Refused):
    """The proof is wrong, or there is none."""

    code = "unauthenticated"


class Expired(Refused):
    """The session is over."""

    code = "expired"


class Forbidden(Refused):
    """Not allowed to this caller, or a body with a token in it."""

    code = "forbidden"


class InvalidName(Refused):
    """Not a name."""

    code = "invalid_name"


class NameInUse(Refused):
    """A live agent has the name."""

    code = "name_in_use"


class NameReserved(Refused):
    """The name is reserved, held for an agent that is offline, or forwarding."""

    code = "name_reserved"


class UnknownRecipient(Refused):
    """Nobody has the name, and the request needs somebody."""

    code = "unknown_recipient"


class NotFound(Refused):
    """No such message of the caller's, no such conversation that it is in, or no such name."""

    code = "not_found"


class TooLarge(Refused):
    """Over a size limit."""

    code = "too_large"


class Malformed(Refused):
    """Not a call as documented."""

    code = "malformed"


class UnsupportedVersion(Refused):
    """Another version, or no such request in this one."""

    code = "unsupported_version"
    default_hint = (
        "compare `ipc --version` with `claude_ipc.__version__` and bring the older one up to date; "
        "`ipc daemon restart` after an update of `ipc`"
    )


class RateLimited(Refused):
    """Too many requests: wait ``retry_after_ms``."""

    code = "rate_limited"


class MailboxFull(Refused):
    """The recipient has no room, or too many unclaimed names wait."""

    code = "mailbox_full"


class LoopDetected(Refused):
    """Passed on too often, or answered without end, between two agents or in a group. Not to be tried again
    by itself."""

    code = "loop_detected"


class Conflict(Refused):
    """The same idempotency key with other content, or a state that contradicts the request."""

    code = "conflict"


class Blocked(Refused):
    """The recipient takes no mail from this sender."""

    code = "blocked"


class Frozen(Refused):
    """Somebody has frozen the mail."""

    code = "frozen"


class TakenOver(Refused):
    """Another front-end took the agent over. This client is at its end: a person decides."""

    code = "taken_over"


class SecretChanged(Refused):
    """The daemon runs under another secret than the deployment was made with."""

    code = "secret_changed"


class Busy(Refused):
    """Too many things at once: wait ``retry_after_ms``."""

    code = "busy"


class Unavailable(Refused):
    """No space, a disk that fails, or a stop: nothing was stored."""

    code = "unavailable"


class Internal(Refused):
    """A fault of the daemon's own, in its log."""

    code = "internal"


#: The class of every code.
BY_CODE: Dict[str, Type[Refused]] = {kind.code: kind for kind in Refused.__subclasses__()}


def refusal(
    code: str, message: str, hint: Optional[str], retry_after_ms: Optional[int]
) -> Refused:
    """The error for a refusal of the daemon. A code that is not known is a plain `Refused`."""
    return BY_CODE.get(code, Refused)(message, hint, retry_after_ms)
