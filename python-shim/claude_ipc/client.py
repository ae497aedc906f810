"""`Client`: an agent's mail, for programs that may block. Its methods are in `claude_ipc.methods`."""

from __future__ import annotations

from .methods.asking import Asking
from .methods.being import Being
from .methods.bounding import Bounding
from .methods.conversing import Conversing
from .methods.looking import Looking
from .methods.remembering import Remembering


class Client(Being, Asking, Conversing, Remembering, Bounding, Looking):
    """Acts for one agent. Safe for threads: each call uses a connection of its own. A child process that was
    forked may use it too.

    ``as_name``: whose mailbox; else ``IPC_INSTANCE``, else the agent that was registered from the nearest
    ancestor of this process. It is chosen at the first call and never changes but by `register`.
    ``data_dir``: else ``IPC_DATA_DIR``, else ``~/.claude-ipc-data``. ``start_daemon``: whether to run
    ``ipc daemon start`` when no daemon runs.

    Every method raises an `IpcError`: the daemon's refusal as the class of its code (`errors.Refused`),
    `errors.Unreachable` where there is no daemon or none that can be trusted, `errors.UsageError`
    where the call cannot be right. ``TakenOver`` is the end: nothing but `register` works after it.

    A call whose connection is lost is made once more on a new one, if that cannot do harm: those
    that only look, and `send`, `broadcast`, `reply` and `forward`, which carry an idempotency key, so
    that one message is stored. `rename`, `unregister` and `leave_conversation` raise `errors.ConnectionLost`
    instead.
    """

    def __repr__(self) -> str:
        return f"Client({self._pool.name or '?'})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections. The agent keeps its name and its mail; a later client comes back."""
        if not self._pool.is_closed:
            self._settle()
        self._pool.close()
