"""``python3 -m claude_ipc``: what a shell needs of this package. The program `ipc` does more."""

from __future__ import annotations

import argparse
import json
import sys

from . import large, safe, screen
from .client import Client
from .errors import TooLarge, UsageError
from .limits import BODY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

    from .messages import Message, Sent

    _Command = Callable[[Client, argparse.Namespace], int]


def main(arguments: Optional[List[str]] = None) -> int:
    """Runs one command; the exit status, as of the program `ipc`."""
    chosen = _parser().parse_args(arguments)
    as_json = bool(chosen.json)

    def work() -> int:
        with Client(chosen.as_name, data_dir=chosen.data_dir) as client:
            command: _Command = chosen.command
            return command(client, chosen)

    return screen.ends(work, as_json)


def _say(chosen: argparse.Namespace, value: Any, people: str) -> int:
    if chosen.json:
        screen.show_json(value)
    else:
        screen.show(people)
    return 0


def _register(client: Client, chosen: argparse.Namespace) -> int:
    done = client.register(chosen.name, takeover=chosen.takeover)
    here = ", ".join(done.online) or "nobody else"
    return _say(chosen, done, f"registered as {done.name}\nhere: {here}\nwaiting: {done.waiting}")


def _send(client: Client, chosen: argparse.Namespace) -> int:
    sent = client.send(chosen.to, _text(chosen), data=_data(chosen), known_only=chosen.known)
    return _sent(chosen, sent)


def _broadcast(client: Client, chosen: argparse.Namespace) -> int:
    return _sent(chosen, client.broadcast(_text(chosen), data=_data(chosen)))


def _reply(client: Client, chosen: argparse.Namespace) -> int:
    options = {"final": not chosen.interim, "private": chosen.private}
    return _sent(chosen, client.reply(_text(chosen), chosen.id, data=_data(chosen), **options))


def _ask(client: Client, chosen: argparse.Namespace) -> int:
    def heard(message: Message) -> None:
        _show_mail(client, chosen, [message])

    asked = client.ask(chosen.to, _text(chosen), chosen.wait, data=_data(chosen), heard=heard)
    if asked.ended != "answered":
        screen.note(f"{asked.message_id} is stored; waiting ended: {safe.line(asked.ended)}")
    return 0 if asked.final or asked.ended == "answered" else 5


def _forward(client: Client, chosen: argparse.Namespace) -> int:
    return _sent(chosen, client.forward(chosen.to, chosen.id))


def _sent(chosen: argparse.Namespace, sent: Sent) -> int:
    lines = [f"sent {sent.message_id}"]
    for outcome in sent.recipients:
        where = {
            "stored": f"to {outcome.name}",
            "forwarded": f"to {outcome.name}, who was called {outcome.former}",
            "unclaimed": f"kept for whoever claims the name {outcome.name}",
            "held": f"held until {outcome.name} allows it",
            "left_out": f"not to {outcome.name}: {safe.line(outcome.reason or '')}",
        }.get(outcome.type, f"to {outcome.name}")
        meant = f" (did you mean {outcome.did_you_mean}?)" if outcome.did_you_mean else ""
        lines.append("  " + where + meant)
    return _say(chosen, sent, "\n".join(lines))


def _check(client: Client, chosen: argparse.Namespace) -> int:
    if chosen.peek:
        found = client.check(0.0, chosen.limit, True, **_filters(chosen))
        _show_mail(client, chosen, found)
        return 0
    with client.receiving(chosen.wait, chosen.limit, **_filters(chosen)) as found:
        _show_mail(client, chosen, found)
    return 0 if found or not chosen.wait else 5


def _listen(client: Client, chosen: argparse.Namespace) -> int:
    def heard(message: Message) -> None:
        _show_mail(client, chosen, [message])

    client.listen(heard, chosen.timeout, **_filters(chosen))
    return 0


def _filters(chosen: argparse.Namespace) -> Dict[str, Optional[str]]:
    return {"sender": chosen.sender, "kind": chosen.kind, "conversation": chosen.conversation}


def _history(client: Client, chosen: argparse.Namespace) -> int:
    past = client.history(chosen.search, peer=chosen.peer, limit=chosen.limit)
    rows = [f"{safe.line(entry.direction)} {_people(entry.message, None)}" for entry in past.entries]
    return _say(chosen, past, "\n".join(rows) or "no past mail")


def _conversation(client: Client, chosen: argparse.Namespace) -> int:
    action, words = chosen.action, chosen.words
    if not words and action != "list":
        raise UsageError(f"`conversation {action}` takes {_TAKES[action]}")
    if len(words) > {"list": 0, "members": 1, "leave": 1}.get(action, len(words)):
        raise UsageError(f"`conversation {action}` takes {_TAKES[action] or 'nothing more'}")
    if action == "create":
        found = [client.create_conversation(words[0], words[1:])]
    elif action == "add":
        found = client.add_to_conversation(words[0], words[1:]).conversations
    elif action == "list":
        found = client.conversations().conversations
    else:
        one = client.leave_conversation if action == "leave" else client.conversation
        found = [one(words[0])]
    rows = [f"{one.id}  {safe.line(one.title or '-')}  {', '.join(one.members)}" for one in found]
    return _say(chosen, found, "\n".join(rows) or "no conversations")


#: What each action of `conversation` takes.
_TAKES = {"create": "TITLE NAME…", "add": "ID NAME…", "leave": "ID", "members": "ID", "list": ""}


def _bound(client: Client, chosen: argparse.Namespace) -> int:
    rule = {"block": client.block, "mute": client.mute, "allow": client.allow}[chosen.rule]
    if chosen.remove:
        rule = client.forget_rule
    now = rule(chosen.name)
    rows = [f"{one.rule}  {one.name}" for one in now.rules]
    rows += [f"held  {one.name}  {one.messages}" for one in now.held]
    return _say(chosen, now, "\n".join(rows) or "no rules")


def _show_mail(client: Client, chosen: argparse.Namespace, found: List[Message]) -> None:
    for message in found:
        saved = large.keep_whole(client, message) if message.truncated and not chosen.json else None
        _say(chosen, message, _people(message, saved))
    if not found and not chosen.json:
        screen.show("no new mail")


def _people(message: Message, saved: Optional[str]) -> str:
    marks = [screen.local_time(message.sent_ms), message.id]
    if message.kind not in ("message", "system"):
        marks.append(message.kind)
    if message.reply_to:
        marks.append(f"answers {message.reply_to}")
    if message.conversation is not None and message.conversation.title is not None:
        marks.append(f"in {message.conversation.title} {message.conversation.id}")
    if message.interim:
        marks.append("(more is to come)")
    if message.redelivered:
        marks.append("(redelivered)")
    lines = [safe.line(" · ".join([message.sender_name, *marks]))]
    lines.append("    " + safe.indented(message.sentence(), "    "))
    if message.data is not None:
        lines.append("    data: " + safe.line(json.dumps(message.data, ensure_ascii=False)))
    if message.data_omitted:
        lines.append(f"    (data too large to show: `read {message.id}`)")
    if saved is not None:
        lines.append(f"    Full content saved to: {safe.line(saved)}")
    return "\n".join(lines)


def _read(client: Client, chosen: argparse.Namespace) -> int:
    message = client.read(chosen.id)
    return _say(chosen, message, _people(message, None))


def _list(client: Client, chosen: argparse.Namespace) -> int:
    agents = client.list()
    rows = [
        f"{agent.name}{' (you)' if agent.is_self else ''}  {agent.presence}"
        + "".join(f"  {safe.line(said)}" for said in (agent.status, agent.summary) if said)
        for agent in agents
    ]
    return _say(chosen, agents, safe.block("\n".join(rows)))


def _whoami(client: Client, chosen: argparse.Namespace) -> int:
    me = client.whoami()
    stopped = "\nfrozen by the operator; mail waits until `ipc admin thaw NAME`" if me.frozen else ""
    return _say(chosen, me, f"{me.name} {me.agent_id}\nwaiting: {me.waiting}{stopped}")


def _rename(client: Client, chosen: argparse.Namespace) -> int:
    done = client.rename(chosen.name)
    return _say(chosen, done, f"{done.old_name} is called {done.name} now")


def _receipts(client: Client, chosen: argparse.Namespace) -> int:
    receipts = client.receipts(chosen.id)
    rows = [
        f"{receipt.message_id}  {delivery.to}  {delivery.state}"
        for receipt in receipts
        for delivery in receipt.deliveries
    ]
    return _say(chosen, receipts, safe.block("\n".join(rows) or "nothing sent"))


def _dead_letters(client: Client, chosen: argparse.Namespace) -> int:
    letters = client.dead_letters()
    rows = [f"{letter.message_id}  {letter.to}  {letter.state}  {letter.reason}" for letter in letters]
    return _say(chosen, letters, safe.block("\n".join(rows) or "no dead letters"))


def _status(client: Client, chosen: argparse.Namespace) -> int:
    now = client.status()
    rows = [f"{key}: {value}" for key, value in now.all.items() if not isinstance(value, dict)]
    rows += ["frozen: you, by the operator; mail waits until `ipc admin thaw NAME`"] if now.frozen.you else []
    rows += ["frozen: everybody"] if now.frozen.everybody_since_ms is not None else []
    rows += [f"frozen: {now.frozen.agents} by name"] if now.frozen.agents else []
    return _say(chosen, now.all, safe.block("\n".join(rows)))


def _auto_check(client: Client, chosen: argparse.Namespace) -> int:
    now = client.auto_check(chosen.action, chosen.minutes)
    every = f" ({now.minutes} minutes)" if now.minutes else ""
    return _say(chosen, now, safe.line(now.mode) + every)


def _text(chosen: argparse.Namespace) -> str:
    text = " ".join(chosen.text)
    return _standard_input() if text == "-" else text


def _standard_input() -> str:
    """What standard input holds, up to what a message cannot hold any more."""
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    # Bytes, so that no setting of the shell decides how they are read.
    raw = sys.stdin.buffer.read(BODY_BYTES + 1)
    if len(raw) > BODY_BYTES:
        raise TooLarge(f"a message holds at most {BODY_BYTES} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("standard input is no text in UTF-8") from None


def _data(chosen: argparse.Namespace) -> Optional[Dict[str, Any]]:
    if chosen.data is None:
        return None
    try:
        data = json.loads(chosen.data)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise UsageError("`--data` takes a JSON object")
    return data


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="claude_ipc", description="Mail between agents.")
    parser.add_argument("--as", dest="as_name", metavar="NAME", help="whose mailbox")
    parser.add_argument("--data-dir", metavar="DIR", help="else IPC_DATA_DIR, ~/.claude-ipc-data")
    parser.add_argument("--json", action="store_true", help="one object on one line")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: _Command, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text)
        added.set_defaults(command=command)
        return added

    def add_text(added: argparse.ArgumentParser) -> None:
        added.add_argument("text", nargs="+", metavar="TEXT", help="`-`: standard input")
        added.add_argument("--data", metavar="JSON", help="an object to attach")

    def add_filters(added: argparse.ArgumentParser) -> None:
        added.add_argument("--from", dest="sender", metavar="NAME", help="only mail of this agent")
        added.add_argument("--kind", metavar="KIND", help="only mail of this kind")
        added.add_argument("--conversation", metavar="ID", help="only what was said there")

    register = add("register", _register, "get a name, or come back to it")
    register.add_argument("name", metavar="NAME")
    register.add_argument("--takeover", action="store_true", help="also from another window")
    send = add("send", _send, "send to a name, an id or `all`")
    send.add_argument("to", metavar="TO")
    send.add_argument("--known", action="store_true", help="refuse a name that nobody has")
    add_text(send)
    add_text(add("broadcast", _broadcast, "send to everybody"))
    reply = add("reply", _reply, "answer the last message, or --id")
    reply.add_argument("--id", metavar="ID")
    reply.add_argument("--interim", action="store_true", help="more of the answer is to come")
    reply.add_argument("--private", action="store_true", help="to the sender alone, not to its group")
    add_text(reply)
    ask = add("ask", _ask, "send, and show the answers as they come; 5 if none does")
    ask.add_argument("to", metavar="TO")
    ask.add_argument("--wait", type=float, default=60.0, metavar="SECONDS")
    add_text(ask)
    forward = add("forward", _forward, "pass the last message on, or --id")
    forward.add_argument("to", metavar="TO")
    forward.add_argument("--id", metavar="ID")
    check = add("check", _check, "show what is new; it counts as delivered once it is printed")
    check.add_argument("--wait", type=float, default=0.0, metavar="SECONDS")
    check.add_argument("--limit", type=int, default=20, metavar="N")
    check.add_argument("--peek", action="store_true", help="only look")
    add_filters(check)
    listen = add("listen", _listen, "show what comes, until interrupted")
    listen.add_argument("--timeout", type=float, default=None, metavar="SECONDS")
    add_filters(listen)
    history = add("history", _history, "past mail")
    history.add_argument("peer", nargs="?", metavar="WITH")
    history.add_argument("--search", metavar="QUERY")
    history.add_argument("--limit", type=int, default=20, metavar="N")
    conversation = add("conversation", _conversation, "groups: " + ", ".join(_TAKES))
    conversation.add_argument("action", choices=[*_TAKES])
    conversation.add_argument("words", nargs="*", metavar="WORD", help="TITLE or ID, and names")
    for rule in ("block", "mute", "allow"):
        bound = add(rule, _bound, f"{rule} an agent")
        bound.set_defaults(rule=rule)
        bound.add_argument("name", metavar="NAME")
        bound.add_argument("--remove", action="store_true", help="take the rule back")
    add("read", _read, "show a message whole").add_argument("id", metavar="ID")
    add("list", _list, "who is here")
    add("whoami", _whoami, "whose mailbox this is")
    add("rename", _rename, "take another name").add_argument("name", metavar="NAME")
    receipts = add("receipts", _receipts, "how far your messages have come")
    receipts.add_argument("id", nargs="?", metavar="ID")
    add("dead-letters", _dead_letters, "what reached nobody")
    add("status", _status, "how the daemon is")
    auto_check = add("auto-check", _auto_check, "reminders of waiting mail")
    auto_check.add_argument("action", choices=["start", "stop", "status"])
    auto_check.add_argument("minutes", nargs="?", type=int, metavar="MINUTES")
    return parser


if __name__ == "__main__":
    sys.exit(main())
