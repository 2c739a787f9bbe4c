-- What a sender needs to notice and to repair what a recipient has lost.

-- peer/src/outbound/outbox.rs: the key that gave the receipt, none where it was not checked; this peer's own key then, since
-- ids belong to it; and when the message was last sent again although it had been delivered. Milliseconds since 1970, as in
-- all columns below.
ALTER TABLE sent ADD COLUMN delivered_to BLOB;
ALTER TABLE sent ADD COLUMN delivered_as BLOB;
ALTER TABLE sent ADD COLUMN repaired_at INTEGER;
CREATE INDEX sent_delivered ON sent (to_name, delivered_to, delivered_as, seq, repaired_at) WHERE state = 'delivered';
CREATE INDEX sent_given_up ON sent (to_name, position) WHERE state IN ('refused', 'expired');

-- peer/src/outbound/outbox.rs: when the next try is due, while one is waited for; and how often the user has had messages
-- tried again.
ALTER TABLE recipients ADD COLUMN next_try_at INTEGER;
ALTER TABLE recipients ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;

-- peer/src/outbound/outbox/closed.rs: the sequence numbers of each recipient under which nothing will ever be delivered:
-- refused, expired, deleted or never given. As ranges that neither touch nor overlap: all of them (due = 0), and once
-- more those that the recipient has still to be told (due = 1).
CREATE TABLE closed (
    name  TEXT    NOT NULL,
    due   INTEGER NOT NULL CHECK (due IN (0, 1)),
    first INTEGER NOT NULL,
    last  INTEGER NOT NULL CHECK (last >= first),
    PRIMARY KEY (name, due, first)
) STRICT, WITHOUT ROWID;

INSERT INTO closed (name, due, first, last)
    SELECT to_name, due, min(seq), max(seq)
    FROM (SELECT to_name, seq, seq - row_number() OVER (PARTITION BY to_name ORDER BY seq) AS run
          FROM sent WHERE state IN ('refused', 'expired')),
         (SELECT 0 AS due UNION ALL SELECT 1)
    GROUP BY to_name, due, run;

-- As before, with `next_try_at` and `place`: what was sent is listed where it was written. `behind` is the same, for a page to begin by: what
-- was sent is found by it, and what was received is not, so that it is found by `place` and `seq` together. `state` has its
-- collation said, or else the indexes that know of states are not used.
CREATE VIEW messages AS
    SELECT position, place, CAST(place AS INTEGER) AS behind, id, CAST('received' AS TEXT) AS direction, from_name AS partner, from_name, to_name, body,
           sent_at, received_at, sender AS fingerprint, source, seq, reply_to, read, doubted,
           CAST(EXISTS (SELECT 1 FROM pins WHERE name = from_name AND fingerprint = sender) AS INTEGER) AS verified,
           CAST(doubted = 1
                AND NOT EXISTS (SELECT 1 FROM pins WHERE name = from_name AND fingerprint = sender)
                AND EXISTS (SELECT 1 FROM pins WHERE name = from_name AND kind <> 'former') AS INTEGER) AS aside,
           CAST(NULL AS TEXT) COLLATE BINARY AS state, CAST(NULL AS TEXT) AS reason, CAST(NULL AS INTEGER) AS tries,
           CAST(NULL AS INTEGER) AS next_try_at
    FROM received
    UNION ALL
    SELECT position, position, position, id, CAST('sent' AS TEXT), to_name, from_name, to_name, body,
           sent_at, received_at, CAST(x'' AS BLOB), CAST(NULL AS TEXT), seq, reply_to, CAST(NULL AS INTEGER),
           CAST(0 AS INTEGER), CAST(0 AS INTEGER), CAST(0 AS INTEGER),
           state,
           CAST(CASE state WHEN 'queued'
                THEN coalesce(reason, (SELECT last_error FROM recipients WHERE name = to_name)) ELSE reason END AS TEXT),
           tries,
           CAST(CASE state WHEN 'queued' THEN (SELECT next_try_at FROM recipients WHERE name = to_name) END AS INTEGER)
    FROM sent;
