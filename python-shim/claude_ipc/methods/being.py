"""Being an agent: getting a name, changing it, giving it up."""

from __future__ import annotations

from .. import front, mailbox, names, reports
from ..errors import Expired, IpcError, UsageError
from ..reader import Reader
from .base import Base

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Sequence

    from ..connection import Connection


class Being(Base):
    """The methods about the agent itself."""

    def register(self, name: str, takeover: bool = False) -> reports.Registered:
        """Gets ``name``, or comes back to it with the credential kept here; from now on this client is it.

        ``name``: 1 to 32 of ``A-Z a-z 0-9 _ -``. ``takeover``: also when the agent is live in another
        window, whose sessions end. Returns who is here and how much mail waits.

        Raises `InvalidNameHere`; `NameInUse` (live in another window); `NameReserved` (reserved, held for
        an agent that is offline, or forwarding); `NoSecret`; `NoScrypt`; `Unauthenticated` (another
        secret); `SecretChanged`; `FileNotTrusted`; `FileHeld`.
        """
        name = names.parse_name(name)
        if self._pool.is_closed:
            raise UsageError("this client is closed")
        from ..enrol import enrol

        registered, connection = enrol(self._front, name, takeover)
        self._pool.adopt(front.Opened(registered.agent_id, registered.name, connection))
        self._say_place()
        return registered

    def describe(
        self,
        status: Optional[str] = None,
        summary: Optional[str] = None,
        capabilities: Optional[Sequence[str]] = None,
    ) -> reports.Described:
        """Says what this agent is about, to everybody who looks at `list`; returns how it stands.

        ``status`` and ``summary``: one line, at most 120 and 512 bytes. ``capabilities``: all of them, at most
        16 of ``a-z 0-9 . _ -``. What is left out stays, what is empty is taken back. Raises `Malformed`,
        `Forbidden` (a token in it).
        """
        words = [capabilities] if isinstance(capabilities, str) else capabilities
        listed = None if words is None else [*words]
        said = {"status": status, "summary": summary, "capabilities": listed}
        params = {key: value for key, value in said.items() if value is not None}
        return reports.described(self._call("describe", params))

    def _say_place(self) -> None:
        from .. import place

        here = place.here()
        if here is not None:
            try:
                self._call("describe", {"place": here})
            except IpcError:
                # A daemon that does not know it keeps none; the agent is registered all the same.
                pass

    def unregister(self) -> int:
        """Gives the name up and forgets its credentials; how many unread messages were refused.

        Never made twice: after `ConnectionLost`, `whoami` says whether it was done.
        """
        reader = self._call("unregister", {}, again=False)
        left, refused = reader.name("name"), reader.whole("refused")
        former = self._pool.name or left
        front.forget(self._front.files, self._pool.agent_id or "", former, left)
        self._pool.clear()
        return refused

    def offline(self) -> None:
        """Marks the agent offline until it does something; it keeps its name."""
        self._call("offline", {})

    def whoami(self) -> reports.Whoami:
        """Whose mailbox this is, and what waits."""
        return reports.whoami(self._call("whoami", {}))

    def rename(self, new_name: str) -> reports.Renamed:
        """Takes another name. Mail to the old one is forwarded for two hours, and everybody is told.

        Raises `NameInUse`, `NameReserved`, `RateLimited` (once in an hour; ``retry_after_ms``). Never made
        twice: after `ConnectionLost`, `whoami` says whether it was done.
        """
        new_name = names.parse_name(new_name)
        try:
            return self._rename(new_name)
        except Expired:
            # Refused, so not done; with the files no longer locked a new session can be made.
            self._pool.clear()
        return self._rename(new_name)

    def _rename(self, new_name: str) -> reports.Renamed:
        files = self._front.files

        # The connection is there before the files are locked: coming back locks them too.
        def work(connection: Connection) -> reports.Renamed:
            agent_id, name = self._pool.agent_id or "", self._pool.name or ""
            # A command beside us may have renamed the agent.
            now = mailbox.again(files, name, agent_id).name

            def ask() -> reports.Renamed:
                return reports.renamed(Reader(connection.call("rename", {"new_name": new_name})))

            return front.rename(files, agent_id, now, new_name, ask)

        renamed = self._pool.use(work)
        self._pool.name = renamed.name
        return renamed
