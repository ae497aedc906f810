"""The real daemon in a home of its own, and servers that lie.

The program under test is the one of ``IPC_PROGRAM``, else `ipc` on ``PATH``. Without one nothing runs,
and that is a failure.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

SHIM = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SHIM))

from claude_ipc import Client  # noqa: E402


def _program() -> str:
    found = os.environ.get("IPC_PROGRAM") or shutil.which("ipc")
    if not found or not os.access(found, os.X_OK):
        raise RuntimeError("IPC_PROGRAM must name the program `ipc`, or it must be on PATH")
    return os.path.abspath(found)


PROGRAM = _program()
PYTHON = sys.executable


class Home:
    """A home directory in which nothing has happened yet, with `ipc` on its ``PATH``."""

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp(prefix="ipc-", dir="/tmp")
        self.data = os.path.join(self.path, ".claude-ipc-data")
        os.mkdir(os.path.join(self.path, "bin"))
        os.symlink(PROGRAM, os.path.join(self.path, "bin", "ipc"))
        self.environment = {
            "HOME": self.path,
            "PATH": f"{self.path}/bin:/usr/bin:/bin",
            "PYTHONPATH": str(SHIM),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8",
        }

    def run(self, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Runs any command here to its end."""
        return subprocess.run(
            words,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def ipc(self, *words: str) -> str:
        """Runs `ipc`, which must succeed; what it printed."""
        done = self.run("ipc", *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def json(self, *words: str) -> dict:
        """The same with ``--json``."""
        return json.loads(self.ipc("--json", *words))

    def private(self) -> None:
        """Makes the data directory without a daemon."""
        os.makedirs(self.data, mode=0o700, exist_ok=True)

    def put(self, name: str, content: bytes, mode: int = 0o600) -> str:
        """Puts a file into the data directory."""
        self.private()
        path = os.path.join(self.data, name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def agent_file(self, name: str) -> dict:
        """What is kept for an agent."""
        with open(os.path.join(self.data, "agents", name + ".json"), encoding="utf-8") as file:
            return json.load(file)

    def end(self) -> None:
        """Stops the daemon and removes everything."""
        if os.path.exists(os.path.join(self.data, "lock")):
            self.run("ipc", "daemon", "stop")
        shutil.rmtree(self.path, ignore_errors=True)


class Case(unittest.TestCase):
    """Tests that share a home; the environment of this process is that of the home meanwhile."""

    home: Home
    fresh_home = False

    @classmethod
    def setUpClass(cls) -> None:
        if not cls.fresh_home:
            cls.home = Home()
            cls.addClassCleanup(cls.home.end)

    def setUp(self) -> None:
        if self.fresh_home:
            self.home = Home()
            self.addCleanup(self.home.end)
        patched = mock.patch.dict(os.environ, self.home.environment, clear=True)
        patched.start()
        self.addCleanup(patched.stop)

    def client(self, name: "str | None" = None, **options: object) -> Client:
        """A client that is closed at the end of the test."""
        client = Client(name, **options)
        self.addCleanup(client.close)
        return client

    def agent(self, name: str) -> Client:
        """A client that has registered as ``name``."""
        client = self.client()
        client.register(name)
        return client


class FalseServer:
    """Listens at a path and answers as the test says; remembers every byte that it was sent."""

    def __init__(self, path: str, answer) -> None:
        self._answer = answer
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(16)
        self.requests: list = []
        self.raw = b""
        self._streams: list = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def methods(self) -> list:
        """The calls that came, by name."""
        return [request["method"] for request in self.requests]

    def end(self) -> None:
        """Stops listening and closes every connection."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        for stream in self._streams:
            stream.close()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self._streams.append(stream)
            try:
                self._talk(stream)
            except OSError:
                continue

    def _talk(self, stream: socket.socket) -> None:
        number = 0
        while True:
            head = self._exactly(stream, 4)
            body = head and self._exactly(stream, int.from_bytes(head, "big"))
            if not body:
                stream.close()
                return
            request = json.loads(body)
            self.requests.append(request)
            said = self._answer(request, number)
            if said is None:
                stream.close()
                return
            for part in said if isinstance(said, list) else [said]:
                stream.sendall(part)
            number += 1

    def _exactly(self, stream: socket.socket, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = stream.recv(count - len(data))
            if not chunk:
                return b""
            data += chunk
            self.raw += chunk
        return data


def frame(payload: bytes) -> bytes:
    """A frame with ``payload`` in it."""
    return len(payload).to_bytes(4, "big") + payload


def reply(request: dict, result: dict) -> bytes:
    """A good answer to ``request``."""
    return frame(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode())


class Relay:
    """Stands between client and daemon in this very process, so that the daemon sees the same process id.

    ``cut(method, side)`` decides for each call whether to close instead of passing on: ``side`` is
    ``call`` before the daemon has it, ``reply`` when it has answered.
    """

    def __init__(self, path: str, daemon: str, cut) -> None:
        self._daemon, self._cut = daemon, cut
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(16)
        threading.Thread(target=self._serve, daemon=True).start()

    def end(self) -> None:
        """Takes no further connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(stream,), daemon=True).start()

    def _pass_on(self, near: socket.socket) -> None:
        far = socket.socket(socket.AF_UNIX)
        far.connect(self._daemon)
        try:
            while True:
                call = _frame_from(near)
                method = json.loads(call[4:])["method"] if call else ""
                if not call or self._cut(method, "call"):
                    return
                far.sendall(call)
                answer = _frame_from(far)
                if not answer or self._cut(method, "reply"):
                    return
                near.sendall(answer)
        except OSError:
            return
        finally:
            near.close()
            far.close()


def _frame_from(stream: socket.socket) -> bytes:
    head = stream.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        return b""
    return head + stream.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
