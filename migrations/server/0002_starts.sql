-- How often the directory has started: the upper half of each event's id, so that ids grow over restarts
-- (server/src/directory/clock.rs).
ALTER TABLE clock ADD COLUMN starts INTEGER NOT NULL DEFAULT 0;
