"""The hosts accept what we ship, and `ipc setup` takes back exactly what it wrote."""

import re

from hosts import Host
from stories.clients import Folder
from story import Town, needs


@needs("claude")
def claude_finds_the_plugin_valid(town: Town) -> None:
    host = town.claude("workshop")
    said = host.command("plugin", "validate", str(host.plugin))
    assert "Validation passed" in said.out, said.tail()
    assert "with warnings" not in said.out, said.tail()


@needs("gemini")
def gemini_finds_the_extension_valid_and_lists_it(town: Town) -> None:
    host = town.gemini("pottery")  # linked it
    host.command("extensions", "validate", str(host.extension))
    listed = host.command("extensions", "list")
    assert "ipc" in listed.out + listed.err, listed.tail()


@needs("inspector")
def what_we_ship_names_no_tool_that_is_not_there(town: Town) -> None:
    folder = Folder(town, "archive")
    tools = {tool["name"] for tool in folder.inspect("modern", "tools/list")["tools"]}
    named = {
        (word, str(path.relative_to(town.world.plugins)))
        for path in town.world.plugins.rglob("*.*") if path.is_file()
        for word in re.findall(r"\bipc_[a-z_]+\b", path.read_text())
    }
    assert {word for word, _ in named} <= tools, sorted(pair for pair in named if pair[0] not in tools)


@needs("codex")
def codex_adds_the_server_by_hand(town: Town) -> None:
    host = town.bare("codex", "smithy")
    host.command("mcp", "add", "ipc", "--", "ipc", "mcp")
    assert "ipc" in host.command("mcp", "list").out


def set_up(host: Host, town: Town, shows: str) -> None:
    """Setup, the host's own listing, the same again, and all of it taken back."""
    def setup(*words: str) -> str:
        return town.world.run(["ipc", "setup", host.name, *words], host.project, host.environment()).out

    host.command("mcp", "list", status=None)  # what the host writes at its first start is there now
    before, known = host.files(), set(town.world.agents())
    assert setup("--dry-run"), "a dry run shows what it would do"
    assert host.files() == before, "a dry run writes nothing"
    setup()
    after = host.files()
    assert after != before
    setup()
    assert host.files() == after, "a second setup changes nothing"
    listed = host.command("mcp", "list")
    assert shows in listed.out + listed.err, listed.tail()
    assert set(town.world.agents()) == known, "a listing makes no agent"
    assert host.files() == after, "the listing itself changed a file"
    setup("--uninstall")
    assert host.files() == before
    assert "ipc" not in host.command("mcp", "list").out


@needs("claude")
def setup_of_claude_is_listed_and_taken_back(town: Town) -> None:
    set_up(town.bare("claude", "attic"), town, "ipc: ")


@needs("gemini")
def setup_of_gemini_is_listed_and_taken_back(town: Town) -> None:
    set_up(town.bare("gemini", "cellar"), town, "ipc: ")


@needs("codex")
def setup_of_codex_is_listed_and_taken_back(town: Town) -> None:
    set_up(town.bare("codex", "pantry"), town, "ipc")


@needs("claude")
def a_listing_of_claude_connects_and_makes_no_agent(town: Town) -> None:
    host = town.bare("claude", "balcony")
    town.world.run(["ipc", "setup", "claude"], host.project, host.environment())
    known = set(town.world.agents())
    listed = host.command("mcp", "list")
    assert "Connected" in listed.out, listed.tail()
    assert set(town.world.agents()) == known
