"""What the system says of processes. On Linux from ``/proc``; elsewhere nothing is known."""

from __future__ import annotations

import os

from .limits import ANCESTORS
from .records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Optional, Tuple

#: The first process of a system or a container.
_FIRST = 1

#: Programs that are agents' hosts, by the names of their processes.
_AGENT_HOSTS = ("claude", "gemini", "codex")

#: Programs that run a file which they are given first, whatever number is behind their name.
_INTERPRETERS = ("node", "bun", "deno", "python", "bash", "sh", "dash")

#: What such a file may end in.
_SCRIPTS = (".js", ".mjs", ".cjs", ".py")


@record(frozen=True)
class Facts:
    """A process at one moment; with ``start_ticks`` (clock ticks after boot) its id is unique."""

    pid: int
    parent: int
    session: int
    start_ticks: int
    ended: bool


def facts(pid: int) -> Optional[Facts]:
    """The process ``pid``, if the system says anything of it."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return parse_stat(pid, file.read())
    except OSError:
        return None


def parse_stat(pid: int, stat: bytes) -> Optional[Facts]:
    """Parses ``proc_pid_stat(5)``. The second field is the program's own choice and may hold anything,
    so the fields are counted from its last closing parenthesis."""
    _, found, rest = stat.rpartition(b") ")
    fields = rest.split(b" ")
    if not found or len(fields) < 20:
        return None
    try:
        parent, session, start = int(fields[1]), int(fields[3]), int(fields[19])
    except ValueError:
        return None
    return Facts(pid, parent, session, start, fields[0] in (b"Z", b"X"))


def is_running(pid: int, start_ticks: int) -> bool:
    """Whether ``pid`` is still the process that started at ``start_ticks``."""
    found = facts(pid)
    return found is not None and found.start_ticks == start_ticks and not found.ended


def lineage(pid: int, look: Callable[[int], Optional[Facts]] = facts) -> List[Facts]:
    """The process ``pid`` and its ancestors, nearest first, at most 64.

    The first process adopts every orphan, so that to be its child means nothing: it is counted only
    as the leader of the session that ``pid`` is in (a container's shell).
    """
    own = look(pid)
    chain: List[Facts] = []
    at = own
    while at is not None and own is not None and len(chain) < ANCESTORS:
        if at.pid == _FIRST and own.session != _FIRST:
            break
        chain.append(at)
        parent = look(at.parent)
        at = parent if parent is not None and parent.start_ticks <= at.start_ticks else None
    return chain


def find_host(pid: int) -> Optional[Tuple[Facts, Optional[str]]]:
    """The process that stands for the agent in whose name process ``pid`` acts, and its program.

    It is the nearest ancestor that is a known agent host, else the leader of the session (the
    terminal's shell), else the farthest ancestor in it. ``None`` where the system says nothing.
    """
    chain = lineage(pid)
    if not chain:
        return None
    own, ancestors = chain[0], chain[1:]
    for ancestor in ancestors:
        program = _agent_host(ancestor.pid)
        if program is not None:
            return ancestor, program
    for ancestor in ancestors:
        if ancestor.pid == own.session:
            return ancestor, None
    farthest = None
    for ancestor in ancestors:
        if ancestor.session != own.session:
            break
        farthest = ancestor
    return None if farthest is None else (farthest, None)


def _agent_host(pid: int) -> Optional[str]:
    names = program_names(pid)
    return next((host for host in _AGENT_HOSTS if host in names), None)


def program_names(pid: int) -> List[str]:
    """Names under which a process may be known: its own, that of its program, and that of the file which its
    program runs, where that is an interpreter. A file that an editor was given is none."""
    own = _content(f"/proc/{pid}/comm")
    program, *arguments = _content(f"/proc/{pid}/cmdline").split("\0")
    program = _base_name(program)
    names = [_base_name(own), program]
    # What stands before it are the interpreter's own options.
    run = next((argument for argument in arguments if not argument.startswith("-")), "")
    is_interpreter = program.rstrip("0123456789.") in _INTERPRETERS
    if is_interpreter and os.path.isfile(os.path.join(f"/proc/{pid}/cwd", run)):
        name = _base_name(run)
        stem, ending = os.path.splitext(name)
        names.append(stem if ending in _SCRIPTS else name)
    return [name for name in names if name]


def _base_name(path: str) -> str:
    return path.rstrip().rpartition("/")[2]


def _content(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
