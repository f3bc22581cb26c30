"""Every statement that reads the ledger. Instants are milliseconds since the Unix epoch; ranges are half-open."""

from adapters.postgres.rows import READING_COLUMNS

FIND_KEY = "SELECT key FROM chamber WHERE organization = $1 AND id = $2"

READINGS = f"""
SELECT {READING_COLUMNS} FROM reading r JOIN detector_set s ON s.id = r.detector_set
WHERE r.chamber = $1 AND r.scheduled_at >= instant_of($2) AND r.scheduled_at < instant_of($3)
ORDER BY r.scheduled_at LIMIT $4
"""  # noqa: S608 - constants of ours

LATEST = f"""
SELECT {READING_COLUMNS} FROM chamber_latest r JOIN detector_set s ON s.id = r.detector_set WHERE r.chamber = $1
"""  # noqa: S608 - constants of ours

LATEST_OF = f"""
SELECT c.id, {READING_COLUMNS}
FROM chamber c JOIN chamber_latest r ON r.chamber = c.key JOIN detector_set s ON s.id = r.detector_set
WHERE c.organization = $1 AND c.id = ANY($2::text[])
"""  # noqa: S608 - constants of ours

INACTIVE = """
SELECT c.id, array_agg(d.name) AS names FROM chamber c JOIN detector d ON d.chamber = c.key
WHERE c.organization = $1 AND c.id = ANY($2::text[]) AND NOT d.active GROUP BY c.id
"""

BATCH_READINGS = f"""
SELECT p.id, r.*
FROM (
    SELECT c.id COLLATE "C" AS id, c.key, least(n.first_slot, instant_of($4)) AS until,
        greatest(s.first_slot, instant_of($3), CASE WHEN c.id = $5 THEN instant_of($6::bigint + 1) END) AS first
    FROM chamber_section s
    JOIN chamber c ON c.key = s.chamber
    CROSS JOIN LATERAL (
        SELECT min(first_slot) AS first_slot FROM chamber_section
        WHERE chamber = s.chamber AND first_slot > s.first_slot) n
    WHERE s.organization = $1 AND s.section = $2 AND s.first_slot < instant_of($4)
        AND (n.first_slot IS NULL OR n.first_slot > instant_of($3))
        AND c.id COLLATE "C" >= $5::text COLLATE "C" AND ($7::text IS NULL OR c.id = $7)
    ORDER BY id, first) p
CROSS JOIN LATERAL (
    SELECT r.scheduled_at, {READING_COLUMNS}
    FROM reading r JOIN detector_set s ON s.id = r.detector_set
    WHERE r.chamber = p.key AND r.scheduled_at >= p.first AND r.scheduled_at < p.until
        AND r.scheduled_at >= instant_of($3) AND r.scheduled_at < instant_of($4)
    ORDER BY r.scheduled_at LIMIT $8) r
ORDER BY p.id, p.first, r.scheduled_at LIMIT $8
"""  # noqa: S608 - constants of ours
"""Readings of slots in [$3, $4) of chambers that stood in section $2 at them, behind chamber $5 and slot $6.

One stay of a chamber after the other, and no more of each than the page: given `IN_ORDER`, which must go before it.
"""

IN_ORDER = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
"""PostgreSQL cannot know how many readings a stay has, takes it for few, and would read and sort all of them."""

DETECTORS = "SELECT name, unit, alias, active FROM detector WHERE chamber = $1 ORDER BY name"

GAPS = """
SELECT g.id, ms_of(g.first_slot) AS first_ms, ms_of(g.last_slot) AS last_ms, g.reason, g.detail, g.by,
    ms_of(g.until) AS until_ms, ms_of(g.recorded_at) AS recorded_ms, n.slots
FROM gap g
CROSS JOIN LATERAL (
    SELECT coalesce(sum((e.hi - e.phase + e.step - 1) / e.step - (e.lo - e.phase + e.step - 1) / e.step), 0)::bigint
        AS slots
    FROM (
        SELECT interval_ms::bigint AS step, phase_ms AS phase,
            greatest(ms_of(s.first_slot), ms_of(g.first_slot), $2) AS lo,
            least(ms_of(s.last_slot) + 1, coalesce(ms_of(g.last_slot) + 1, ms_of(now())), $3) AS hi
        FROM schedule_epoch s WHERE s.chamber = g.chamber) e
    WHERE e.lo < e.hi) n
WHERE g.chamber = $1 AND g.first_slot < instant_of($3)
    AND (g.last_slot IS NULL OR (g.last_slot >= instant_of($2) AND g.last_slot >= g.first_slot))
    AND (g.first_slot, g.id) > (instant_of($4), $5)
ORDER BY g.first_slot, g.id LIMIT $6
"""

BINS = """
SELECT ((ms_of(r.scheduled_at) - $3) * $5::bigint / ($4 - $3))::int AS bin, min(m.value) AS minimum,
    avg(m.value) AS mean, max(m.value) AS maximum, count(m.value) AS count, max(m.quality) AS worst
FROM reading r
JOIN detector_set s ON s.id = r.detector_set
CROSS JOIN LATERAL (SELECT array_position(s.names, $2) AS place) p
CROSS JOIN LATERAL (SELECT r."values"[p.place] AS value, coalesce(r.quality[p.place], 0) AS quality) m
WHERE r.chamber = $1 AND r.scheduled_at >= instant_of($3) AND r.scheduled_at < instant_of($4) AND p.place IS NOT NULL
GROUP BY 1
"""

BIN_GAPS = """
SELECT DISTINCT ON (bin) bin, g.reason
FROM (
    SELECT id, reason, first_slot, greatest(ms_of(first_slot), $2) AS lo,
        least(coalesce(ms_of(last_slot) + 1, ms_of(now())), $3) AS hi
    FROM gap
    WHERE chamber = $1 AND first_slot < instant_of($3) AND (last_slot IS NULL OR last_slot >= instant_of($2))) g
CROSS JOIN LATERAL generate_series(
    (g.lo - $2) * $4::bigint / ($3 - $2), (g.hi - 1 - $2) * $4::bigint / ($3 - $2)) AS bin
WHERE g.lo < g.hi
ORDER BY bin, g.first_slot, g.id
"""

LATENESS = """
SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
    ORDER BY extract(epoch FROM r.requested_at - r.scheduled_at)::float8 * 1000) AS late
FROM reading r JOIN chamber c ON c.key = r.chamber
WHERE c.organization = $1 AND r.scheduled_at >= instant_of($2) AND r.scheduled_at < instant_of($3)
"""

HOLD_PARTITIONS = "LOCK TABLE ONLY reading IN ACCESS SHARE MODE"
"""Before the snapshot is taken: a day that is there in it cannot be dropped before it was read."""

RETAINED = """
SELECT ms_of((SELECT instant FROM retained_from)) AS from_ms, (SELECT through FROM rolled_up) AS rolled_up
"""

FIRST_SLOT = """
SELECT ms_of(min(e.first_slot)) FROM schedule_epoch e JOIN chamber c ON c.key = e.chamber
WHERE c.organization = $1 AND ($2::text IS NULL OR c.id = $2)
"""

SEALED = """
SELECT c.id, f.fate, sum(f.slots)::bigint AS slots
FROM audit_day a JOIN chamber c ON c.key = a.chamber
CROSS JOIN LATERAL (
    SELECT 'expected' AS fate, a.expected AS slots
    UNION ALL SELECT 'stored', a.stored
    UNION ALL SELECT key, value::bigint FROM jsonb_each_text(a.gaps)) f
WHERE c.organization = $1 AND ($2::text IS NULL OR c.id = $2)
    AND a.day >= (instant_of($3) AT TIME ZONE 'UTC')::date AND a.day < (instant_of($4) AT TIME ZONE 'UTC')::date
GROUP BY c.id, f.fate HAVING sum(f.slots) > 0
"""
"""What became of the slots of days in [$3, $4), which are midnights, from their seals; as audit.sql has it."""

MEASUREMENTS = """
    JOIN detector_set s ON s.id = r.detector_set
    CROSS JOIN LATERAL (SELECT array_position(s.names, $2) AS place) p
    CROSS JOIN LATERAL (SELECT r."values"[p.place] AS value, coalesce(r.quality[p.place], 0)::smallint AS quality) m
    WHERE p.place IS NOT NULL"""
FIGURES = "ms_of(r.scheduled_at), m.value, m.value, m.value, (m.value IS NOT NULL)::int, m.quality"

BINS_BY_HOUR = f"""
WITH raw_hours AS MATERIALIZED (
    SELECT hour FROM (
        SELECT date_bin('1 hour', scheduled_at, to_timestamp(0)) AS hour FROM reading
        WHERE chamber = $1 AND scheduled_at >= instant_of(greatest($3::bigint, $6::bigint))
            AND scheduled_at < instant_of($7) AND stored_at >= $8::timestamptz
        UNION SELECT date_bin('1 hour', instant_of($3), to_timestamp(0))
        UNION SELECT date_bin('1 hour', instant_of($4), to_timestamp(0))) h
    WHERE hour >= instant_of($6) AND hour < instant_of($7)
), parts (at, minimum, sum, maximum, count, worst) AS (
    SELECT greatest(ms_of(h.hour), $3::bigint), h.minimum, h.sum, h.maximum, h.count, h.worst
    FROM reading_hourly h
    WHERE h.chamber = $1 AND h.detector = $2 AND h.hour > instant_of($3) - interval '1 hour'
        AND h.hour < instant_of($7) AND NOT EXISTS (SELECT FROM raw_hours w WHERE w.hour = h.hour)
    UNION ALL
    SELECT {FIGURES}
    FROM raw_hours w
    CROSS JOIN LATERAL (
        SELECT * FROM reading WHERE chamber = $1 AND scheduled_at >= greatest(w.hour, instant_of($3))
            AND scheduled_at < least(w.hour + interval '1 hour', instant_of($4)) OFFSET 0) r {MEASUREMENTS}
    UNION ALL
    SELECT {FIGURES}
    FROM (
        SELECT * FROM reading WHERE chamber = $1 AND scheduled_at >= instant_of(greatest($3::bigint, $7::bigint))
            AND scheduled_at < instant_of($4)) r {MEASUREMENTS}
)
SELECT ((at - $3) * $5::bigint / ($4 - $3))::int AS bin, min(minimum) AS minimum, sum(sum) / sum(count) AS mean,
    max(maximum) AS maximum, sum(count)::bigint AS count, max(worst) AS worst
FROM parts GROUP BY 1
"""  # noqa: S608 - constants of ours
"""As BINS, but hours before $7 come from reading_hourly, unless they got readings since it was rolled up ($8) or are
cut by the range's ends. What lies before $6 was dropped: there is nothing but hours. OFFSET 0 keeps the look-up of one
hour apart: joined, all readings of the range would be read.
"""
