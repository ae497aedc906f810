"""Standard output and standard error, for `python3 -m claude_ipc` and the scripts.

What always holds: text of a peer reaches the terminal only through `claude_ipc.safe`, and what was
taken is acknowledged only after standard output took all of it.
"""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import asdict, is_dataclass
from datetime import datetime

from . import safe
from .errors import IpcError, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def show(text: str) -> None:
    """Writes one line or more to standard output, flushed. Raises `OSError`."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show_json(value: Any) -> None:
    """Writes ``value`` as one line of JSON; everything but ASCII as escapes."""
    show(_json(value))


def note(text: str) -> None:
    """Writes to standard error."""
    if sys.stderr is not None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def local_time(milliseconds: int) -> str:
    """A time in ISO 8601, by the clock on the wall."""
    return datetime.fromtimestamp(milliseconds / 1_000).isoformat()


def ends(work: Callable[[], int], as_json: bool = False) -> int:
    """Runs ``work``; the exit status of the process. Errors are said on standard error."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot write a character gets an escape instead of an exception. A stream that was
        # closed before we began is none.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return work()
    except IpcError as error:
        _say(error, as_json)
        return error.exit_status
    except BrokenPipeError:
        # Whoever read has gone; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except OSError as error:
        note(f"error: {safe.line(str(error))}")
        return 1
    except KeyboardInterrupt:
        return 130


def _say(error: IpcError, as_json: bool) -> None:
    if not as_json:
        note(f"error: {safe.line(error.message)}")
        if error.hint:
            note(f"hint: {safe.line(error.hint)}")
        return
    refused = error if isinstance(error, Refused) else None
    said = {
        "code": refused and refused.code,
        "exit_status": error.exit_status,
        "hint": error.hint,
        "message": error.message,
        "retry_after_ms": refused and refused.retry_after_ms,
    }
    note(_json({"error": said}))


def _json(value: Any) -> str:
    return json.dumps(value, default=_plain).replace("\x7f", "\\u007f")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
