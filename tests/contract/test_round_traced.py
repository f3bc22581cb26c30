"""One whole trace of a worker: a real device, a real database, and nothing in it that the document does not name."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.clock_skew import ClockSkew
from activities.collection import CollectionActivities, CollectionUses
from adapters.clock import SystemClock
from adapters.http_device import HttpDeviceClient
from adapters.memory import InMemoryLatest
from adapters.postgres.events import PostgresEvents
from adapters.postgres.pool import Postgres
from adapters.postgres.registry import PostgresRegistry
from adapters.postgres.writer import PostgresOutcomes
from adapters.profile_files import FileProfiles, builtin_profiles_folder
from adapters.secrets import FileAndEnvSecrets
from collector.domain.chamber import ChamberSpec
from collector.domain.egress import EgressPolicies
from collector.domain.health import Health
from collector.domain.outcome import Epoch, Gap, GapReason
from collector.messages import AdhocRequest, RoundRequest, StoreRequest
from collector.packing import pack
from collector.usecases.collect import CollectRound
from collector.usecases.collect_adhoc import CollectAdhoc
from collector.usecases.events import RecordEvent
from collector.usecases.fetch import FetchReading
from collector.usecases.map_answer import MapAnswer
from collector.usecases.signal_events import RecordSignals
from collector.usecases.store import StoreOutcomes
from stack.ports import free_port
from tests.activities.activity_stage import Server
from tests.contract.device_server import DeviceServer, answering, ok
from tests.contract.guarded_device import GuardedDevice
from tests.contract.ledger_rooms import spec
from tests.contract.test_http_device import DEFAULTS, LOOPBACK
from tests.unit.jumping_time import JumpingClock
from tests.unit.round_doubles import CountingMetrics, RecordingLive
from tests.unit.span_rooms import SpanRoom, otel_spans

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "spans.md"
ENROLMENT = f"00-{'e' * 32}-{'e' * 16}-01"
CALLER = f"00-{'c' * 32}-{'c' * 16}-01"
TELLING = ok(b'{"temperature": 21.5}', "Content-Type: application/json")
ENROL_MS = 2_000
"""An enrolment may take so long, on a busy machine too: a slot that passes meanwhile would be stored the long way."""


class Bench:
    """The activities of a worker over real adapters, as the worker's bootstrap puts them together."""

    def __init__(self, client: HttpDeviceClient, postgres: Postgres, spans: SpanRoom) -> None:
        self.spans, self.clock, self.registry = spans, SystemClock(), PostgresRegistry(postgres)
        self.store = PostgresOutcomes(postgres, tracing=spans.tracing)
        self.first_ms = 0
        profiles, secrets = FileProfiles([builtin_profiles_folder()]), FileAndEnvSecrets({"DEVICE": "admin:hunter2"})
        mapping, egress = MapAnswer(tracing=spans.tracing), EgressPolicies(default=LOOPBACK)
        fetch = FetchReading(client, profiles, secrets, egress, self.clock, mapping=mapping)
        metrics, live, signals = (
            CountingMetrics(),
            RecordingLive(),
            RecordSignals(RecordEvent(PostgresEvents(postgres))),
        )
        latest = InMemoryLatest(self.clock.now_ms)
        uses = CollectionUses(
            CollectRound(fetch, self.store, latest, live, metrics, tracing=spans.tracing),
            CollectAdhoc(fetch, self.store, self.clock, tracing=spans.tracing),
            StoreOutcomes(self.store, live, metrics, signals),
            signals,
        )
        self.activities = CollectionActivities(uses, self.clock, ClockSkew(self.clock, metrics), tracing=spans.tracing)

    async def enrolled(self, port: int, **changes: object) -> ChamberSpec:
        wanted = replace(spec("traced", 1_000), url=f"http://127.0.0.1:{port}/now?token=hunter2", **changes)  # type: ignore[arg-type]
        grid, now_ms = wanted.grid, self.clock.now_ms()
        self.first_ms = grid.after(now_ms + ENROL_MS)
        await self.registry.enrol(wanted, Epoch(self.first_ms, 1_000, grid.phase_ms, 1), now_ms)
        return wanted

    async def collect(self, wanted: ChamberSpec, count: int, attempt: int = 1) -> None:
        first_ms = max(self.first_ms, wanted.grid.after(self.clock.now_ms()))
        request = RoundRequest(wanted, first_ms, count, health=Health(last_reading_ms=first_ms), enrolment=ENROLMENT)
        environment = ActivityEnvironment(client=cast("Client", Server(JumpingClock())))
        environment.info = replace(environment.info, attempt=attempt, heartbeat_details=[])
        await environment.run(self.activities.collect, request)


@pytest_asyncio.fixture
async def bench(database: str) -> AsyncIterator[Bench]:
    postgres = Postgres(database)
    spans = otel_spans()
    async with HttpDeviceClient(**DEFAULTS, tracing=spans.tracing) as client:
        opened = Bench(client, postgres, spans)
        yield opened
        await opened.store.close()
    await postgres.close()


async def test_a_round_from_its_root_to_the_statement(bench: Bench) -> None:
    with DeviceServer(answering(TELLING)) as device:
        wanted = await bench.enrolled(device.port)
        await bench.collect(wanted, 2)
    slot = ["collect slot > GET", "collect slot > map answer", "collect slot > store outcomes"]
    assert bench.spans.tree() == [
        "collect round",
        *("collect round > collect slot", *slot, "store outcomes > INSERT reading gap"),
        *("collect round > collect slot", *slot, "store outcomes > INSERT reading"),
    ]
    assert len({span.trace for span in bench.spans.seen()}) == 1
    whole = bench.spans.only("collect round")
    assert (whole.parent, whole.links) == ("", (ENROLMENT,))
    assert {span.error for span in bench.spans.seen()} == {""}


async def test_a_collection_off_the_grid_is_in_its_callers_trace_down_to_the_statement(bench: Bench) -> None:
    with DeviceServer(answering(TELLING)) as device:
        wanted = await bench.enrolled(device.port)
        request = AdhocRequest(wanted, "r1", trace=CALLER)
        await ActivityEnvironment().run(bench.activities.collect_adhoc, request)
    assert {span.trace for span in bench.spans.seen()} == {"c" * 32}
    assert bench.spans.only("collect adhoc").parent == CALLER
    assert bench.spans.tree() == [
        "? > collect adhoc",
        "collect adhoc > GET",
        "collect adhoc > map answer",
        "collect adhoc > store outcomes",
        "store outcomes > INSERT reading_adhoc",
    ]


async def test_the_document_names_every_span_and_attribute_and_no_other(bench: Bench) -> None:
    guarded = {"profile": "shelly-rpc", "secret_ref": "env:DEVICE"}
    with DeviceServer(GuardedDevice("hunter2")) as device:
        wanted = await bench.enrolled(device.port, **guarded)
        await bench.collect(wanted, 1, attempt=2)  # what it says is none of a Shelly, behind a challenge: a gap
    with DeviceServer(answering(TELLING)) as device:
        plain = replace(wanted, url=f"http://127.0.0.1:{device.port}/now", profile="generic-json", secret_ref=None)
        await bench.collect(plain, 3)
        await ActivityEnvironment().run(bench.activities.collect_adhoc, AdhocRequest(plain, "r1"))
    failed = replace(plain, url=f"http://127.0.0.1:{free_port()}/now")
    await ActivityEnvironment().run(bench.activities.collect_adhoc, AdhocRequest(failed, "r2"))
    gap = Gap(plain.grid.after(bench.clock.now_ms() - 9_000), None, GapReason.PAUSED)
    unsaved = StoreRequest("traced", [pack(gap)], None, "default", 1_000, "default")
    await ActivityEnvironment().run(bench.activities.store, unsaved)
    names, attributes = documented()
    assert {span.name for span in bench.spans.seen()} == names
    assert {name for span in bench.spans.seen() for name in span.attributes} == attributes - {BATCH}
    assert "hunter2" not in repr(bench.spans.seen())


BATCH = "db.operation.batch.size"
"""Of what several chambers hand over at once: the tests of the writer show it."""


def documented() -> tuple[set[str], set[str]]:
    """Names of the table's spans, and of their attributes."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("## Names and attributes")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ") and "`" in line]
    names = {name for row in rows for name in re.findall(r"`([^`]+)`", row[0])}
    attributes = {name for row in rows for name in re.findall(r"`([a-z_.]+\.[a-z_.]+)`", row[-1])}
    return names, attributes
