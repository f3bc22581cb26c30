"""Every statement of the maintenance. Days are UTC; instants in and out are milliseconds since the Unix epoch."""

from datetime import date

NOW = "SELECT ms_of(clock_timestamp())"
ENSURE = "SELECT ensure_partitions($1::date, $1::date)"

LOCK_ROLLED_UP = "SELECT through FROM rolled_up FOR UPDATE"
ROLL_TO = """
SELECT least($1::timestamptz + $2::interval, clock_timestamp() - $3::interval) AS until,
    $1::timestamptz + $2::interval >= clock_timestamp() - $3::interval AS complete
"""
ROLL_AGAIN = "UPDATE rolled_up SET through = $1::timestamptz - $2::interval"
"""After the server's clock went back, or a slower server took over: what it stored since is looked for anew."""
MOVE_ROLLED_UP = "UPDATE rolled_up SET through = $1 WHERE through < $1"

ROLL_UP = """
WITH touched AS MATERIALIZED (
    SELECT DISTINCT chamber, date_bin('1 hour', scheduled_at, to_timestamp(0)) AS hour
    FROM reading WHERE stored_at >= $1 AND stored_at < $2
), broken AS (
    DELETE FROM sealed_day WHERE day IN (SELECT (hour AT TIME ZONE 'UTC')::date FROM touched)
), figures AS (
    SELECT t.chamber, m.detector, t.hour, min(m.value) AS minimum, sum(m.value) AS sum, max(m.value) AS maximum,
        count(m.value)::int AS count, max(coalesce(m.quality, 0)) AS worst
    FROM touched t
    CROSS JOIN LATERAL (
        SELECT detector_set, "values", quality FROM reading
        WHERE chamber = t.chamber AND scheduled_at >= t.hour AND scheduled_at < t.hour + interval '1 hour' OFFSET 0) r
    JOIN detector_set s ON s.id = r.detector_set
    CROSS JOIN LATERAL unnest(s.names, r."values", r.quality) AS m (detector, value, quality)
    GROUP BY t.chamber, m.detector, t.hour
), written AS (
    INSERT INTO reading_hourly AS h (chamber, detector, hour, minimum, sum, maximum, count, worst)
    SELECT chamber, detector, hour, minimum, sum, maximum, count, worst FROM figures ORDER BY chamber, detector, hour
    ON CONFLICT (chamber, detector, hour) DO UPDATE SET minimum = excluded.minimum, sum = excluded.sum,
        maximum = excluded.maximum, count = excluded.count, worst = excluded.worst
    WHERE (h.minimum, h.sum, h.maximum, h.count, h.worst)
        IS DISTINCT FROM (excluded.minimum, excluded.sum, excluded.maximum, excluded.count, excluded.worst)
    RETURNING 1
)
SELECT count(*) FROM written
"""
"""Hours with readings that were stored in [$1, $2), from all readings of those hours.

OFFSET 0 keeps the look-up of one hour apart: joined, all readings of all days would be read.
"""

RETAINED_FROM = "SELECT ms_of(instant) FROM retained_from"
OLDEST_DAY = r"""
SELECT least(
    (SELECT min(to_date(right(relname, 8), 'YYYYMMDD')) FROM pg_class
     WHERE relname ~ '^reading_\d{8}$' AND relkind = 'r' AND relnamespace = current_schema()::regnamespace),
    coalesce((SELECT (instant AT TIME ZONE 'UTC')::date FROM retained_from WHERE instant > to_timestamp(0)),
        (SELECT (min(first_slot) AT TIME ZONE 'UTC')::date FROM schedule_epoch)))
"""
"""A partition that is older than what is retained is one whose dropping was cut off."""
DAYS_TO_SEAL = """
SELECT d::date AS day
FROM generate_series(
    (SELECT CASE WHEN min(first_slot) IS NOT NULL THEN
        (greatest(min(first_slot), (SELECT instant FROM retained_from)) AT TIME ZONE 'UTC')::date END
     FROM schedule_epoch), $1::date, interval '1 day') AS d
WHERE NOT EXISTS (SELECT FROM sealed_day s WHERE s.day = d::date)
ORDER BY 1
"""

DIGESTS = """
SELECT r.chamber, max(r.stored_at) AS newest, sha256(string_agg(
        int8send(ms_of(r.scheduled_at)) || int8send(ms_of(r.requested_at)) || int8send(ms_of(r.received_at))
        || int8send(coalesce(ms_of(r.observed_at), -9223372036854775808)) || int8send(ms_of(r.stored_at))
        || int4send(r.spec_version) || array_send(s.names) || array_send(s.units) || array_send(r."values")
        || coalesce(array_send(r.quality), '\\xff'::bytea), ''::bytea ORDER BY r.scheduled_at)) AS sha256
FROM {source} r JOIN detector_set s ON s.id = r.detector_set
GROUP BY r.chamber
"""
"""See `collector.domain.sealing.digest_of`."""
DAY_OF_READINGS = """(
    SELECT * FROM reading WHERE scheduled_at >= $1::date::timestamp AT TIME ZONE 'UTC'
        AND scheduled_at < ($1::date + 1)::timestamp AT TIME ZONE 'UTC')"""
DAY_DIGESTS = DIGESTS.format(source=DAY_OF_READINGS)
KEYS = "SELECT id, key FROM chamber"

KEEP_SEALS = """
WITH told AS (
    SELECT chamber, expected, stored, gaps::jsonb AS gaps, sha256
    FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[])
        AS u (chamber, expected, stored, gaps, sha256)
), gone AS (
    DELETE FROM audit_day WHERE day = $1 AND chamber NOT IN (SELECT chamber FROM told) RETURNING 1
), kept AS (
    INSERT INTO audit_day AS a (chamber, day, expected, stored, gaps, sha256, sealed_at)
    SELECT chamber, $1, expected, stored, gaps, sha256, instant_of($7) FROM told
    ON CONFLICT (chamber, day) DO UPDATE SET expected = excluded.expected, stored = excluded.stored,
        gaps = excluded.gaps, sha256 = excluded.sha256, sealed_at = excluded.sealed_at
    WHERE (a.expected, a.stored, a.gaps, a.sha256)
        IS DISTINCT FROM (excluded.expected, excluded.stored, excluded.gaps, excluded.sha256)
    RETURNING 1
), sealed AS (
    INSERT INTO sealed_day AS s (day, sealed_at) VALUES ($1, instant_of($7))
    ON CONFLICT (day) DO UPDATE SET sealed_at = excluded.sealed_at RETURNING xmax = 0 AS fresh
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM kept) > 0 OR (SELECT fresh FROM sealed)
"""
BREAK_SEAL = """
WITH broken AS (DELETE FROM sealed_day WHERE day = $1) DELETE FROM audit_day WHERE day = $1
"""
SEALS = """
SELECT c.id, a.expected, a.stored, a.gaps::text AS gaps, a.sha256
FROM audit_day a JOIN chamber c ON c.key = a.chamber WHERE a.day = $1
"""

TRY_LOCK = "SELECT pg_try_advisory_lock(hashtext('chamberlog.retention'))"
UNLOCK = "SELECT pg_advisory_unlock(hashtext('chamberlog.retention'))"
IS_ROLLED_UP = f"""
SELECT coalesce((SELECT max(stored_at) FROM {DAY_OF_READINGS} r) < (SELECT through FROM rolled_up), true)
"""  # noqa: S608 - constants of ours
MOVE_RETAINED_FROM = "UPDATE retained_from SET instant = $1::date::timestamp AT TIME ZONE 'UTC'"
PARTITION_STATE = """
SELECT i.inhrelid IS NOT NULL AS attached, coalesce(i.inhdetachpending, false) AS pending
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'reading'::regclass
WHERE c.oid = to_regclass($1)
"""
LOCK_REFERENCED = "LOCK TABLE chamber, detector_set IN ACCESS EXCLUSIVE MODE"
"""What a partition refers to is locked when it is dropped or attached: first, and in the order in which writers touch
it, so that nobody blocks the other for ever."""


def partition_of(day: date) -> str:
    """The name of a day's partition."""
    return f"reading_{day:%Y%m%d}"


def detach(day: date, how: str) -> str:
    """Detach without stopping readers and writers; `how` is CONCURRENTLY, or FINALIZE to end one that was cut off."""
    return f"ALTER TABLE reading DETACH PARTITION {partition_of(day)} {how}"


def attach(day: date) -> str:
    """Attach a day's partition again."""
    until = date.fromordinal(day.toordinal() + 1)
    ends = f"FOR VALUES FROM ('{day} 00:00+00') TO ('{until} 00:00+00')"
    return f"ALTER TABLE reading ATTACH PARTITION {partition_of(day)} {ends}"


def drop(day: date) -> str:
    """Drop a partition that is detached."""
    return f"DROP TABLE {partition_of(day)}"


def differs(day: date) -> str:
    """Whether a detached day ($1) holds anything that its seals or the hours do not."""
    digests = DIGESTS.format(source=partition_of(day))
    return f"""
    SELECT coalesce(bool_or(a.sha256 IS DISTINCT FROM coalesce(d.sha256, sha256(''::bytea))), false) AS changed,
        coalesce(max(d.newest) >= (SELECT through FROM rolled_up), false) AS fresh
    FROM (SELECT * FROM audit_day WHERE day = $1) a FULL JOIN ({digests}) d USING (chamber)
    """  # noqa: S608 - a date and constants of ours
