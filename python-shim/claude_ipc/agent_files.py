"""``agents/NAME.json``: what a front-end comes back with, shared by all that act for one agent.

Every change happens under ``agents/NAME.lock`` (an exclusive ``flock``, never unlinked) as: read
again, write a new file, flush, rename. Whoever needs two locks takes them in the order of the names. A
rename of the agent leaves a pointer behind. The program `ipc` does the same with the same files.
"""

from __future__ import annotations

import json
import os
import time

from . import private, strict_json
from .errors import FileHeld, FileNotTrusted
from .limits import AGENT_FILE_BYTES, CALL_DEPTH, LOCK_PATIENCE_S, MOST_MOVES
from .names import is_agent_id, is_name, same
from .records import record
from .tokens import InvalidToken, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple, Union

    from .places import Places

    _Content = Union["Record", str, None]

#: Seconds between two looks at a lock that somebody has.
_PAUSE_S = 0.01


@record(frozen=True)
class StoredSession:
    """A session and when it ends (milliseconds since 1970)."""

    token: Token
    abs_expires_ms: int


@record(frozen=True)
class Record:
    """What is kept for one agent.

    ``host``: process id and start ticks of who stands for it. ``rest``: what a newer program keeps there and
    this one does not know; it is handed on as it is, and never shown.
    """

    agent_id: str
    name: str
    resume: Token
    session: Optional[StoredSession]
    host: Optional[Tuple[int, int]]
    project: Optional[str]
    rest: Dict[str, Any]

    def __repr__(self) -> str:
        return f"Record({self.agent_id}, {self.name}, …)"

    def named(self, name: str) -> Record:
        """The same under another name."""
        kept = (self.resume, self.session, self.host, self.project, self.rest)
        return Record(self.agent_id, name, *kept)


class AgentFiles:
    """The directory of credentials."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def follow(self, name: str) -> Optional[Record]:
        """The agent that ``name`` stands for, over the pointers that renames left.

        Raises `FileNotTrusted` for a file that cannot be read.
        """
        for _ in range(MOST_MOVES):
            content = self._read(name)
            if not isinstance(content, str):
                return content
            name = content
        return None

    def all(self) -> List[Record]:
        """Every agent with credentials here; files that cannot be used are left out."""
        try:
            entries = os.listdir(self._places.agents)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FileNotTrusted(f"{self._places.agents}: {error.strerror}") from None
        found = []
        for entry in entries:
            if not entry.endswith(".json") or not is_name(entry[:-5]):
                continue
            try:
                content = self._read(entry[:-5])
            except FileNotTrusted:
                continue
            if isinstance(content, Record):
                found.append(content)
        return found

    def lock(self, name: str) -> Locked:
        """Holds the credentials of ``name`` against everyone else, for a ``with`` block; waits for whoever
        has them. Raises `FileHeld` after a minute; `FileNotTrusted` where the lock is not ours alone."""
        return Locked(self, name)

    def move(self, agent_id: str, old: str, new: str) -> None:
        """Moves what is kept for the agent from ``old`` to ``new``, where it is not there already."""
        with Both(self, old, new) as (at_old, at_new):
            at_old.move_to(at_new, agent_id, new)

    def _read(self, name: str) -> _Content:
        path = self._places.agent_file(name)
        raw = private.read_file(path, AGENT_FILE_BYTES)
        if raw is None:
            return None
        try:
            return _parse(strict_json.parse_object(raw, CALL_DEPTH))
        except (KeyError, TypeError, ValueError):
            raise FileNotTrusted(
                f"{path} is not a file of credentials", "move it away, then `ipc register NAME`"
            ) from None

    def _write(self, name: str, content: Dict[str, Any]) -> None:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        private.write_file(self._places.agent_file(name), text.encode())


class Locked:
    """The credentials of one agent, held from the beginning of a ``with`` block to its end."""

    def __init__(self, files: AgentFiles, name: str) -> None:
        self._files = files
        self._name = name
        self._descriptor = -1

    def __enter__(self) -> Locked:
        places = self._files._places
        private.ensure_directory(places.agents)
        path = places.agent_lock(self._name)
        self._descriptor = private.open_lock(path)
        try:
            _hold(self._descriptor, path)
        except BaseException:
            os.close(self._descriptor)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        import fcntl

        # Said, and not left to closing: a child process that was forked meanwhile has a copy of the
        # descriptor, and would hold the lock as long as it lives.
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)

    def read(self) -> Optional[Record]:
        """What is there now: an agent of this very name, no pointer."""
        content = self._files._read(self._name)
        return content if isinstance(content, Record) else None

    def write(self, kept: Record) -> None:
        """Puts ``kept`` there. Raises `FileNotTrusted`; what was there before is still there."""
        self._files._write(self._name, _content(kept))

    def move_to(self, other: Locked, agent_id: str, new: str) -> None:
        """Moves the agent to ``other``, its file under its new name, and leaves a pointer."""
        kept = self.read()
        if kept is not None and kept.agent_id == agent_id:
            other.write(kept.named(new))
            if other is not self:
                self._files._write(self._name, {"moved_to": new})

    def remove(self) -> None:
        """Forgets what is there; nothing there is no error."""
        path = self._files._places.agent_file(self._name)
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise FileNotTrusted(f"{path}: {error.strerror}") from None


class Both:
    """The credentials under two names, held; one lock where both are the same name. Always taken in the order
    of the names, so that two that cross do not wait for each other."""

    def __init__(self, files: AgentFiles, one: str, other: str) -> None:
        self._one = files.lock(one)
        self._other = self._one if same(one, other) else files.lock(other)
        self._in_order = [self._one] if same(one, other) else [self._one, self._other]
        if other.lower() < one.lower():
            self._in_order.reverse()

    def __enter__(self) -> Tuple[Locked, Locked]:
        self._in_order[0].__enter__()
        try:
            for second in self._in_order[1:]:
                second.__enter__()
        except BaseException:
            self._in_order[0].__exit__()
            raise
        return self._one, self._other

    def __exit__(self, *_: object) -> None:
        for lock in reversed(self._in_order):
            lock.__exit__()


def _hold(descriptor: int, path: str) -> None:
    """Locks, or gives up: whoever was stopped while it held the lock must not stop everybody."""
    import fcntl

    deadline = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        except OSError as error:
            raise FileNotTrusted(f"{path}: {error.strerror}") from None
        if time.monotonic() > deadline:
            message = f"another process has held {path} for {LOCK_PATIENCE_S:.0f} s"
            raise FileHeld(message, f"it may be stopped: `fuser {path}` names it; end it, or let it go on")
        time.sleep(_PAUSE_S)


def _parse(content: Dict[str, Any]) -> _Content:
    if "moved_to" in content and "resume" not in content:
        return str(_checked(content["moved_to"], is_name))
    rest = dict(content)
    session, host, project = rest.pop("session", None), rest.pop("host", None), rest.pop("project", None)
    return Record(
        agent_id=_checked(rest.pop("agent_id"), is_agent_id),
        name=_checked(rest.pop("name"), is_name),
        resume=_token(rest.pop("resume"), "resume"),
        session=None if session is None else _session(session),
        host=None if host is None else (_whole(host["pid"]), _whole(host["start_ticks"])),
        project=project if isinstance(project, str) else None,
        rest=rest,
    )


def _session(session: Dict[str, Any]) -> StoredSession:
    return StoredSession(_token(session["token"], "session"), _whole(session["abs_expires_ms"]))


def _content(kept: Record) -> Dict[str, Any]:
    session, host = kept.session, kept.host
    return {
        "agent_id": kept.agent_id,
        "name": kept.name,
        "resume": kept.resume.expose(),
        "session": session
        and {"token": session.token.expose(), "abs_expires_ms": session.abs_expires_ms},
        "host": host and {"pid": host[0], "start_ticks": host[1]},
        "project": kept.project,
        **kept.rest,
    }


def _checked(value: Any, is_right: Any) -> Any:
    if not is_right(value):
        raise ValueError("not what should be there")
    return value


def _whole(value: Any) -> int:
    return int(_checked(value, lambda v: type(v) is int))


def _token(value: Any, kind: str) -> Token:
    token = Token(value)
    if token.kind != kind:
        raise InvalidToken("a token of another kind")
    return token
