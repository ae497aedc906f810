"""Where things are: what the environment and the caller say, read once, for each client.

Nothing else in this package looks at the environment.
"""

from __future__ import annotations

import os

from . import private
from .errors import NoSecret, UsageError
from .limits import SECRET_BYTES, SOCKET_PATH_BYTES
from .names import parse_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .secret import SharedSecret

_DEFAULT_DIRECTORY = ".claude-ipc-data"


class Places:
    """The data directory and what is in it. Paths are absolute; sizes are checked."""

    def __init__(self, data_dir: Optional[str] = None) -> None:
        """``data_dir``: else ``IPC_DATA_DIR``, else ``~/.claude-ipc-data``.

        Raises `UsageError` where there is no home or the socket's path is too long, `FileNotTrusted`
        for a data directory that others could have made.
        """
        self.root = os.path.abspath(data_dir or _variable("IPC_DATA_DIR") or _in_home())
        named = _variable("IPC_SOCKET")
        self.is_socket_named = named is not None
        self.socket = os.path.abspath(named or os.path.join(self.root, "ipc.sock"))
        self.agents = os.path.join(self.root, "agents")
        self.secret = os.path.join(self.root, "secret")
        self.any_pid = _variable("IPC_ALLOW_NS") == "1"
        length = len(os.fsencode(self.socket))
        if length > SOCKET_PATH_BYTES:
            raise UsageError(
                f"the socket's path is {length} bytes long, {SOCKET_PATH_BYTES} fit: {self.socket}",
                "set IPC_SOCKET to a shorter path, for example under $XDG_RUNTIME_DIR",
            )
        if os.path.lexists(self.root):
            private.open_directory(self.root)

    def agent_file(self, name: str) -> str:
        """The credentials of the agent called ``name``."""
        return os.path.join(self.agents, name.lower() + ".json")

    def agent_lock(self, name: str) -> str:
        """Locked while these credentials are read and changed; never unlinked."""
        return os.path.join(self.agents, name.lower() + ".lock")

    def find_secret(self) -> Optional[SharedSecret]:
        """The secret of ``IPC_SHARED_SECRET``, else of the file ``secret``, else ``None``.

        Raises `NoSecret` for one that cannot be, `FileNotTrusted` for a file that others can read.
        """
        from .secret import SharedSecret

        source = "IPC_SHARED_SECRET"
        found = os.environb.get(b"IPC_SHARED_SECRET") or None
        if found is None:
            source = self.secret
            # One newline at the end is not part of the secret, so the file may be one byte longer.
            found = private.read_file(self.secret, SECRET_BYTES[2] + 1)
        try:
            return None if found is None else SharedSecret(found)
        except NoSecret as error:
            error.hint = f"{source} holds it; {error.hint}"
            raise

    def require_secret(self) -> SharedSecret:
        """The same; raises `NoSecret` where there is none."""
        secret = self.find_secret()
        if secret is None:
            raise NoSecret(
                f"no shared secret: {self.secret} is not there",
                "set IPC_SHARED_SECRET to the secret that this deployment was made with",
            )
        return secret


def configured_name() -> Optional[str]:
    """``IPC_INSTANCE``, parsed. Raises `InvalidNameHere`."""
    name = _variable("IPC_INSTANCE")
    return None if name is None else parse_name(name)


def program() -> Optional[str]:
    """The absolute path of `ipc`, if it is on ``PATH``. A relative entry there does not count."""
    import shutil

    found = shutil.which("ipc")
    return found if found is not None and os.path.isabs(found) else None


def _variable(name: str) -> Optional[str]:
    # A variable that is set and empty counts as not set.
    return os.environ.get(name) or None


def _in_home() -> str:
    home = _variable("HOME")
    if home is None:
        raise UsageError(
            "HOME is not set, so there is no place for the data", "IPC_DATA_DIR names one"
        )
    return os.path.join(home, _DEFAULT_DIRECTORY)
