"""The examples of README.md do what they say, and the package is readable to the oldest Python."""

import ast
import glob
import inspect
import os
import py_compile
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness import PYTHON, SHIM, Case

SOURCES = sorted([*SHIM.glob("claude_ipc/**/*.py"), *SHIM.glob("scripts/*.py")])
OLDEST = (3, 9)


class Readme(Case):
    def test_every_example_runs(self) -> None:
        text = (SHIM / "README.md").read_text(encoding="utf-8")
        examples = re.findall(r"^```(python|sh)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        said = ""
        ran = 0
        os.symlink(PYTHON, os.path.join(self.home.path, "bin", "python3"))
        for language, example in examples:
            if "pip install" in example or "unittest" in example:
                continue
            words = [PYTHON, "-c", example] if language == "python" else ["sh", "-ec", example]
            done = subprocess.run(
                words, env=self.home.environment, cwd=SHIM.parent, capture_output=True, text=True, check=False
            )
            self.assertEqual((done.returncode, done.stderr), (0, ""), example)
            said += done.stdout
            ran += 1
        self.assertEqual(ran, 11)
        for words in (
            " unclaimed\n", "alice the build is green {'commit': '4f2a'}\n", "thanks\nanswered\n",
            "doing job 1\ndoing job 2\n", "['counting', 'three days'] answered\n", "hello\n",
            "release 1.0 who tags it?\n['alice']\n", "sent the build is green\nsent who tags it?\nTrue\n",
            "[('bob', 'reviewing')]\nblocked\nheld\n1\n", "unknown_recipient ", "the tests pass\n",
            "Registered as dora\n", "Sent to bob: still here\n", "Content: still here\n",
        ):  # fmt: skip
            self.assertIn(words, said)

    def test_every_method_is_named(self) -> None:
        from claude_ipc import Client

        text = (SHIM / "README.md").read_text(encoding="utf-8")
        for name, _ in inspect.getmembers(Client):
            if not name.startswith("_") and name not in ("close", "name", "agent_id", "places"):
                self.assertIn(f"`{name}`", text)


class Sources(unittest.TestCase):
    def test_the_oldest_python_reads_every_file(self) -> None:
        for path in [*SOURCES, *Path(__file__).parent.glob("*.py")]:
            ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=OLDEST)

    def test_the_oldest_python_here_compiles_every_file(self) -> None:
        with tempfile.TemporaryDirectory(prefix="ipc-", dir="/tmp") as room:
            for path in SOURCES:
                py_compile.compile(str(path), cfile=os.path.join(room, "own.pyc"), doraise=True)
            compiling = "import sys\nfor p in sys.argv[1:]: compile(open(p, encoding='utf-8').read(), p, 'exec')"
            for python in _pythons():
                done = subprocess.run(
                    [python, "-I", "-c", compiling, *map(str, SOURCES)], capture_output=True, text=True, check=False
                )
                self.assertEqual(done.returncode, 0, f"{python}: {done.stderr}")

    def test_nothing_but_the_standard_library_is_imported(self) -> None:
        known = set(getattr(sys, "stdlib_module_names", ())) or None
        for path in SOURCES:
            for node in _at_run_time(ast.parse(path.read_text(encoding="utf-8"))):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    names = [node.module]
                for name in names:
                    top = name.partition(".")[0]
                    is_ours = top in ("claude_ipc", "_package") and path.parent.name == "scripts"
                    self.assertTrue(is_ours or known is None or top in known, f"{path}: {name}")

    def test_files_are_short_and_say_what_they_are_for(self) -> None:
        for path in SOURCES:
            text = path.read_text(encoding="utf-8")
            self.assertLessEqual(len(text.splitlines()), 400, path)
            self.assertTrue(ast.get_docstring(ast.parse(text)), path)

    def test_everything_public_has_a_docstring(self) -> None:
        for path in SOURCES:
            for node in _public(ast.parse(path.read_text(encoding="utf-8"))):
                if path.name != "scripts.py":
                    self.assertTrue(ast.get_docstring(node), f"{path}: {node.name}")


def _at_run_time(tree: ast.AST):
    """Every node but what only a checker of types reads."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"):
            yield node
            yield from _at_run_time(node)


def _public(tree: ast.AST):
    """The classes and functions that others may use, and their methods."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def _pythons() -> list:
    """Every other Python 3.9 or later that this machine has."""
    found = glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python")) + glob.glob("/usr/bin/python3.*")
    version = re.compile(r"3\.(\d+)[^/]*(/bin/python)?$")
    kept = []
    for path in found:
        match = version.search(path)
        if match and "config" not in path and int(match[1]) >= OLDEST[1]:
            kept.append(path)
    return kept


if __name__ == "__main__":
    unittest.main()
