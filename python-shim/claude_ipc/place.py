"""Where an agent works: its directory, and the repository that this is in, as numbers that are only compared.

Files are read, and no program is run; no path leaves this process.
"""

from __future__ import annotations

import os
import stat

from . import base64url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional

#: Directories above one that are looked at for a repository.
_ABOVE = 64

#: Bytes of `.git` and `commondir` that are read: a path and a word fit.
_GIT_FILE_BYTES = 8_192


def here() -> Optional[Dict[str, str]]:
    """The working directory of this process as a place; ``None`` if it is not there any more."""
    try:
        directory = os.path.realpath(os.getcwdb())
    except OSError:
        return None
    place = {"directory": _number(directory)}
    repository = _repository(directory)
    if repository is not None:
        place["repository"] = _number(repository)
    return place


def _number(path: bytes) -> str:
    import hashlib

    return base64url.encode(hashlib.sha256(b"claude-ipc/1 place\0" + path).digest()[:16])


def _repository(directory: bytes) -> Optional[bytes]:
    """What all worktrees share, as ``gitrepository-layout(5)`` has it."""
    for _ in range(_ABOVE):
        own = _own(directory)
        if own is not None:
            shared = _line(os.path.join(own, b"commondir"))
            common = os.path.realpath(own if shared is None else os.path.join(own, shared))
            # A directory that happens to be called `.git` is none.
            is_one = os.path.isdir(os.path.join(common, b"objects"))
            if is_one and os.path.isfile(os.path.join(own, b"HEAD")):
                return common
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above
    return None


def _own(directory: bytes) -> Optional[bytes]:
    entry = os.path.join(directory, b".git")
    if os.path.isdir(entry):
        return entry
    line = _line(entry)
    if line is None or not line.startswith(b"gitdir: "):
        return None
    return os.path.join(directory, line[len(b"gitdir: ") :])


def _line(path: bytes) -> Optional[bytes]:
    """The line in a short file. What is no plain file (a pipe could hold us up) is not opened."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            return file.read(_GIT_FILE_BYTES).rstrip()
    except OSError:
        return None
