"""Clients that are no agents: the Inspector, strictly, and the Python package, each in both eras of MCP."""

import json
from pathlib import Path
from typing import Any

from stories.mail import TOOLS
from story import Town, needs

CLIENT = Path(__file__).resolve().parents[1] / "mcp_client.py"


class Folder:
    """A home and a project folder without a host."""

    def __init__(self, town: Town, name: str) -> None:
        self.town, self.name = town, name
        self.home, self.project = town.world.room / f"h-{name}", town.world.room / f"p/{name}"
        self.home.mkdir(mode=0o700)
        self.project.mkdir(parents=True)

    def run(self, *argv: str) -> Any:
        """Runs a program that prints one JSON value."""
        world = self.town.world
        program = world.run(list(argv), self.project, world.environment(self.home))
        return json.loads(program.out)

    def inspect(self, era: str, method: str, *words: str) -> Any:
        """What the Inspector prints of one method."""
        data = f"IPC_DATA_DIR={self.town.world.data}"
        era_words = ["--protocol-era", era, "--method", method, *words, "-e", data]
        return self.run("mcp-inspector", "--cli", "ipc", "mcp", *era_words)


def inspect(town: Town, era: str) -> None:
    """Lists and calls with the Inspector in one era."""
    folder = Folder(town, f"inspector-{era}")
    friend = f"friend-{era}"
    town.stranger(friend)

    def tool(name: str, **arguments: str) -> str:
        result = folder.inspect(era, "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(arguments))
        assert not result.get("isError"), result
        return json.dumps(result)

    tools = folder.inspect(era, "tools/list", "--strict")["tools"]
    assert TOOLS <= {tool["name"] for tool in tools}, tools
    uris = {resource["uri"] for resource in folder.inspect(era, "resources/list")["resources"]}
    assert "ipc://inbox" in uris, uris
    assert folder.inspect(era, "prompts/list")["prompts"]
    assert folder.name in tool("ipc_status")
    body = town.send(friend, folder.name)
    assert body in tool("ipc_check")
    answer = town.body()
    tool("ipc_send", to=friend, text=answer)
    assert answer in str(town.world.ipc("--as", friend, "check"))
    town.until_gone(folder.name)


@needs("inspector")
def the_inspector_is_content_in_the_legacy_era(town: Town) -> None:
    inspect(town, "legacy")


@needs("inspector")
def the_inspector_is_content_in_the_modern_era(town: Town) -> None:
    inspect(town, "modern")


def talk(town: Town, mode: str, protocol: str) -> None:
    """Lists and calls with the Python package in one mode."""
    folder = Folder(town, f"python-{mode}")
    friend = f"python-friend-{mode}"
    town.stranger(friend)
    body, answer = town.send(friend, folder.name), town.body()
    calls = [["ipc_status", {}], ["ipc_check", {}], ["ipc_send", {"to": friend, "text": answer}]]
    said = folder.run(str(town.world.python), str(CLIENT), mode, json.dumps(calls), "ipc", "mcp")
    assert said["protocol"] == protocol, said["protocol"]
    assert TOOLS <= set(said["tools"]) and "ipc://inbox" in said["resources"] and said["prompts"], said
    assert not any(result["isError"] for result in said["results"]), said["results"]
    status, checked, _ = map(json.dumps, said["results"])
    assert folder.name in status and body in checked, said["results"]
    assert answer in str(town.world.ipc("--as", friend, "check"))
    town.until_gone(folder.name)


@needs("python-mcp")
def the_python_client_talks_by_initialize(town: Town) -> None:
    talk(town, "legacy", "2025-11-25")


@needs("python-mcp")
def the_python_client_talks_by_discover(town: Town) -> None:
    talk(town, "auto", "2026-07-28")
