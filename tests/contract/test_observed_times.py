"""The device's own time on its whole way: from an answer through the use case and the store to what the API says."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from adapters.secrets import FileAndEnvSecrets
from api.ledger_schemas import stored_out
from collector.domain.egress import EgressPolicies
from collector.domain.instants import iso
from collector.mapping.profile import Profile
from collector.ports import DeviceAnswer, DeviceRequest
from collector.usecases.fetch import FetchReading
from tests.contract.ledger_rooms import Rooms, enrolled, spec, whole_past
from tests.unit.test_fetch_reading import OneProfile

ZONE = "America/St_Johns"
RULES = Profile.model_validate(
    {
        "name": "own",
        "time": {"select": "at", "format": "%d.%m.%Y %H:%M:%S"},
        "measurements": [{"name": "temperature", "select": "t", "unit": "C"}],
    }
)


@dataclass
class Device:
    """`DeviceClient` whose clock says this."""

    at: str

    async def fetch(self, request: DeviceRequest) -> DeviceAnswer:  # noqa: ARG002  the port's shape
        return DeviceAnswer(200, f'{{"t": 21.5, "at": "{self.at}"}}'.encode())


@dataclass
class Stopped:
    """`Clock` that stands."""

    ms: int

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> int:
        return self.ms


@pytest.mark.parametrize(("late_s", "used"), [(0, True), (599, True), (-599, True), (601, False), (86_400, False)])
async def test_a_device_on_local_time(rooms: Rooms, late_s: int, used: bool) -> None:
    wanted = replace(spec(f"local-{abs(late_s)}-{late_s < 0}".lower()), profile="own", timezone=ZONE)
    chamber = await enrolled(rooms, wanted)
    clock = Stopped(chamber.slot(0) // 1000 * 1000 + 2_000)
    seen = datetime.fromtimestamp(clock.ms / 1000 - late_s, UTC)
    device = Device(f"{seen.astimezone(ZoneInfo(ZONE)):%d.%m.%Y %H:%M:%S}")
    fetch = FetchReading(device, OneProfile(RULES), FileAndEnvSecrets({}), EgressPolicies(), clock)

    fetched = await fetch(wanted, chamber.slot(0), 1_000)
    await chamber.save(fetched.reading, settled=chamber.slot(0))

    page = await rooms.history.readings(wanted.organization, wanted.id, whole_past(), limit=2)
    (stored,) = page.items
    assert stored_out(stored).observed_at == (iso(round(seen.timestamp() * 1000)) if used else None)
    latest = await rooms.history.latest(wanted.organization, wanted.id)
    assert latest is not None
    assert latest.reading == fetched.reading
