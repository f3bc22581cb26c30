"""A key of one section over gRPC: each method is held to it as the access table says, in the words of the REST API."""

from typing import Any

import pytest

from api.grpc.serving import SERVICES
from collector.domain.access import Operation, Reach
from collector.domain.access_table import PACKAGE, of_grpc
from tests.contract.grpc_client import Client, serving
from tests.contract.test_grpc_gate import end_of
from tests.unit.filled_world import KNOWN, FilledWorld

IDS = ("chamber_id", "section_id", "batch_id")
MINE = {name: KNOWN[name][1] for name in IDS}
THEIRS = {name: KNOWN[name][0] for name in IDS}
OPEN = {"organization_id": "default", "operation_id": "power-test", "name": "temperature"}
BODIES: dict[str, dict[str, Any]] = {
    "Chambers/EnrolChamber": {
        "id": "new-one",
        "url": "http://192.168.1.20",
        "profile": "airgradient",
        "interval": "60s",
        "section": "attic",
    },
    "Chambers/UpdateChamber": {"chamber": {"name": "x"}, "update_mask": "name", "any_version": True},
    "Detectors/UpdateDetector": {"detector": {"alias": "core"}, "update_mask": "alias"},
    "Sections/UpdateSection": {"section": {"name": "x"}, "update_mask": "name", "any_version": True},
    "Batches/StartBatch": {"id": "lot-9", "section": "attic", "started_at": "2026-04-01T00:00:00Z"},
    "Batches/UpdateBatch": {"batch": {"name": "x"}, "update_mask": "name", "any_version": True},
}
"""What is sent beside the ids."""
STREAM = "Readings/WatchReadings"
"""Its answer does not end: tests/contract/test_grpc_watching.py."""


def rows() -> dict[str, Operation]:
    """Every method that is served, but the stream and those that ask for no section."""
    names = [f"{service.name}/{name}" for service, _ in SERVICES for name in service.methods_by_name]
    found = {name: of_grpc(f"/{PACKAGE}.{name}") for name in names if name != STREAM}
    return {name: row for name, row in found.items() if row is not None and row.role is not None}


ROWS = rows()


def of(*reaches: Reach) -> list[str]:
    found = [name for name, row in ROWS.items() if row.reach in reaches]
    assert found
    return found


def request(client: Client, method: str, places: dict[str, str], **changes: str) -> dict[str, Any]:
    """What the method takes: those ids that it has, and its body."""
    service, _, name = method.partition("/")
    [kind] = [s.methods_by_name[name].input_type for s, _ in SERVICES if s.name == service]
    ids = {field: value for field, value in {**OPEN, **places}.items() if field in kind.fields_by_name}
    return {**ids, **BODIES.get(method, {}), **changes}


async def filled() -> FilledWorld:
    made = FilledWorld()
    await made.fill()
    return made


async def test_what_is_in_the_section_is_in_reach() -> None:
    made = await filled()
    async with serving(made.world) as client:
        for method in of(Reach.CHAMBER, Reach.SECTION, Reach.BATCH, Reach.NARROWED, Reach.OPEN):
            if method.startswith("Users/"):
                continue  # a key is no user: tests of users
            made.restore()
            answer = await client.ask(method, request(client, method, MINE), whose="bound")
            assert not any(THEIRS[name] in str(answer) for name in ("chamber_id", "batch_id")), method


async def test_lists_are_of_the_section_alone() -> None:
    made = await filled()
    async with serving(made.world) as client:
        chambers = await client.ask("Chambers/ListChambers", whose="bound")
        batches = await client.ask("Batches/ListBatches", whose="bound")
        sections = await client.ask("Sections/ListSections", whose="bound")
        latest = await client.ask("Readings/ListLatest", whose="bound")
    assert [found["id"] for found in chambers["chambers"]] == ["incubator-4"]
    assert [found["id"] for found in batches["batches"]] == ["HEK-1"]
    assert [found["id"] for found in sections["sections"]] == ["attic"]
    assert [found["chamber"] for found in latest["latest"]] == ["incubator-4"]


async def test_what_is_in_another_section_answers_like_what_is_not_there() -> None:
    made = await filled()
    async with serving(made.world) as client:
        for method in of(Reach.CHAMBER, Reach.SECTION, Reach.BATCH):
            [place] = [name for name in IDS if name in request(client, method, MINE)]
            ends = []
            for name in (THEIRS[place], "no-such-one"):
                end = await end_of(client, method, request(client, method, {**MINE, place: name}), whose="bound")
                assert end.code == "NOT_FOUND", (method, end)
                ends.append(end.message.replace(name, ""))
            assert ends[0] == ends[1], method
            assert made.unchanged(), method


@pytest.mark.parametrize("section", ["default", "no-such-one"])
async def test_naming_another_section_or_asking_about_the_whole_is_refused(section: str) -> None:
    made = await filled()
    async with serving(made.world) as client:
        for method in of(Reach.SHUT):
            end = await end_of(client, method, request(client, method, MINE), whose="bound")
            assert end.code == "PERMISSION_DENIED", (method, end)
        for method in (*of(Reach.NARROWED), STREAM):
            if method == "Sections/ListSections":
                continue  # it takes no section
            end = await end_of(client, method, request(client, method, MINE, section=section), whose="bound")
            assert (end.code, "bound to section attic" in end.message) == ("PERMISSION_DENIED", True), (method, end)
        moved = {
            **request(client, "Chambers/UpdateChamber", MINE),
            "chamber": {"section": section},
            "update_mask": "section",
        }
        end = await end_of(client, "Chambers/UpdateChamber", moved, whose="bound")
        assert end.code == "PERMISSION_DENIED"
        assert made.unchanged()
