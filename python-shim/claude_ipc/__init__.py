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
from .messages import Message, Outcome, Provenance, Sender, Sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .async_client import AsyncClient

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
    # asyncio takes four times as long to import as all the rest.
    if name == "AsyncClient":
        from .async_client import AsyncClient

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
