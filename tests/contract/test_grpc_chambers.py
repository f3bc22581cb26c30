"""Chambers over gRPC: each method, as people and programs meet it."""

from tests.contract.grpc_client import serving
from tests.unit.api_world import World

ENROLMENT = {"id": "incubator-3", "url": "http://192.168.1.20", "profile": "airgradient", "interval": "60s"}


async def test_slice() -> None:
    async with serving(World()) as client:
        made = await client.ask("Chambers/EnrolChamber", ENROLMENT)
        print(made)
        print(await client.ask("Chambers/GetChamber", {"chamber_id": "incubator-3"}))
        print(await client.refused("Chambers/GetChamber", {"chamber_id": "incubator-4"}))
        print(await client.refused("Chambers/GetChamber", {"chamber_id": "incubator-3"}, whose=None))
        print(await client.refused("Chambers/GetChamber", b"\xff\xff"))
        print(await client.refused("Chambers/GetChamber", {"chamber_id": "a"}, x_chamberlog_role="x"))
        print(await client.refused("Chambers/EnrolChamber", ENROLMENT | {"interval": "0.5s", "labels": {"a": "b" * 1000}}))
        print(await client.refused("Chambers/UpdateChamber", {"chamber_id": "incubator-3", "chamber": {"interval": "0.5s"}, "update_mask": "interval", "version": 1}))
        print(await client.refused("Chambers/EnrolChamber", {"id": "x"}))
