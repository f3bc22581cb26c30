"""A world with something of everything in two sections of one organization, and the same again before each request."""

import copy
from typing import Any

from adapters.memory import InMemoryInvitations, InMemoryOutcomes
from collector.domain.outcome import Gap, GapReason, Outcome
from collector.domain.profile_document import ProfileDocument, ProfileOrigin
from collector.domain.roles import Role
from collector.ports import SaveBatch
from collector.ports.users import Invitation, Token
from tests.unit.api_world import ENROLMENT, KEYS, World, a_reading
from tests.unit.people_world import IDS, somebody

ATTIC = "name: attic\nmeasurements: [{name: temperature, select: t, unit: Cel}]\n"
ATTIC_VERSION = ProfileDocument("attic", ATTIC, ProfileOrigin.ORGANIZATION).version
INVITATION = "0a9e77d25c1f"
KNOWN = {
    "chamber_id": ["incubator-3", "incubator-4"],
    "section_id": ["default", "attic"],
    "batch_id": ["CHO-17.2", "HEK-1"],
    "organization_id": ["default", "other"],
    "detector": ["temperature"],
    "operation_id": ["power-test"],
    "profile_name": ["attic", "airgradient"],
    "user_id": [IDS["ada"], IDS["op"]],
    "invitation_id": [INVITATION],
    "key_id": [KEYS["viewer"].split("_")[1], KEYS["operator"].split("_")[1]],
}
"""What is there, by the name of the parameter; of chambers, sections and batches the second one is of `attic`."""


class FilledWorld:
    """Two chambers with readings and a gap, two sections paused and resumed, two batches, two users, an invitation."""

    def __init__(self) -> None:
        self.world = World()
        self._kept: list[tuple[dict[Any, Any], dict[Any, Any]]] = []

    async def fill(self) -> None:
        """Put everything into its place. Again: nothing."""
        world = self.world
        if self._kept:
            return
        async with world.client("deployment") as client:
            for path, body in (
                ("sections", {"id": "attic"}),
                ("chambers", ENROLMENT),
                ("chambers", {**ENROLMENT, "id": "incubator-4", "section": "attic"}),
                ("batches", {"id": "CHO-17.2", "section": "default"}),
                ("batches", {"id": "HEK-1", "section": "attic", "ended_at": "2026-03-09T00:00:00Z"}),
            ):
                assert (await client.post(f"/v1/{path}", json=body)).status_code == 201
            assert (await client.put("/v1/profiles/attic", json={"document": ATTIC})).status_code == 201
            order = {"Idempotency-Key": "power-test"}
            for section in KNOWN["section_id"]:
                assert (await client.post(f"/v1/sections/{section}/pause", headers=order)).status_code == 202
                assert (await client.post(f"/v1/sections/{section}/resume")).status_code == 202
        await somebody(world)
        await somebody(world, "op", Role.OPERATOR)
        invitation = Invitation(
            id=INVITATION,
            organization="default",
            email="eve@example.org",
            role=Role.VIEWER,
            created_by="key/x",
            created_ms=world.clock.wall_ms,
            expires_ms=world.clock.wall_ms + 86_400_000,
        )
        await InMemoryInvitations(world.ledger).invite(invitation, Token("0" * 12, bytes(32), invitation.expires_ms))
        world.clock.wall_ms += 600_000
        for name in KNOWN["chamber_id"]:
            spec = world.ledger.chambers[name].spec
            slots = [spec.grid.after(world.clock.wall_ms - n * 60_000) for n in (5, 4, 3)]
            gap = Gap(slots[2], slots[2], GapReason.TIMEOUT, "10 s")
            outcomes: list[Outcome] = [*(a_reading(spec, slot) for slot in slots[:2]), gap]
            await InMemoryOutcomes(world.ledger).save(SaveBatch(name, outcomes, slots[2]))
        self._kept = [(kept, copy.deepcopy(kept)) for kept in world.kept()]

    def restore(self) -> None:
        """Undo whatever the last request has done."""
        for now, then in self._kept:
            now.clear()
            now.update(copy.deepcopy(then))

    def unchanged(self) -> bool:
        """Whether the last request has changed nothing but when keys were used."""
        return all(_without_use(now) == _without_use(then) for now, then in self._kept)


def _without_use(kept: dict[Any, Any]) -> dict[Any, Any]:
    return {name: (v.record.revoked_ms, v.record.terms) if hasattr(v, "record") else v for name, v in kept.items()}
