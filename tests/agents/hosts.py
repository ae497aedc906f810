"""The three agents: each with a home and a project folder of its own, wired as a user would wire it.

Claude gets our plugin by `--plugin-dir`, Gemini our extension by `gemini extensions link`, Codex our two
files in `~/.codex`. What `ipc setup` writes is tried in stories/shipped.py. Configuration of a host beyond that only leads it to the stub model.
"""

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stub_model import Call, Model, Request, Say
from world import Program, World

# Claude asks about a key that it has not seen; it knows a key by its last twenty characters.
KEY = "stub-key-of-no-value-0000000000"


@dataclass
class Visit:
    """One start of an agent, ended."""

    requests: list[Request]
    program: Program

    def prompts(self, at: int = 0) -> str:
        """What stood in the user's place in the request number `at`."""
        return "\n".join(self.requests[at].view.prompts)

    def result(self, at: int) -> str:
        """The last tool result that the request number `at` showed."""
        results = self.requests[at].view.results
        assert results, f"request {at} shows no tool result: {self.requests[at].body}"
        return results[-1]


class Host:
    """An agent's program with its home, its folder, and its sessions with the model."""

    name = ""

    def __init__(self, world: World, model: Model, folder: str) -> None:
        self.world, self.model, self.folder = world, model, folder
        self.home, self.project = world.room / f"h-{folder}", world.room / f"p/{folder}"
        self.home.mkdir(mode=0o700)
        self.project.mkdir(parents=True)
        self._visits = 0
        self.configure()

    def configure(self) -> None:
        """Writes what leads the agent to the stub model, past its questions to a newcomer."""

    def wire(self) -> None:
        """Gives the agent what we ship."""

    def argv(self, prompt: str, session: str) -> list[str]:
        """The command line of one prompt without a window."""
        raise NotImplementedError

    def address(self, session: str) -> dict[str, str]:
        """The environment that leads to a session of the stub model."""
        raise NotImplementedError

    def environment(self, session: str = "none") -> dict[str, str]:
        return self.world.environment(self.home, **self.address(session))

    def session(self, *turns: Call | Say) -> str:
        """A new session of the stub model with this script."""
        self._visits += 1
        session = f"{self.folder}-{self._visits}"
        self.model.script(session, *turns)
        return session

    def begin(self, prompt: str, *turns: Call | Say) -> tuple[str, Program]:
        """Starts the agent with one prompt, and goes on."""
        session = self.session(*turns)
        program = self.world.start(self.argv(prompt, session), self.project, self.environment(session))
        program.close_input()
        return session, program

    def ask(self, prompt: str, *turns: Call | Say) -> Visit:
        """Starts the agent with one prompt, to its end; the script must be used up."""
        session, program = self.begin(prompt, *turns)
        status = program.ended()
        requests, left = self.model.requests(session), self.model.left(session)
        for request in requests:
            assert not request.turn.startswith("says no tool"), (
                f"{session}: {request.turn} among {sorted(request.view.tools)}\n{program.tail()}"
            )
        assert status == 0, f"{session}: status {status}\n{program.tail()}"
        assert not left, f"{session}: {len(requests)} requests, {left} left\n{program.tail()}"
        return Visit(requests, program)

    def command(self, *words: str, status: int | None = 0) -> Program:
        """Runs the agent's program with other words, to its end."""
        return self.world.run([self.name, *words], self.project, self.environment(), status)

    def files(self) -> dict[str, bytes]:
        """What `ipc setup` may touch, byte for byte."""
        there = (self.home / name for name in self.touched)
        return {str(path): path.read_bytes() for path in there if path.exists()}

    touched: tuple[str, ...] = ()


class Claude(Host):
    """Claude Code."""

    name = "claude"
    plugins: list[str] = []
    touched = (".claude.json", ".claude/settings.json", ".claude/settings.local.json", ".mcp.json")

    def configure(self) -> None:
        state: dict[str, Any] = {
            "hasCompletedOnboarding": True,
            "theme": "dark",
            "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
            "projects": {
                str(self.project): {
                    "hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True
                }
            },
        }
        (self.home / ".claude.json").write_text(json.dumps(state))

    @property
    def plugin(self) -> Path:
        return self.world.plugins / "claude-code"

    def wire(self) -> None:
        self.plugins = ["--plugin-dir", str(self.plugin)]

    def words(self) -> list[str]:
        """What every start of it is given."""
        return [*self.plugins, "--allowedTools", "mcp__plugin_ipc_ipc__*,mcp__ipc__*"]

    def argv(self, prompt: str, session: str) -> list[str]:
        return ["claude", "-p", prompt, *self.words(), "--output-format", "stream-json", "--verbose"]

    def address(self, session: str) -> dict[str, str]:
        quiet = ("DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING")
        return {
            "ANTHROPIC_BASE_URL": self.model.url(session), "ANTHROPIC_API_KEY": KEY,
            "CLAUDE_CODE_TMPDIR": str(self.world.temporary), **dict.fromkeys(quiet, "1"),
        }

    def converse(self, *turns: Call | Say) -> tuple[str, Program]:
        """Starts it without a window, to be prompted line by line."""
        session = self.session(*turns)
        streams = ["--input-format", "stream-json", "--output-format", "stream-json", "--verbose"]
        argv = ["claude", "-p", *self.words(), *streams]
        return session, self.world.start(argv, self.project, self.environment(session))

    @staticmethod
    def prompt(program: Program, text: str) -> None:
        """One more prompt of a conversation."""
        line = {"type": "user", "message": {"role": "user", "content": text}}
        program.type(json.dumps(line) + "\n")

    def open_window(self, prompt: str, *turns: Call | Say) -> tuple[str, Program]:
        """Starts it in a terminal: monitors of plugins run nowhere else."""
        session = self.session(*turns)
        log = str(self.world.room / f"{session}.log")
        argv = ["claude", prompt, *self.words(), "--debug-file", log]
        return session, self.world.start(argv, self.project, self.environment(session), terminal=True)

    @staticmethod
    def close_window(program: Program) -> None:
        """Closes the terminal, as a user who closes the window does."""
        program.end(signal.SIGHUP)


class Gemini(Host):
    """Gemini CLI."""

    name = "gemini"
    touched = (".gemini/settings.json", ".gemini/trustedFolders.json")

    def configure(self) -> None:
        (self.home / ".gemini").mkdir()
        settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
        (self.home / ".gemini/settings.json").write_text(json.dumps(settings))
        trusted = {str(self.project): "TRUST_FOLDER"}
        (self.home / ".gemini/trustedFolders.json").write_text(json.dumps(trusted))

    @property
    def extension(self) -> Path:
        return self.world.plugins / "gemini-cli"

    def wire(self) -> None:
        self.command("extensions", "link", str(self.extension), "--consent")

    def argv(self, prompt: str, session: str) -> list[str]:
        model = ["-m", "gemini-2.5-flash", "--approval-mode", "yolo", "-o", "json"]
        return ["gemini", "-p", prompt, *model]

    def address(self, session: str) -> dict[str, str]:
        return {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": self.model.url(session)}


class Codex(Host):
    """Codex."""

    name = "codex"
    touched = (".codex/config.toml", ".codex/hooks.json")

    def configure(self) -> None:
        (self.home / ".codex").mkdir()
        (self.home / ".codex/config.toml").write_text(
            "# Leads to the stub model.\n"
            'model = "stub"\nmodel_provider = "stub"\n\n'
            '[model_providers.stub]\nname = "stub"\nwire_api = "responses"\nenv_key = "STUB_KEY"\n'
            f'base_url = "{self.model.url("none")}/v1"\n\n'
            f'[projects."{self.project}"]\ntrust_level = "trusted"\n'
        )

    def wire(self) -> None:
        package = self.world.plugins / "codex"
        config = self.home / ".codex/config.toml"
        server = (package / "config.toml").read_text()
        # Codex hands on no variable that its entry does not name.
        data = f'env = {{ IPC_DATA_DIR = "{self.world.data}" }}\n'
        config.write_text(f"{config.read_text()}\n{server}{data}")
        (self.home / ".codex/hooks.json").write_bytes((package / "hooks.json").read_bytes())

    def argv(self, prompt: str, session: str) -> list[str]:
        address = f'model_providers.stub.base_url="{self.model.url(session)}/v1"'
        words = ["--skip-git-repo-check", "--json", "--dangerously-bypass-hook-trust", "-c", address]
        return ["codex", "exec", *words, prompt]

    def address(self, session: str) -> dict[str, str]:
        return {"STUB_KEY": KEY}
