"""Every statement of the profiles."""

DOCUMENT = "d.name, d.document, d.origin, ms_of(d.created_at) AS created_ms, d.created_by"
OFFERED_DOCUMENT = "d.name, d.document, 'organization' AS origin, ms_of(d.created_at) AS created_ms, d.created_by"
"""A text that was in a file first may be offered as the organization's own afterwards."""

KEEP = """
INSERT INTO profile_document (organization, name, version, document, origin, created_by)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
"""

FIND = f"SELECT {DOCUMENT} FROM profile_document d WHERE organization = $1 AND name = $2 AND version = $3"  # noqa: S608
VERSIONS = f"""
SELECT {DOCUMENT} FROM profile_document d WHERE organization = $1 AND name = $2
ORDER BY created_at DESC, version LIMIT $3
"""  # noqa: S608 - constants of ours

OFFERED = f"""
SELECT {OFFERED_DOCUMENT} FROM profile_document d JOIN profile_offer o USING (organization, name, version)
WHERE organization = $1 ORDER BY name
"""  # noqa: S608 - constants of ours
OWN = f"""
SELECT {OFFERED_DOCUMENT} FROM profile_document d JOIN profile_offer o USING (organization, name, version)
WHERE organization = $1 AND name = $2
"""  # noqa: S608 - constants of ours

HOLD = "SELECT id FROM organization WHERE id = $1 FOR NO KEY UPDATE"
"""Those who offer take turns: an offer that is not there yet has no row that could be held."""
OFFERS = "SELECT name, version FROM profile_offer WHERE organization = $1"
OFFER = """
INSERT INTO profile_offer (organization, name, version, offered_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization, name) DO UPDATE SET version = excluded.version, offered_by = excluded.offered_by,
    offered_at = now()
"""
WITHDRAW = "DELETE FROM profile_offer WHERE organization = $1 AND name = $2"
