-- By which version of which profile a reading was made: its spec_version leads to it.

-- From this version of the chamber's spec on; until the next row. Chambers that were never pinned have none.
CREATE TABLE chamber_profile (
    chamber         int NOT NULL REFERENCES chamber,
    spec_version    int NOT NULL,
    profile         text NOT NULL,
    profile_version text NOT NULL,
    PRIMARY KEY (chamber, spec_version)
);
INSERT INTO chamber_profile SELECT key, version, profile, profile_version FROM chamber WHERE profile_version <> '';

CREATE VIEW reading_profile AS
    SELECT c.organization, c.id AS chamber, r.scheduled_at, r.spec_version, p.profile, p.profile_version
    FROM reading r
    JOIN chamber c ON c.key = r.chamber
    LEFT JOIN LATERAL (
        SELECT profile, profile_version FROM chamber_profile
        WHERE chamber = r.chamber AND spec_version <= r.spec_version
        ORDER BY spec_version DESC LIMIT 1) p ON true;
