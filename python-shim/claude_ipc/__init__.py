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

from . import errors
from .async_client import AsyncClient
from .client import Client
from .errors import IpcError
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
