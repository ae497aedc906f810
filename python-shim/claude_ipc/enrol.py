"""Getting a name: by the credential kept under exactly that name, else by the shared secret."""

from __future__ import annotations

from . import private
from .errors import NameInUse, TakenOver, WeakSecret
from .front import STALE, own_host, taken_over
from .kdf import require_scrypt
from .limits import SECRET_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

    from .agent_files import Record
    from .connection import Connection
    from .front import Front
    from .reports import Registered


def enrol(front: Front, name: str, takeover: bool) -> Tuple[Registered, Connection]:
    """Gets ``name``, keeps what there is to come back with, and gives the connection that is the agent."""
    private.ensure_directory(front.places.root)
    with front.files.lock(name) as locked:
        kept = locked.read()
        request, host = own_host()
        params: Dict[str, Any] = {
            "name": name,
            "when_live": "take_over" if takeover else "refuse",
            "automatic": False,
            **request,
        }
        connection = _prove_either(front, kept)
        try:
            registered = front.keep(locked, connection.call("register", params), host)
        except NameInUse as error:
            connection.close()
            error.hint = error.hint or "register with takeover, or another name"
            raise
        except BaseException:
            connection.close()
            raise
    front.settle(name, registered)
    return registered, connection


def prove_secret(front: Front) -> Connection:
    """Proves the shared secret. The first daemon ever makes it, so it must run before that."""
    if front.places.find_secret() is None:
        front.reach().stream.close()
    secret = front.places.require_secret()
    require_scrypt()
    if secret.is_weak:
        import warnings

        warnings.warn(
            f"the shared secret is shorter than {SECRET_BYTES[1]} bytes; "
            "`ipc admin rotate-secret` makes a strong one",
            WeakSecret,
            stacklevel=2,
        )
    try:
        return front.prove(secret)
    except STALE as error:
        error.hint = (
            "the secret (IPC_SHARED_SECRET, else the file `secret`) is not the one that this "
            "deployment was made with; `ipc admin rotate-secret` changes it"
        )
        raise


def _prove_either(front: Front, kept: Optional[Record]) -> Connection:
    if kept is None:
        return prove_secret(front)
    try:
        return front.prove(kept.resume)
    except STALE:
        # A credential that was revoked or whose name was released says no more than the secret.
        return prove_secret(front)
    except TakenOver as error:
        raise taken_over(error, kept.name) from None
