"""Old workers on the new schema, and new workers on the old one: a rolling deploy has both for a while."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.migrate import FOLDER, migrate
from collector.domain.errors import AwayError
from collector.domain.organization import Batch
from collector.domain.roles import Role
from collector.ports import BatchPart, KeyTerms, Principal
from tests.contract.conftest import TestServer
from tests.contract.ledger_rooms import enrolled, now, opened_rooms, reading, spec, whole_past

ROOT = Path(__file__).resolve().parents[2]
MIGRATIONS = FOLDER.relative_to(ROOT)
FORMER = "4c6f714d07d1492d187ca41d927526f00fb0025d"
"""The release before this one: to be moved forward with each release."""
COLLECTING = ("writer", "writer_live", "writer_schedule", "registry")
READING = ("history", "audit")
LONG = "exact_to_the_slot"
"""A property test of the audit, 20 s long."""
LIMIT_S = 150
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the former release."""
    archive = git("archive", FORMER)
    tree = tmp_path_factory.mktemp("former")
    subprocess.run(["tar", "-x", "-C", tree], input=archive, check=True, timeout=60)
    return tree


@pytest.fixture
def present(tmp_path: Path) -> Path:
    """A copy of this very tree."""
    for name in git("ls-files", "--cached", "--others", "--exclude-standard", "-z").decode().split("\0"):
        if name.endswith((".py", ".sql", ".toml", ".yaml", ".json")) and (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def git(*arguments: str) -> bytes:
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, check=False, timeout=60)
    if done.returncode != 0:
        pytest.skip(f"git {arguments[0]} says: {done.stderr.decode()}; a clone with its whole history has {FORMER[:7]}")
    return done.stdout


def give_schema(tree: Path, schema_of: Path) -> None:
    """Let the tree's tests run on another tree's schema."""
    shutil.rmtree(tree / MIGRATIONS)
    shutil.copytree(schema_of / MIGRATIONS, tree / MIGRATIONS)


def passed(tree: Path, suites: Sequence[str], but: Sequence[str] = ()) -> int:
    """Run contract tests of a tree over PostgreSQL, with the tree's own code; all must pass: how many did."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CHAMBERLOG"))}
    environment["PYTHONPATH"] = str(tree)
    where = "import adapters.postgres.writer as w, tests.contract.ledger_rooms as r; print(w.__file__, r.__file__)"
    code = run([sys.executable, "-P", "-c", where], tree, environment).stdout
    assert code.count(str(tree)) == 2, f"other code would be tested: {code}"
    files = [f"tests/contract/test_{suite}.py" for suite in suites]
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", f"postgres and not {LONG}"]
    done = run([sys.executable, "-m", "pytest", *options, *but, *files], tree, environment)
    assert done.returncode == 0, done.stdout[-6_000:]
    found = re.search(r"(\d+) passed", done.stdout)
    assert found is not None, done.stdout
    return int(found[1])


def run(command: list[str], folder: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )


def deselected(tree: Path, suites: Sequence[str]) -> Iterator[str]:
    """Options that leave out the tests that audit: an audit may need the new schema, collecting may not."""
    for suite in suites:
        path = f"tests/contract/test_{suite}.py"
        text = (tree / path).read_text()
        for node in ast.parse(text).body:
            if isinstance(node, ast.AsyncFunctionDef) and ".audit(" in (ast.get_source_segment(text, node) or ""):
                yield f"--deselect={path}::{node.name}"


def test_old_workers_and_an_old_api_run_on_the_new_schema(former: Path) -> None:
    """The former release's own tests of its stores, on the schema of this one."""
    give_schema(former, ROOT)
    assert passed(former, [*COLLECTING, *READING]) > 60


def test_new_workers_collect_on_the_old_schema(former_schema: Path, present: Path) -> None:
    """This release's tests of writer and registry, on the schema of the former one."""
    give_schema(present, former_schema)
    assert passed(present, COLLECTING, list(deselected(present, COLLECTING))) > 40


@pytest.fixture(scope="module")
def former_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The former release's migrations at their place in a tree."""
    tree = tmp_path_factory.mktemp("former-schema")
    subprocess.run(["tar", "-x", "-C", tree], input=git("archive", FORMER, str(MIGRATIONS)), check=True, timeout=60)
    return tree


async def test_what_needs_the_new_schema_says_how_to_get_it(former_schema: Path, postgres_server: TestServer) -> None:
    address = await postgres_server.database("template0")
    applied = await migrate(address, folder=former_schema / MIGRATIONS)
    assert applied[-1] == "0002_epoch_order.sql"
    async with opened_rooms(address) as rooms:
        chamber = await enrolled(rooms, spec("old"), ago_ms=600_000)
        await chamber.save(*(reading(chamber.slot(n)) for n in range(3)), settled=chamber.slot(2))
        await old_key(address)
        assert await rooms.keys.find("old") == (
            bytes(32),
            Principal("default", "key/old", Role.ADMINISTRATOR, credential="key/old"),
        )
        assert list(await rooms.history.latest_of("default", ["old"])) == ["old"]
        lot = Batch(organization="default", id="lot", section="default", started_ms=0)
        for call in (
            rooms.history.audit("default", "old", whole_past(), now()),
            rooms.history.batch_readings("default", "lot", BatchPart(), limit=9),
            rooms.organizations.find("default"),
            rooms.sections.find("default", "default"),
            rooms.batches.add(lot),
            rooms.keys.list(None),
        ):
            with pytest.raises(AwayError, match="run: chamberlog migrate"):
                await call
        assert await migrate(address) != []
        assert (await rooms.batches.add(lot))[1]
        assert len((await rooms.history.batch_readings("default", "lot", BatchPart(), limit=9)).items) == 3
        assert [(key.id, key.terms) for key in await rooms.keys.list(None)] == [("old", KeyTerms())]
        proof = await rooms.history.audit("default", "old", whole_past(), now())
    assert (proof.stored, proof.unaccounted) == (3, 0)


async def old_key(address: str) -> None:
    """A key as the former release keeps it."""
    connection = await asyncpg.connect(address)
    try:
        key = ("old", "default", "laptop", bytes(32))
        await connection.execute(
            "INSERT INTO api_key (id, organization, name, secret_sha256) VALUES ($1, $2, $3, $4)", *key
        )
    finally:
        await connection.close()
