-- What a sender needs to notice and to repair what a recipient has lost.

-- peer/src/outbound/outbox.rs: the key that gave the receipt, none where it was not checked; and when the message was last
-- sent again although it had been delivered. Milliseconds since 1970, as in all columns below.
ALTER TABLE sent ADD COLUMN delivered_to BLOB;
ALTER TABLE sent ADD COLUMN repaired_at INTEGER;
CREATE INDEX sent_delivered ON sent (to_name, delivered_to, seq, repaired_at) WHERE state = 'delivered';
CREATE INDEX sent_given_up ON sent (to_name, position) WHERE state IN ('refused', 'expired');

-- peer/src/outbound/outbox.rs: when the next try is due, while one is waited for; how often the user has had messages tried
-- again; and before when nothing that was delivered is sent to it again.
ALTER TABLE recipients ADD COLUMN next_try_at INTEGER;
ALTER TABLE recipients ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recipients ADD COLUMN no_repair_before INTEGER;

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
