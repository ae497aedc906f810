"""`Client`: an agent's mail, for programs that may block."""

import os
import threading
import time
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from . import front, mailbox, messages, names, pool, reports
from .errors import (
    ConnectionLost,
    Expired,
    IpcError,
    ProtocolError,
    RateLimited,
    Refused,
    TakenOver,
    UsageError,
)
from .limits import ACK_IDS, BODY_BYTES, OWED_ACKS
from .messages import Message, Sent
from .places import Places
from .reader import Reader
from .waiting import Wait, seconds

#: How long a daemon that stops is left alone before it is asked again, at most, in milliseconds.
_PAUSE_MS = 2_000

#: The longest wait of one call in `Client.listen`, in seconds.
_LISTEN_S = 1_800.0


class Client:
    """Acts for one agent. Safe for threads: each call uses a connection of its own.

    ``as_name``: whose mailbox; else ``IPC_INSTANCE``, else the agent that was registered from the nearest
    ancestor of this process. It is chosen at the first call and never changes but by `register`.
    ``data_dir``: else ``IPC_DATA_DIR``, else ``~/.claude-ipc-data``. ``start_daemon``: whether to run
    ``ipc daemon start`` when no daemon runs.

    Every method raises an `IpcError`: the daemon's refusal as the class of its code (`errors.Refused`),
    `errors.Unreachable` where there is no daemon or none that can be trusted, `errors.UsageError`
    where the call cannot be right. ``TakenOver`` is the end: nothing but `register` works after it.

    A call whose connection is lost is made once more on a new one, if that cannot do harm: those
    that only look, and `send`, `broadcast`, `reply` and `forward`, which carry an idempotency key, so
    that one message is stored. `rename` and `unregister` raise `errors.ConnectionLost` instead.
    """

    def __init__(
        self,
        as_name: Optional[str] = None,
        *,
        data_dir: Optional[str] = None,
        start_daemon: bool = True,
    ) -> None:
        name = None if as_name is None else names.parse_name(as_name)
        self._front = front.Front(Places(data_dir), start_daemon)
        self._pool = pool.Pool(self._front, name)
        self._owed: List[str] = []
        self._owed_lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Client({self._pool.name or '?'})"

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections. The agent keeps its name and its mail; a later client comes back."""
        if not self._pool.is_closed:
            self._settle()
        self._pool.close()

    @property
    def name(self) -> Optional[str]:
        """What the agent is called, as far as is known; ``None`` before the first call."""
        return self._pool.name

    @property
    def agent_id(self) -> Optional[str]:
        """The agent's id, which never changes; ``None`` before the first call."""
        return self._pool.agent_id

    @property
    def places(self) -> Places:
        """Where this deployment's files are."""
        return self._front.places

    # Being an agent

    def register(self, name: str, takeover: bool = False) -> reports.Registered:
        """Gets ``name``, or comes back to it with the credential kept here; from now on this client is it.

        ``takeover``: also when the agent is live in another window, whose sessions end.
        Raises `NameInUse`, `NameReserved`, `InvalidNameHere`, `NoSecret`, `SecretChanged`, …
        """
        name = names.parse_name(name)
        if self._pool.is_closed:
            raise UsageError("this client is closed")
        registered, connection = self._front.enrol(name, takeover, automatic=False)
        self._pool.adopt(front.Opened(registered.agent_id, registered.name, connection))
        return registered

    def unregister(self) -> int:
        """Gives the name up and forgets its credentials; how many unread messages were refused."""
        reader = self._call("unregister", {}, again=False)
        left, refused = reader.name("name"), reader.whole("refused")
        former = self._pool.name or left
        front.forget(self._front.files, self._pool.agent_id or "", former, left)
        self._pool.clear()
        return refused

    def offline(self) -> None:
        """Marks the agent offline; it keeps its name."""
        self._call("offline", {})

    def whoami(self) -> reports.Whoami:
        """Whose mailbox this is, and what waits."""
        return reports.whoami(self._call("whoami", {}))

    def rename(self, new_name: str) -> reports.Renamed:
        """Takes another name. Mail to the old one is forwarded for two hours, and everybody is told.

        Raises `NameInUse`, `NameReserved`, `RateLimited` (once in an hour). Never made twice: after
        `ConnectionLost`, `whoami` says whether it was done.
        """
        new_name = names.parse_name(new_name)
        if self._pool.name is None:
            self.whoami()
        files = self._front.files
        # A command beside us may have renamed the agent.
        now = mailbox.follow(files, self._pool.name or "").name

        def ask() -> reports.Renamed:
            return reports.renamed(self._call("rename", {"new_name": new_name}, again=False))

        renamed = front.rename(files, now, new_name, ask)
        self._pool.name = renamed.name
        return renamed

    # Sending

    def send(
        self,
        to: str,
        text: str,
        *,
        data: Optional[Dict[str, Any]] = None,
        kind: str = "message",
        reply_to: Optional[str] = None,
        known_only: bool = False,
        idempotency_key: Optional[str] = None,
    ) -> Sent:
        """Sends ``text`` to a name, an agent's id, or ``all``; returns once it is on disk.

        ``known_only`` refuses a name that nobody has. ``idempotency_key``: 1 to 128 printable ASCII
        characters; the same key with the same content stores nothing again. Without it one is made.
        Raises `MailboxFull`, `RateLimited`, `TooLarge`, `UnknownRecipient`, `LoopDetected`, …
        """
        params: Dict[str, Any] = {"to": names.parse_recipient(to), "text": text, "kind": kind}
        if known_only:
            params["known_only"] = True
        if reply_to is not None:
            params["reply_to"] = names.parse_message_id(reply_to)
        return self._post("send", params, data, idempotency_key)

    def broadcast(
        self,
        text: str,
        *,
        data: Optional[Dict[str, Any]] = None,
        idempotency_key: Optional[str] = None,
    ) -> Sent:
        """Sends to everybody who was here in the last 24 hours. Nobody there: `UnknownRecipient`."""
        params = {"to": "all", "text": text, "kind": "message"}
        return self._post("send", params, data, idempotency_key)

    def reply(
        self,
        text: str,
        message_id: Optional[str] = None,
        *,
        data: Optional[Dict[str, Any]] = None,
        idempotency_key: Optional[str] = None,
    ) -> Sent:
        """Answers a message; without an id the last one that was taken from an agent."""
        return self._post("reply", {"text": text, **_about(message_id)}, data, idempotency_key)

    def forward(
        self, to: str, message_id: Optional[str] = None, *, idempotency_key: Optional[str] = None
    ) -> Sent:
        """Passes a message on whole; without an id the last one that was taken from an agent."""
        params = {"to": names.parse_recipient(to), **_about(message_id)}
        return self._post("forward", params, None, idempotency_key)

    # Receiving

    def check(self, wait: float = 0.0, limit: int = 20, peek: bool = False) -> List[Message]:
        """What is new, oldest first, after waiting at most ``wait`` seconds for something to come.

        The messages are acknowledged (``shim``) when all of them are in this process's memory, as
        the last thing before this method returns. What happens to them afterwards is the caller's:
        where a crash must not swallow one, use `receiving` or `listen`. An interrupted wait
        acknowledges nothing. With ``peek`` nothing is taken, and nothing is waited for.
        """
        found = self._fetch(Wait(), _wanted(limit, None, peek), 0.0 if peek else wait)
        if not peek:
            self._acknowledge(found)
        return found

    @contextmanager
    def receiving(
        self, wait: float = 0.0, limit: int = 20, answers_to: Optional[str] = None
    ) -> Iterator[List[Message]]:
        """As `check`, for a ``with`` block: the messages are acknowledged when the block has ended, and
        given back at once when it ends by an exception.

        They are leased for 60 seconds. A block that takes longer may see them offered to another
        front-end of the same agent, marked ``redelivered``; the acknowledgement counts all the same.
        ``answers_to``: only answers to this message.
        """
        found = self._fetch(Wait(), _wanted(limit, answers_to, False), wait)
        try:
            yield found
        except BaseException:
            self._give_back(found)
            raise
        self._acknowledge(found)

    def listen(
        self, callback: Callable[[Message], Optional[bool]], timeout: Optional[float] = None
    ) -> int:
        """Calls ``callback`` for each message as it comes; how many there were.

        A message is acknowledged after the callback for it has returned, and given back when it
        raises, which also ends this. It ends as well when the callback returns ``False``, and after
        ``timeout`` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + seconds(timeout)
        heard = 0
        while True:
            left = _LISTEN_S if deadline is None else deadline - time.monotonic()
            try:
                found = self._fetch(Wait(), _wanted(1, None, False), max(0.0, min(left, _LISTEN_S)))
            except RateLimited as error:
                time.sleep((error.retry_after_ms or 1_000) / 1_000)
                continue
            for message in found:
                heard += 1
                if self._heard(callback, message) is False:
                    return heard
            if not found and deadline is not None and time.monotonic() >= deadline:
                return heard

    def read(self, message_id: str) -> Message:
        """A message that was sent or received, whole, with its data. Raises `NotFound`."""
        message_id = names.parse_message_id(message_id)
        found, text, offset = None, "", 0
        while True:
            page = self._call("read", {"message_id": message_id, "offset": offset})
            part = messages.message(page.inner("message"))
            found, text = found or part, text + part.text
            following = page.maybe(page.whole, "next_offset")
            if following is None:
                whole = {**found.__dict__, "text": text, "truncated": False}
                return Message(**whole)
            if following <= offset or len(text) > BODY_BYTES:
                # A daemon that never comes to an end must not fill our memory.
                raise ProtocolError(f"the pages of {message_id} do not end")
            offset = following

    # Looking

    def list(self) -> Sequence[reports.Agent]:
        """Everybody, the most present first."""
        return self._call("list", {}).each("agents", reports.agent)

    def receipts(
        self, message_id: Optional[str] = None, limit: int = 20
    ) -> Sequence[reports.Receipt]:
        """How far messages that this agent sent have come, latest first."""
        params = {"limit": limit, **_about(message_id)}
        return self._call("receipts", params).each("receipts", reports.receipt)

    def dead_letters(self, limit: int = 20) -> Sequence[reports.DeadLetter]:
        """Messages that this agent sent and that reached nobody, latest first."""
        reader = self._call("dead_letters", {"limit": limit})
        return reader.each("dead_letters", reports.dead_letter)

    def status(self) -> reports.Status:
        """How the daemon is."""
        return reports.status(self._call("status", {}))

    def auto_check(self, action: str = "status", minutes: Optional[int] = None) -> reports.AutoCheck:
        """``start`` (reminders of waiting mail every ``minutes``, 1 to 60), ``stop`` or ``status``."""
        params: Dict[str, Any] = {"action": action}
        if minutes is not None:
            params["minutes"] = minutes
        return reports.auto_check(self._call("auto_check", params))

    # What the rest is made of

    def _heard(self, callback: Callable[[Message], Optional[bool]], message: Message) -> Optional[bool]:
        try:
            goes_on = callback(message)
        except BaseException:
            self._give_back([message])
            raise
        self._acknowledge([message])
        return goes_on

    def _post(
        self, method: str, params: Dict[str, Any], data: Optional[Dict[str, Any]], key: Optional[str]
    ) -> Sent:
        if data is not None:
            params["data"] = data
        params["idempotency_key"] = key if key is not None else "shim-" + os.urandom(16).hex()
        return messages.sent(self._call(method, params))

    def _fetch(self, wait: Wait, params: Dict[str, Any], wait_s: float) -> List[Message]:
        self._settle()
        return wait.fetch(self._pool, params, wait_s)

    def _call(self, method: str, params: Dict[str, Any], again: bool = True) -> Reader:
        """One call; once more on another connection if this one was lost and ``again`` does no harm,
        or if the session had ended, so that the call was refused."""
        try:
            return self._call_once(method, params)
        except Expired:
            pass
        except ConnectionLost as error:
            if not again:
                raise
            time.sleep(min(error.retry_after_ms or 0, _PAUSE_MS) / 1_000)
        self._pool.clear()
        return self._call_once(method, params)

    def _call_once(self, method: str, params: Dict[str, Any]) -> Reader:
        connection = self._pool.take()
        try:
            reply = connection.call(method, params)
        except TakenOver as error:
            connection.close()
            self._pool.ended = error
            raise front.taken_over(error, self._pool.name or "NAME") from None
        except IpcError as error:
            # A refusal leaves the connection as it was; whatever else happened has closed it.
            if not isinstance(error, Refused) or isinstance(error, Expired) or error.ends_connection:
                connection.close()
            else:
                self._pool.give(connection)
            raise
        self._pool.give(connection)
        return Reader(reply)

    def _acknowledge(self, found: Sequence[Message]) -> None:
        with self._owed_lock:
            self._owed += [message.id for message in found]
            del self._owed[:-OWED_ACKS]
        self._settle()

    def _settle(self) -> None:
        """Acknowledges what is owed. What cannot be said now is said before the next fetch, or at the end:
        the messages are with the caller, whatever becomes of the connection."""
        while True:
            with self._owed_lock:
                ids = self._owed[:ACK_IDS]
            if not ids:
                return
            try:
                self._call("ack", {"message_ids": ids, "handover": "shim"})
            except IpcError:
                return
            with self._owed_lock:
                self._owed = [owed for owed in self._owed if owed not in ids]

    def _give_back(self, found: Sequence[Message]) -> None:
        """Ends the leases at once. Where that cannot be said they end by themselves."""
        if found:
            try:
                self._call("nack", {"message_ids": [message.id for message in found]})
            except IpcError:
                pass


def _about(message_id: Optional[str]) -> Dict[str, str]:
    return {} if message_id is None else {"message_id": names.parse_message_id(message_id)}


def _wanted(limit: int, answers_to: Optional[str], peek: bool) -> Dict[str, Any]:
    wanted: Dict[str, Any] = {"limit": limit, "peek": peek}
    if answers_to is not None:
        wanted["answers_to"] = names.parse_message_id(answers_to)
    return wanted
