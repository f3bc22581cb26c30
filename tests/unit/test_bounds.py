"""A key of one section, where a hole would be: things that move, have a history elsewhere, or name others."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from api.streams import StreamRules
from collector.domain.roles import Role
from collector.ports import KeyTerms, Principal
from tests.unit.api_world import ENROLMENT, KEYS, NOON_MS, World
from tests.unit.filled_world import FilledWorld
from tests.unit.live_client import streaming
from tests.unit.test_api_live import begun, publish

STAR = {"If-Match": "*"}
THERE, HERE = "incubator-3", "incubator-4"
"""Of the sections `default` and `attic`; the key is bound to the latter."""


async def filled() -> FilledWorld:
    made = FilledWorld()
    await made.fill()
    return made


# ---- moving


async def test_a_chamber_is_not_moved_out_of_the_section() -> None:
    made = await filled()
    async with made.world.client("bound") as bound:
        told = [
            await bound.patch(f"/v1/chambers/{HERE}", json={"section": section}, headers=STAR)
            for section in ("default", "no-such-one", "")
        ]
        assert [answer.status_code for answer in told] == [403] * 3
        assert len({answer.text for answer in told}) == 1
        assert made.unchanged()
        same = await bound.patch(f"/v1/chambers/{HERE}", json={"section": "attic", "name": "x"}, headers=STAR)
        assert (same.status_code, same.json()["section"]) == (200, "attic")


async def test_a_chamber_is_not_taken_from_another_section() -> None:
    made = await filled()
    async with made.world.client("bound") as bound:
        answer = await bound.patch(f"/v1/chambers/{THERE}", json={"section": "attic"}, headers=STAR)
        assert answer.status_code == 404
        enrolled = await bound.post("/v1/chambers", json={**ENROLMENT, "section": "attic"})
        assert (enrolled.status_code, "taken" in enrolled.text, "differs" in enrolled.text) == (409, True, False)
        assert made.unchanged()


async def test_a_chamber_that_is_moved_away_is_gone_and_one_that_comes_is_there() -> None:
    made = await filled()
    async with made.world.client() as whole, made.world.client("bound") as bound:
        for chamber, section in ((HERE, "default"), (THERE, "attic")):
            moved = await whole.patch(f"/v1/chambers/{chamber}", json={"section": section}, headers=STAR)
            assert moved.status_code == 200
        for path in ("", "/readings", "/latest", "/gaps", "/audit", "/detectors"):
            assert (await bound.get(f"/v1/chambers/{HERE}{path}")).status_code == 404
            assert (await bound.get(f"/v1/chambers/{THERE}{path}")).status_code == 200
        for path in ("chambers", "latest"):
            assert [item.get("id") or item["chamber"] for item in (await bound.get(f"/v1/{path}")).json()["items"]] == [
                THERE
            ]


async def test_a_retired_chamber_of_another_section_is_not_revived_to_read_its_history() -> None:
    made = await filled()
    made.world.ledger.chambers[THERE].retiring = True
    made.world.ledger.chambers[THERE].retired_ms = NOON_MS
    async with made.world.client("bound") as bound, made.world.client() as whole:
        answer = await bound.post("/v1/chambers", json={**ENROLMENT, "section": "attic"})
        assert answer.status_code == 409
        assert (await bound.get(f"/v1/chambers/{THERE}/readings")).status_code == 404
        assert (await bound.get("/v1/chambers?status=retired")).json()["items"] == []
        assert (await whole.post("/v1/chambers", json={**ENROLMENT, "section": "attic"})).status_code == 201


async def test_a_change_that_was_overtaken_by_a_move_is_refused() -> None:
    """The gate looked, and then the chamber was moved: the change itself looks again."""
    made = await filled()
    world = made.world
    configure = world.app.state.services.configure
    found = world.ledger.keys[KEYS["bound"].split("_")[1]]
    sent = [("authorization", f"Bearer {KEYS['bound']}")]
    principal = (await world.app.state.services.identify(None, sent, "")).principal
    assert (principal.section, found.record.terms.section) == ("attic", "attic")
    with pytest.raises(Exception, match="no chamber 'incubator-3'"):
        await configure(principal, THERE, None, lambda spec: spec)


# ---- naming


async def test_making_takes_the_own_section_by_name() -> None:
    made = await filled()
    async with made.world.client("bound") as bound:
        unnamed = await bound.post("/v1/chambers", json={**ENROLMENT, "id": "new-one"})  # it would go to `default`
        assert unnamed.status_code == 403
        named = await bound.post("/v1/chambers", json={**ENROLMENT, "id": "new-one", "section": "attic"})
        assert named.status_code == 201


async def test_ids_of_batches_elsewhere_are_taken_without_saying_where() -> None:
    made = await filled()
    async with made.world.client("bound") as bound:
        answer = await bound.post("/v1/batches", json={"id": "CHO-17.2", "section": "attic"})
    assert answer.status_code == 409
    assert answer.json()["errors"] == [
        {"field": "id", "problem": "the id CHO-17.2 is taken", "remedy": "choose another id"}
    ]
    assert made.unchanged()


async def test_a_closed_section_does_not_list_the_others() -> None:
    world = World()
    async with world.client() as whole, world.client("bound") as bound:
        await whole.post("/v1/sections", json={"id": "attic"})
        await whole.post("/v1/sections", json={"id": "secret-lab"})
        assert (await bound.patch("/v1/sections/attic", json={"active": False}, headers=STAR)).status_code == 200
        answer = await bound.post("/v1/chambers", json={**ENROLMENT, "section": "attic"})
        assert (answer.status_code, "secret-lab" in answer.text) == (422, False)


async def test_readings_of_a_batch_tell_nothing_of_chambers_that_never_were_in_it() -> None:
    made = await filled()
    path = "/v1/batches/HEK-1/readings?chamber="
    async with made.world.client("bound") as bound, made.world.client() as whole:
        foreign, unknown = [await bound.get(path + name) for name in (THERE, "no-such-one")]
        assert foreign.status_code == unknown.status_code == 422
        assert foreign.text.replace(THERE, "no-such-one") == unknown.text
        assert len((await bound.get(path + HERE)).json()["items"]) == 2
        moved = await whole.patch(f"/v1/chambers/{HERE}", json={"section": "default"}, headers=STAR)
        assert moved.status_code == 200
        assert len((await bound.get(path + HERE)).json()["items"]) == 2, "it stood there during the batch"
        csv = await bound.get(path + HERE, headers={"Accept": "text/csv"})
        assert (csv.status_code, HERE in csv.text) == (200, True)


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
async def test_csv_is_bound_like_json(accept: str) -> None:
    made = await filled()
    async with made.world.client("bound") as bound:
        for path in (f"chambers/{THERE}/readings", f"chambers/{THERE}/readings?points=3&detector=temperature"):
            assert (await bound.get(f"/v1/{path}", headers={"Accept": accept})).status_code == 404
        assert (await bound.get("/v1/batches/CHO-17.2/readings", headers={"Accept": accept})).status_code == 404
        mine = await bound.get(f"/v1/chambers/{HERE}/readings", headers={"Accept": accept})
        assert mine.status_code == 200


async def test_a_cursor_of_a_whole_list_leads_nowhere_else() -> None:
    made = await filled()
    async with made.world.client() as whole, made.world.client("bound") as bound:
        for path, items in (("chambers", 0), ("latest", 0), ("batches", 1)):
            await whole.post("/v1/chambers", json={**ENROLMENT, "id": "zebra"})
            cursor = (await whole.get(f"/v1/{path}?limit=1")).json()["next_cursor"]
            assert cursor
            shown = (await bound.get(f"/v1/{path}?cursor={cursor}")).json()["items"]
            assert len(shown) <= 1, path
            assert all(HERE in str(item) or "HEK-1" in str(item) for item in shown), items


async def test_orders_to_the_section_tell_its_chambers_alone() -> None:
    made = await filled()
    async with made.world.client("bound") as bound:
        told = await bound.post("/v1/sections/attic/pause", headers={"Idempotency-Key": "mine"})
        assert (told.status_code, told.json()["total"]) == (202, 1)
        assert (await bound.get("/v1/sections/default/operations/power-test")).status_code == 404
        assert (await bound.get("/v1/sections/attic/operations/mine")).status_code == 200
    running = made.world.fleet.running
    assert running[THERE].pause is None
    assert running[HERE].pause is not None


async def test_lists_of_sections_are_one_page() -> None:
    made = await filled()
    async with made.world.client("bound") as bound:
        assert [s["id"] for s in (await bound.get("/v1/sections")).json()["items"]] == ["attic"]
        assert (await bound.get("/v1/sections?cursor=WyJhIl0")).status_code == 422


# ---- watching


async def test_a_bound_key_watches_its_section_and_nothing_else() -> None:
    made = await filled()
    app = made.world.app
    async with streaming(app, whose="bound") as mine, streaming(app, f"chamber={HERE}", whose="bound") as one:
        await begun(mine)
        await begun(one)
        publish(made.world, NOON_MS, chamber=THERE)
        publish(made.world, NOON_MS + 1, chamber=HERE)
        await mine.until(1)
        await one.until(1)
        await asyncio.sleep(0.05)
    assert [told.data["chamber"] for told in mine.events + one.events] == [HERE, HERE]
    async with made.world.client("bound") as bound:
        foreign, unknown = [await bound.get(f"/v1/live?chamber={name}") for name in (THERE, "no-such-one")]
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.text.replace(THERE, "no-such-one") == unknown.text
        assert (await bound.get("/v1/live?section=default")).status_code == 403


async def test_what_was_missed_is_bound_too() -> None:
    made = await filled()
    async with streaming(made.world.app) as whole:
        await begun(whole)
        publish(made.world, NOON_MS, chamber=THERE)
        publish(made.world, NOON_MS + 1, chamber=THERE)
        publish(made.world, NOON_MS + 2, chamber=HERE)
        told = await whole.until(3)
    async with streaming(made.world.app, last_event_id=told[0].id or "", whose="bound") as again:
        await again.until(1)
        await asyncio.sleep(0.05)
    assert [event.data["chamber"] for event in again.events] == [HERE]


QUICK = StreamRules(check_s=0.05, keep_alive_s=0.2)


async def test_a_stream_ends_when_its_key_expires() -> None:
    world = World(rules=QUICK)
    key_id = KEYS["viewer"].split("_")[1]
    kept = world.ledger.keys[key_id]
    kept.record = kept.record.__class__(
        id=key_id,
        organization="default",
        name="",
        terms=KeyTerms(role=Role.VIEWER, expires_ms=NOON_MS + 60_000),
        created_ms=NOON_MS,
    )
    async with streaming(world.app, whose="viewer") as stream:
        await begun(stream)
        await asyncio.sleep(3 * QUICK.check_s)
        assert not stream.ended
        world.clock.wall_ms += 60_000
        await stream.until_ended()
    assert stream.events[-1].data == {"reason": "this credential is not valid any more"}


def test_a_stream_is_checked_often_enough_to_end_within_five_seconds() -> None:
    assert StreamRules().check_s <= 4.5


async def test_a_stream_goes_by_the_credential_and_needs_no_header() -> None:
    world = World()
    still_valid: Any = world.app.state.services.still_valid
    key_id = KEYS["viewer"].split("_")[1]
    viewer = Principal("default", "key/1", Role.VIEWER, credential=f"key/{key_id}")
    assert await still_valid(viewer)
    assert not await still_valid(replace(viewer, role=Role.OPERATOR))
    for credential in ("", "key/", "key/ffffffffffff", key_id, f"session/{key_id}", f"key/{key_id}/x", "key/\x00"):
        assert not await still_valid(replace(viewer, credential=credential)), credential
