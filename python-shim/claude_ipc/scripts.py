"""The drop-in scripts of version 2: the same names, arguments and output.

What differs: control characters and hidden ones are shown as escapes; further lines of a text are
indented, so that none can pass for the head of another message; errors go to standard error.
"""

from __future__ import annotations

import sys

from . import large, safe, screen
from .client import Client
from .errors import UnknownRecipient, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Optional

    from .messages import Message

_RULE = "-" * 50

#: Minutes between two reminders when nobody says.
_MINUTES = 5


def register(arguments: List[str]) -> int:
    """``ipc_register.py NAME``"""
    (name,) = _exactly(arguments, "ipc_register.py NAME", 1)
    with Client() as client:
        registered = client.register(name)
    queued = f" with {registered.waiting} queued messages" if registered.waiting else ""
    screen.show(f"Registered as {registered.name}\nRegistered {registered.name}{queued}")
    return 0


def send(arguments: List[str]) -> int:
    """``ipc_send.py TO TEXT``"""
    if len(arguments) < 2:
        raise UsageError("usage: ipc_send.py TO TEXT")
    to, text = arguments[0], " ".join(arguments[1:])
    with Client() as client:
        client.send(to, text)
    screen.show(f"Sent to {safe.line(to)}: {safe.indented(text, '    ')}")
    return 0


def broadcast(arguments: List[str]) -> int:
    """``ipc_broadcast.py TEXT``"""
    if not arguments:
        raise UsageError("usage: ipc_broadcast.py TEXT")
    with Client() as client:
        try:
            reached = len(client.broadcast(" ".join(arguments)).recipients)
        except UnknownRecipient:
            # To nobody is no error for the scripts that call this one, and it says so.
            reached = 0
    screen.show(f"Broadcast to {reached} instances")
    return 0


def check(arguments: List[str]) -> int:
    """``ipc_check.py``"""
    _exactly(arguments, "ipc_check.py", 0)
    shown = 0
    with Client() as client:
        while True:
            with client.receiving(limit=100) as found:
                if found and not shown:
                    screen.show(f"New messages:\n{_RULE}")
                for message in found:
                    screen.show(_entry(client, message))
            if not found:
                break
            shown += len(found)
    if not shown:
        screen.show("No new messages")
    return 0


def list_agents(arguments: List[str]) -> int:
    """``ipc_list.py``"""
    _exactly(arguments, "ipc_list.py", 0)
    with Client() as client:
        agents = client.list()
    lines = ["Active IPC instances:", _RULE]
    for agent in agents:
        lines += [f"ID: {agent.name}", f"Last seen: {screen.local_time(agent.last_seen_ms)}", _RULE]
    screen.show("\n".join(lines))
    return 0


def rename(arguments: List[str]) -> int:
    """``ipc_rename.py NEW``"""
    (new_name,) = _exactly(arguments, "ipc_rename.py NEW", 1)
    with Client() as client:
        renamed = client.rename(new_name)
    screen.show(f"Renamed {renamed.old_name} to {renamed.name}")
    return 0


def auto_check(arguments: List[str]) -> int:
    """``ipc_auto_check_manager.py start [N]|stop|status``"""
    action, minutes = _auto_check(arguments)
    with Client() as client:
        now = client.auto_check(action, minutes)
    if action == "start":
        screen.show(f"Auto-check started: every {now.minutes} minutes")
    elif action == "stop":
        screen.show("Auto-check stopped")
    elif now.mode == "every":
        screen.show(f"Auto-check is on: every {now.minutes} minutes")
    elif now.mode == "off":
        screen.show("Auto-check is off")
    else:
        screen.show("Auto-check is off: told of mail when it arrives")
    return 0


def main(script: Callable[[List[str]], int]) -> int:
    """Runs a script over the arguments of this process; its exit status."""
    return screen.ends(lambda: script(sys.argv[1:]))


def _auto_check(arguments: List[str]) -> tuple[str, Optional[int]]:
    usage = UsageError("usage: ipc_auto_check_manager.py start [MINUTES, 1 to 60]|stop|status")
    action, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if action == "start" and len(rest) <= 1:
        text = rest[0] if rest else str(_MINUTES)
        if not (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= 60):
            raise usage
        return action, int(text)
    if action in ("stop", "status") and not rest:
        return action, None
    raise usage


def _entry(client: Client, message: Message) -> str:
    content = safe.indented(message.sentence(), " " * len("Content: "))
    if message.truncated:
        content += f" Full content saved to: {safe.line(large.keep_whole(client, message))}"
    time = screen.local_time(message.sent_ms)
    return f"From: {message.sender_name}\nTime: {time}\nContent: {content}\n{_RULE}"


def _exactly(arguments: List[str], usage: str, count: int) -> List[str]:
    if len(arguments) != count:
        raise UsageError(f"usage: {usage}")
    return arguments
