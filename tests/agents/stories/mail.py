"""Agents of different makers exchange mail through one daemon."""

from hosts import Host, Visit
from story import Town, needs
from stub_model import Call, Request, Say

TOOLS = {
    "ipc_register", "ipc_send", "ipc_check", "ipc_read", "ipc_reply", "ipc_broadcast", "ipc_list",
    "ipc_rename", "ipc_status", "ipc_conversation", "ipc_auto_check",
}
# Longest description that Claude Code shows whole.
DESCRIPTION_BYTES = 2048


def arrive(host: Host) -> Visit:
    """The agent's first visit: it gets its name, and leaves."""
    return host.ask("Who are you?", Call("ipc_status"), Say())


def is_told(request: Request, sender: str) -> None:
    """A line that the host put before the model names the sender and the tool."""
    # Gemini puts what its AfterTool hook says behind the tool's result.
    lines = "\n".join([*request.view.prompts, *request.view.results]).splitlines()
    told = [line for line in lines if sender in line and "ipc_check" in line]
    assert told, f"{request.session}: no notice of {sender} in\n" + "\n".join(lines[-40:])


@needs("claude", "gemini")
def claude_writes_to_gemini_and_reads_the_answer(town: Town) -> None:
    harbor, meadow = town.claude("harbor"), town.gemini("meadow")
    question, answer = town.body(), town.body()
    first = arrive(meadow)
    assert "meadow" in first.result(1)
    assert "harbor" not in first.prompts(), "a notice without mail"

    sent = harbor.ask("Write.", Call("ipc_send", {"to": "meadow", "text": question}), Say())
    assert "meadow" in sent.result(1)
    town.until_gone("harbor")

    asked = meadow.ask("Go on.", Call("ipc_check"), Call("ipc_reply", {"text": answer}), Say())
    is_told(asked.requests[0], "harbor")
    assert question in asked.result(1) and "harbor" in asked.result(1)
    town.until_gone("meadow")

    answered = harbor.ask("Go on.", Call("ipc_check"), Say())
    is_told(answered.requests[0], "meadow")
    assert answer in answered.result(1) and "meadow" in answered.result(1)


@needs("claude", "codex")
def a_broadcast_of_claude_reaches_codex(town: Town) -> None:
    lighthouse, quarry = town.claude("lighthouse"), town.codex("quarry")
    assert "quarry" in arrive(quarry).result(1)
    news = town.body()
    lighthouse.ask("Tell all.", Call("ipc_broadcast", {"text": news}), Say())

    heard = quarry.ask("Go on.", Call("ipc_check"), Say())
    is_told(heard.requests[0], "lighthouse")
    assert news in heard.result(1)


@needs("codex")
def codex_answers_a_shell(town: Town) -> None:
    town.stranger("shell")
    mill = town.codex("mill")
    arrive(mill)
    question, answer = town.send("shell", "mill"), town.body()
    visit = mill.ask("Go on.", Call("ipc_check"), Call("ipc_reply", {"text": answer}), Say())
    assert question in visit.result(1)
    assert answer in str(town.world.ipc("--as", "shell", "check"))


@needs("claude", "gemini", "codex")
def agents_are_named_after_their_folders_and_come_back_under_them(town: Town) -> None:
    for host in (town.claude("orchard"), town.gemini("vineyard"), town.codex("meander")):
        before = set(town.world.agents())
        for _ in range(2):
            assert host.folder in arrive(host).result(1)
            town.until_gone(host.folder)
        assert set(town.world.agents()) - before == {host.folder}


@needs("claude", "gemini", "codex")
def every_host_offers_every_tool_to_its_model(town: Town) -> None:
    for host in (town.claude("abbey"), town.gemini("barn"), town.codex("castle")):
        view = arrive(host).requests[0].view
        missing = [tool for tool in TOOLS if not view.wire(tool)]
        assert not missing, f"{host.name}: no {missing} in {sorted(view.tools)}"
        for name in TOOLS:
            description = view.tools[view.wire(name)][1]
            assert 0 < len(description.encode()) <= DESCRIPTION_BYTES, f"{host.name}: {name}: {description}"


@needs("claude")
def a_message_that_was_read_is_told_of_no_more(town: Town) -> None:
    town.stranger("teller")
    cottage = town.claude("cottage")
    arrive(cottage)
    body = town.send("teller", "cottage")
    assert body in cottage.ask("Go on.", Call("ipc_check"), Say()).result(1)
    assert "teller" not in cottage.ask("Go on.", Say()).prompts()
