"""Every statement of the writer."""

from adapters.postgres.rows import SPEC_COLUMNS

LOCK_CHAMBERS = f"""
SELECT key, {SPEC_COLUMNS}, retired_at IS NOT NULL AS retired, ms_of(settled_through) AS settled_ms,
    (SELECT ms_of(min(first_slot)) FROM schedule_epoch e WHERE e.chamber = c.key) AS retained_from_ms
FROM chamber c WHERE id = ANY($1::text[]) ORDER BY key FOR NO KEY UPDATE
"""  # noqa: S608 - constants of ours
"""In one order, before anything else is written: two writers of the same chambers take turns and never deadlock."""

FIND_SETS = """
SELECT s.id, s.names, s.units FROM detector_set s
JOIN (SELECT n::text[] AS names, u::text[] AS units FROM unnest($1::text[], $2::text[]) AS w (n, u)) w
    ON (s.names, s.units) = (w.names, w.units)
"""

ADD_SETS = """
INSERT INTO detector_set (names, units)
SELECT n::text[], u::text[] FROM unnest($1::text[], $2::text[]) AS w (n, u) ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
"""Only sets that are not there: a conflict would burn a number of the identity column each time."""

ADD_DETECTORS = """
INSERT INTO detector (chamber, name, unit)
SELECT DISTINCT ON (w.chamber, d.name) w.chamber, d.name, d.unit
FROM unnest($1::int[], $2::int[]) WITH ORDINALITY AS w (chamber, detector_set, place)
JOIN detector_set s ON s.id = w.detector_set, unnest(s.names, s.units) AS d (name, unit)
WHERE NOT EXISTS (SELECT FROM detector e WHERE e.chamber = w.chamber AND e.name = d.name)
ORDER BY w.chamber, d.name, w.place
ON CONFLICT DO NOTHING
"""

COLUMNS = """chamber, scheduled_at, requested_at, received_at, observed_at, detector_set, spec_version, "values",
    quality"""

STORED_AND_LATEST = f"""stored AS (
    INSERT INTO reading ({COLUMNS}) SELECT {COLUMNS} FROM handed ORDER BY chamber, scheduled_at
    ON CONFLICT DO NOTHING RETURNING {COLUMNS}, stored_at
), latest AS (
    INSERT INTO chamber_latest AS l ({COLUMNS}, stored_at)
    SELECT DISTINCT ON (chamber) {COLUMNS}, stored_at FROM stored ORDER BY chamber, scheduled_at DESC
    ON CONFLICT (chamber) DO UPDATE SET scheduled_at = excluded.scheduled_at, requested_at = excluded.requested_at,
        received_at = excluded.received_at, observed_at = excluded.observed_at, stored_at = excluded.stored_at,
        detector_set = excluded.detector_set, spec_version = excluded.spec_version, "values" = excluded."values",
        quality = excluded.quality
    WHERE l.scheduled_at < excluded.scheduled_at
)"""  # noqa: S608 - constants of ours
"""Parts of a statement: the readings `handed` that are new, and of each chamber the newest."""

STORE = f"""
WITH handed AS (
    SELECT chamber, instant_of(slot) AS scheduled_at, instant_of(requested) AS requested_at,
        instant_of(received) AS received_at, instant_of(observed) AS observed_at, detector_set, spec_version,
        vals::float8[] AS "values", qualities::smallint[] AS quality
    FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::int[], $8::text[],
        $9::text[]) AS u (chamber, slot, requested, received, observed, detector_set, spec_version, vals, qualities)
), {STORED_AND_LATEST}, missing AS (
    INSERT INTO gap (chamber, first_slot, last_slot, reason, detail, by, until)
    SELECT chamber, instant_of(first), instant_of(last), reason, detail, by, instant_of(until)
    FROM unnest($10::int[], $11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::text[], $16::bigint[])
        AS u (chamber, first, last, reason, detail, by, until)
    ON CONFLICT DO NOTHING
), moved AS (
    UPDATE chamber c SET settled_through = instant_of(m.settled)
    FROM unnest($17::int[], $18::bigint[]) AS m (chamber, settled)
    WHERE c.key = m.chamber AND c.settled_through < instant_of(m.settled)
)
SELECT chamber, count(*) AS new FROM stored GROUP BY chamber
"""  # noqa: S608 - constants of ours
"""Readings, latest, closed gap runs and `settled_through` of many chambers; says per chamber how many are new."""

STORE_LIVE = f"""
WITH handed AS MATERIALIZED (
    SELECT c.key AS chamber, c.id, instant_of(u.slot) AS scheduled_at, instant_of(u.requested) AS requested_at,
        instant_of(u.received) AS received_at, instant_of(u.observed) AS observed_at, s.id AS detector_set,
        u.spec_version, u.vals::float8[] AS "values", u.qualities::smallint[] AS quality,
        instant_of(u.settled) AS settled
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::int[], $8::text[],
        $9::text[], $10::bigint[])
        AS u (id, slot, requested, received, observed, place, spec_version, vals, qualities, settled)
    JOIN chamber c ON c.id = u.id
    JOIN unnest($11::text[], $12::text[]) WITH ORDINALITY AS w (names, units, number) ON w.number = u.place + 1
    JOIN detector_set s ON (s.names, s.units) = (w.names::text[], w.units::text[])
    WHERE u.slot <= $13::bigint + coalesce(c.round_span_ms, $14::int)
        AND (SELECT min(e.first_slot) <= instant_of(u.slot)
                AND (u.settled IS NULL OR u.slot - ms_of(c.settled_through) <= min(e.interval_ms)
                    FILTER (WHERE e.last_slot IS NULL OR e.last_slot > c.settled_through))
            FROM schedule_epoch e WHERE e.chamber = c.key)
    ORDER BY c.key FOR NO KEY UPDATE OF c
), {STORED_AND_LATEST}, moved AS (
    UPDATE chamber c SET settled_through = h.settled FROM handed h
    WHERE c.key = h.chamber AND c.settled_through < h.settled
)
SELECT h.id, s.chamber IS NOT NULL AS new FROM handed h LEFT JOIN stored s USING (chamber)
"""  # noqa: S608 - constants of ours
"""One reading each of many chambers, named by their ids; locks their rows in the same order as `LOCK_CHAMBERS`.

Answers with the chambers that it found fit: in the registry, the set there, the slot inside the window and the next one
after what is settled.
"""

FORGOTTEN = """
WITH epochs AS (
    SELECT greatest(ms_of(first_slot), $2::bigint) AS lo, least(coalesce(ms_of(last_slot) + 1, $3), $3::bigint) AS hi,
        interval_ms::bigint AS step, phase_ms::bigint AS phase
    FROM schedule_epoch WHERE chamber = $1
), runs AS (
    SELECT coalesce(range_agg(int8range(ms_of(first_slot), coalesce(ms_of(last_slot) + 1, $3))), '{}') AS covered
    FROM gap WHERE chamber = $1 AND first_slot < instant_of($3)
        AND (last_slot IS NULL OR (last_slot >= instant_of($2) AND last_slot >= first_slot))
)
SELECT CASE WHEN (
    SELECT NOT EXISTS (SELECT FROM reading WHERE chamber = $1 AND scheduled_at = instant_of(f.slot))
        AND NOT EXISTS (SELECT FROM runs WHERE covered @> f.slot)
    FROM (SELECT min(lo + ((phase - lo) % step + step) % step) AS slot FROM epochs
          WHERE lo + ((phase - lo) % step + step) % step < hi) f
    WHERE f.slot IS NOT NULL
) THEN true ELSE EXISTS (
    SELECT FROM epochs e, runs r
    WHERE e.lo < e.hi AND (e.hi - phase + step - 1) / step - (e.lo - phase + step - 1) / step > (
        SELECT coalesce(sum((upper(p) - phase + step - 1) / step - (lower(p) - phase + step - 1) / step), 0)
        FROM unnest(r.covered * int8multirange(int8range(e.lo, e.hi))) AS p
    ) + (
        SELECT count(*) FROM reading
        WHERE chamber = $1 AND scheduled_at >= instant_of(e.lo) AND scheduled_at < instant_of(e.hi)
            AND (ms_of(scheduled_at) - e.phase) % e.step = 0 AND NOT r.covered @> ms_of(scheduled_at))) END
"""
"""Whether a slot of the chamber in [$2, $3) has no outcome.

After a restore the first slot is such a one, and every save asks: it is looked at alone before anything is counted. The
work of counting grows with runs and readings, not with slots.
"""

OPEN_RUN = """
INSERT INTO gap AS g (chamber, first_slot, reason, detail, by, until, opened)
VALUES ($1, instant_of($2), $3, $4, $5, instant_of($6), true)
ON CONFLICT (chamber, first_slot) WHERE opened DO UPDATE SET last_slot = NULL, reason = excluded.reason,
    detail = excluded.detail, by = excluded.by, until = excluded.until, recorded_at = clock_timestamp()
WHERE g.last_slot < g.first_slot
"""
"""A pause in which no slot fell leaves an empty run; the next one may begin at the same slot, and opens it again."""

CLOSE_RUN = """
UPDATE gap SET last_slot = instant_of($3)
WHERE chamber = $1 AND first_slot = instant_of($2) AND opened AND last_slot IS NULL
"""

READ_ROW = f"SELECT {SPEC_COLUMNS}, retired_at IS NOT NULL AS retired FROM chamber WHERE key = $1"  # noqa: S608 - same

EPOCHS = """
SELECT ms_of(first_slot) AS first_ms, ms_of(last_slot) AS last_ms, interval_ms, final, decided_ms
FROM schedule_epoch WHERE chamber = $1
"""
CLOSE_EPOCH = """
UPDATE schedule_epoch SET last_slot = instant_of($2), final = $3 WHERE chamber = $1 AND last_slot IS NULL
"""
OPEN_EPOCH = """
INSERT INTO schedule_epoch (chamber, first_slot, interval_ms, phase_ms, spec_version, decided_ms)
VALUES ($1, instant_of($2), $3, $4, $5, $6)
ON CONFLICT (chamber, first_slot) DO UPDATE SET last_slot = NULL, final = false, interval_ms = excluded.interval_ms,
    phase_ms = excluded.phase_ms, spec_version = excluded.spec_version, decided_ms = excluded.decided_ms
"""
"""An epoch with the same first slot is one of which no slot was handed out: it gives its place to the later one."""
BEGIN_EARLIER = """
UPDATE chamber SET settled_through = least(settled_through, instant_of($2::bigint - 1)),
    began_at = least(began_at, instant_of($2::bigint)) WHERE key = $1
"""
"""Nothing of the new epoch is settled yet, though it may begin before one of which no slot was handed out."""

RETIRE = "UPDATE chamber SET retiring = true, retired_at = clock_timestamp() WHERE key = $1"

WRITE_CHANGE = """
UPDATE chamber SET version = $2, interval_ms = $3, timeout_ms = $4, pause_since = instant_of($5), pause_reason = $6,
    pause_by = $7, pause_until = instant_of($8),
    resumed_at = CASE WHEN pause_since IS NOT NULL AND $5::bigint IS NULL THEN clock_timestamp() ELSE resumed_at END
WHERE key = $1
"""

STORE_ADHOC = f"""
INSERT INTO reading_adhoc (request_id, {COLUMNS})
VALUES ($10, $1, instant_of($2), instant_of($3), instant_of($4), instant_of($5), $6, $7, $8::text::float8[],
    $9::text::smallint[])
ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants of ours

DECIDED = """
SELECT ms_of(scheduled_at) AS slot_ms FROM reading
WHERE chamber = $1 AND scheduled_at BETWEEN instant_of($2) AND instant_of($3)
UNION
SELECT slot FROM (
    SELECT greatest(ms_of(g.first_slot), ms_of(e.first_slot), $2::bigint) AS lo,
        least(ms_of(g.last_slot), ms_of(e.last_slot), $3::bigint) AS hi,
        e.interval_ms::bigint AS step, e.phase_ms AS phase
    FROM gap g JOIN schedule_epoch e USING (chamber)
    WHERE chamber = $1 AND g.first_slot <= instant_of($3) AND g.last_slot >= instant_of($2) AND NOT g.opened) cut
CROSS JOIN LATERAL generate_series(lo + ((phase - lo) % step + step) % step, hi, step) AS slot
"""
"""A pause decides no slot of a round: one that began at such a slot ended before it, stored already or not."""

FIND_KEY = "SELECT key FROM chamber WHERE id = $1"
ENSURE_DAY = "SELECT ensure_partitions($1::date, $2::date)"
