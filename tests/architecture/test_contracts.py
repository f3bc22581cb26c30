"""The import contracts hold, and each of them can break: a violation planted in a skeleton breaks exactly its own."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
LINTER = Path(sys.executable).with_name("lint-imports")

PLANTS = [
    ("activities/__init__.py", "import workflows", "imports point inward"),
    ("workers/bootstrap.py", "import api.bootstrap", "imports point inward"),
    ("collector/stray.py", "", "the core has no unlisted module"),
    ("collector/usecases/__init__.py", "import httpx", "the core knows no technology"),
    ("activities/__init__.py", "import asyncpg", "workflows and activities know Temporal only"),
    ("workflows/chamber.py", "import opentelemetry.metrics", "workflows and activities know Temporal only"),
    ("workflows/__init__.py", "import pydantic", "workflow files are light: no pydantic, no ports, no use cases"),
    ("workers/__main__.py", "import adapters.memory", "only bootstraps import adapters"),
    ("adapters/memory/__init__.py", "import adapters.redis", "adapters do not know each other"),
    ("api/routes/__init__.py", "import temporalio", "routes and methods speak HTTP or gRPC, and use cases only"),
    ("api/grpc/__init__.py", "import asyncpg", "routes and methods speak HTTP or gRPC, and use cases only"),
]


def broken_contracts(directory: Path) -> tuple[list[str], str]:
    """Names of the contracts that are broken there, and all that the linter said."""
    command = [str(LINTER), "--config", "pyproject.toml", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(directory), "NO_COLOR": "1", "COLUMNS": "200"}
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=50, check=False
    )
    output = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    broken = re.findall(r"^(.+) BROKEN", output, re.MULTILINE)
    kept = re.findall(r"^(.+) KEPT", output, re.MULTILINE)
    assert len(broken) + len(kept) == len(SETTINGS["contracts"]), output
    assert done.returncode == (1 if broken else 0), output
    return broken, output


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """The names of our modules without their contents, under the real contracts."""
    for package in SETTINGS["root_packages"]:
        for path in (ROOT / package).rglob("*.py"):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.touch()
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    return tmp_path


def test_the_contracts_hold() -> None:
    broken, output = broken_contracts(ROOT)
    assert broken == [], output


def test_every_contract_has_a_plant() -> None:
    assert {name for _, _, name in PLANTS} == {contract["name"] for contract in SETTINGS["contracts"]}


@pytest.mark.parametrize(("module", "line", "contract"), PLANTS)
def test_a_planted_violation_breaks_exactly_its_contract(skeleton: Path, module: str, line: str, contract: str) -> None:
    (skeleton / module).write_text(f'"""Planted."""\n{line}\n', encoding="utf-8")
    broken, output = broken_contracts(skeleton)
    assert broken == [contract], output
