"""Files and directories that belong to one user alone.

What always holds: nothing is read from, or written into, a place that another user could have put
there or can look into. A loose mode is reported with the command that mends it, never mended
silently: somebody may already have read the file.
"""

from __future__ import annotations

import errno
import os
import stat

from .errors import FileNotTrusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

_OURS = "set IPC_DATA_DIR to a directory of your own, without links"


def open_directory(path: str) -> None:
    """Checks that the directory at ``path`` is this user's alone. Raises `FileNotTrusted`."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(_open(path, flags, "directory", 0o700))


def ensure_directory(path: str) -> None:
    """Makes the directory at ``path`` with mode 0700 unless it is there, and checks it."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise _failed(path, error) from None
    open_directory(path)


def read_file(path: str, most: int) -> Optional[bytes]:
    """The bytes at ``path``, at most ``most``; ``None`` where there is nothing.

    Raises `FileNotTrusted` for a link, anything but a regular file, another owner, a loose mode, a size.
    """
    # NONBLOCK: a FIFO in this place must not hang us.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = _open(path, flags, "regular file", 0o600)
    except _Missing:
        return None
    with os.fdopen(descriptor, "rb") as file:
        try:
            content = file.read(most + 1)
        except OSError as error:
            raise _failed(path, error) from None
    if len(content) > most:
        raise FileNotTrusted(f"{path} is larger than {most} bytes")
    return content


def write_file(path: str, content: bytes) -> None:
    """Puts a file with mode 0600 at ``path``, all or nothing, on disk on return.

    Raises `FileNotTrusted`; what was there before is still there.
    """
    directory = os.path.dirname(path)
    fresh = os.path.join(directory, ".new-" + os.urandom(8).hex())
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(fresh, flags, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                # The caller's umask may have taken more away than others' rights.
                os.fchmod(descriptor, 0o600)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.replace(fresh, path)
        except BaseException:
            _forget(fresh)
            raise
        parent = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)
    except OSError as error:
        raise _failed(path, error) from None


def open_lock(path: str) -> int:
    """A descriptor of the file at ``path``, made if need be, to be locked; nothing is written."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    return _open(path, flags, "regular file", 0o600)


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


class _Missing(FileNotTrusted):
    """There is simply nothing at the path."""


def _open(path: str, flags: int, wanted: str, mode: int) -> int:
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise FileNotTrusted(f"{path} is not a {wanted}, or is a symbolic link", _OURS) from None
        raise _failed(path, error) from None
    try:
        _check(path, os.fstat(descriptor), wanted, mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check(path: str, facts: os.stat_result, wanted: str, mode: int) -> None:
    if wanted == "regular file" and not stat.S_ISREG(facts.st_mode):
        raise FileNotTrusted(f"{path} is not a {wanted}, or is a symbolic link", _OURS)
    if facts.st_uid != os.geteuid():
        raise FileNotTrusted(f"{path} belongs to user {facts.st_uid}, not to you", _OURS)
    found = stat.S_IMODE(facts.st_mode)
    if found & 0o077:
        message = f"{path} has mode {found:04o}; others can reach it"
        raise FileNotTrusted(message, f"`chmod {mode:o} {path}`")


def _failed(path: str, error: OSError) -> FileNotTrusted:
    kind = _Missing if error.errno == errno.ENOENT else FileNotTrusted
    return kind(f"{path}: {error.strerror}")
