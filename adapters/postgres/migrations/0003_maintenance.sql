-- Maintenance: days are sealed, may be dropped once they are, and what they measured stays by the hour.

-- The proof of each chamber's day that was sealed: what was expected, what became of it, and a SHA-256 of its readings.
-- A row a chamber keeps audits exact, of one chamber and of an organization. It outlives the readings.
CREATE TABLE audit_day (
    chamber   int NOT NULL REFERENCES chamber,
    day       date NOT NULL,                     -- UTC
    expected  bigint NOT NULL,
    stored    bigint NOT NULL,
    gaps      jsonb NOT NULL,                    -- reason -> slots
    sha256    bytea NOT NULL CHECK (length(sha256) = 32),
    sealed_at timestamptz NOT NULL,
    PRIMARY KEY (chamber, day)
);
CREATE INDEX audit_day_by_day ON audit_day (day);

-- Days of which every slot of every chamber has its outcome. A day on which nothing was expected has no other row.
CREATE TABLE sealed_day (
    day       date PRIMARY KEY,
    sealed_at timestamptz NOT NULL               -- before it was looked at: what is stored later is not in the seal
);

-- Readings of slots before this instant (a UTC midnight) are gone; 1970 = none is. Days are dropped in their order.
CREATE TABLE retained_from (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single),
    instant timestamptz NOT NULL
);
INSERT INTO retained_from (instant) VALUES (to_timestamp(0));

-- One detector's hour. Not partitioned: no hour is ever dropped, and an hour's rows touch the last page of each detector
-- in either case. The key holds the figures too, so that a curve of a year reads a hundred pages and no table.
CREATE TABLE reading_hourly (
    chamber  int NOT NULL REFERENCES chamber,
    detector text NOT NULL,
    hour     timestamptz NOT NULL,               -- its begin; UTC hours
    minimum  float8,                             -- NULL when it has no value
    sum      float8,
    maximum  float8,
    count    int NOT NULL,                       -- values
    worst    smallint NOT NULL,                  -- quality, as in `reading`
    PRIMARY KEY (chamber, detector, hour) INCLUDE (minimum, sum, maximum, count, worst)
);

-- Every reading that was committed before this instant is in reading_hourly.
CREATE TABLE rolled_up (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single),
    through timestamptz NOT NULL
);
INSERT INTO rolled_up (through) SELECT coalesce(min(created_at), now()) - interval '1 day' FROM chamber;

-- Finds what was stored lately, however old its slots are: rows lie in the order in which they were stored.
CREATE INDEX reading_stored_at ON reading USING brin (stored_at) WITH (pages_per_range = 32);

-- As before, but no day that was dropped comes back: what is stored into it is refused, not kept without proof.
CREATE OR REPLACE FUNCTION ensure_partitions(from_day date, to_day date) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    day  date;
    part text;
    made int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('chamberlog.partitions'));
    FOR day IN SELECT generate_series(from_day, to_day, interval '1 day')::date LOOP
        part := 'reading_' || to_char(day, 'YYYYMMDD');
        IF to_regclass(part) IS NULL AND day >= (SELECT (instant AT TIME ZONE 'UTC')::date FROM retained_from) THEN
            LOCK TABLE chamber, detector_set IN SHARE ROW EXCLUSIVE MODE;
            EXECUTE format('CREATE TABLE %I (LIKE reading INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
            EXECUTE format('ALTER TABLE reading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part,
                           day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;
