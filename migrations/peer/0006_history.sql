-- The history is the user's own: listed by time, deleted for good, taken elsewhere, searched.

-- peer/src/conversations.rs: how many messages were ever imported. Their positions are below those of all others, so that
-- nobody who follows what is stored meets them.
ALTER TABLE positions ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;

-- peer/src/inbound/inbox.rs: when it was received, in milliseconds since 1970, as in all columns of this name: what is
-- listed since or before a time is found by it.
ALTER TABLE received ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
UPDATE received SET at = coalesce(CAST(round(unixepoch(received_at, 'subsec') * 1000) AS INTEGER), 0);
CREATE INDEX received_by_time ON received (at, place);

-- peer/src/outbound/outbox.rs: when it was written; where it is listed, as with what was received; and, of what was imported,
-- the key whose count `seq` is, if that is not this peer's own.
ALTER TABLE sent ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sent ADD COLUMN place INTEGER NOT NULL DEFAULT 0;   -- never 0: the default only lets the column be added
ALTER TABLE sent ADD COLUMN sender BLOB NOT NULL DEFAULT x'';
UPDATE sent SET place = position,
                at = coalesce(CAST(round(unixepoch(sent_at, 'subsec') * 1000) AS INTEGER), 0);
DROP INDEX sent_by_name;
DROP INDEX sent_unsettled;
CREATE INDEX sent_by_place ON sent (place, seq);
CREATE INDEX sent_by_name ON sent (to_name, place, seq);
CREATE INDEX sent_unsettled ON sent (state, place, seq) WHERE state <> 'delivered';
CREATE INDEX sent_by_time ON sent (at, place);
CREATE INDEX sent_by_seq ON sent (to_name, sender, seq);

-- peer/src/inbound/inbox/deleted.rs: what the user deleted, so that whoever sends it again gets the first receipt and nothing
-- is stored. `digest` is SHA-256 over what makes it the same message.
CREATE TABLE deleted_received (
    sender      BLOB NOT NULL,
    id          BLOB NOT NULL,
    received_at TEXT NOT NULL,
    digest      BLOB NOT NULL,
    PRIMARY KEY (sender, id)
) STRICT, WITHOUT ROWID;

-- peer/src/outbound/outbox/deleted.rs: what the user deleted of what was sent, so that no import brings it back.
CREATE TABLE deleted_sent (
    id BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What was deleted was had, too: the numbers of a key that is no contact's stay as long as anything is kept of it, if only
-- that it was deleted.
DROP TRIGGER received_counts_down;
CREATE TRIGGER received_counts_down AFTER DELETE ON received BEGIN
    UPDATE kept SET messages = messages - 1, bytes = bytes - octet_length(OLD.body) WHERE sender = OLD.sender;
    DELETE FROM kept WHERE sender = OLD.sender AND messages = 0;
    DELETE FROM had WHERE sender = OLD.sender
        AND NOT EXISTS (SELECT 1 FROM kept WHERE sender = OLD.sender)
        AND NOT EXISTS (SELECT 1 FROM deleted_received WHERE sender = OLD.sender)
        AND NOT EXISTS (SELECT 1 FROM pins WHERE fingerprint = OLD.sender AND kind IN ('own', 'contact'));
    UPDATE strangers SET messages = messages - 1, bytes = bytes - octet_length(OLD.body)
        WHERE OLD.sender <> x''
          AND NOT EXISTS (SELECT 1 FROM pins WHERE fingerprint = OLD.sender AND kind IN ('own', 'contact'));
END;

DROP TRIGGER pins_vouch_no_more;
CREATE TRIGGER pins_vouch_no_more AFTER UPDATE OF kind ON pins
WHEN OLD.kind IN ('own', 'contact') AND NEW.kind NOT IN ('own', 'contact') AND NOT EXISTS (
    SELECT 1 FROM pins WHERE fingerprint = OLD.fingerprint AND kind IN ('own', 'contact') AND name <> OLD.name)
BEGIN
    UPDATE strangers SET (messages, bytes) =
        (SELECT strangers.messages + kept.messages, strangers.bytes + kept.bytes FROM kept WHERE sender = OLD.fingerprint)
        WHERE EXISTS (SELECT 1 FROM kept WHERE sender = OLD.fingerprint);
    DELETE FROM had WHERE sender = OLD.fingerprint
        AND NOT EXISTS (SELECT 1 FROM kept WHERE sender = OLD.fingerprint)
        AND NOT EXISTS (SELECT 1 FROM deleted_received WHERE sender = OLD.fingerprint);
END;

DROP TRIGGER pins_dropped;
CREATE TRIGGER pins_dropped AFTER DELETE ON pins BEGIN
    UPDATE received SET doubted = 1 WHERE from_name = OLD.name AND sender = OLD.fingerprint AND doubted = 0;
    UPDATE strangers SET (messages, bytes) =
        (SELECT strangers.messages + kept.messages, strangers.bytes + kept.bytes FROM kept WHERE sender = OLD.fingerprint)
        WHERE OLD.kind IN ('own', 'contact')
          AND EXISTS (SELECT 1 FROM kept WHERE sender = OLD.fingerprint)
          AND NOT EXISTS (SELECT 1 FROM pins WHERE fingerprint = OLD.fingerprint AND kind IN ('own', 'contact'));
    DELETE FROM had WHERE sender = OLD.fingerprint
        AND NOT EXISTS (SELECT 1 FROM kept WHERE sender = OLD.fingerprint)
        AND NOT EXISTS (SELECT 1 FROM deleted_received WHERE sender = OLD.fingerprint)
        AND NOT EXISTS (SELECT 1 FROM pins WHERE fingerprint = OLD.fingerprint AND kind IN ('own', 'contact'));
END;

-- Both directions as they are listed, by `place`, and within a place by `seq`. `partner` is the other side, and `aside` marks
-- what came under a name that has a key, from somebody who did not prove to hold it. The casts give both arms columns of one
-- affinity, and `state` has its collation said: without them SQLite does not merge the arms by their indexes, but sorts
-- everything for each listing.
DROP VIEW messages;
CREATE VIEW messages AS
    SELECT position, place, at, id, CAST('received' AS TEXT) AS direction, from_name AS partner, from_name, to_name, body,
           sent_at, received_at, sender AS fingerprint, source, seq, reply_to, read, doubted,
           CAST(EXISTS (SELECT 1 FROM pins WHERE name = from_name AND fingerprint = sender) AS INTEGER) AS verified,
           CAST(doubted = 1
                AND NOT EXISTS (SELECT 1 FROM pins WHERE name = from_name AND fingerprint = sender)
                AND EXISTS (SELECT 1 FROM pins WHERE name = from_name AND kind <> 'former') AS INTEGER) AS aside,
           CAST(NULL AS TEXT) COLLATE BINARY AS state, CAST(NULL AS TEXT) AS reason, CAST(NULL AS INTEGER) AS tries,
           CAST(NULL AS INTEGER) AS next_try_at,
           CAST(NULL AS BLOB) AS counted_by, CAST(NULL AS BLOB) AS delivered_to, CAST(NULL AS BLOB) AS delivered_as
    FROM received
    UNION ALL
    SELECT position, place, at, id, CAST('sent' AS TEXT), to_name, from_name, to_name, body,
           sent_at, received_at, CAST(x'' AS BLOB), CAST(NULL AS TEXT), seq, reply_to, CAST(NULL AS INTEGER),
           CAST(0 AS INTEGER), CAST(0 AS INTEGER), CAST(0 AS INTEGER),
           state,
           CAST(CASE state WHEN 'queued'
                THEN coalesce(reason, (SELECT last_error FROM recipients WHERE name = to_name)) ELSE reason END AS TEXT),
           tries,
           CAST(CASE state WHEN 'queued' THEN (SELECT next_try_at FROM recipients WHERE name = to_name) END AS INTEGER),
           sender, delivered_to, delivered_as
    FROM sent;

-- Where what was listed since or before a time begins or ends.
CREATE VIEW times AS
    SELECT at, place FROM received UNION ALL SELECT at, place FROM sent;

-- What has an id: it is looked for in the ids of one sender after another, since each sender has ids of its own.
CREATE VIEW identified AS
    WITH RECURSIVE senders (sender) AS (
        SELECT min(sender) FROM received
        UNION ALL
        SELECT (SELECT min(sender) FROM received WHERE sender > senders.sender) FROM senders
        WHERE senders.sender IS NOT NULL)
    SELECT received.id, received.position
    FROM senders CROSS JOIN received ON received.sender = senders.sender
    UNION ALL
    SELECT id, position FROM sent;

-- peer/src/conversations/words.rs: the words of all bodies, and up to which position they are in: they are brought in when
-- nothing else is to be done, or when somebody searches. A text that is deleted leaves no trace.
CREATE VIEW texts AS
    SELECT position, body FROM received UNION ALL SELECT position, body FROM sent;
CREATE VIRTUAL TABLE words USING fts5 (
    body, content = 'texts', content_rowid = 'position', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
CREATE TABLE indexed (
    stored   INTEGER NOT NULL,
    imported INTEGER NOT NULL
) STRICT;
-- Nothing yet: the first imported position is the next one.
INSERT INTO indexed (stored, imported) VALUES (0, -9007199254740992);
