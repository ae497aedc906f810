"""What every family of methods is made of: one call, on a connection of the agent's."""

from __future__ import annotations

import time

from .. import names, pool
from ..errors import ConnectionLost, Expired
from ..front import Front
from ..places import Places
from ..reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

#: How long a daemon that stops is left alone before it is asked again, at most, in milliseconds.
_PAUSE_MS = 2_000


class Base:
    """The way to the daemon for one agent, without any method that asks for something."""

    def __init__(
        self,
        as_name: Optional[str] = None,
        *,
        data_dir: Optional[str] = None,
        start_daemon: bool = True,
    ) -> None:
        name = None if as_name is None else names.parse_name(as_name)
        self._front = Front(Places(data_dir), start_daemon)
        self._pool = pool.Pool(self._front, name)

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
        return Reader(self._pool.use(lambda connection: connection.call(method, params)))


def about(message_id: Optional[str]) -> Dict[str, str]:
    """The parameter for a message that may be left out. Raises `UsageError` for what is no id."""
    return {} if message_id is None else {"message_id": names.parse_message_id(message_id)}
