"""`AsyncClient`: the same mail for programs on asyncio.

Each call runs in a thread of this client's own (proving a secret and waiting for a lock take time);
nothing blocks the loop. A call that is cancelled while it waits for mail gives back what it took.
"""

from __future__ import annotations

import asyncio
import functools
import os
from concurrent.futures import CancelledError, ThreadPoolExecutor

from . import names
from .client import Client
from .errors import IpcError, RateLimited, UsageError
from .methods.asking import STOPPED, Gathering
from .methods.receiving import Listening, wanted
from .methods.remembering import follows, past
from .waiting import Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any, AsyncIterator, Awaitable, Callable, Coroutine, Dict, List, Optional, Set, TypeVar

    from typing_extensions import Concatenate, ParamSpec

    from .messages import Message
    from .methods.asking import Answers
    from .methods.remembering import Moment
    from .talks import History
    from .waiting import Fetched

    P = ParamSpec("P")
    T = TypeVar("T")

#: Calls of one client that may be under way at once, waits counted; further ones wait for their turn.
_THREADS = 16


def _as_coroutine(
    method: Callable[Concatenate[Client, P], T],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    """The method of `Client` as a coroutine function, with its arguments and its words."""

    async def call(self: AsyncClient, /, *arguments: P.args, **options: P.kwargs) -> T:
        return await self._run(functools.partial(method, self._client, *arguments, **options))

    functools.update_wrapper(call, method)
    return call


class AsyncClient:
    """Acts for one agent. Arguments, replies and errors are those of `claude_ipc.Client`.

    A call that is cancelled may have been done, but for those that take mail. Not for a child process that
    was forked: its threads stay behind.
    """

    def __init__(
        self,
        as_name: Optional[str] = None,
        *,
        data_dir: Optional[str] = None,
        start_daemon: bool = True,
    ) -> None:
        self._client = Client(as_name, data_dir=data_dir, start_daemon=start_daemon)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="claude-ipc")
        self._process = os.getpid()
        self._is_closed = False
        self._waits: Set[Wait] = set()
        #: What is done in the background, and waited for before the end.
        self._later: Set[Future[Any]] = set()

    def __repr__(self) -> str:
        return f"Async{self._client!r}"

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections, once what is under way has ended. Waits for mail end at once."""
        # In a forked child there are no threads that could do anything; what is open is the parent's.
        if self._is_closed or self._process != os.getpid():
            return
        self._is_closed = True
        for wait in list(self._waits):
            wait.break_off()
        try:
            while self._later:
                await asyncio.wait([asyncio.wrap_future(work) for work in list(self._later)])
            await asyncio.get_running_loop().run_in_executor(self._threads, self._client.close)
        finally:
            self._threads.shutdown(wait=False)

    @property
    def name(self) -> Optional[str]:
        """As `Client.name`."""
        return self._client.name

    @property
    def agent_id(self) -> Optional[str]:
        """As `Client.agent_id`."""
        return self._client.agent_id

    register = _as_coroutine(Client.register)
    unregister = _as_coroutine(Client.unregister)
    offline = _as_coroutine(Client.offline)
    whoami = _as_coroutine(Client.whoami)
    rename = _as_coroutine(Client.rename)

    send = _as_coroutine(Client.send)
    broadcast = _as_coroutine(Client.broadcast)
    reply = _as_coroutine(Client.reply)
    forward = _as_coroutine(Client.forward)

    read = _as_coroutine(Client.read)
    list = _as_coroutine(Client.list)
    receipts = _as_coroutine(Client.receipts)
    dead_letters = _as_coroutine(Client.dead_letters)
    status = _as_coroutine(Client.status)
    auto_check = _as_coroutine(Client.auto_check)
    describe = _as_coroutine(Client.describe)

    create_conversation = _as_coroutine(Client.create_conversation)
    add_to_conversation = _as_coroutine(Client.add_to_conversation)
    leave_conversation = _as_coroutine(Client.leave_conversation)
    conversation = _as_coroutine(Client.conversation)
    conversations = _as_coroutine(Client.conversations)

    boundaries = _as_coroutine(Client.boundaries)
    block = _as_coroutine(Client.block)
    mute = _as_coroutine(Client.mute)
    allow = _as_coroutine(Client.allow)
    forget_rule = _as_coroutine(Client.forget_rule)
    allow_only = _as_coroutine(Client.allow_only)

    history = _as_coroutine(Client.history)

    async def history_pages(
        self,
        search: Optional[str] = None,
        *,
        peer: Optional[str] = None,
        conversation: Optional[str] = None,
        kind: Optional[str] = None,
        before: Optional[Moment] = None,
        after: Optional[Moment] = None,
        limit: int = 100,
    ) -> AsyncIterator[History]:
        """As `Client.history_pages`, for ``async for``."""
        params = past(search, peer, conversation, kind, before, after, limit)
        while True:
            page = await self._run(functools.partial(self._client._past_page, params))
            yield page
            if not follows(params, page):
                return

    # What takes mail, and must give it back when it is cancelled

    async def check(
        self,
        wait: float = 0.0,
        limit: int = 20,
        peek: bool = False,
        *,
        sender: Optional[str] = None,
        kind: Optional[str] = None,
        conversation: Optional[str] = None,
    ) -> List[Message]:
        """As `Client.check`. Cancelled, it takes nothing: mail that came meanwhile is given back, and mail
        that was still on its way from the daemon is offered again when its lease ends.

        The messages are acknowledged in the background from the moment they are returned; `close`
        waits for that.
        """
        params = wanted(limit, None, peek, sender, kind, conversation)
        found = (await self._fetch(params, 0.0 if peek else wait)).messages
        # Nothing is awaited from here on, so that the caller has what is acknowledged.
        if not peek:
            self._in_background(self._client._acknowledge, found)
        return found

    def receiving(
        self,
        wait: float = 0.0,
        limit: int = 20,
        answers_to: Optional[str] = None,
        *,
        sender: Optional[str] = None,
        kind: Optional[str] = None,
        conversation: Optional[str] = None,
    ) -> AsyncReceived:
        """As `Client.receiving`, for ``async with``. A block that is cancelled gives its mail back."""
        return AsyncReceived(self, wanted(limit, answers_to, False, sender, kind, conversation), wait)

    async def listen(
        self,
        callback: Callable[[Message], Awaitable[Optional[bool]]],
        timeout: Optional[float] = None,
        *,
        sender: Optional[str] = None,
        kind: Optional[str] = None,
        conversation: Optional[str] = None,
    ) -> int:
        """As `Client.listen`, with a coroutine function. Cancelled, the message that is being handled is
        given back."""
        params = wanted(1, None, False, sender, kind, conversation)
        clock = Listening(timeout)
        while True:
            try:
                found = (await self._fetch(params, clock.wait())).messages
            except RateLimited as error:
                await asyncio.sleep(clock.pause(error))
                continue
            for message in found:
                clock.heard += 1
                if await self._heard(callback, message) is False:
                    return clock.heard
            if not found and (self._is_closed or clock.is_over()):
                return clock.heard

    async def _heard(
        self, callback: Callable[[Message], Awaitable[Optional[bool]]], message: Message
    ) -> Optional[bool]:
        try:
            goes_on = await callback(message)
        except BaseException:
            self._in_background(self._client._give_back, [message])
            raise
        await self._run(functools.partial(self._client._acknowledge, [message]))
        return goes_on

    async def _run(self, work: Callable[[], T]) -> T:
        self._check()
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _check(self) -> None:
        if self._is_closed:
            raise UsageError("this client is closed")
        if self._process != os.getpid():
            raise UsageError("an AsyncClient does not outlive a fork", "make one in the child process")

    async def ask(
        self,
        to: str,
        text: str,
        wait: float = 60.0,
        *,
        kind: str = "request",
        data: Optional[Dict[str, Any]] = None,
        heard: Optional[Callable[[Message], Awaitable[object]]] = None,
        reply_to: Optional[str] = None,
        known_only: bool = False,
        idempotency_key: Optional[str] = None,
    ) -> Answers:
        """As `Client.ask`, with a coroutine function. Cancelled, the answers that came are given back."""
        gathering = Gathering(wait)
        sent = await self.send(
            to,
            text,
            kind=kind,
            data=data,
            reply_to=reply_to,
            known_only=known_only,
            idempotency_key=idempotency_key,
        )
        return await self._gather(gathering.about(sent), heard)

    async def answers(
        self,
        message_id: str,
        wait: float = 0.0,
        heard: Optional[Callable[[Message], Awaitable[object]]] = None,
    ) -> Answers:
        """As `Client.answers`, with a coroutine function. Cancelled, the answers that came are given back."""
        gathering = Gathering(wait)
        gathering.message_id = names.parse_message_id(message_id)
        return await self._gather(gathering, heard)

    async def _gather(
        self, gathering: Gathering, heard: Optional[Callable[[Message], Awaitable[object]]]
    ) -> Answers:
        try:
            while gathering.ended is None:
                try:
                    fetched = await self._fetch(gathering.wanted(), gathering.wait())
                except STOPPED:
                    gathering.ended = "shutting_down"
                    break
                for one in gathering.take(fetched):
                    if heard is not None:
                        await heard(one)
                if self._is_closed:
                    break
        except BaseException:
            self._in_background(self._client._give_back, gathering.found)
            raise
        self._in_background(self._client._acknowledge, gathering.found)
        return gathering.end()

    async def _fetch(self, params: Dict[str, Any], wait_s: float) -> Fetched:
        self._check()
        wait = Wait()
        self._waits.add(wait)
        working = self._threads.submit(self._client._fetch, wait, params, wait_s)
        try:
            return await asyncio.wrap_future(working)
        except asyncio.CancelledError:
            wait.break_off()
            if not working.cancelled() and not params["peek"]:
                # It may have been answered before it heard of that.
                self._in_background(self._give_back, working)
            raise
        finally:
            self._waits.discard(wait)

    def _give_back(self, working: Future[Fetched]) -> None:
        try:
            found = working.result().messages
        except (IpcError, CancelledError):
            return
        self._client._give_back(found)

    def _in_background(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            working = self._threads.submit(work, *arguments)
        except RuntimeError:
            # Closed meanwhile: nothing is acknowledged, and the leases end by themselves.
            return
        self._later.add(working)
        working.add_done_callback(self._later.discard)


class AsyncReceived:
    """Messages for an ``async with`` block: acknowledged at its end, or given back."""

    def __init__(self, client: AsyncClient, params: Dict[str, Any], wait_s: float) -> None:
        self._client = client
        self._params = params
        self._wait_s = wait_s
        self._found: List[Message] = []

    async def __aenter__(self) -> List[Message]:
        self._found = (await self._client._fetch(self._params, self._wait_s)).messages
        return list(self._found)

    async def __aexit__(self, kind: Optional[type], *_: object) -> None:
        client = self._client
        if kind is not None:
            client._in_background(client._client._give_back, self._found)
        elif self._found:
            await client._run(functools.partial(client._client._acknowledge, self._found))
