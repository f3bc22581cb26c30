"""Every statement of the registry."""

from adapters.postgres.rows import DEVICE_OF_ROW, RECORD_COLUMNS

IS_OPEN = "(to_jsonb(s) -> 'active') IS DISTINCT FROM 'false'"
"""A schema that is not migrated yet has no such column, and no section that is closed: chambers are enrolled there."""
HAS_SECTION = f"SELECT EXISTS (SELECT FROM section s WHERE organization = $1 AND id = $2 AND {IS_OPEN})"  # noqa: S608
SECTIONS = f"SELECT id FROM section s WHERE organization = $1 AND {IS_OPEN} ORDER BY id"  # noqa: S608 - ours
ENTER_SECTION = f"SELECT {IS_OPEN} FROM section s WHERE organization = $1 AND id = $2 FOR SHARE"  # noqa: S608 - ours
"""Whoever closes it waits for this transaction and finds the chamber, or this one waits and finds the section shut."""

FIND = f"SELECT {RECORD_COLUMNS} FROM chamber_overview WHERE organization = $1 AND id = $2"  # noqa: S608 - ours

ALL_ROWS = f"SELECT {RECORD_COLUMNS} FROM chamber_overview ORDER BY id"  # noqa: S608 - ours
ANY_ROW = f"SELECT {RECORD_COLUMNS} FROM chamber_overview WHERE id = $1"  # noqa: S608 - ours
"""Of every organization: no request of anybody may get them."""

PAGE = f"""
SELECT {RECORD_COLUMNS} FROM chamber_overview
WHERE organization = $1 AND id > $2 AND ($3::text IS NULL OR section = $3)
    AND CASE WHEN $4::text IS NULL THEN retired_at IS NULL ELSE status = $4 END
    AND ($5::text IS NULL OR strpos(lower(id), lower($5)) > 0 OR strpos(lower(name), lower($5)) > 0)
ORDER BY id LIMIT $6
"""  # noqa: S608 - constants of ours

ACTIVE_CHAMBERS = """
SELECT id, section, name, interval_ms,
    ARRAY(SELECT d.name FROM detector d WHERE d.chamber = c.key AND NOT d.active ORDER BY d.name) AS inactive
FROM chamber c WHERE organization = $1 AND retired_at IS NULL ORDER BY id LIMIT $2
"""

STANDINGS = """
SELECT o.id, o.name, o.section, o.profile, o.status, o.interval_ms, e.interval_ms, e.phase_ms, ms_of(o.first_slot),
    ms_of(o.settled_through), ms_of(o.last_reading), ms_of(l.requested_at) - ms_of(l.scheduled_at),
    CASE WHEN coalesce(o.last_reading, '-infinity') <= o.settled_through - e.interval_ms * interval '1 millisecond'
        THEN (SELECT ms_of(g.last_slot) FROM gap g WHERE g.chamber = o.key AND g.opened AND g.last_slot IS NOT NULL
              ORDER BY g.first_slot DESC LIMIT 1) END,
    o.pause_since IS NOT NULL, ms_of(o.pause_until)
FROM chamber_overview o
JOIN schedule_epoch e ON e.chamber = o.key AND e.first_slot = o.first_slot
LEFT JOIN chamber_latest l ON l.chamber = o.key
WHERE o.organization = $1 AND o.retired_at IS NULL AND ($2::text IS NULL OR o.section = $2)
    AND ($3::text IS NULL OR strpos(lower(o.id), lower($3)) > 0 OR strpos(lower(o.name), lower($3)) > 0)
ORDER BY o.id
"""
"""In the order of `Standing`, the grid in two columns. Pauses are looked for only where the newest settled slot has no
reading: a fleet that is well costs no look."""

ENROL = """
INSERT INTO chamber (id, organization, section, version, name, url, profile, interval_ms, timeout_ms, round_span_ms,
    aligned, labels, secret_ref, verify_tls, settled_through, began_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::jsonb, $13, $14, instant_of($15::bigint - 1),
    instant_of($15::bigint), instant_of($16))
ON CONFLICT (id) DO NOTHING RETURNING key
"""

LOCK = f"""
SELECT key, organization, section, version, retiring, retired_at IS NOT NULL AS retired,
    pause_since IS NOT NULL AS paused, pause_reason, pause_by,
    ms_of(pause_until) AS pause_until_ms, {DEVICE_OF_ROW}
FROM chamber c WHERE id = $1 FOR NO KEY UPDATE
"""  # noqa: S608 - a constant of ours

LAST_SLOT = "SELECT ms_of(max(last_slot)) FROM schedule_epoch WHERE chamber = $1"

WRITE_SPEC = """
UPDATE chamber SET section = $3, version = $4, name = $5, url = $6, profile = $7, interval_ms = $8, timeout_ms = $9,
    round_span_ms = $10, aligned = $11, labels = $12::text::jsonb, secret_ref = $13, verify_tls = $14
WHERE id = $1 AND organization = $2
"""

WRITE_DEVICE = """
WITH written AS (
    UPDATE chamber SET profile_version = $2, timezone = $3, serial_number = $4 WHERE id = $1
    RETURNING key, version, profile, profile_version
)
INSERT INTO chamber_profile SELECT key, version, profile, profile_version FROM written
ON CONFLICT (chamber, spec_version) DO UPDATE SET profile = excluded.profile,
    profile_version = excluded.profile_version
"""
"""Apart, behind the spec, and only when they differ: a schema that is not migrated yet has no such columns."""

KEEP_TRACE = "UPDATE chamber SET enrolment_trace = nullif($2, '') WHERE id = $1"

BEGIN_AGAIN = """
UPDATE chamber SET retiring = false, retired_at = NULL, resumed_at = NULL, pause_since = NULL, pause_reason = '',
    pause_by = '', pause_until = NULL, began_at = instant_of($2::bigint),
    settled_through = instant_of($2::bigint - 1)
WHERE key = $1
"""
"""Nothing of the new life is settled, though the former may have looked further ahead than it came."""

OPEN_EPOCH = """
INSERT INTO schedule_epoch (chamber, first_slot, interval_ms, phase_ms, spec_version)
VALUES ($1, instant_of($2), $3, $4, $5)
ON CONFLICT (chamber, first_slot) DO UPDATE SET last_slot = NULL, final = false, interval_ms = excluded.interval_ms,
    phase_ms = excluded.phase_ms, spec_version = excluded.spec_version, decided_ms = 0
"""
"""A former life may have left an epoch with this first slot, of which no slot was handed out."""

PLACE = """
WITH placed AS (
    INSERT INTO chamber_section (chamber, first_slot, organization, section)
    VALUES ($1, coalesce(instant_of($2), date_trunc('milliseconds', clock_timestamp())), $3, $4)
    ON CONFLICT (chamber, first_slot) DO UPDATE SET section = excluded.section
    RETURNING chamber, first_slot
)
DELETE FROM chamber_section s USING placed p WHERE s.chamber = p.chamber AND s.first_slot > p.first_slot
"""
"""$2 NULL = from now on. Where it was to stand later is forgotten: its first slot did not come, in this life or before.
"""

WRITE_PAUSE = """
UPDATE chamber SET version = version + 1, pause_since = instant_of($2), pause_reason = $3, pause_by = $4,
    pause_until = instant_of($5), resumed_at = CASE WHEN $2::bigint IS NULL THEN clock_timestamp() ELSE resumed_at END
WHERE key = $1
"""

RETIRE = "UPDATE chamber SET retiring = true WHERE organization = $1 AND id = $2"

WRITE_DETECTOR = "UPDATE detector SET alias = $3, active = $4 WHERE chamber = $1 AND name = $2"
