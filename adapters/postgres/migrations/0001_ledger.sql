-- The ledger: who is read (registry), what was expected (epochs), what became of it (readings and gaps).

-- Instants travel as integers of milliseconds since the Unix epoch; both directions are exact to the millisecond.
CREATE FUNCTION instant_of(ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_timestamp(ms::float8 / 1000);
CREATE FUNCTION ms_of(instant timestamptz) RETURNS bigint LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN round(date_part('epoch', instant) * 1000)::bigint;

CREATE TABLE organization (
    id         text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE section (
    organization text NOT NULL REFERENCES organization,
    id           text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization, id)
);

INSERT INTO organization (id) VALUES ('default');
INSERT INTO section (organization, id) VALUES ('default', 'default');

CREATE TABLE api_key (
    id            text PRIMARY KEY,
    organization  text NOT NULL REFERENCES organization,
    name          text NOT NULL,
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz
);

CREATE TABLE chamber (
    key             int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- what rows of readings carry: 4 bytes
    id              text NOT NULL UNIQUE,
    organization    text NOT NULL,
    section         text NOT NULL,
    version         int NOT NULL,
    name            text NOT NULL,
    url             text NOT NULL,
    profile         text NOT NULL,
    interval_ms     int NOT NULL CHECK (interval_ms > 0),
    timeout_ms      int NOT NULL CHECK (timeout_ms > 0),
    round_span_ms   int,
    aligned         boolean NOT NULL,
    labels          jsonb NOT NULL,
    secret_ref      text,
    verify_tls      boolean NOT NULL,
    pause_since     timestamptz,                 -- set while it is paused
    pause_reason    text NOT NULL DEFAULT '',
    pause_by        text NOT NULL DEFAULT '',
    pause_until     timestamptz,
    resumed_at      timestamptz,                 -- when the last pause was taken from the row
    settled_through timestamptz NOT NULL,        -- every slot up to here has its outcome
    began_at        timestamptz NOT NULL,        -- first slot since it was enrolled last
    created_at      timestamptz NOT NULL,
    retiring        boolean NOT NULL DEFAULT false,
    retired_at      timestamptz,
    FOREIGN KEY (organization, section) REFERENCES section (organization, id)
) WITH (fillfactor = 50);  -- settled_through moves with every reading: heap-only updates
CREATE INDEX chamber_by_organization ON chamber (organization, id);

-- Where a chamber stood from which slot on: a move does not rewrite which batch old readings belong to.
CREATE TABLE chamber_section (
    chamber      int NOT NULL REFERENCES chamber,
    first_slot   timestamptz NOT NULL,
    organization text NOT NULL,
    section      text NOT NULL,
    PRIMARY KEY (chamber, first_slot),
    FOREIGN KEY (organization, section) REFERENCES section (organization, id)
);

CREATE TABLE schedule_epoch (
    chamber      int NOT NULL REFERENCES chamber,
    first_slot   timestamptz NOT NULL,
    last_slot    timestamptz,                    -- NULL = open; before first_slot = empty
    interval_ms  int NOT NULL CHECK (interval_ms > 0),
    phase_ms     int NOT NULL CHECK (phase_ms >= 0 AND phase_ms < interval_ms),
    spec_version int NOT NULL,
    final        boolean NOT NULL DEFAULT false, -- ended because the chamber retired
    PRIMARY KEY (chamber, first_slot)
);
CREATE UNIQUE INDEX schedule_epoch_open ON schedule_epoch (chamber) WHERE last_slot IS NULL;

CREATE TABLE detector (
    chamber int NOT NULL REFERENCES chamber,
    name    text NOT NULL,
    alias   text,
    unit    text NOT NULL,                       -- of the first reading that has it
    active  boolean NOT NULL DEFAULT true,
    PRIMARY KEY (chamber, name),
    UNIQUE (chamber, alias)
);

-- The order of a reading's values. The units belong to it: a device that is switched to other units makes a new set.
CREATE TABLE detector_set (
    id    int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    names text[] NOT NULL,
    units text[] NOT NULL CHECK (cardinality(units) = cardinality(names)),
    UNIQUE (names, units)
);

CREATE TABLE reading (
    chamber      int NOT NULL REFERENCES chamber,
    scheduled_at timestamptz NOT NULL,
    requested_at timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    observed_at  timestamptz,
    stored_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    detector_set int NOT NULL REFERENCES detector_set,
    spec_version int NOT NULL,
    "values"     float8[] NOT NULL,
    quality      smallint[],                     -- NULL = all good; 0 good, 1 suspect, 2 bad, 3 missing
    PRIMARY KEY (chamber, scheduled_at),
    CHECK (quality IS NULL OR cardinality(quality) = cardinality("values"))
) PARTITION BY RANGE (scheduled_at);
CREATE INDEX reading_scheduled_at ON reading USING brin (scheduled_at) WITH (pages_per_range = 32);

CREATE TABLE reading_adhoc (
    chamber      int NOT NULL REFERENCES chamber,
    request_id   text NOT NULL,
    scheduled_at timestamptz NOT NULL,
    requested_at timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    observed_at  timestamptz,
    stored_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    detector_set int NOT NULL REFERENCES detector_set,
    spec_version int NOT NULL,
    "values"     float8[] NOT NULL,
    quality      smallint[],
    PRIMARY KEY (chamber, request_id),
    CHECK (quality IS NULL OR cardinality(quality) = cardinality("values"))
);

CREATE TABLE chamber_latest (
    chamber      int PRIMARY KEY REFERENCES chamber,
    scheduled_at timestamptz NOT NULL,
    requested_at timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    observed_at  timestamptz,
    stored_at    timestamptz NOT NULL,
    detector_set int NOT NULL REFERENCES detector_set,
    spec_version int NOT NULL,
    "values"     float8[] NOT NULL,
    quality      smallint[]
) WITH (fillfactor = 50);

-- Append-only but for open pauses, which are closed once.
CREATE TABLE gap (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chamber     int NOT NULL REFERENCES chamber,
    first_slot  timestamptz NOT NULL,
    last_slot   timestamptz,                     -- NULL = open
    reason      text NOT NULL CHECK (reason IN ('unreachable', 'timeout', 'denied', 'http_status', 'malformed',
                    'too_large', 'blocked', 'unauthorized', 'misconfigured', 'overrun', 'missed', 'paused', 'overflow',
                    'lost')),
    detail      text NOT NULL,
    by          text NOT NULL,
    until       timestamptz,
    opened      boolean NOT NULL DEFAULT false,  -- it was stored as an open run
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT only_a_paused_run_may_be_open CHECK (last_slot IS NOT NULL OR (opened AND reason = 'paused'))
);
CREATE UNIQUE INDEX gap_once ON gap (chamber, first_slot, last_slot, reason) WHERE NOT opened;
CREATE UNIQUE INDEX gap_opened_once ON gap (chamber, first_slot) WHERE opened;

-- Partitions of `reading`, one per UTC day, both days inclusive; says how many are new. A table that is attached, unlike
-- one that is created as a partition, lets readers and writers of the others go on. The tables that it refers to are
-- locked first, in the order in which writers touch them: two writers of one new day cannot block each other for ever.
CREATE FUNCTION ensure_partitions(from_day date, to_day date) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    day  date;
    part text;
    made int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('chamberlog.partitions'));
    FOR day IN SELECT generate_series(from_day, to_day, interval '1 day')::date LOOP
        part := 'reading_' || to_char(day, 'YYYYMMDD');
        IF to_regclass(part) IS NULL THEN
            LOCK TABLE chamber, detector_set IN SHARE ROW EXCLUSIVE MODE;
            EXECUTE format('CREATE TABLE %I (LIKE reading INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
            EXECUTE format('ALTER TABLE reading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part,
                           day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;

-- One row per measurement, for people and SQL.
CREATE VIEW reading_value AS
    SELECT c.organization, c.id AS chamber, r.scheduled_at, s.name AS detector, d.alias, r."values"[s.place] AS value,
           s.unit, (ARRAY['good', 'suspect', 'bad', 'missing'])[1 + coalesce(r.quality[s.place], 0)] AS quality
    FROM reading r
    JOIN chamber c ON c.key = r.chamber
    JOIN (SELECT id, name, unit, place
          FROM detector_set, unnest(names, units) WITH ORDINALITY AS u (name, unit, place)) s ON s.id = r.detector_set
    LEFT JOIN detector d ON d.chamber = r.chamber AND d.name = s.name;

-- The registry's rows with what the ledger says of them. `status`, the first that fits:
--   retired, retiring, paused;
--   stale       settled_through (or the end of a pause) plus two intervals plus 60 s is over;
--   starting    no slot since the enrolment is settled;
--   failing     the last three settled slots since the last pause and the epoch's begin have no reading;
--   collecting.
-- It depends on no worker. A pause whose `until` passed so long ago counts as ended: nobody was there to resume.
CREATE VIEW chamber_overview AS
    SELECT c.*, e.first_slot, l.scheduled_at AS last_reading,
        CASE
            WHEN c.retired_at IS NOT NULL THEN 'retired'
            WHEN c.retiring THEN 'retiring'
            WHEN c.pause_since IS NOT NULL AND (c.pause_until IS NULL OR now() <= c.pause_until + p.patience) THEN 'paused'
            WHEN now() > greatest(c.settled_through, c.resumed_at, c.pause_until) + p.patience THEN 'stale'
            WHEN c.settled_through < c.began_at THEN 'starting'
            WHEN t.third >= e.first_slot AND (l.scheduled_at IS NULL OR l.scheduled_at < t.third)
                AND NOT EXISTS (SELECT FROM gap g WHERE g.chamber = c.key AND g.opened AND g.last_slot >= t.third)
                THEN 'failing'
            ELSE 'collecting'
        END AS status
    FROM chamber c
    CROSS JOIN LATERAL (SELECT 2 * c.interval_ms * interval '1 millisecond' + interval '60 seconds' AS patience) p
    CROSS JOIN LATERAL (
        SELECT first_slot, interval_ms * interval '1 millisecond' AS step, instant_of(phase_ms) AS origin
        FROM schedule_epoch WHERE chamber = c.key ORDER BY last_slot IS NULL DESC, first_slot DESC LIMIT 1) e
    CROSS JOIN LATERAL (SELECT date_bin(e.step, c.settled_through, e.origin) - 2 * e.step AS third) t
    LEFT JOIN chamber_latest l ON l.chamber = c.key;
