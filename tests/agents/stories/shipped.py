"""The hosts accept what we ship, and `ipc setup` takes back exactly what it wrote."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from hosts import Claude, Codex, Gemini, Host
from stories.clients import Folder
from stories.push import is_woken, mail_amid_work
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
    host = town.bare(Codex, "smithy")
    host.command("mcp", "add", "ipc", "--", "ipc", "mcp")
    assert "ipc" in host.command("mcp", "list").out


def setup(host: Host, *words: str) -> str:
    """Runs `ipc setup` for a host; what it printed."""
    return host.world.run(["ipc", "setup", host.name, *words], host.project, host.environment()).out


@contextmanager
def is_set_up(host: Host) -> Iterator[None]:
    """A time in which the host has what setup writes."""
    setup(host)
    try:
        yield
    finally:
        setup(host, "--uninstall")


def set_up(host: Host, town: Town, shows: str) -> None:
    """Setup, the host's own listing, the same again, and all of it taken back."""
    host.command("mcp", "list", status=None)  # what the host writes at its first start is there now
    before, known = host.files(), set(town.world.agents())
    assert setup(host, "--dry-run"), "a dry run shows what it would do"
    assert host.files() == before, "a dry run writes nothing"
    with is_set_up(host):
        after = host.files()
        assert after != before
        setup(host)
        assert host.files() == after, "a second setup changes nothing"
        listed = host.command("mcp", "list")
        assert shows in listed.out + listed.err, listed.tail()
        assert set(town.world.agents()) == known, "a listing makes no agent"
        assert host.files() == after, "the listing itself changed a file"
    assert host.files() == before, "not byte for byte what it was"
    assert "ipc" not in host.command("mcp", "list").out


def work(host: Host, town: Town) -> None:
    """Tools and hooks work with nothing but what setup wrote."""
    with is_set_up(host):
        mail_amid_work(host, town)
        town.until_gone(host.folder)


@needs("claude")
def claude_works_with_what_setup_wrote(town: Town) -> None:
    work(town.bare(Claude, "veranda"), town)


@needs("gemini")
def gemini_works_with_what_setup_wrote(town: Town) -> None:
    work(town.bare(Gemini, "hallway"), town)


@needs("codex")
def codex_works_with_what_setup_wrote(town: Town) -> None:
    work(town.bare(Codex, "scullery"), town)


@needs("claude")
def an_idle_claude_is_woken_by_what_setup_wrote(town: Town) -> None:
    town.stranger("neighbour")
    host = town.bare(Claude, "terrace")
    with is_set_up(host):
        is_woken(host, town, "neighbour")


@needs("claude")
def setup_of_claude_is_listed_and_taken_back(town: Town) -> None:
    set_up(town.bare(Claude, "attic"), town, "ipc: ")


@needs("gemini")
def setup_of_gemini_is_listed_and_taken_back(town: Town) -> None:
    set_up(town.bare(Gemini, "cellar"), town, "ipc: ")


@needs("codex")
def setup_of_codex_is_listed_and_taken_back(town: Town) -> None:
    set_up(town.bare(Codex, "pantry"), town, "ipc")


@needs("claude")
def a_listing_of_claude_connects_and_makes_no_agent(town: Town) -> None:
    host = town.bare(Claude, "balcony")
    known = set(town.world.agents())
    with is_set_up(host):
        listed = host.command("mcp", "list")
    assert "Connected" in listed.out, listed.tail()
    assert set(town.world.agents()) == known
