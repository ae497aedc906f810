"""Past mail: what was sent, and what was received and acknowledged. Nothing here changes anything."""

from __future__ import annotations

from .. import names
from ..errors import ProtocolError
from .base import Base

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, Optional, Union

    from .. import talks

    Moment = Union[str, int]


class Remembering(Base):
    """The methods about past mail. Mail that waits is not past: `check` gives it."""

    def history(
        self,
        search: Optional[str] = None,
        *,
        peer: Optional[str] = None,
        conversation: Optional[str] = None,
        kind: Optional[str] = None,
        before: Optional[Moment] = None,
        after: Optional[Moment] = None,
        limit: int = 20,
    ) -> talks.History:
        """The latest messages of which all holds that is given, oldest first.

        ``search``: words that stand in the text, ``"side by side"``, ``begin*``, ``red OR green``, ``-without``.
        ``peer``: to or from this name or agent's id. ``before``, ``after``: a message's id, or a time in
        milliseconds. ``limit``: 1 to 100; more are 100. Texts are cut to 2,048 bytes; `read` gives the rest.

        Raises `Malformed` (no search, no kind), `NotFound` (``before``, ``after``, ``conversation``).
        """
        params = past(search, peer, conversation, kind, before, after, limit)
        return self._past_page(params)

    def history_pages(
        self,
        search: Optional[str] = None,
        *,
        peer: Optional[str] = None,
        conversation: Optional[str] = None,
        kind: Optional[str] = None,
        before: Optional[Moment] = None,
        after: Optional[Moment] = None,
        limit: int = 100,
    ) -> Iterator[talks.History]:
        """As `history`, page by page, the latest page first, for as long as the caller goes on. ``limit``:
        messages in a page."""
        params = past(search, peer, conversation, kind, before, after, limit)
        while True:
            page = self._past_page(params)
            yield page
            if not follows(params, page):
                return

    def _past_page(self, params: Dict[str, Any]) -> talks.History:
        from .. import talks

        return talks.history(self._call("history", params))


def past(
    search: Optional[str],
    peer: Optional[str],
    conversation: Optional[str],
    kind: Optional[str],
    before: Optional[Moment],
    after: Optional[Moment],
    limit: int,
) -> Dict[str, Any]:
    """The parameters of `history`. Raises `UsageError` for what is no id and no name."""
    params: Dict[str, Any] = {"limit": limit}
    if search is not None:
        params["search"] = search
    if peer is not None:
        params["with"] = names.parse_agent(peer)
    if conversation is not None:
        params["conversation"] = names.parse_conversation_id(conversation)
    if kind is not None:
        params["kind"] = kind
    for key, moment in (("before", before), ("after", after)):
        if isinstance(moment, int):
            params[key + "_ms"] = moment
        elif moment is not None:
            params[key] = names.parse_message_id(moment)
    return params


def follows(params: Dict[str, Any], page: talks.History) -> bool:
    """Makes ``params`` ask for the page that is older than ``page``; whether there is one."""
    if page.next_before is None:
        return False
    if params.get("before") == page.next_before or not page.entries:
        # A daemon that never comes to an end must not hold us for ever.
        raise ProtocolError("the pages of past mail do not end")
    params["before"] = page.next_before
    return True
