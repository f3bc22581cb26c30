"""The REST API as the stack itself uses it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx

from stack.errors import FleetError

PAGE = 500
ANSWER_S = 30.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 2.0
LIMITED_S = 300.0
"""So long in all a request waits for a limit: a large fleet is enrolled in several windows."""
UNTRACED = {"traceparent": f"00-{'c' * 32}-{'c' * 16}-00"}
"""Looks every two seconds would push out of a store of traces what somebody looks for."""
Json = dict[str, Any]


class FleetApi:
    """A client of one API; an async context manager. Every method may raise `FleetError`.

    A request that meets 503 or no connection is repeated with a growing wait for `patience_s`: a part may just be
    starting again. One that meets 429 waits as long as the API says, which its patience does not count.
    All requests of the stack can be repeated without harm.

    Args:
        url: base URL.
        key: API key.
        patience_s: how long to repeat.
        transport: what carries the requests; the network unless a test brings its own.
    """

    def __init__(
        self, url: str, key: str, patience_s: float = 30.0, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._patience_s = patience_s
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.AsyncClient(
            base_url=url, headers=headers, timeout=ANSWER_S, trust_env=False, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def chambers(self) -> list[Json]:
        """All chambers that are not retired."""
        found: list[Json] = []
        cursor: str | None = None
        while True:
            query = {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
            page = (await self._ask("GET", "/v1/chambers", params=query, headers=UNTRACED)).json()
            found += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return found

    async def enrol(self, chamber: Json) -> None:
        """Enrol a chamber; one that is there with another spec takes this one. Again: nothing changes."""
        answer = await self._ask("POST", "/v1/chambers", accept=(409,), json=chamber)
        if answer.status_code == httpx.codes.CONFLICT:
            await self._change(chamber)

    async def pause(self, chamber_id: str, reason: str) -> Json:
        """Pause a chamber; answers with it. Again: nothing changes."""
        return _object(await self._ask("POST", f"/v1/chambers/{chamber_id}/pause", json={"reason": reason}))

    async def resume(self, chamber_id: str) -> Json:
        """Resume a chamber; answers with it. Again: nothing changes."""
        return _object(await self._ask("POST", f"/v1/chambers/{chamber_id}/resume"))

    async def audit(self, from_ms: int, to_ms: int) -> Json:
        """The audit of the fleet in [from, to)."""
        span = {"from": rfc3339(from_ms), "to": rfc3339(to_ms)}
        return _object(await self._ask("GET", "/v1/audit", params=span))

    async def _change(self, chamber: Json) -> None:
        path = f"/v1/chambers/{chamber['id']}"
        there = await self._ask("GET", path)
        wanted = {name: value for name, value in chamber.items() if name != "id" and there.json().get(name) != value}
        tag = there.headers.get("ETag") or f'"{there.json()["version"]}"'
        await self._ask("PATCH", path, json=wanted, headers={"If-Match": tag})

    async def _ask(self, method: str, path: str, *, accept: tuple[int, ...] = (), **options: Any) -> httpx.Response:
        give_up, wait_s, limited_s = time.monotonic() + self._patience_s, FIRST_WAIT_S, LIMITED_S
        while True:
            problem, answer = await self._once(method, path, options)
            if answer is not None and (answer.is_success or answer.status_code in accept):
                return answer
            asked_s = _asked_to_wait_s(answer)
            if asked_s is not None and asked_s <= limited_s:
                await asyncio.sleep(asked_s)
                limited_s, give_up = limited_s - asked_s, give_up + asked_s
                continue
            away = answer is None or answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            if not away or time.monotonic() + wait_s > give_up:
                raise FleetError(f"{method} {path}: {problem}")
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _once(self, method: str, path: str, options: Json) -> tuple[str, httpx.Response | None]:
        try:
            answer = await self._http.request(method, path, **options)
        except httpx.TransportError as error:
            return f"the API does not answer ({type(error).__name__} {error})", None
        return ("" if answer.is_success else _problem(answer)), answer


def rfc3339(instant_ms: int) -> str:
    """An instant as the API reads it, to the millisecond."""
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant_ms)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_ms(text: str) -> int:
    """An instant of the API in milliseconds since the Unix epoch."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _object(answer: httpx.Response) -> Json:
    document = answer.json()
    assert isinstance(document, dict)
    return document


def _asked_to_wait_s(answer: httpx.Response | None) -> float | None:
    """How long whoever has asked too often has to wait; None = that is not what the answer says."""
    asked = "" if answer is None else answer.headers.get("Retry-After", "")
    is_limited = answer is not None and answer.status_code == httpx.codes.TOO_MANY_REQUESTS and asked.isdecimal()
    return float(asked) if is_limited else None


def _problem(answer: httpx.Response) -> str:
    """The problem document in one line: its detail names field and remedy."""
    try:
        words = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        words = answer.text[:300]
    return f"{answer.status_code} {words}"
