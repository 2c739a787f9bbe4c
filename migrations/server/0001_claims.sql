-- The directory's tables. Wall times are milliseconds since 1970, UTC; ends_ms and clock.ms are milliseconds of the
-- directory's running time, which stands still while it does not run.

-- server/src/directory/claims.rs: who may use a name.
CREATE TABLE claims (
    name          TEXT    NOT NULL PRIMARY KEY,
    token_hash    BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    fingerprint   BLOB    CHECK (length(fingerprint) = 32),
    -- When the last lease ended; NULL while one runs. Retention counts from here.
    offline_since INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_by_offline_since ON claims (offline_since) WHERE offline_since IS NOT NULL;

-- server/src/directory/leases.rs: who is online.
CREATE TABLE leases (
    name         TEXT    NOT NULL PRIMARY KEY REFERENCES claims (name) ON DELETE CASCADE,
    address      TEXT    NOT NULL,
    online_since INTEGER NOT NULL,
    ends_ms      INTEGER NOT NULL,
    -- 1: a restart has lengthened it once since its last renewal, and none may again.
    graced       INTEGER NOT NULL CHECK (graced IN (0, 1))
) STRICT, WITHOUT ROWID;

-- server/src/directory/clock.rs: running time, as far as it was written down; exact after a clean stop.
CREATE TABLE clock (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    ms    INTEGER NOT NULL,
    exact INTEGER NOT NULL CHECK (exact IN (0, 1))
) STRICT;

INSERT INTO clock (id, ms, exact) VALUES (1, 0, 1);

-- What memory holds of those online.
CREATE VIEW online AS
SELECT name, token_hash, fingerprint, address, online_since, ends_ms
FROM leases JOIN claims USING (name);
