-- server/src/directory/invites.rs: codes that let a new claim into a private directory. A code that is used up is gone.
CREATE TABLE invites (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    uses_left  INTEGER NOT NULL CHECK (uses_left > 0),
    -- Wall time in milliseconds since 1970, UTC.
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX invites_by_expiry ON invites (expires_at);

-- server/src/directory/claims.rs: how many claims there are, and how often some were released by hand. A running
-- directory looks at the latter, since who releases is another process.
CREATE TABLE tally (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    claims   INTEGER NOT NULL,
    releases INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO tally (id, claims) SELECT 1, count(*) FROM claims;

CREATE TRIGGER claims_count_up AFTER INSERT ON claims BEGIN
    UPDATE tally SET claims = claims + 1;
END;

CREATE TRIGGER claims_count_down AFTER DELETE ON claims BEGIN
    UPDATE tally SET claims = claims - 1;
END;

-- Each retention has an index of its own, so that freeing names looks only at those that it frees.
DROP INDEX claims_by_offline_since;
CREATE INDEX claims_keyed_by_offline_since ON claims (offline_since)
    WHERE offline_since IS NOT NULL AND fingerprint IS NOT NULL;
CREATE INDEX claims_unkeyed_by_offline_since ON claims (offline_since)
    WHERE offline_since IS NOT NULL AND fingerprint IS NULL;

-- What an operator is shown of each name.
CREATE VIEW names AS
SELECT name, fingerprint, offline_since, address, online_since
FROM claims LEFT JOIN leases USING (name);
