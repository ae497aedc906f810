"""Reaching the daemon, started by the program `ipc` if none runs."""

import os
import subprocess

from .connect import Connected, connect
from .errors import CannotStart, NotRunning
from .limits import START_PATIENCE_S
from .places import Places, program


def reach(places: Places, may_start: bool = True) -> Connected:
    """Connects. Where nobody listens, runs ``ipc daemon start``, if `ipc` is on ``PATH``.

    Raises `Unreachable`; `CannotStart` when the daemon does not run and cannot be started.
    """
    try:
        return connect(places.socket)
    except NotRunning:
        if not may_start:
            raise
    _start(places)
    return connect(places.socket)


def _start(places: Places) -> None:
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
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CannotStart(
            f"`ipc daemon start` failed: {said[0] if said else ended.returncode}",
            "`ipc daemon start` in a terminal says more",
        )
