"""What a story is: a function with a sentence for a name, the parts that it needs, and a town to act in."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hosts import Claude, Codex, Gemini, Host
from stub_model import Model
from world import World

PARTS = ("claude", "gemini", "codex", "inspector", "python-mcp")
AnyHost = TypeVar("AnyHost", bound=Host)


@dataclass
class Town:
    """A world, a model, and every body that was sent in it."""

    world: World
    model: Model
    bodies: list[str] = field(default_factory=list)

    def body(self) -> str:
        """A body that stands nowhere else."""
        self.bodies.append(f"CANARY-{secrets.token_hex(8)}")
        return self.bodies[-1]

    def _host(self, kind: type[AnyHost], folder: str) -> AnyHost:
        host = kind(self.world, self.model, folder)
        host.wire()
        return host

    def bare(self, kind: type[AnyHost], folder: str) -> AnyHost:
        """A host with nothing of ours."""
        return kind(self.world, self.model, folder)

    def claude(self, folder: str) -> Claude:
        return self._host(Claude, folder)

    def gemini(self, folder: str) -> Gemini:
        return self._host(Gemini, folder)

    def codex(self, folder: str) -> Codex:
        return self._host(Codex, folder)

    def stranger(self, name: str) -> None:
        """Registers an agent that has no host: a shell."""
        self.world.ipc("register", name)

    def send(self, sender: str, to: str) -> str:
        """Sends a body from a shell; the body."""
        body = self.body()
        self.world.ipc("--as", sender, "send", to, body)
        return body

    def until_gone(self, name: str) -> None:
        """Waits until an agent is known and not live."""
        self.world.until(f"{name} gone", lambda agents: agents[name]["presence"] != "live")

    def leaks(self, known: int) -> list[str]:
        """Where a body was shown to a model outside a tool result, after the first `known` requests."""
        return [
            f"{request.session}: {body} in {[p for p in request.view.prompts if body in p] or 'tools or system'}"
            for request in self.model.requests(beside=True)[known:]
            for body in self.bodies
            if body in request.view.outside
        ]


@dataclass(frozen=True)
class Story:
    """A function to run, and the parts that it needs."""

    run: Callable[[Town], Any]
    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.run.__name__.replace("_", " ")


STORIES: list[Story] = []


def needs(*parts: str) -> Callable[[Callable[[Town], Any]], Callable[[Town], Any]]:
    """Makes a function a story."""
    def add(run: Callable[[Town], Any]) -> Callable[[Town], Any]:
        STORIES.append(Story(run, parts))
        return run
    return add
