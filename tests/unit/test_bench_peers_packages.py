"""Node and the packages of the BullMQ peer: pinned, locked, and missed with a remedy."""

import json
import re
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.peers import node

EXACT = re.compile(r"\d+\.\d+\.\d+")


def test_every_package_is_pinned_exactly() -> None:
    wanted = json.loads((node.FOLDER / "package.json").read_text())["dependencies"]
    assert set(wanted) == set(node.PACKAGES)
    assert all(EXACT.fullmatch(version) for version in wanted.values())


def test_the_lock_file_agrees_with_the_pins() -> None:
    wanted = json.loads((node.FOLDER / "package.json").read_text())["dependencies"]
    lock = json.loads((node.FOLDER / "package-lock.json").read_text())
    assert lock["packages"][""]["dependencies"] == wanted == node.locked_versions()
    locked = [package for path, package in lock["packages"].items() if path]
    assert all(package["integrity"].startswith("sha512-") for package in locked)
    assert not any("resolved" in package for package in locked), "the lock names versions and hashes, no host"


def test_the_lowest_node_is_the_one_that_the_package_asks_for() -> None:
    engines = json.loads((node.FOLDER / "package.json").read_text())["engines"]
    assert engines == {"node": ">=" + ".".join(map(str, node.LOWEST))}


def test_without_node_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("node", "npm"):
        with pytest.raises(BenchError, match=rf"needs {name}, .*install Node 20\.18\.1 or newer"):
            node.program(name)


def test_a_node_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v18.20.4\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(BenchError, match=r"cannot run on Node 18\.20\.4; install Node 20\.18\.1"):
        node.node_version()


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("20.20.2", (20, 20, 2)), ("25.0.0-nightly2026", (25, 0, 0)), ("", ()), ("lts", ())],
)
def test_a_version_is_read_as_numbers(version: str, numbers: tuple[int, ...]) -> None:
    assert node.version_numbers(version) == numbers


def test_packages_are_installed_when_npm_left_the_locked_versions(tmp_path: Path) -> None:
    locked = {"": {}, "node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "2.0.0", "optional": True}}
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": locked}))
    assert not node.installed(tmp_path)
    (tmp_path / "node_modules").mkdir()
    left = tmp_path / "node_modules" / ".package-lock.json"
    left.write_text(json.dumps({"packages": {"node_modules/a": {"version": "1.0.0"}}}))
    assert node.installed(tmp_path), "an optional package is another platform's"
    left.write_text(json.dumps({"packages": {"node_modules/a": {"version": "0.9.0"}}}))
    assert not node.installed(tmp_path)
    left.write_text("{")
    assert not node.installed(tmp_path)
