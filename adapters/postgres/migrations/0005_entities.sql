-- Organizations and sections as people know them, batches, and a view that says to which batch a measurement belongs.

ALTER TABLE organization
    ADD COLUMN name       text NOT NULL DEFAULT '',
    ADD COLUMN address    text NOT NULL DEFAULT '',
    ADD COLUMN region     text NOT NULL DEFAULT '',
    ADD COLUMN version    int NOT NULL DEFAULT 1,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();

ALTER TABLE section
    ADD COLUMN name        text NOT NULL DEFAULT '',
    ADD COLUMN description text NOT NULL DEFAULT '',
    ADD COLUMN active      boolean NOT NULL DEFAULT true,  -- false = closed: no chamber comes to it
    ADD COLUMN version     int NOT NULL DEFAULT 1,
    ADD COLUMN updated_at  timestamptz NOT NULL DEFAULT now();

-- Such a key sees all organizations and makes new ones; its chambers are still those of its own.
ALTER TABLE api_key ADD COLUMN deployment boolean NOT NULL DEFAULT false;

-- Ranges of ids have an operator class for GiST of their own: an exclusion constraint needs no extension then.
CREATE TYPE id_range AS RANGE (subtype = text, collation = "C");

CREATE TABLE batch (
    organization text NOT NULL REFERENCES organization,
    id           text NOT NULL,
    section      text NOT NULL,
    name         text NOT NULL,
    description  text NOT NULL,
    started_at   timestamptz NOT NULL,
    ended_at     timestamptz,                    -- NULL = it goes on
    version      int NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, section) REFERENCES section (organization, id),
    CONSTRAINT batch_ends_after_its_start CHECK (ended_at > started_at),
    CONSTRAINT one_batch_at_a_time EXCLUDE USING gist (
        id_range(organization, organization, '[]') WITH &&,
        id_range(section, section, '[]') WITH &&,
        tstzrange(started_at, ended_at) WITH &&)
);
CREATE INDEX batch_by_start ON batch (organization, started_at DESC, id);

CREATE INDEX chamber_by_section ON chamber (organization, section);
CREATE INDEX chamber_section_by_section ON chamber_section (organization, section, chamber);

-- As before, with where the chamber stood at the slot and what was observed there.
CREATE OR REPLACE VIEW reading_value AS
    SELECT c.organization, c.id AS chamber, r.scheduled_at, s.name AS detector, d.alias, r."values"[s.place] AS value,
           s.unit, (ARRAY['good', 'suspect', 'bad', 'missing'])[1 + coalesce(r.quality[s.place], 0)] AS quality,
           p.section, b.id AS batch
    FROM reading r
    JOIN chamber c ON c.key = r.chamber
    JOIN (SELECT id, name, unit, place
          FROM detector_set, unnest(names, units) WITH ORDINALITY AS u (name, unit, place)) s ON s.id = r.detector_set
    LEFT JOIN detector d ON d.chamber = r.chamber AND d.name = s.name
    LEFT JOIN LATERAL (
        SELECT section FROM chamber_section WHERE chamber = r.chamber AND first_slot <= r.scheduled_at
        ORDER BY first_slot DESC LIMIT 1) p ON true
    LEFT JOIN batch b ON b.organization = c.organization AND b.section = p.section
        AND tstzrange(b.started_at, b.ended_at) @> r.scheduled_at;
