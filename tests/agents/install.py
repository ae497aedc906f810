"""Installs what the stories need, in the versions named here, into one directory: once.

Versions are pinned: hosts change their ways from one to the next. README.md says what was seen.
"""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

# What a part needs of npm: package and version. Gemini wants Node 22 and brings none.
NODE = ("node", "24.21.0")
NPM: dict[str, list[tuple[str, str]]] = {
    "claude": [("@anthropic-ai/claude-code", "2.1.329")],
    "gemini": [("@google/gemini-cli", "0.61.0"), NODE],
    "codex": [("@openai/codex", "0.169.0"), NODE],
    "inspector": [("@modelcontextprotocol/inspector", "2.12.0"), NODE],
    "python-mcp": [],
}
PYTHON = "mcp==2.3.0"


def install(cache: Path, parts: set[str]) -> None:
    """Brings a cache directory to hold what these parts need, and what it held already."""
    cache.mkdir(parents=True, exist_ok=True)
    wanted = dict(package for part in sorted(parts) for package in NPM[part])
    if wanted:
        _npm(cache / "npm", wanted)
    if "python-mcp" in parts:
        _pip(cache / "venv")


def _npm(room: Path, wanted: dict[str, str]) -> None:
    """npm packages; a manifest that says so already is believed only after a finished installation."""
    manifest, done = room / "package.json", room / "installed"
    have = json.loads(done.read_text()) if done.exists() else {}
    if wanted.items() <= have.items():
        return
    if not shutil.which("npm"):
        raise SystemExit("npm is missing: install Node")
    wanted = {**have, **wanted}
    room.mkdir(exist_ok=True)
    done.unlink(missing_ok=True)
    # Packages whose own installation steps are wanted: a program for this machine is put in place by them.
    allowed = {f"{name}@{version}": True for name, version in wanted.items()}
    package = {"private": True, "dependencies": wanted, "allowScripts": allowed}
    manifest.write_text(json.dumps(package, indent=1))
    print("installing " + ", ".join(f"{name} {version}" for name, version in wanted.items()), flush=True)
    _must(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], room)
    done.write_text(json.dumps(wanted))


def _pip(room: Path) -> None:
    """The Python package, in a virtual environment."""
    done = room / "installed"
    if done.exists() and done.read_text() == PYTHON:
        return
    print(f"installing {PYTHON}", flush=True)
    venv.create(room, with_pip=True, clear=True)
    _must([str(room / "bin/python"), "-m", "pip", "install", "--quiet", PYTHON], room)
    done.write_text(PYTHON)


def _must(argv: list[str], room: Path) -> None:
    if subprocess.run(argv, cwd=room, stdout=sys.stderr).returncode != 0:
        raise SystemExit(f"{' '.join(argv)} failed in {room}")
