"""Every statement about organizations, sections and batches."""

STAMPS = "version, ms_of(created_at) AS created_ms, ms_of(updated_at) AS updated_ms"
ORGANIZATION = f"id, name, address, region, {STAMPS}"
SECTION = f"organization, id, name, description, active, {STAMPS}"
BATCH = f"""organization, id, section, name, description, ms_of(started_at) AS started_ms, ms_of(ended_at) AS ended_ms,
    {STAMPS}"""

ADD_ORGANIZATION = f"""
WITH made AS (
    INSERT INTO organization (id, name, address, region) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING RETURNING *
), first AS (
    INSERT INTO section (organization, id) SELECT id, $5 FROM made
)
SELECT {ORGANIZATION} FROM made
"""  # noqa: S608 - constants of ours
FIND_ORGANIZATION = f"SELECT {ORGANIZATION} FROM organization WHERE id = $1"  # noqa: S608 - constants of ours
PAGE_ORGANIZATIONS = f"SELECT {ORGANIZATION} FROM organization WHERE id > $1 ORDER BY id LIMIT $2"  # noqa: S608 - ours
CHANGE_ORGANIZATION = f"""
UPDATE organization SET name = $3, address = $4, region = $5, version = version + 1, updated_at = clock_timestamp()
WHERE id = $1 AND version = $2 RETURNING {ORGANIZATION}
"""  # noqa: S608 - constants of ours

CHAMBERS = """(
    SELECT count(*) FROM chamber c
    WHERE c.organization = s.organization AND c.section = s.id AND c.retired_at IS NULL) AS chambers"""

ADD_SECTION = """
INSERT INTO section (organization, id, name, description, active) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (organization, id) DO NOTHING RETURNING true
"""
FIND_SECTION = f"""
SELECT {SECTION}, {CHAMBERS} FROM section s WHERE organization = $1 AND id = $2
"""  # noqa: S608 - constants of ours
PAGE_SECTIONS = f"""
SELECT {SECTION}, {CHAMBERS} FROM section s WHERE organization = $1 AND id > $2 ORDER BY id LIMIT $3
"""  # noqa: S608 - constants of ours
HOLD_SECTION = "SELECT version FROM section WHERE organization = $1 AND id = $2 FOR NO KEY UPDATE"
"""Whoever enrols a chamber in it, or moves one to it, waits: see `ENTER_SECTION`."""
CHANGE_SECTION = """
UPDATE section SET name = $3, description = $4, active = $5, version = version + 1, updated_at = clock_timestamp()
WHERE organization = $1 AND id = $2
"""

ADD_BATCH = f"""
INSERT INTO batch (organization, id, section, name, description, started_at, ended_at)
VALUES ($1, $2, $3, $4, $5, instant_of($6), instant_of($7))
ON CONFLICT DO NOTHING RETURNING {BATCH}
"""  # noqa: S608 - constants of ours
"""Nothing too when another one overlaps it. So two that are made together never wait for each other, as they would
when the constraint raised an error: PostgreSQL would end one of them as deadlocked, a second later.
"""
FIND_BATCH = f"SELECT {BATCH} FROM batch WHERE organization = $1 AND id = $2"  # noqa: S608 - constants of ours
PAGE_BATCHES = f"""
SELECT {BATCH} FROM batch
WHERE organization = $1 AND ($2::text IS NULL OR section = $2)
    AND ($3::bigint IS NULL OR tstzrange(started_at, ended_at) @> instant_of($3))
    AND ($4::bigint IS NULL OR started_at < instant_of($4)
         OR (started_at = instant_of($4) AND id COLLATE "C" > $5::text COLLATE "C"))
ORDER BY started_at DESC, id COLLATE "C" LIMIT $6
"""  # noqa: S608 - constants of ours
HOLD_SECTION_OF = """
SELECT s.id FROM section s JOIN batch b ON b.organization = s.organization AND b.section = s.id
WHERE b.organization = $1 AND b.id = $2 FOR NO KEY UPDATE OF s
"""
"""One change of a section's batches at a time: two that collide would wait for each other."""
STAYS = """
SELECT c.id AS chamber_id, p.from_ms, p.to_ms
FROM chamber_section s
JOIN chamber c ON c.key = s.chamber
CROSS JOIN LATERAL (
    SELECT ms_of(min(first_slot)) AS ms FROM chamber_section WHERE chamber = s.chamber AND first_slot > s.first_slot) n
CROSS JOIN LATERAL (
    SELECT greatest(ms_of(s.first_slot), $3::bigint) AS from_ms, least(n.ms, $4::bigint) AS to_ms) p
WHERE s.organization = $1 AND s.section = $2 AND (p.to_ms IS NULL OR p.from_ms < p.to_ms)
    AND (c.id COLLATE "C" > $5::text COLLATE "C" OR (c.id = $5 AND p.from_ms > $6))
ORDER BY c.id COLLATE "C", p.from_ms LIMIT $7
"""
"""Of chambers that stood in section $2 in [$3, $4), behind chamber $5 and instant $6; `least` passes over NULL."""
CHANGE_BATCH = f"""
UPDATE batch SET name = $4, description = $5, started_at = instant_of($6), ended_at = instant_of($7),
    version = version + 1, updated_at = clock_timestamp()
WHERE organization = $1 AND id = $2 AND version = $3 RETURNING {BATCH}
"""  # noqa: S608 - constants of ours
OVERLAPPING = """
SELECT id FROM batch WHERE organization = $1 AND section = $2 AND id <> $3
    AND tstzrange(started_at, ended_at) && tstzrange(instant_of($4), instant_of($5))
ORDER BY started_at LIMIT 1
"""
