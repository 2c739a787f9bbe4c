-- The order of listings: a message that comes late stands before what its sender wrote later.

-- peer/src/inbound/inbox.rs: where a message is listed. That is its own position, or, if its sender's key had counted further
-- already, the place of the next message of that key. Within a place `seq` decides; a place is one key's alone. Nothing that
-- was listed ever moves.
ALTER TABLE received ADD COLUMN place INTEGER NOT NULL DEFAULT 0;   -- never 0: the default only lets the column be added
UPDATE received SET place = position;

DROP INDEX received_by_name;
DROP INDEX received_unread;
DROP INDEX received_doubted;
DROP INDEX received_doubted_by_name;
CREATE INDEX received_by_place ON received (place, seq);
CREATE INDEX received_by_name ON received (from_name, place, seq);
CREATE INDEX received_unread ON received (place, seq, position, from_name) WHERE read = 0;
CREATE INDEX received_doubted ON received (place, seq) WHERE doubted = 1;
CREATE INDEX received_doubted_by_name ON received (from_name, place, seq) WHERE doubted = 1;
-- Nobody counts without a key.
CREATE INDEX received_by_seq ON received (sender, seq) WHERE sender <> x'' AND seq IS NOT NULL;

-- peer/src/outbound/outbox.rs: what is listed by its state; of all that was sent most is delivered.
CREATE INDEX sent_unsettled ON sent (state, position) WHERE state <> 'delivered';

-- What came late before this migration. The place of the next message was, when each of these came, the lowest position of
-- what had been counted further.
UPDATE received SET place = late.place FROM (
    SELECT position, (SELECT min(position) FROM received AS further
                      WHERE further.sender = counted.sender AND further.sender <> x'' AND further.seq > counted.seq
                        AND further.position < counted.position) AS place
    FROM (SELECT position, sender, seq,
                 max(seq) OVER (PARTITION BY sender ORDER BY position) AS highest
          FROM received WHERE sender <> x'' AND seq IS NOT NULL) AS counted
    WHERE seq < highest
      AND NOT EXISTS (SELECT 1 FROM received AS same
                      WHERE same.sender = counted.sender AND same.sender <> x'' AND same.seq = counted.seq
                        AND same.position < counted.position)) AS late
WHERE received.position = late.position;

-- It is made anew with what comes next.
DROP VIEW messages;
