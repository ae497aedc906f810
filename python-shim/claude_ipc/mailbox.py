"""Whose mailbox: ``as_name``, else ``IPC_INSTANCE``, else the agent that was registered from the
nearest ancestor of this process. Never somebody's because it is the only one, and never another agent's
because it has the name by now."""

from __future__ import annotations

import os

from .errors import NoMailbox
from .places import configured_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence

    from .agent_files import AgentFiles, Record
    from .processes import Facts

#: Names that an error lists, at most.
_LISTED = 10


def find(files: AgentFiles, as_name: Optional[str]) -> Record:
    """The agent that is meant. Raises `NoMailbox`, which lists the choices."""
    name = as_name or configured_name()
    if name is not None:
        return follow(files, name)
    from . import processes

    records = files.all()
    return nearest(records, processes.lineage(os.getpid()))


def follow(files: AgentFiles, name: str) -> Record:
    """The agent once called ``name``. Raises `NoMailbox`."""
    record = files.follow(name)
    if record is None:
        raise not_kept(name)
    return record


def again(files: AgentFiles, name: str, agent_id: str) -> Record:
    """The agent ``agent_id``, which was called ``name``, whatever it is called now.

    Raises `NoMailbox` where nothing is kept for it any more: who has its name by now is somebody else.
    """
    found = files.follow(name)
    if found is not None and found.agent_id == agent_id:
        return found
    for record in files.all():
        if record.agent_id == agent_id:
            return record
    if found is None:
        raise not_kept(name)
    raise NoMailbox(
        f"the agent that was called {name} is gone from here; another one has the name now",
        f"`ipc register {name}` is to act for that one",
    )


def not_kept(name: str) -> NoMailbox:
    """The error where nothing is kept for a name that was given."""
    return NoMailbox(f"no credentials are kept here for {name}", f"`ipc register {name}`")


def nearest(records: List[Record], lineage: Sequence[Facts]) -> Record:
    """The agent whose host process is the nearest in ``lineage``. Raises `NoMailbox`."""
    for facts in lineage:
        here = [record for record in records if record.host == (facts.pid, facts.start_ticks)]
        if len(here) == 1:
            return here[0]
        if here:
            raise _unclear("several agents were registered from here", "", here)
    if not records:
        raise NoMailbox("no agent is registered here", "register one first")
    own = "register one of your own, else "
    raise _unclear("no agent was registered from this terminal or agent", own, records)


def _unclear(text: str, own: str, records: List[Record]) -> NoMailbox:
    names = sorted(record.name for record in records)
    more = ", …" if len(names) > _LISTED else ""
    listed = ", ".join(names[:_LISTED]) + more
    return NoMailbox(text, f"{own}set IPC_INSTANCE (or as_name) to one of: {listed}")
