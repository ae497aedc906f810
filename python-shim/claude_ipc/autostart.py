"""Having the program `ipc` start the daemon, where none runs."""

from __future__ import annotations

import os
import subprocess

from .errors import CannotStart
from .limits import START_PATIENCE_S
from .places import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .places import Places


def start(places: Places) -> None:
    """Runs ``ipc daemon start``, if `ipc` is on ``PATH``. Raises `CannotStart`."""
    ipc = program()
    if ipc is None:
        raise CannotStart(
            f"no daemon listens at {places.socket}, and the program `ipc` is not on PATH to start it",
            "put `ipc` on PATH, or run `ipc daemon start`",
        )
    command = [ipc, "--data-dir", places.root, "daemon", "start"]
    environment = dict(os.environ)
    if places.is_socket_named:
        environment["IPC_SOCKET"] = places.socket
    try:
        ended = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=START_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotStart(f"`{ipc} daemon start` did not end in {START_PATIENCE_S:.0f} s") from None
    except OSError as error:
        raise CannotStart(f"{ipc}: {error.strerror}") from None
    if ended.returncode != 0:
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines() or [str(ended.returncode)]
        hints = [line[len("hint: ") :] for line in said if line.startswith("hint: ")]
        why = said[0][len("error: ") :] if said[0].startswith("error: ") else said[0]
        raise CannotStart(
            f"`ipc daemon start` failed: {why}",
            hints[0] if hints else "`ipc daemon start` in a terminal says more",
        )
