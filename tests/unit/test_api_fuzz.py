"""Whatever is sent, the API answers below 500, and every refusal is a problem document."""

import json
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.memory import InMemoryOutcomes
from collector.domain.cadence import grid_of
from collector.ports import SaveBatch
from tests.unit.api_world import ENROLMENT, World, a_reading
from tests.unit.hostile_requests import (
    BODIES,
    GETS,
    HEADERS,
    LEAVES,
    NUMBERS,
    POSTS,
    QUERIES,
    TEXTS,
    THINGS,
    query_string,
    quoted,
)

LIGHT = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def world_once() -> World:
    """Making the application takes longer than asking it: all examples share one, and each begins empty."""
    return World()


def fresh_world() -> World:
    world = world_once()
    world.empty()
    return world


async def answered(method: str, path: str, headers: dict[str, bytes], **sent: Any) -> None:
    """Ask a world with one chamber that has one reading, and one batch; and look at the answer."""
    world = fresh_world()
    async with world.client("deployment") as client:
        for collection, body in THINGS:
            assert (await client.post(collection, json=body)).status_code == 201
        spec = world.ledger.chambers["incubator-3"].spec
        reading = a_reading(spec, spec.grid.after(world.clock.wall_ms))
        await InMemoryOutcomes(world.ledger).save(SaveBatch(spec.id, [reading]))
        pairs = [(name.encode(), value) for name, value in {"Content-Type": b"application/json", **headers}.items()]
        answer = await client.request(method, path, headers=pairs, **sent)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert set(problem) == {"type", "title", "status", "detail", "errors"}
        assert problem["status"] == answer.status_code
        assert problem["errors"], problem
        assert all(error["field"] and error["problem"] for error in problem["errors"])


@LIGHT
@given(st.sampled_from(POSTS), BODIES, HEADERS)
async def test_no_body_is_answered_by_a_server_error(
    route: tuple[str, str], body: dict[str, Any], headers: dict[str, bytes]
) -> None:
    await answered(*route, headers, content=json.dumps(body).encode())


@LIGHT
@given(st.sampled_from(POSTS), st.binary(max_size=200), HEADERS)
async def test_no_bytes_are_answered_by_a_server_error(
    route: tuple[str, str], body: bytes, headers: dict[str, bytes]
) -> None:
    await answered(*route, headers, content=body)


@LIGHT
@given(
    st.fixed_dictionaries(
        {**{name: st.just(value) for name, value in ENROLMENT.items()}, "id": st.just("another")},
        optional={
            "timeout_s": NUMBERS,
            "round_span_s": NUMBERS,
            "labels": st.dictionaries(TEXTS, TEXTS),
            "name": TEXTS,
        },
    ),
    st.sampled_from(["url", "interval_s", "section", "profile", "id"]),
    LEAVES,
)
async def test_no_almost_right_enrolment_is_answered_by_a_server_error(
    body: dict[str, Any], field: str, value: Any
) -> None:
    await answered("POST", "/v1/chambers", {}, content=json.dumps({**body, field: value}).encode())


@LIGHT
@given(st.sampled_from(GETS), QUERIES, HEADERS)
async def test_no_query_is_answered_by_a_server_error(
    path: str, query: dict[str, str], headers: dict[str, bytes]
) -> None:
    text = query_string(query)
    await answered("GET", f"{path}?{text}", headers)


@LIGHT
@given(
    st.binary(max_size=60),
    st.sampled_from(["GET", "PATCH", "DELETE", "POST", "PUT"]),
    st.sampled_from(
        ["chambers/{}", "chambers/incubator-3/detectors/{}", "sections/{}", "batches/{}", "organizations/{}"]
    ),
)
async def test_no_id_is_answered_by_a_server_error(name: bytes, method: str, path: str) -> None:
    await answered(method, f"/v1/{path.format(quoted(name))}", {"If-Match": b"*"}, content=b"{}")


@given(st.floats(min_value=1, max_value=86_400), st.booleans())
@LIGHT
async def test_every_interval_is_refused_or_kept_to_the_millisecond(interval_s: float, aligned: bool) -> None:
    world, kept_ms = fresh_world(), round(interval_s * 1000)
    async with world.client() as client:
        answer = await client.post("/v1/chambers", json={**ENROLMENT, "interval_s": interval_s, "aligned": aligned})
        if answer.status_code == 422:
            assert answer.json()["errors"][0]["field"] == "interval_s"
            assert not (interval_s * 1000).is_integer()
            body = {**ENROLMENT, "interval_s": kept_ms / 1000, "aligned": aligned}
            answer = await client.post("/v1/chambers", json=body)
    assert answer.status_code == 201
    assert answer.json()["interval_s"] == kept_ms / 1000
    [epoch] = world.ledger.chambers["incubator-3"].epochs
    grid = grid_of("incubator-3", kept_ms, aligned=aligned)
    assert epoch.first_ms == grid.after(world.clock.wall_ms)
