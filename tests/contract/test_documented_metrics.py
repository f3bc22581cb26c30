"""docs/telemetry.md and what running processes show at `/metrics`, held against each other in both directions."""

import importlib.util
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from stack.server import Server
from tests.contract.conftest import TestServer
from tests.contract.measured_processes import Addresses, measured
from tests.contract.valkey_server import ValkeyServer

pytestmark = pytest.mark.timeout(180)
in_one_loop = pytest.mark.asyncio(loop_scope="module")
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/telemetry.md"
TYPES = {"counter": "counter", "gauge": "gauge", "up-down counter": "gauge", "histogram": "histogram"}
SUFFIXES = {"s": "_seconds", "By": "_bytes"}
SDK = "temporal_"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the document."""

    name: str
    kind: str
    unit: str
    attributes: frozenset[str]
    who: frozenset[str]
    exposed: str
    begins: str

    @property
    def family(self) -> str:
        """The name at `/metrics` without what its type adds."""
        return self.exposed.removesuffix("_total") if self.kind == "counter" else self.exposed


def rows() -> list[Row]:
    """Every row of its tables."""
    found = []
    for line in DOCUMENT.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 8:
            name, kind, unit, attributes, who, exposed, begins, _ = cells
            labels = frozenset(re.findall(r"`([^`]+)`", attributes))
            found.append(Row(name.strip("`"), kind, unit, labels, frozenset(who.split()), exposed.strip("`"), begins))
    return found


ROWS = rows()


@dataclass(frozen=True, slots=True)
class Seen:
    """What each process shows before anything has happened, and after everything has."""

    begun: dict[str, dict[str, Metric]]
    worked: dict[str, dict[str, Metric]]


def families(text: str) -> dict[str, Metric]:
    """By name, `target` aside, which tells of the process."""
    return {family.name: family for family in text_string_to_metric_families(text) if family.name != "target_info"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(postgres_server: TestServer, shared_valkey: ValkeyServer, server: Server) -> AsyncIterator[Seen]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", server.address)
        async with measured(Addresses(await postgres_server.database(), shared_valkey.url)) as processes:
            begun = await processes.shown()
            await processes.work()
            worked = await processes.shown()
            yield Seen(
                {letter: families(text) for letter, text in begun.items()},
                {letter: families(text) for letter, text in worked.items()},
            )


def described(metrics: Iterable[Metric]) -> dict[str, tuple[str, frozenset[str]]]:
    """Family -> type and labels that any of its series has a value of."""
    return {
        metric.name: (
            metric.type,
            frozenset(name for sample in metric.samples for name, value in sample.labels.items() if value) - {"le"},
        )
        for metric in metrics
    }


@in_one_loop
@pytest.mark.parametrize("letter", ["W", "A", "G"])
async def test_whatever_a_process_shows_stands_in_the_document_as_it_is(seen: Seen, letter: str) -> None:
    documented = {row.family: row for row in ROWS if letter in row.who}
    shown = described(seen.worked[letter].values())
    assert shown.keys() - documented.keys() == set()
    for name, (kind, labels) in shown.items():
        row = documented[name]
        assert (name, kind) == (name, TYPES[row.kind])
        assert labels <= {attribute.replace(".", "_") for attribute in row.attributes}, name


@in_one_loop
@pytest.mark.parametrize("letter", ["W", "A", "G"])
async def test_whatever_the_document_says_of_a_process_is_shown_by_it(seen: Seen, letter: str) -> None:
    documented = {row.family for row in ROWS if letter in row.who and not row.name.startswith(SDK)}
    assert documented - seen.worked[letter].keys() == set()


@in_one_loop
@pytest.mark.parametrize("letter", ["W", "A", "G"])
async def test_what_is_there_from_the_start_is(seen: Seen, letter: str) -> None:
    documented = {row.family for row in ROWS if letter in row.who and row.begins == "start"}
    assert documented
    assert documented - seen.begun[letter].keys() == set()


@in_one_loop
async def test_no_series_carries_what_people_choose(seen: Seen) -> None:
    values = {
        value
        for shown in seen.worked.values()
        for metric in shown.values()
        for sample in metric.samples
        for value in sample.labels.values()
    }
    told = {value for value in values if "well" in value or "deaf" in value or "://" in value or "127.0.0.1" in value}
    assert told == set()


def test_names_at_metrics_follow_from_instruments() -> None:
    for row in ROWS:
        wanted = row.name.replace(".", "_") + SUFFIXES.get(row.unit, "")
        assert row.exposed == wanted + ("_total" if row.kind == "counter" else ""), row.name
    assert len({row.name for row in ROWS}) == len(ROWS) > 60


def test_the_sdk_has_every_name_that_the_document_gives_it() -> None:
    spec = importlib.util.find_spec("temporalio.bridge.temporal_sdk_bridge")
    assert spec is not None
    assert spec.origin is not None
    core = Path(spec.origin).read_bytes()
    of_sdk = [row.name.removeprefix(SDK) for row in ROWS if row.name.startswith(SDK)]
    assert len(of_sdk) > 30
    assert [name for name in of_sdk if name.encode() not in core] == []
