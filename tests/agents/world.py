"""Where a run takes place: programs, one daemon, private directories, and an end to all of it.

Everything that a run starts descends from it, even what detaches itself: the run adopts orphans, and
`World.close` ends whoever is left. Nothing here knows an agent (hosts.py) or a story (stories.py).
"""

import ctypes
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Longest life of a program that should end by itself, in seconds.
DEADLINE = 180
# Longest time for what was asked to end, in seconds; then it is killed.
GRACE = 10
# Longest time until the daemon knows what came or went, in seconds: a server enrols unasked after 10.
SETTLED = 30
WINDOW = (50, 150, 0, 0)  # rows and columns of a terminal
ESCAPES = re.compile(r"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b\][^\x07\x1b]*\x07?|\x1b.")  # of a terminal
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Makes this process the parent of every orphan below it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> dict[int, str]:
    """The processes below this one that have not ended, with their command lines."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(entry.name)] = int(fields[1])
            lines[int(entry.name)] = line.strip()
    below = {os.getpid()}
    for _ in range(len(parents)):
        more = {pid for pid, parent in parents.items() if parent in below} - below
        if not more:
            break
        below |= more
    return {pid: lines[pid] for pid in below if pid != os.getpid()}


class Program:
    """A program in a session of its own, whose lines are kept as they come."""

    def __init__(self, argv: list[str], cwd: Path, env: dict[str, str], terminal: bool = False) -> None:
        self.argv = argv
        self.out, self.err = "", ""
        self._changed = threading.Condition()
        self._terminal: int | None = None
        if terminal:
            self._terminal, inner = pty.openpty()
            fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", *WINDOW))
            self._process = subprocess.Popen(
                argv, cwd=cwd, env=env, stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
                preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
            )
            os.close(inner)
            pumps = [("out", os.fdopen(os.dup(self._terminal), "rb", 0))]
        else:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                argv, cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
            pumps = [("out", self._process.stdout), ("err", self._process.stderr)]
        self._pumps = [threading.Thread(target=self._pump, args=pump, daemon=True) for pump in pumps]
        for pump in self._pumps:
            pump.start()

    def _pump(self, name: str, stream: Any) -> None:
        while True:
            try:
                data = os.read(stream.fileno(), 65536)
            except OSError:  # a terminal whose last program ended
                data = b""
            with self._changed:
                setattr(self, name, getattr(self, name) + data.decode(errors="replace"))
                self._changed.notify_all()
            if not data:
                return stream.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def type(self, text: str) -> None:
        """Types into the program's terminal, or writes to its standard input."""
        if self._terminal is not None:
            os.write(self._terminal, text.encode())
        else:
            self._process.stdin.write(text.encode())
            self._process.stdin.flush()

    def close_input(self) -> None:
        """Leaves the program nothing to read."""
        if self._terminal is None and not self._process.stdin.closed:
            self._process.stdin.close()

    def wait_for(self, what: str, when: Callable[[str], bool]) -> str:
        """Waits until the output is as `when` wants it."""
        with self._changed:
            if not self._changed.wait_for(lambda: when(self.out), DEADLINE):
                raise AssertionError(f"{self.argv[0]}: no {what}\n{self.tail()}")
        return self.out

    def ended(self, deadline: float = DEADLINE) -> int:
        """Waits for the program to end; its status."""
        self.close_input()
        try:
            status = self._process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.argv} did not end in {deadline} s\n{self.tail()}") from None
        for pump in self._pumps:
            pump.join(GRACE)
        return status

    def end(self, first: signal.Signals = signal.SIGTERM) -> None:
        """Ends the program and its group, whatever it takes."""
        for number in (first, signal.SIGKILL):
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                pass
            try:
                self._process.wait(GRACE)
            except subprocess.TimeoutExpired:
                continue
            if number == first:
                break
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None

    def tail(self) -> str:
        """The end of what the program said."""
        plain = ESCAPES.sub(" ", self.out[-20000:])
        return f"stdout: {plain[-3000:]}\nstderr: {self.err[-3000:]}"


class World:
    """One run: a private directory, a daemon, and every program that it started."""

    def __init__(self, cache: Path, ipc: Path, plugins: Path) -> None:
        self.plugins = plugins
        self.npm, self.python = cache / "npm/node_modules/.bin", cache / "venv/bin/python"
        self._cache = cache
        (cache / "runs").mkdir(parents=True, exist_ok=True)
        self.room = Path(tempfile.mkdtemp(prefix="", dir=cache / "runs"))
        self.data, self.temporary = self.room / "d", self.room / "t"
        for directory in (self.data, self.temporary, self.room / "bin"):
            directory.mkdir(mode=0o700)
        (self.room / "bin/ipc").symlink_to(ipc)
        self._programs: list[Program] = []
        self.daemon: int | None = None  # its process

    def environment(self, home: Path, **more: str) -> dict[str, str]:
        """A clean environment: nothing of the caller's, and a proxy that is not there."""
        path = f"{self.room / 'bin'}:{self.npm}:/usr/local/bin:/usr/bin:/bin"
        nowhere = {name: "http://127.0.0.1:9" for name in ("HTTPS_PROXY", "HTTP_PROXY")}
        return {
            "PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm-256color",
            "TMPDIR": str(self.temporary), "IPC_DATA_DIR": str(self.data),
            "NO_PROXY": "127.0.0.1,localhost", **nowhere, **more,
        }

    def start(self, argv: list[str], cwd: Path, env: dict[str, str], terminal: bool = False) -> Program:
        """Starts a program that ends with this run at the latest."""
        program = Program(argv, cwd, env, terminal)
        self._programs.append(program)
        return program

    def run(self, argv: list[str], cwd: Path, env: dict[str, str], status: int | None = 0) -> Program:
        """Runs a program to its end and looks at its status, unless that is None."""
        program = self.start(argv, cwd, env)
        got = program.ended()
        if status is not None and got != status:
            raise AssertionError(f"{' '.join(argv)}: status {got}\n{program.tail()}")
        return program

    def start_daemon(self) -> None:
        """Starts the one daemon, and waits until it serves."""
        socket = self.data / "ipc.sock"
        if len(os.fsencode(socket)) > 107:
            raise SystemExit(f"{socket} is too long for a socket: give a shorter --cache")
        self.run(["ipc", "daemon", "start"], self.room, self.environment(self.room))
        self.daemon = self.ipc("status")["pid"]

    def ipc(self, *words: str, status: int | None = 0) -> Any:
        """Runs `ipc WORDS --json` in a shell of its own; what it printed."""
        program = self.run(["ipc", "--json", *words], self.room, self.environment(self.room), status)
        return json.loads(program.out) if program.out.strip() else None

    def agents(self) -> dict[str, dict[str, Any]]:
        """Every agent that the daemon knows, by name."""
        return {agent["name"]: agent for agent in self.ipc("list")["agents"]}

    def live(self) -> set[str]:
        """The names of agents that are live."""
        return {name for name, agent in self.agents().items() if agent["presence"] == "live"}

    def until(self, what: str, when: Callable[[dict[str, dict[str, Any]]], bool]) -> None:
        """Asks the daemon until its agents are as `when` wants them."""
        deadline = time.monotonic() + SETTLED
        while not when(agents := self.agents()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not in {SETTLED} s: {agents}")

    def tails(self) -> list[str]:
        """What programs said that are still running."""
        return [f"{p.argv[0]}: {p.tail()}" for p in self._programs if not p.has_ended]

    def end_programs(self) -> None:
        """Ends every program that this run started."""
        for program in self._programs:
            program.end()
        self._programs.clear()

    def close(self, keep: bool) -> list[str]:
        """Ends everything; the command lines of what was still there besides the daemon."""
        self.end_programs()
        left = [line for pid, line in children().items() if pid != self.daemon]
        if self.daemon:
            stop = Program(["ipc", "daemon", "stop"], self.room, self.environment(self.room))
            stop.ended()
        while still := children():  # what is killed may leave orphans of its own
            for pid in still:
                try:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                except (ProcessLookupError, ChildProcessError):
                    pass
        if not keep:
            shutil.rmtree(self.room, ignore_errors=True)
        return left
