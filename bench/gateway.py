"""What the way through the gateway costs: one read, asked directly and through the gateway, turn and turn about."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from bench.errors import BenchError
from stack.bootstrap import ensure_api_key, prepare
from stack.edge import edge_is_there, edge_parts
from stack.layout import egress_document
from stack.parts import api_part, server_parts
from stack.scratch import START_S, Say, scratch_stack

Json = dict[str, Any]
GATEWAY = "gateway"
PATH = "/v1/sections"
"""A short read that asks the database once."""
WARM_UP, REQUESTS = 50, 1_000
"""Of each way; together within a subject's limit, 6,000 reads in a minute, on any machine that is not twice as fast."""
ANSWER_S = 30.0


async def measure_gateway(folder: Path, say: Say) -> Json:
    """Start the servers, the API, the authz service and the gateway, and ask one after another.

    Both ways do the same work: the key is looked up and the request is counted, by the authz service or by the API.
    They take turns, so that what else the machine does meets both.

    Args:
        folder: of the stack; what is in it is thrown away.
        say: told what is going on.

    Returns:
        An object of the report: `direct_ms` and `gateway_ms` with `p50` and `p95`, and the `ratio` of each.

    Raises:
        BenchError: there is no Envoy for this platform, or a request failed.
        StackError: a part does not start.
    """
    if not edge_is_there():
        raise BenchError("there is no Envoy for this platform")
    async with scratch_stack(folder, 1, say, edge=True) as scratch:
        layout, supervisor, egress = scratch.layout, scratch.supervisor, egress_document(())
        say("starting the servers, the API and the gateway")
        await supervisor.start(server_parts(layout), START_S)
        await prepare(layout.postgres, layout.temporal, say)
        key = await ensure_api_key(layout.postgres, layout.home.api_key_file)
        await supervisor.start([api_part(layout, egress), *edge_parts(layout, egress)], START_S)
        say(f"asking {REQUESTS} times each way")
        direct, gateway = await _turn_about((layout.api, layout.gateway), key)
    return {"name": GATEWAY, "path": PATH, "requests": REQUESTS, **ratios(direct, gateway)}


def ratios(direct_ms: Sequence[float], gateway_ms: Sequence[float]) -> Json:
    """The figures of both ways, and how much longer the one through the gateway takes."""
    direct, gateway = _figures(direct_ms), _figures(gateway_ms)
    return {
        "direct_ms": direct,
        "gateway_ms": gateway,
        "ratio": {name: round(gateway[name] / direct[name], 2) for name in direct},
    }


def _figures(times_ms: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times_ms, n=20, method="inclusive")
    return {"p50": round(cuts[9], 3), "p95": round(cuts[18], 3)}


async def _turn_about(urls: Sequence[str], key: str) -> tuple[list[float], list[float]]:
    times: tuple[list[float], list[float]] = ([], [])
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(headers=headers, timeout=ANSWER_S, trust_env=False) as client:
        for number in range(WARM_UP + REQUESTS):
            for url, kept in zip(urls, times, strict=True):
                began = time.perf_counter()
                answer = await client.get(url + PATH)
                if answer.status_code != httpx.codes.OK:
                    raise BenchError(f"{url}{PATH} answered {answer.status_code}: {answer.text[:200]}")
                if number >= WARM_UP:
                    kept.append((time.perf_counter() - began) * 1000)
    return times
