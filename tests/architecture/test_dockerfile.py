"""The Dockerfile by the rules of this house; tests/e2e/test_dockerfile_steps.py runs what it says."""

import re
import tomllib

import pytest

from tests.architecture.compose_file import ROOT, load, ours
from tests.architecture.dockerfile import FILE, ignore_patterns, is_sent, parse, violations

TEXT = FILE.read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def test_the_dockerfile_keeps_the_rules() -> None:
    assert violations(parse(TEXT), ignore_patterns(), PACKAGES) == []


@pytest.mark.parametrize(
    ("good", "bad", "found"),
    [
        ("python:3.11.15-slim-bookworm AS build", "python:latest AS build", "image python:latest is not pinned"),
        ("python:3.11.15-slim-bookworm AS build", "python:3 AS build", "image python:3 is not pinned"),
        ("--from=uv", "--from=vu", "there is no stage vu"),
        ("COPY cli ./cli", "COPY clii ./cli", "clii is not there"),
        ("COPY cli ./cli", "COPY docs ./docs", "docs is not sent to the builder"),
        ("COPY cli ./cli", "COPY README.md ./cli", "cli is a package and not copied"),
        ("COPY cli ./cli", "COPY cli tests ./", "tests is copied and no package"),
        ("COPY cli ./cli", "ADD https://example.org/cli.tar ./cli", "ADD fetches what no lock file knows"),
        ("USER 10001:10001", "", "its user is not named by number, or root"),
        ("USER 10001:10001", "USER 0:0", "its user is not named by number, or root"),
        ("USER 10001:10001", "USER chamberlog", "its user is not named by number, or root"),
        ("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL", "STOPSIGNAL is not SIGTERM"),
        ('ENTRYPOINT ["chamberlog"]', 'ENTRYPOINT ["sh"]', 'ENTRYPOINT is not ["chamberlog"]'),
    ],
)
def test_a_planted_violation_is_found(good: str, bad: str, found: str) -> None:
    assert good in TEXT
    assert found in violations(parse(TEXT.replace(good, bad, 1)), ignore_patterns(), PACKAGES)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("cli/app.py", True),
        ("adapters/postgres/migrations/0001_ledger.sql", True),
        ("uv.lock", True),
        ("cli/__pycache__/app.cpython-311.pyc", False),
        ("bench/peers/node_modules/x.js", False),
        ("secrets/postgres_dsn", False),
        (".env", False),
        (".git/config", False),
        (".venv/bin/python", False),
        (".chamberlog/api_key", False),
        ("tests/unit/conftest.py", False),
        ("docker-compose.temporal.yml", False),
    ],
)
def test_the_builder_is_sent_what_it_needs_and_nothing_else(path: str, sent: bool) -> None:
    assert is_sent(path, ignore_patterns()) is sent


def test_versions_and_users_agree_with_those_of_the_tree() -> None:
    uv, build, final = parse(TEXT)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    version = re.search(r"^UV_VERSION := (\S+)$", makefile, re.MULTILINE)
    assert version is not None
    assert uv.base == f"ghcr.io/astral-sh/uv:{version[1]}"
    assert build.base == final.base
    assert f'base.name="docker.io/library/{final.base}"' in final.last("LABEL").rest
    assert f"VERSION={PROJECT['project']['version']}" in [step.rest for step in final.all("ARG")]
    minor = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert final.base.startswith(f"python:{minor}.")
    assert {service["user"] for service in ours(load()).values()} == {final.last("USER").rest}
    uid, _, gid = final.last("USER").rest.partition(":")
    assert f"--uid {uid} --gid {gid}" in final.last("RUN").rest
    assert set(PROJECT["dependency-groups"]) == set(PROJECT["tool"]["uv"]["default-groups"])
