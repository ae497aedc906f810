"""The client's side of the wire, without I/O: numbers calls, frames them, opens the replies.

One call at a time. A reply to anything else, and a frame that is no reply, ends the connection.
"""

from __future__ import annotations

from . import frames, strict_json
from .errors import ProtocolError, Refused, TooLarge, UsageError, refusal
from .limits import CALL_DEPTH, FRAME_AFTER_AUTH, FRAME_BEFORE_AUTH, REPLY_DEPTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple, Union

    #: What a reply may hold for the caller.
    Result = Dict[str, Any]


class Wire:
    """Calls out, replies in. Shows nothing of what came: replies carry credentials."""

    def __init__(self) -> None:
        self._decoder = frames.Decoder(FRAME_BEFORE_AUTH)
        self._last_id = 0

    def __repr__(self) -> str:
        return "Wire(…)"

    def open_up(self) -> None:
        """Both sides have proved themselves: large frames may come and go."""
        self._decoder.cap = FRAME_AFTER_AUTH

    def call(self, method: str, params: Result) -> bytes:
        """The bytes of a call.

        Raises `UsageError` for parameters that are no JSON, `TooLarge` when they do not fit.
        """
        self._last_id += 1
        call = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        try:
            payload = strict_json.encode(call)
            strict_json.parse_object(payload, CALL_DEPTH)
        except (TypeError, ValueError, RecursionError):
            payload = b""
        if not payload:
            raise UsageError(
                "this cannot be sent as JSON: it holds a value that JSON has not, half of a "
                "surrogate pair, a number over 20 digits, or is nested over 14 deep"
            )
        try:
            return frames.encode(payload, self._decoder.cap)
        except frames.BadLength:
            raise TooLarge(
                f"the request is larger than a frame of {self._decoder.cap} bytes",
                "a message holds at most 1 MiB",
            ) from None

    def push(self, chunk: bytes) -> None:
        """Takes in what was read."""
        self._decoder.push(chunk)

    def reply(self) -> Optional[Result]:
        """The result of the last call, or ``None`` until it is there.

        Raises the daemon's refusal, or `ProtocolError` for what is no reply to it.
        """
        try:
            payload = self._decoder.next_payload()
            if payload is None:
                return None
            reply = strict_json.parse_object(payload, REPLY_DEPTH)
        except (frames.BadLength, strict_json.NotStrict):
            raise not_ours() from None
        number, outcome = _open(reply)
        if isinstance(outcome, Refused):
            outcome.ends_connection = number is None
            if number is None or number == self._last_id:
                raise outcome
            raise not_ours()
        if number != self._last_id:
            raise not_ours()
        return outcome


def not_ours() -> ProtocolError:
    """The error for what is not of this protocol."""
    return ProtocolError("what the daemon answered is not of this protocol")


def _open(reply: Result) -> Tuple[Optional[int], Union[Result, Refused]]:
    number, result, error = reply.get("id"), reply.get("result"), reply.get("error")
    if number is not None and (type(number) is not int or number < 0):
        raise not_ours()
    if isinstance(result, dict) and error is None:
        return number, result
    if result is None and isinstance(error, dict):
        return number, _refusal(error)
    raise not_ours()


def _refusal(error: Result) -> Refused:
    message, data = error.get("message"), error.get("data")
    if not isinstance(message, str) or not isinstance(data, dict):
        raise not_ours()
    code, hint, retry = data.get("code"), data.get("hint"), data.get("retry_after_ms")
    if not isinstance(code, str) or not isinstance(hint, (str, type(None))):
        raise not_ours()
    if retry is not None and (type(retry) is not int or retry < 0):
        raise not_ours()
    return refusal(code, message, hint, retry)
