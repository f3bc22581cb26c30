-- What became of every slot: $1 organization or NULL, $2 chamber id or NULL, [$3, $4) the range in ms, already cut at
-- $5 = now.
-- The time of each chamber is cut at every instant at which anything changes (epochs, gap runs, settled_through,
-- deadlines). Within such a segment all slots have the same fate, so they are counted and never listed:
-- the work grows with runs and readings, not with slots.
WITH chambers AS MATERIALIZED (
    SELECT key AS chamber, id, ms_of(settled_through) AS settled
    FROM chamber WHERE ($1::text IS NULL OR organization = $1) AND ($2::text IS NULL OR id = $2)
), epochs AS MATERIALIZED (
    SELECT * FROM (
        SELECT c.chamber, greatest(ms_of(e.first_slot), $3) AS lo, least(ms_of(e.last_slot) + 1, $4) AS hi,
            e.interval_ms::bigint AS step, e.phase_ms::bigint AS phase,
            $5::bigint - least(e.interval_ms, greatest(60000, e.interval_ms / 10)) AS overdue  -- and what is before it
        FROM schedule_epoch e JOIN chambers c USING (chamber)) cut
    WHERE lo < hi
), runs AS MATERIALIZED (
    SELECT g.chamber, g.id, g.reason, g.recorded_at, greatest(ms_of(g.first_slot), $3) AS lo,
        least(ms_of(g.last_slot) + 1, $4) AS hi
    FROM gap g JOIN chambers c USING (chamber)
    WHERE g.first_slot < instant_of($4)
        AND (g.last_slot IS NULL OR (g.last_slot >= instant_of($3) AND g.last_slot >= g.first_slot))
), bounds AS MATERIALIZED (
    SELECT chamber, array_agg(DISTINCT edge ORDER BY edge) AS edges
    FROM (
        SELECT chamber, unnest(ARRAY[lo, hi, overdue + 1]) AS edge FROM epochs
        UNION ALL SELECT chamber, unnest(ARRAY[lo, hi]) FROM runs
        UNION ALL SELECT chamber, settled + 1 FROM chambers) e
    WHERE edge BETWEEN $3 AND $4
    GROUP BY chamber
), segments AS MATERIALIZED (
    SELECT e.chamber, place, edges[place] AS lo, e.overdue,
        (edges[place + 1] - phase + step - 1) / step - (edges[place] - phase + step - 1) / step AS slots
    FROM epochs e JOIN bounds b USING (chamber)
    CROSS JOIN LATERAL generate_series(width_bucket(e.lo, edges), width_bucket(e.hi, edges) - 1) AS place
), covered AS MATERIALIZED (
    SELECT DISTINCT ON (chamber, place) chamber, place, reason
    FROM runs r JOIN bounds b USING (chamber)
    CROSS JOIN LATERAL generate_series(width_bucket(r.lo, edges), width_bucket(r.hi, edges) - 1) AS place
    ORDER BY chamber, place, recorded_at, id
), present AS MATERIALIZED (
    SELECT e.chamber, width_bucket(r.slot, b.edges) AS place, count(*) AS stored
    FROM epochs e JOIN bounds b USING (chamber)
    CROSS JOIN LATERAL (
        SELECT ms_of(scheduled_at) AS slot FROM reading
        WHERE chamber = e.chamber AND scheduled_at >= instant_of(e.lo) AND scheduled_at < instant_of(e.hi)) r
    WHERE (r.slot - e.phase) % e.step = 0
    GROUP BY 1, 2
), fates AS (
    SELECT s.chamber, s.slots - coalesce(p.stored, 0) AS slots,
        CASE
            WHEN v.reason IS NOT NULL THEN v.reason
            WHEN s.lo <= c.settled THEN 'unaccounted'
            WHEN s.lo <= s.overdue THEN 'overdue'
            ELSE 'pending'
        END AS fate
    FROM segments s
    JOIN chambers c USING (chamber)
    LEFT JOIN covered v USING (chamber, place)
    LEFT JOIN present p USING (chamber, place)
)
SELECT c.id, f.fate, sum(f.slots)::bigint AS slots
FROM (
    SELECT chamber, fate, slots FROM fates WHERE slots > 0
    UNION ALL SELECT chamber, 'stored', stored FROM present
    UNION ALL SELECT chamber, 'expected', (hi - phase + step - 1) / step - (lo - phase + step - 1) / step FROM epochs) f
JOIN chambers c USING (chamber)
GROUP BY c.id, f.fate HAVING sum(f.slots) > 0
