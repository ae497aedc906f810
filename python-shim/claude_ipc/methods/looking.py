"""Looking: who is here, how far mail has come, how the daemon is. Nothing here changes an agent's mail."""

from __future__ import annotations

from .. import reports
from .base import Base, about

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    Agents = List[reports.Agent]
    Receipts = List[reports.Receipt]
    DeadLetters = List[reports.DeadLetter]


class Looking(Base):
    """The methods that report. ``limit``: rows, 1 to 500; more are 500."""

    def list(self, scope: Optional[str] = None, capability: Optional[str] = None) -> Agents:
        """Everybody, the most present first; at most 500.

        ``scope``: ``machine`` (all), ``directory`` or ``repo`` (those who work where this agent does; `NotFound`
        where it has no such place). ``capability``: those that have the word. Raises `Malformed` for others.
        """
        wanted = {"scope": scope, "capability": capability}
        params = {key: value for key, value in wanted.items() if value is not None}
        return self._call("list", params).each("agents", reports.agent)

    def receipts(self, message_id: Optional[str] = None, limit: int = 20) -> Receipts:
        """How far messages that this agent sent have come, latest first; or one of them.

        Raises `UsageError` for what is no id, `NotFound`.
        """
        params = {"limit": limit, **about(message_id)}
        return self._call("receipts", params).each("receipts", reports.receipt)

    def dead_letters(self, limit: int = 20) -> DeadLetters:
        """Messages that this agent sent and that reached nobody, latest first."""
        reader = self._call("dead_letters", {"limit": limit})
        return reader.each("dead_letters", reports.dead_letter)

    def status(self) -> reports.Status:
        """How the daemon is."""
        return reports.status(self._call("status", {}))

    def auto_check(self, action: str = "status", minutes: Optional[int] = None) -> reports.AutoCheck:
        """Reminders of waiting mail, by the hooks and loops of `ipc`: ``start`` (every ``minutes``, 1 to
        60, required), ``stop`` or ``status``. Raises `Malformed` for anything else."""
        params: Dict[str, Any] = {"action": action}
        if minutes is not None:
            params["minutes"] = minutes
        return reports.auto_check(self._call("auto_check", params))
