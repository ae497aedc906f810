"""Boundaries: whose mail the agent takes. A rule follows renames, and only the agent itself sees it."""

from __future__ import annotations

from .. import names
from .base import Base

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from .. import talks


class Bounding(Base):
    """The methods about whose mail comes. ``peer``: a name or an agent's id.

    Each returns how it stands now. They raise `UnknownRecipient`, `Conflict` (oneself), `TooLarge` (over 256
    rules).
    """

    def boundaries(self) -> talks.Boundaries:
        """The rules, and whose mail is held."""
        return self._bound({})

    def block(self, peer: str) -> talks.Boundaries:
        """Refuses mail of ``peer`` from now on, who hears `Blocked`, and what is held of it."""
        return self._rule(peer, "block")

    def mute(self, peer: str) -> talks.Boundaries:
        """Takes mail of ``peer`` without being told of it or woken by it."""
        return self._rule(peer, "mute")

    def allow(self, peer: str) -> talks.Boundaries:
        """Takes mail of ``peer``, also under `allow_only`, and what is held of it."""
        return self._rule(peer, "allow")

    def forget_rule(self, peer: str) -> talks.Boundaries:
        """Takes the rule for ``peer`` back."""
        return self._rule(peer, "none")

    def allow_only(self, on: bool = True) -> talks.Boundaries:
        """Whether mail of agents that are neither allowed nor muted is held. Switched off, everything that is
        held comes in."""
        return self._bound({"allow_only": on})

    def _rule(self, peer: str, rule: str) -> talks.Boundaries:
        return self._bound({"peer": names.parse_agent(peer), "rule": rule})

    def _bound(self, params: Dict[str, Any]) -> talks.Boundaries:
        from .. import talks

        return talks.boundaries(self._call("boundaries", params))
