"""The live path: readings of many chambers, one each, in one statement and one round trip.

It is what a fleet does all day; whatever is not as simple as that (gaps, changes, several outcomes of a chamber, a
detector set that is new, a slot outside the window) is left to storing.py, which knows every rule.
"""

from collections.abc import Sequence

from adapters.postgres import outcome_queries as q
from adapters.postgres.pool import Connection
from adapters.postgres.rows import SetKey, array_of_texts, names_and_units, reading_values
from collector.domain.cadence import DEFAULT_ROUND_SPAN_MS
from collector.domain.outcome import Reading
from collector.domain.settling import FUTURE_SLACK_MS
from collector.ports.outcomes import SaveBatch, SaveResult

NEW, KNOWN = SaveResult(1), SaveResult(0)


class KnownDetectors:
    """The detector sets of chambers whose detectors are in the registry, as this process has stored them.

    It is forgotten whenever the database was away: what comes back may be another one, restored from a dump.
    """

    def __init__(self) -> None:
        self._sets: dict[str, SetKey] = {}
        self._alike: dict[SetKey, SetKey] = {}

    def learn(self, batch: SaveBatch, result: SaveResult) -> None:
        """Learn from a batch that was stored the long way, if it was one reading and became a row.

        Then its set and the set's detectors are in the database. What became a gap instead registered nothing.
        """
        reading = only_reading(batch)
        if reading is not None and result.new_readings == 1:
            key = names_and_units(reading)
            self._sets[batch.chamber_id] = self._alike.setdefault(key, key)

    def forget(self) -> None:
        """Nothing is known any more."""
        self._sets.clear()
        self._alike.clear()

    def covers(self, batch: SaveBatch) -> bool:
        """Whether the batch is one reading whose set was stored for this chamber."""
        reading = only_reading(batch)
        return reading is not None and self._sets.get(batch.chamber_id) == names_and_units(reading)


def only_reading(batch: SaveBatch) -> Reading | None:
    """The reading, when the batch is one and nothing else."""
    outcome = batch.outcomes[0] if len(batch.outcomes) == 1 else None
    return outcome if isinstance(outcome, Reading) else None


async def store_live(connection: Connection, batches: Sequence[SaveBatch], now_ms: int) -> dict[str, SaveResult]:
    """Store batches that `KnownDetectors.covers`, one a chamber, and move what is settled.

    Again: nothing changes.

    Returns:
        By chamber id what was new. A chamber that is not in it was left alone: it is not in the registry, its slot is
        outside the window, or its set is gone; storing.py says which.

    Raises:
        asyncpg.PostgresError: nothing is stored.
    """
    places: dict[SetKey, int] = {}
    rows: list[tuple[object, ...]] = []
    for batch in batches:
        reading = only_reading(batch)
        assert reading is not None
        place = places.setdefault(names_and_units(reading), len(places))
        rows.append((batch.chamber_id, *reading_values(reading, place), batch.settled_through_ms))
    sets = [array_of_texts(names) for names, _ in places], [array_of_texts(units) for _, units in places]
    latest = now_ms + FUTURE_SLACK_MS
    found = await connection.fetch(
        q.STORE_LIVE, *map(list, zip(*rows, strict=True)), *sets, latest, DEFAULT_ROUND_SPAN_MS
    )
    return {row["id"]: NEW if row["new"] else KNOWN for row in found}
