"""`AsyncClient`: the same mail for programs on asyncio.

Each call runs in a thread of this client's own (proving a secret and waiting for a lock take time);
nothing blocks the loop. A call that is cancelled while it waits for mail gives back what it took.
"""

import asyncio
import functools
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, List, Optional, Sequence, Set, TypeVar

from . import reports
from .client import Client, _wanted
from .errors import IpcError, RateLimited
from .messages import Message, Sent
from .waiting import Wait, seconds

T = TypeVar("T")

#: Calls of one client that may be under way at once, waits counted; further ones wait for their turn.
_THREADS = 16

#: The longest wait of one call in `AsyncClient.listen`, in seconds.
_LISTEN_S = 1_800.0


class AsyncClient:
    """Acts for one agent. Arguments, replies and errors are those of `claude_ipc.Client`."""

    def __init__(
        self,
        as_name: Optional[str] = None,
        *,
        data_dir: Optional[str] = None,
        start_daemon: bool = True,
    ) -> None:
        self._client = Client(as_name, data_dir=data_dir, start_daemon=start_daemon)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="claude-ipc")
        #: What is done in the background, and waited for before the end.
        self._later: "Set[Future[Any]]" = set()

    def __repr__(self) -> str:
        return f"Async{self._client!r}"

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections, once what is under way has ended."""
        try:
            for work in list(self._later):
                await asyncio.wrap_future(work)
            await self._run(self._client.close)
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

    async def register(self, name: str, takeover: bool = False) -> reports.Registered:
        """As `Client.register`."""
        return await self._run(self._client.register, name, takeover)

    async def unregister(self) -> int:
        """As `Client.unregister`."""
        return await self._run(self._client.unregister)

    async def offline(self) -> None:
        """As `Client.offline`."""
        await self._run(self._client.offline)

    async def whoami(self) -> reports.Whoami:
        """As `Client.whoami`."""
        return await self._run(self._client.whoami)

    async def rename(self, new_name: str) -> reports.Renamed:
        """As `Client.rename`."""
        return await self._run(self._client.rename, new_name)

    async def send(self, to: str, text: str, **options: Any) -> Sent:
        """As `Client.send`. Cancelled, it may have been sent."""
        return await self._run(self._client.send, to, text, **options)

    async def broadcast(self, text: str, **options: Any) -> Sent:
        """As `Client.broadcast`."""
        return await self._run(self._client.broadcast, text, **options)

    async def reply(self, text: str, message_id: Optional[str] = None, **options: Any) -> Sent:
        """As `Client.reply`."""
        return await self._run(self._client.reply, text, message_id, **options)

    async def forward(self, to: str, message_id: Optional[str] = None, **options: Any) -> Sent:
        """As `Client.forward`."""
        return await self._run(self._client.forward, to, message_id, **options)

    async def check(self, wait: float = 0.0, limit: int = 20, peek: bool = False) -> List[Message]:
        """As `Client.check`. Cancelled, it takes nothing: mail that came meanwhile is given back, and mail
        that was still on its way from the daemon is offered again when its lease ends.

        The messages are acknowledged in the background from the moment they are returned; `close`
        waits for that.
        """
        found = await self._fetch(_wanted(limit, None, peek), 0.0 if peek else wait)
        # Nothing is awaited from here on, so that the caller has what is acknowledged.
        if not peek:
            self._in_background(self._client._acknowledge, found)
        return found

    @asynccontextmanager
    async def receiving(
        self, wait: float = 0.0, limit: int = 20, answers_to: Optional[str] = None
    ) -> AsyncIterator[List[Message]]:
        """As `Client.receiving`, for ``async with``. A block that is cancelled gives its mail back."""
        found = await self._fetch(_wanted(limit, answers_to, False), wait)
        try:
            yield found
        except BaseException:
            self._in_background(self._client._give_back, found)
            raise
        await self._run(self._client._acknowledge, found)

    async def listen(
        self,
        callback: Callable[[Message], Awaitable[Optional[bool]]],
        timeout: Optional[float] = None,
    ) -> int:
        """As `Client.listen`, with a coroutine function. Cancelled, the message that is being handled is
        given back."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + seconds(timeout)
        heard = 0
        while True:
            left = _LISTEN_S if deadline is None else deadline - loop.time()
            try:
                found = await self._fetch(_wanted(1, None, False), max(0.0, min(left, _LISTEN_S)))
            except RateLimited as error:
                await asyncio.sleep((error.retry_after_ms or 1_000) / 1_000)
                continue
            for message in found:
                heard += 1
                if await self._heard(callback, message) is False:
                    return heard
            if not found and deadline is not None and loop.time() >= deadline:
                return heard

    async def read(self, message_id: str) -> Message:
        """As `Client.read`."""
        return await self._run(self._client.read, message_id)

    async def list(self) -> Sequence[reports.Agent]:
        """As `Client.list`."""
        return await self._run(self._client.list)

    async def receipts(
        self, message_id: Optional[str] = None, limit: int = 20
    ) -> Sequence[reports.Receipt]:
        """As `Client.receipts`."""
        return await self._run(self._client.receipts, message_id, limit)

    async def dead_letters(self, limit: int = 20) -> Sequence[reports.DeadLetter]:
        """As `Client.dead_letters`."""
        return await self._run(self._client.dead_letters, limit)

    async def status(self) -> reports.Status:
        """As `Client.status`."""
        return await self._run(self._client.status)

    async def auto_check(
        self, action: str = "status", minutes: Optional[int] = None
    ) -> reports.AutoCheck:
        """As `Client.auto_check`."""
        return await self._run(self._client.auto_check, action, minutes)

    async def _heard(
        self, callback: Callable[[Message], Awaitable[Optional[bool]]], message: Message
    ) -> Optional[bool]:
        try:
            goes_on = await callback(message)
        except BaseException:
            self._in_background(self._client._give_back, [message])
            raise
        await self._run(self._client._acknowledge, [message])
        return goes_on

    async def _run(self, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, functools.partial(work, *arguments, **named)
        )

    async def _fetch(self, params: Dict[str, Any], wait_s: float) -> List[Message]:
        wait = Wait()
        working: "Future[List[Message]]" = self._threads.submit(
            self._client._fetch, wait, params, wait_s
        )
        try:
            return await asyncio.wrap_future(working)
        except asyncio.CancelledError:
            wait.break_off()
            if not working.cancelled() and not params["peek"]:
                # It may have been answered before it heard of that.
                self._in_background(self._give_back, working)
            raise

    def _give_back(self, working: "Future[List[Message]]") -> None:
        try:
            found = working.result()
        except (IpcError, CancelledError):
            return
        self._client._give_back(found)

    def _in_background(self, work: Callable[..., None], *arguments: Any) -> None:
        working = self._threads.submit(work, *arguments)
        self._later.add(working)
        working.add_done_callback(self._later.discard)
