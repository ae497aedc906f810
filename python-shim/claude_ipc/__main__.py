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
    return _sent(chosen, client.reply(_text(chosen), chosen.id, data=_data(chosen)))


def _forward(client: Client, chosen: argparse.Namespace) -> int:
    return _sent(chosen, client.forward(chosen.to, chosen.id))


def _sent(chosen: argparse.Namespace, sent: Sent) -> int:
    lines = [f"sent {sent.message_id}"]
    for outcome in sent.recipients:
        where = {
            "stored": f"to {outcome.name}",
            "forwarded": f"to {outcome.name}, who was called {outcome.former}",
            "unclaimed": f"kept for whoever claims the name {outcome.name}",
        }.get(outcome.type, f"to {outcome.name}")
        meant = f" (did you mean {outcome.did_you_mean}?)" if outcome.did_you_mean else ""
        lines.append("  " + where + meant)
    return _say(chosen, sent, "\n".join(lines))


def _check(client: Client, chosen: argparse.Namespace) -> int:
    if chosen.peek:
        _show_mail(client, chosen, client.check(limit=chosen.limit, peek=True))
        return 0
    with client.receiving(chosen.wait, chosen.limit) as found:
        _show_mail(client, chosen, found)
    return 0 if found or not chosen.wait else 5


def _listen(client: Client, chosen: argparse.Namespace) -> int:
    def heard(message: Message) -> None:
        _show_mail(client, chosen, [message])

    client.listen(heard, chosen.timeout)
    return 0


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
    rows = [f"{agent.name}{' (you)' if agent.is_self else ''}  {agent.presence}" for agent in agents]
    return _say(chosen, agents, safe.block("\n".join(rows)))


def _whoami(client: Client, chosen: argparse.Namespace) -> int:
    me = client.whoami()
    return _say(chosen, me, f"{me.name} {me.agent_id}\nwaiting: {me.waiting}")


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
    add_text(reply)
    forward = add("forward", _forward, "pass the last message on, or --id")
    forward.add_argument("to", metavar="TO")
    forward.add_argument("--id", metavar="ID")
    check = add("check", _check, "show what is new; it counts as delivered once it is printed")
    check.add_argument("--wait", type=float, default=0.0, metavar="SECONDS")
    check.add_argument("--limit", type=int, default=20, metavar="N")
    check.add_argument("--peek", action="store_true", help="only look")
    listen = add("listen", _listen, "show what comes, until interrupted")
    listen.add_argument("--timeout", type=float, default=None, metavar="SECONDS")
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
