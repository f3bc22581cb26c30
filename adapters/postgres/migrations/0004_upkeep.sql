-- When the fleet was looked after last, and what that came to: one row a kind of upkeep.
CREATE TABLE upkeep (
    kind        text PRIMARY KEY,
    finished_at timestamptz NOT NULL,
    counts      jsonb NOT NULL
);
