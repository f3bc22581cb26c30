-- Profiles by version, what else a chamber's device is known by, and the last answers of each chamber.

ALTER TABLE chamber
    ADD COLUMN profile_version text NOT NULL DEFAULT '',  -- '' = whichever the worker has by the profile's name
    ADD COLUMN timezone        text NOT NULL DEFAULT '',
    ADD COLUMN serial_number   text NOT NULL DEFAULT '';

-- A former release changes the profile without knowing of versions: another profile's version would be looked for then.
CREATE FUNCTION forget_profile_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.profile IS DISTINCT FROM OLD.profile AND NEW.profile_version = OLD.profile_version THEN
        NEW.profile_version := '';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER another_profile BEFORE UPDATE OF profile ON chamber
    FOR EACH ROW EXECUTE FUNCTION forget_profile_version();

-- Every version that a chamber was given or that was offered. Never changed: `version` is the beginning of the text's
-- SHA-256. Copies of files are each organization's own too, so that no look-up can reach another's.
CREATE TABLE profile_document (
    organization text NOT NULL REFERENCES organization,
    name         text NOT NULL,
    version      text NOT NULL,
    document     text NOT NULL,
    origin       text NOT NULL CHECK (origin IN ('built_in', 'directory', 'organization')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL,
    PRIMARY KEY (organization, name, version)
);

-- The organization's own profiles that are offered now: one version of each name.
CREATE TABLE profile_offer (
    organization text NOT NULL,
    name         text NOT NULL,
    version      text NOT NULL,
    offered_at   timestamptz NOT NULL DEFAULT now(),
    offered_by   text NOT NULL,
    PRIMARY KEY (organization, name),
    FOREIGN KEY (organization, name, version) REFERENCES profile_document
);

-- The last answer that could be read, and the last one that could not. Overwritten seldom: never part of a reading.
CREATE TABLE chamber_answer (
    chamber         int NOT NULL REFERENCES chamber,
    kind            text NOT NULL CHECK (kind IN ('success', 'failure')),
    slot            timestamptz NOT NULL,
    received_at     timestamptz NOT NULL,
    body            bytea NOT NULL,                     -- its beginning, secrets masked
    size            int NOT NULL,                       -- of the whole answer as it came
    sha256          bytea NOT NULL CHECK (length(sha256) = 32),
    problem         text NOT NULL,                      -- of a failure: gap reason and detail
    remarks         text[] NOT NULL,
    spec_version    int NOT NULL,
    profile_version text NOT NULL,
    stored_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (chamber, kind)
);
