-- Keys: whose name is whose, what was noted of them, and how much is kept of those who are no contacts.

-- peer/src/contacts/pins.rs: each name's key as this peer remembers it. A name has one key at a time ('own' is this
-- peer's; 'seen' came with a first message; 'contact' is the user's word), and those it had before ('former').
CREATE TABLE pins (
    name        TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    kind        TEXT    NOT NULL CHECK (kind IN ('own', 'seen', 'contact', 'former')),
    used_at     INTEGER NOT NULL,   -- milliseconds since 1970, to the day
    proved      INTEGER NOT NULL CHECK (proved IN (0, 1)),  -- by a handshake or the user's word: not only claimed
    PRIMARY KEY (name, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX pins_current ON pins (name) WHERE kind <> 'former';
CREATE INDEX pins_by_fingerprint ON pins (fingerprint);
CREATE INDEX pins_seen ON pins (used_at) WHERE kind = 'seen';

-- peer/src/contacts/pins.rs: names that may leave no messages, nor any key that was ever pinned to them.
CREATE TABLE blocked (
    name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- peer/src/contacts/known.rs: whom the user wrote to or added, and where they last were.
CREATE TABLE known (
    name     TEXT    NOT NULL PRIMARY KEY,
    address  TEXT,
    loopback INTEGER NOT NULL DEFAULT 0 CHECK (loopback IN (0, 1))  -- whether it may be dialled if it is this machine
) STRICT, WITHOUT ROWID;
INSERT INTO known (name, address) SELECT name, address FROM contacts;
DROP TABLE contacts;

-- peer/src/contacts/mismatches.rs: the last key that spoke under a name which has another one.
CREATE TABLE mismatches (
    name        TEXT    NOT NULL PRIMARY KEY,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    at          INTEGER NOT NULL,   -- milliseconds since 1970
    times       INTEGER NOT NULL    -- how often that was noted
) STRICT, WITHOUT ROWID;
CREATE INDEX mismatches_by_time ON mismatches (at);

-- peer/src/inbound/had.rs: the sequence numbers that were had from each key, as ranges that neither touch nor overlap. Those
-- of a key that is no contact's go with the last message that is kept of it.
CREATE TABLE had (
    sender BLOB    NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL CHECK (last >= first),
    PRIMARY KEY (sender, first)
) STRICT, WITHOUT ROWID;

-- peer/src/inbound/quota.rs: how much is kept of each key; x'' stands for all who have none.
CREATE TABLE kept (
    sender   BLOB    NOT NULL PRIMARY KEY,
    messages INTEGER NOT NULL,
    bytes    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- peer/src/inbound/quota.rs: how much is kept of all keys that are neither a contact's nor this peer's own. One row.
CREATE TABLE strangers (
    messages INTEGER NOT NULL,
    bytes    INTEGER NOT NULL
) STRICT;
INSERT INTO strangers (messages, bytes) VALUES (0, 0);

-- Whether a message is verified is asked of the pins when it is shown. `doubted` says only that the answer may be no, so
-- that those messages are found without looking at all others.
DROP VIEW messages;
ALTER TABLE received DROP COLUMN verified;
ALTER TABLE received ADD COLUMN doubted INTEGER NOT NULL DEFAULT 1;
CREATE INDEX received_doubted ON received (position) WHERE doubted = 1;
CREATE INDEX received_doubted_by_name ON received (from_name, position) WHERE doubted = 1;

INSERT INTO kept (sender, messages, bytes)
    SELECT sender, count(*), sum(octet_length(body)) FROM received GROUP BY sender;

CREATE TRIGGER received_counts_up AFTER INSERT ON received BEGIN
    INSERT INTO kept (sender, messages, bytes) VALUES (NEW.sender, 1, octet_length(NEW.body))
        ON CONFLICT (sender) DO UPDATE SET messages = messages + 1, bytes = bytes + excluded.bytes;
    UPDATE strangers SET messages = messages + 1, bytes = bytes + octet_length(NEW.body)
        WHERE NEW.sender <> x''
          AND NOT EXISTS (SELECT 1 FROM pins WHERE fingerprint = NEW.sender AND kind IN ('own', 'contact'));
END;

CREATE TRIGGER received_counts_down AFTER DELETE ON received BEGIN
    UPDATE kept SET messages = messages - 1, bytes = bytes - octet_length(OLD.body) WHERE sender = OLD.sender;
    DELETE FROM kept WHERE sender = OLD.sender AND messages = 0;
    DELETE FROM had WHERE sender = OLD.sender
        AND NOT EXISTS (SELECT 1 FROM kept WHERE sender = OLD.sender)
        AND NOT EXISTS (SELECT 1 FROM pins WHERE fingerprint = OLD.sender AND kind IN ('own', 'contact'));
    UPDATE strangers SET messages = messages - 1, bytes = bytes - octet_length(OLD.body)
        WHERE OLD.sender <> x''
          AND NOT EXISTS (SELECT 1 FROM pins WHERE fingerprint = OLD.sender AND kind IN ('own', 'contact'));
END;

-- A key stops being a stranger's with the first pin that says so, and is one again when the last of them goes.
CREATE TRIGGER pins_vouch AFTER INSERT ON pins
WHEN NEW.kind IN ('own', 'contact') AND NOT EXISTS (
    SELECT 1 FROM pins WHERE fingerprint = NEW.fingerprint AND kind IN ('own', 'contact') AND name <> NEW.name)
BEGIN
    UPDATE strangers SET (messages, bytes) =
        (SELECT strangers.messages - kept.messages, strangers.bytes - kept.bytes FROM kept WHERE sender = NEW.fingerprint)
        WHERE EXISTS (SELECT 1 FROM kept WHERE sender = NEW.fingerprint);
END;

CREATE TRIGGER pins_vouch_from_now_on AFTER UPDATE OF kind ON pins
WHEN NEW.kind IN ('own', 'contact') AND OLD.kind NOT IN ('own', 'contact') AND NOT EXISTS (
    SELECT 1 FROM pins WHERE fingerprint = NEW.fingerprint AND kind IN ('own', 'contact') AND name <> NEW.name)
BEGIN
    UPDATE strangers SET (messages, bytes) =
        (SELECT strangers.messages - kept.messages, strangers.bytes - kept.bytes FROM kept WHERE sender = NEW.fingerprint)
        WHERE EXISTS (SELECT 1 FROM kept WHERE sender = NEW.fingerprint);
END;

CREATE TRIGGER pins_vouch_no_more AFTER UPDATE OF kind ON pins
WHEN OLD.kind IN ('own', 'contact') AND NEW.kind NOT IN ('own', 'contact') AND NOT EXISTS (
    SELECT 1 FROM pins WHERE fingerprint = OLD.fingerprint AND kind IN ('own', 'contact') AND name <> OLD.name)
BEGIN
    UPDATE strangers SET (messages, bytes) =
        (SELECT strangers.messages + kept.messages, strangers.bytes + kept.bytes FROM kept WHERE sender = OLD.fingerprint)
        WHERE EXISTS (SELECT 1 FROM kept WHERE sender = OLD.fingerprint);
    DELETE FROM had WHERE sender = OLD.fingerprint
        AND NOT EXISTS (SELECT 1 FROM kept WHERE sender = OLD.fingerprint);
END;

CREATE TRIGGER pins_dropped AFTER DELETE ON pins BEGIN
    UPDATE received SET doubted = 1 WHERE from_name = OLD.name AND sender = OLD.fingerprint AND doubted = 0;
    UPDATE strangers SET (messages, bytes) =
        (SELECT strangers.messages + kept.messages, strangers.bytes + kept.bytes FROM kept WHERE sender = OLD.fingerprint)
        WHERE OLD.kind IN ('own', 'contact')
          AND EXISTS (SELECT 1 FROM kept WHERE sender = OLD.fingerprint)
          AND NOT EXISTS (SELECT 1 FROM pins WHERE fingerprint = OLD.fingerprint AND kind IN ('own', 'contact'));
    DELETE FROM had WHERE sender = OLD.fingerprint
        AND NOT EXISTS (SELECT 1 FROM kept WHERE sender = OLD.fingerprint)
        AND NOT EXISTS (SELECT 1 FROM pins WHERE fingerprint = OLD.fingerprint AND kind IN ('own', 'contact'));
END;

-- peer/src/outbound/outbox.rs: whether the user let the message go where no key can be checked, and the key that answered
-- at the last try where another one was expected.
ALTER TABLE sent ADD COLUMN insecure INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recipients ADD COLUMN other_key BLOB;

-- Both directions as they are listed: `partner` is the other side, and `aside` marks what came under a name that has a key,
-- from somebody who did not prove to hold it. The casts give both arms columns of one affinity: without them SQLite does
-- not merge the arms by their indexes, but sorts everything for each listing.
CREATE VIEW messages AS
    SELECT position, id, CAST('received' AS TEXT) AS direction, from_name AS partner, from_name, to_name, body, sent_at,
           received_at, sender AS fingerprint, source, seq, reply_to, read, doubted,
           CAST(EXISTS (SELECT 1 FROM pins WHERE name = from_name AND fingerprint = sender) AS INTEGER) AS verified,
           CAST(doubted = 1
                AND NOT EXISTS (SELECT 1 FROM pins WHERE name = from_name AND fingerprint = sender)
                AND EXISTS (SELECT 1 FROM pins WHERE name = from_name AND kind <> 'former') AS INTEGER) AS aside,
           CAST(NULL AS TEXT) AS state, CAST(NULL AS TEXT) AS reason, CAST(NULL AS INTEGER) AS tries
    FROM received
    UNION ALL
    SELECT position, id, CAST('sent' AS TEXT), to_name, from_name, to_name, body, sent_at,
           received_at, CAST(x'' AS BLOB), CAST(NULL AS TEXT), seq, reply_to, CAST(NULL AS INTEGER), CAST(0 AS INTEGER),
           CAST(0 AS INTEGER), CAST(0 AS INTEGER),
           state,
           CAST(CASE state WHEN 'queued'
                THEN coalesce(reason, (SELECT last_error FROM recipients WHERE name = to_name)) ELSE reason END AS TEXT),
           tries
    FROM sent;
