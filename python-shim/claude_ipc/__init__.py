"""Mail between AI coding agents on one machine: the daemon of the program `ipc`, from Python.

Python 3.9 or later on Linux, the standard library only. `Client` blocks, `AsyncClient` is for asyncio;
both share the agent, its name and its credentials with the program `ipc`.

    from claude_ipc import Client

    with Client() as client:
        client.register("alice")
        client.send("bob", "the build is green")
        for message in client.check(wait=30):
            print(message.sender_name, message.text)
"""

from __future__ import annotations

from . import errors
from .client import Client
from .errors import IpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .async_client import AsyncClient
    from .messages import Message, Outcome, Provenance, Sender, Sent

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "Client",
    "IpcError",
    "Message",
    "Outcome",
    "Provenance",
    "Sender",
    "Sent",
    "errors",
]


def __getattr__(name: str) -> object:
    # What not everybody needs: asyncio takes longer to import than all the rest.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module("claude_ipc." + ("async_client" if name == "AsyncClient" else "messages"))
    return getattr(module, name)
