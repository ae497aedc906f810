"""``agents/NAME.json``: what a front-end comes back with, shared by all that act for one agent.

Every change happens under ``agents/NAME.lock`` (an exclusive ``flock``, never unlinked) as: read
again, write a new file, flush, rename. A rename of the agent leaves a pointer behind. The program
`ipc` does the same with the same files.
"""

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

from . import private, strict_json
from .errors import FileNotTrusted
from .limits import AGENT_FILE_BYTES, CALL_DEPTH, MOST_MOVES
from .names import is_agent_id, is_name
from .places import Places
from .tokens import InvalidToken, Token


@dataclass(frozen=True)
class StoredSession:
    """A session and when it ends (milliseconds since 1970)."""

    token: Token
    abs_expires_ms: int


@dataclass(frozen=True)
class Record:
    """What is kept for one agent. ``host``: process id and start ticks of who stands for it."""

    agent_id: str
    name: str
    resume: Token
    session: Optional[StoredSession] = None
    host: Optional[Tuple[int, int]] = None
    project: Optional[str] = None
    #: What a newer program keeps there and this one does not know: handed on as it is.
    rest: Dict[str, Any] = field(default_factory=dict, repr=False)


_Content = Union[Record, str, None]


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

    @contextmanager
    def lock(self, name: str) -> Iterator["Locked"]:
        """Holds the credentials of ``name`` against everyone else, waiting for whoever has them."""
        private.ensure_directory(self._places.agents)
        descriptor = private.open_lock(self._places.agent_lock(name))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield Locked(self, name)
        finally:
            os.close(descriptor)

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
    """The credentials of one agent, held."""

    def __init__(self, files: AgentFiles, name: str) -> None:
        self._files = files
        self._name = name

    def read(self) -> Optional[Record]:
        """What is there now: an agent of this very name, no pointer."""
        content = self._files._read(self._name)
        return content if isinstance(content, Record) else None

    def write(self, record: Record) -> None:
        """Puts ``record`` there. Raises `FileNotTrusted`; what was there before is still there."""
        self._files._write(self._name, _content(record))

    def write_moved(self, moved_to: str) -> None:
        """Leaves a pointer to the agent's new name."""
        self._files._write(self._name, {"moved_to": moved_to})

    def remove(self) -> None:
        """Forgets what is there; nothing there is no error."""
        path = self._files._places.agent_file(self._name)
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise FileNotTrusted(f"{path}: {error.strerror}") from None


def renamed(record: Record, name: str) -> Record:
    """``record`` under another name."""
    return replace(record, name=name)


def _parse(content: Dict[str, Any]) -> _Content:
    if "moved_to" in content and "resume" not in content:
        return str(_checked(content["moved_to"], is_name))
    rest = dict(content)
    session, host, project = rest.pop("session", None), rest.pop("host", None), rest.pop("project", None)
    record = Record(
        agent_id=_checked(rest.pop("agent_id"), is_agent_id),
        name=_checked(rest.pop("name"), is_name),
        resume=_token(rest.pop("resume"), "resume"),
        session=None if session is None else _session(session),
        host=None if host is None else (_whole(host["pid"]), _whole(host["start_ticks"])),
        project=project if isinstance(project, str) else None,
        rest=rest,
    )
    return record


def _session(session: Dict[str, Any]) -> StoredSession:
    return StoredSession(_token(session["token"], "session"), _whole(session["abs_expires_ms"]))


def _content(record: Record) -> Dict[str, Any]:
    session, host = record.session, record.host
    return {
        "agent_id": record.agent_id,
        "name": record.name,
        "resume": record.resume.expose(),
        "session": session
        and {"token": session.token.expose(), "abs_expires_ms": session.abs_expires_ms},
        "host": host and {"pid": host[0], "start_ticks": host[1]},
        "project": record.project,
        **record.rest,
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
