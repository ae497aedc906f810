"""A model that does as it is told: one server on loopback for all three agents.

Each session (one start of an agent) has a base address of its own, `http://127.0.0.1:PORT/SESSION`,
and a script: a list of turns, one for each request of its conversation. When the script is at its
end, the model says "done". Requests beside the conversation (titles, probes) get a fixed answer and
use up no turn. Every request is kept whole. Dialects are in dialects.py.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dialects
from dialects import Call, Say, View

# Longest wait for a request, in seconds: agents take seconds to start on a busy machine.
DEADLINE = 120


@dataclass
class Request:
    """One request of an agent, and what the model answered."""

    session: str
    path: str
    body: dict[str, Any]
    is_ours: bool
    view: View
    turn: str


class Model:
    """The server; a context manager."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._scripts: dict[str, list[Call | Say]] = {}
        self._requests: list[Request] = []
        self.failures: list[str] = []  # what went wrong in here
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> "Model":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def url(self, session: str) -> str:
        """The base address of a session."""
        return f"http://127.0.0.1:{self.port}/{session}"

    def script(self, session: str, *turns: Call | Say) -> None:
        """Sets what the model does in a session, in order."""
        with self._changed:
            self._scripts[session] = list(turns)

    def left(self, session: str) -> list[Call | Say]:
        """The turns that no request has asked for."""
        with self._changed:
            return list(self._scripts.get(session, []))

    def requests(self, session: str | None = None, beside: bool = False) -> list[Request]:
        """The requests of a conversation so far; with `beside`, those beside it as well."""
        with self._changed:
            return [
                request for request in self._requests
                if session in (None, request.session) and (beside or request.is_ours)
            ]

    def wait(self, session: str, what: str, when: Callable[[list[Request]], bool]) -> list[Request]:
        """Waits until the requests of a session are as `when` wants them."""
        def there() -> bool:
            return when([r for r in self._requests if r.session == session and r.is_ours])
        with self._changed:
            if not self._changed.wait_for(there, DEADLINE):
                seen = sum(r.session == session for r in self._requests)
                raise AssertionError(f"{session}: no {what} in {DEADLINE} s ({seen} requests seen)")
        return self.requests(session)

    def write(self, directory: Path) -> None:
        """Writes every request and what was answered, for a person to look at."""
        directory.mkdir()
        for number, request in enumerate(self.requests(beside=True)):
            seen = {"path": request.path, "answer": request.turn, "body": request.body}
            name = f"{number:03}-{request.session}.json"
            (directory / name).write_text(json.dumps(seen, indent=1, ensure_ascii=False))

    def _take(self, session: str, path: str, body: dict[str, Any]) -> tuple[str, bytes]:
        dialect = dialects.of(path)
        view, is_ours = dialect.view(body), dialect.is_ours(body)
        with self._changed:
            script = self._scripts.get(session, []) if is_ours else []
            turn = script.pop(0) if script else Say()
            name: str | None = None
            if isinstance(turn, Call):
                name, value = view.wire(turn.tool), turn.arguments
                if name is None and "ToolSearch" in view.tools and "ToolSearch" not in view.calls[-1:]:
                    script.insert(0, turn)  # first look for it, as Claude tells its model to
                    name, value = "ToolSearch", {"query": turn.tool}
            if name is None:
                value = f"no tool {turn.tool}" if isinstance(turn, Call) else turn.text
        try:
            value = value(view) if callable(value) else value
        except Exception as error:
            self.failures.append(f"{session}: {error}")
            name, value = None, f"the script failed: {error}"
        with self._changed:
            number = len(self._requests) + 1
            said = f"{name}({json.dumps(value)})" if name else f"says {value}"
            self._requests.append(Request(session, path, body, is_ours, view, said))
            self._changed.notify_all()
        return dialect.answer(body, number, name, value, path)

    def _handler(model) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:  # the agent ended
                    pass

            def do_POST(self) -> None:
                body = json.loads(self._body() or b"{}")
                path = urlsplit(self.path).path
                if dialects.of(path):
                    self._reply(200, *model._take(path.split("/")[1], path, body))
                elif path.endswith(("count_tokens", ":countTokens")):
                    self._reply(200, "application/json", b'{"input_tokens":10,"totalTokens":10}')
                else:
                    self._stray()

            def do_GET(self) -> None:
                self._stray()

            do_HEAD = do_PUT = do_DELETE = do_GET

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def _stray(self) -> None:
                """Not for a model: probes of hosts, which they do without."""
                self._reply(404, "application/json", b'{"error":{"message":"not here"}}')

            def _reply(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
