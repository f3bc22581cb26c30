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

RETAINED_FROM = """
SELECT ms_of(min(e.first_slot)) FROM schedule_epoch e JOIN chamber c ON c.key = e.chamber
WHERE c.organization = $1 AND ($2::text IS NULL OR c.id = $2)
"""
