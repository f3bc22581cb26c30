-- When a chamber decided on an epoch, by its own clock; 0 for the one that it was enrolled with.
-- Two changes before the first slot of a new grid may choose the same first slot, so the slot alone does not tell which
-- of them stands: the one that was decided later does, however often the earlier one is stored again.
ALTER TABLE schedule_epoch ADD COLUMN decided_ms bigint NOT NULL DEFAULT 0;
