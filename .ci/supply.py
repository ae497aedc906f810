"""What `cargo metadata` says of dependencies, against deny.toml and the sources. Says every fault, then fails."""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
TOKEN = re.compile(r"\(|\)|[A-Za-z0-9.+-]+")


def listed(text: str, key: str) -> List[str]:
    """The strings of a list in deny.toml. There is no TOML in the library of Python 3.9."""
    found = re.search(rf"^{key} = \[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    return re.findall(r'"([^"]+)"', found.group(1)) if found else []


def skipped(text: str) -> Dict[str, str]:
    """Which second versions may be there, and why."""
    blocks = re.findall(r'\[\[bans\.skip\]\]\ncrate = "([^"]+)"\nreason = "([^"]*)"', text)
    return dict(blocks)


def is_allowed(expression: str, allowed: Set[str]) -> bool:
    """Whether an SPDX expression can be met with the licences on the list; `/` is an old `OR`."""
    tokens = TOKEN.findall(expression.replace("/", " OR "))

    def either() -> bool:
        met = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = both() or met
        return met

    def both() -> bool:
        met = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one() -> bool:
        name = tokens.pop(0)
        if name == "(":
            met = either()
            tokens.pop(0)
            return met
        if tokens and tokens[0] == "WITH":
            name = f"{name} {tokens.pop(0)} {tokens.pop(0)}"
        return name in allowed

    return bool(tokens) and either() and not tokens


def licences(packages: List[Dict[str, Any]], allowed: Set[str]) -> Iterator[str]:
    for package in packages:
        if not is_allowed(package["license"] or "", allowed):
            yield f"{package['name']} {package['version']}: its licence `{package['license']}` is not on the list"


def sources(packages: List[Dict[str, Any]], members: Set[str]) -> Iterator[str]:
    for package in packages:
        if package["id"] not in members and package["source"] != REGISTRY:
            yield f"{package['name']} {package['version']}: it comes from {package['source']}"


def doubles(packages: List[Dict[str, Any]], reasons: Dict[str, str]) -> Iterator[str]:
    versions = defaultdict(set)
    for package in packages:
        versions[package["name"]].add(package["version"])
    missing = dict(reasons)
    for name, all_of_it in sorted(versions.items()):
        others = set(all_of_it)
        for skip, reason in reasons.items():
            of, _, version = skip.partition("@")
            hit = {found for found in others if of == name and f"{found}.".startswith(f"{version}.")}
            if hit and len(all_of_it) > 1:
                missing.pop(skip, None)
                others -= hit if reason else set()
        if len(all_of_it) > 1 and len(others) > 1:
            yield f"{name} is there as {', '.join(sorted(all_of_it))}, and deny.toml has no reason"
    for skip in missing:
        yield f"deny.toml has a reason for {skip}, which is not there twice any more"


def unused(packages: List[Dict[str, Any]], members: Set[str]) -> Iterator[str]:
    for package in packages:
        if package["id"] not in members:
            continue
        root = Path(package["manifest_path"]).parent
        program = "\n".join(path.read_text() for path in sorted(root.glob("src/**/*.rs")))
        tests = "\n".join(path.read_text() for path in sorted(root.glob("tests/**/*.rs")))
        for dependency in package["dependencies"]:
            if dependency["req"] == "*" and dependency["path"] is None:
                yield f"{package['name']}: any version of {dependency['name']} would do"
            word = (dependency["rename"] or dependency["name"]).replace("-", "_")
            where = program if dependency["kind"] is None else program + tests
            if not re.search(rf"\b{word}(::|;| as )", where):
                yield f"{package['name']}: {dependency['name']} is not used"


def main() -> int:
    metadata = json.loads(Path(sys.argv[1]).read_text())
    text = Path("deny.toml").read_text()
    packages, members = metadata["packages"], set(metadata["workspace_members"])
    allowed, reasons = set(listed(text, "allow")), skipped(text)
    faults = [
        *licences(packages, allowed),
        *sources(packages, members),
        *doubles(packages, reasons),
        *unused(packages, members),
    ]
    for fault in faults:
        print(fault)
    print(f"{len(packages)} packages, {len(reasons)} second versions with a reason, {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main())
