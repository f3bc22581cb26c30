"""The last answers of chambers in PostgreSQL: written behind, in groups, and dropped when that does not go well."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextvars import Context

from adapters.postgres.pool import NO_CONNECTION, Postgres
from adapters.postgres.rows import Row, array_of_texts
from collector.domain.errors import AwayError, NotFoundError
from collector.domain.settling import clean
from collector.ports.answers import AnswerKind, ChamberAnswer

GROUP, GROUP_BYTES = 100, 1_048_576
WAITING_BYTES = 8_388_608
"""What a process holds at most: 16,000 usual answers, or 128 of the longest."""
PACE_S = 1.0
"""Two groups begin so far apart: nobody waits for them."""
REST_S = 30.0
"""After a failure nothing is written for so long: what comes meanwhile is dropped."""
LAST_S = 2.0
"""What a process that ends gives its last group."""

KEEP = """
INSERT INTO chamber_answer AS a (chamber, kind, slot, received_at, body, size, sha256, problem, remarks, spec_version,
    profile_version)
SELECT c.key, u.kind, instant_of(u.slot), instant_of(u.received), u.body, u.size, u.sha256, u.problem,
    u.remarks::text[], u.spec_version, u.profile_version
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[], $6::int[], $7::bytea[], $8::text[],
    $9::text[], $10::int[], $11::text[])
    AS u (id, kind, slot, received, body, size, sha256, problem, remarks, spec_version, profile_version)
JOIN chamber c ON c.id = u.id ORDER BY c.key
ON CONFLICT (chamber, kind) DO UPDATE SET slot = excluded.slot, received_at = excluded.received_at,
    body = excluded.body, size = excluded.size, sha256 = excluded.sha256, problem = excluded.problem,
    remarks = excluded.remarks, spec_version = excluded.spec_version, profile_version = excluded.profile_version,
    stored_at = clock_timestamp()
WHERE a.received_at <= excluded.received_at
"""
ANSWERS = """
SELECT c.id, a.kind, ms_of(a.slot) AS slot_ms, ms_of(a.received_at) AS received_ms, a.body, a.size, a.sha256, a.problem,
    a.remarks, a.spec_version, a.profile_version
FROM chamber c LEFT JOIN chamber_answer a ON a.chamber = c.key WHERE c.organization = $1 AND c.id = $2
ORDER BY a.received_at DESC, a.kind
"""

log = logging.getLogger(__name__)


class PostgresAnswers:
    """`AnswerKeeper` and `AnswerShelf` over PostgreSQL.

    Args:
        postgres: best a pool of its own of one connection, so that no reading waits for it.
        dropped: told how many answers were given up.
        pace_s: how far apart two groups begin.
    """

    def __init__(
        self, postgres: Postgres, dropped: Callable[[int], None] | None = None, pace_s: float = PACE_S
    ) -> None:
        self._postgres, self._dropped, self._pace_s = postgres, dropped or _untold, pace_s
        self._waiting: dict[tuple[str, AnswerKind], ChamberAnswer] = {}
        self._bytes = 0
        self._writing: asyncio.Task[None] | None = None
        self._rests_until_s = 0.0
        self._closed = False

    def offer(self, answer: ChamberAnswer) -> None:
        """Take it, to be written within a second or so; see `AnswerKeeper.offer`."""
        loop = asyncio.get_running_loop()
        key = (answer.chamber_id, answer.kind)
        before = self._waiting.get(key)
        more = len(answer.body) - (len(before.body) if before else 0)
        if self._closed or loop.time() < self._rests_until_s or self._bytes + more > WAITING_BYTES:
            self._dropped(1)
            return
        self._waiting[key] = answer
        self._bytes += more
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write(), name="postgres-answers", context=Context())

    async def settled(self) -> None:
        """Return when nothing waits."""
        while self._writing is not None and not self._writing.done():
            await asyncio.gather(self._writing, return_exceptions=True)

    async def close(self) -> None:
        """Write what waits, if that takes a moment only; again: nothing."""
        self._closed, writing = True, self._writing
        if writing is None or writing.done():
            return
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        try:
            async with asyncio.timeout(LAST_S):
                while self._waiting:
                    await self._write_group()
        except TimeoutError:
            self._give_up()

    async def answers(self, organization: str, chamber_id: str) -> Sequence[ChamberAnswer]:
        """The last ones; see `AnswerShelf.answers`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(ANSWERS, organization, clean(chamber_id))
        if not rows:
            raise NotFoundError(f"no chamber {chamber_id!r}")
        return [_answer(row) for row in rows if row["kind"] is not None]

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._pace_s)
            await self._write_group()

    async def _write_group(self) -> None:
        group = self._taken()
        try:
            async with self._postgres.connection() as connection:
                await connection.execute(KEEP, *_columns(group))
        except (AwayError, *NO_CONNECTION) as error:
            log.info("%d last answers are not kept: %s", len(group) + len(self._waiting), error)
            self._dropped(len(group))
            self._give_up()
            self._rests_until_s = asyncio.get_running_loop().time() + REST_S

    def _taken(self) -> list[ChamberAnswer]:
        group: list[ChamberAnswer] = []
        size = 0
        for key in list(self._waiting)[:GROUP]:
            if size > GROUP_BYTES:
                break
            answer = self._waiting.pop(key)
            size += len(answer.body)
            group.append(answer)
        self._bytes -= size
        return group

    def _give_up(self) -> None:
        if self._waiting:
            self._dropped(len(self._waiting))
        self._waiting.clear()
        self._bytes = 0


def _columns(group: Sequence[ChamberAnswer]) -> list[list[object]]:
    rows = [
        (
            *(clean(a.chamber_id), a.kind.value, a.slot_ms, a.received_ms, a.body, a.size, a.sha256, clean(a.problem)),
            *(array_of_texts([clean(remark) for remark in a.remarks]), a.spec_version, clean(a.profile_version)),
        )
        for a in group
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _answer(row: Row) -> ChamberAnswer:
    return ChamberAnswer(
        chamber_id=row["id"],
        kind=AnswerKind(row["kind"]),
        slot_ms=row["slot_ms"],
        received_ms=row["received_ms"],
        body=row["body"],
        size=row["size"],
        sha256=row["sha256"],
        problem=row["problem"],
        remarks=tuple(row["remarks"]),
        spec_version=row["spec_version"],
        profile_version=row["profile_version"],
    )


def _untold(_count: int) -> None:
    return
