"""The deterministic part has no clock, no randomness and no world: proved on its syntax trees.

The sandbox of Temporal passes these modules through, so at run time nothing would stop `datetime.now()` in them.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

IMPURE_MODULES = frozenset(
    {
        *("time", "sched", "zoneinfo", "locale", "random", "uuid", "secrets", "os", "platform", "getpass", "logging"),
        *("socket", "ssl", "select", "selectors", "http", "urllib.request", "ftplib", "smtplib", "sqlite3"),
        *("threading", "subprocess", "multiprocessing", "concurrent", "signal", "queue"),
        *("io", "pathlib", "glob", "tempfile", "shutil", "importlib", "ctypes", "gc", "inspect"),
    }
)
"""Standard library modules that look at the clock, chance, the machine or another thread."""
IMPURE_BUILTINS = frozenset({"open", "input", "print", "hash", "exec", "eval", "compile", "__import__"})
"""`hash` of a text differs from process to process; `id` does too, but tells sameness, which does not."""
IMPURE_CALLS = frozenset(
    {
        *("datetime.now", "datetime.utcnow", "datetime.today", "datetime.utcfromtimestamp"),
        *("date.today", "date.fromtimestamp"),
        *("asyncio.to_thread", "asyncio.run", "asyncio.get_event_loop", "asyncio.open_connection"),
    }
)


PORTABLE = (
    "collector.domain",
    *(f"collector.{path.stem}" for path in (ROOT / "collector").glob("*.py") if path.stem != "__init__"),
)
"""Packages of ours that workflows may import: the domain, and the modules beside it, which are checked here too."""
LOCAL_TIME = "datetime.fromtimestamp"
"""Pure with a time zone; without one it is the machine's."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the tree and the packages that it may import beside the standard library."""

    files: tuple[Path, ...]
    allowed: tuple[str, ...]


REGIONS = {
    "domain": Region(tuple(sorted((ROOT / "collector/domain").glob("*.py"))), ("collector.domain",)),
    "what travels": Region(tuple(sorted((ROOT / "collector").glob("*.py"))), PORTABLE),
    "workflows": Region(
        tuple(sorted((ROOT / "workflows").rglob("*.py"))),
        ("temporalio", "workflows", *PORTABLE),
    ),
}


def impurities(source: str, allowed: tuple[str, ...]) -> list[str]:
    """What in the source looks outside, each as `line: what`."""
    tree = ast.parse(source)
    found = [*_bad_imports(tree, allowed), *_bad_calls(tree)]
    return [f"{line}: {what}" for line, what in sorted(found)]


def _bad_imports(tree: ast.AST, allowed: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if _forbidden(alias.name, allowed)]
            yield from ((node.lineno, f"imports {name}") for name in names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"imports {name}") for name in _bad_names(node, allowed))


def _bad_names(node: ast.ImportFrom, allowed: tuple[str, ...]) -> list[str]:
    if node.level or node.module is None:
        return ["relatively"]
    members = [f"{node.module}.{alias.name}" for alias in node.names]
    if _forbidden(node.module, allowed):
        return [] if all(member in allowed for member in members) else [node.module]
    return [name for name in members if name in IMPURE_MODULES]  # `from urllib import request`


def _forbidden(name: str, allowed: tuple[str, ...]) -> bool:
    if any(name == own or name.startswith(f"{own}.") for own in allowed):
        return False
    if any(name == impure or name.startswith(f"{impure}.") for impure in IMPURE_MODULES):
        return True
    return name.split(".", maxsplit=1)[0] not in sys.stdlib_module_names


def _bad_calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            without_zone = called.endswith(LOCAL_TIME) and len(node.args) + len(node.keywords) < 2
            if called in IMPURE_BUILTINS or without_zone:
                yield node.lineno, f"uses {called}"
        elif isinstance(node, ast.Attribute):
            dotted = ast.unparse(node)
            if any(dotted == call or dotted.endswith(f".{call}") for call in IMPURE_CALLS):
                yield node.lineno, f"uses {dotted}"


@pytest.mark.parametrize("name", REGIONS)
def test_the_deterministic_part_is_pure(name: str) -> None:
    region = REGIONS[name]
    assert region.files, f"the region {name} is empty: did it move?"
    found = [
        f"{path.relative_to(ROOT)}:{what}"
        for path in region.files
        for what in impurities(path.read_text(encoding="utf-8"), region.allowed)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import time", "1: imports time"),
        ("import os.path", "1: imports os.path"),
        ("def f():\n    from random import choice", "2: imports random"),
        ("from urllib import request", "1: imports urllib.request"),
        ("import urllib.request", "1: imports urllib.request"),
        ("import uuid as u", "1: imports uuid"),
        ("import threading, math", "1: imports threading"),
        ("from socket import *", "1: imports socket"),
        ("import httpx", "1: imports httpx"),
        ("from collector.usecases import collect", "1: imports collector.usecases"),
        ("from . import cadence", "1: imports relatively"),
        ("from datetime import datetime\nx = datetime.now()", "2: uses datetime.now"),
        ("import datetime\nx = datetime.datetime.utcnow()", "2: uses datetime.datetime.utcnow"),
        ("from datetime import datetime\nclock = datetime.now", "2: uses datetime.now"),
        ("import datetime as d\nx = d.date.today()", "2: uses d.date.today"),
        ("phase = hash('id')", "1: uses hash"),
        ("x = datetime.fromtimestamp(0)", "1: uses datetime.fromtimestamp"),
        ("text = open('x').read()", "1: uses open"),
        ("import asyncio\nasyncio.to_thread(f)", "2: uses asyncio.to_thread"),
    ],
)
def test_a_planted_impurity_is_found(source: str, what: str) -> None:
    assert impurities(source, ("collector.domain",)) == [what]


def test_what_the_core_needs_is_not_called_impure() -> None:
    source = (
        "import hashlib, re, ipaddress\nfrom dataclasses import dataclass\nfrom datetime import UTC, datetime\n"
        "from urllib.parse import urlsplit\nfrom collector.domain.cadence import Grid\n"
        "x = datetime(2026, 1, 1, tzinfo=UTC).isoformat()\ny = workflow.now()\nz = f.id\n"
        "u = datetime.fromtimestamp(0, tz=UTC)\n"
    )
    assert impurities(source, ("collector.domain",)) == []
