-- What a peer keeps. Each table has one owner, named here; SQL on it stands in that file only.

-- peer/src/identity.rs: who this peer is. One row.
CREATE TABLE profile (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    name    TEXT NOT NULL,
    address TEXT              -- where it last told the directory that it can be dialled
) STRICT;

-- peer/src/contacts.rs: whom the user wrote to, and where they last were.
CREATE TABLE contacts (
    name    TEXT PRIMARY KEY,
    address TEXT
) STRICT, WITHOUT ROWID;

-- peer/src/conversations.rs: the last position given. A position is never given twice, not even after deletion.
CREATE TABLE positions (
    last INTEGER NOT NULL
) STRICT;
INSERT INTO positions (last) VALUES (0);

-- peer/src/inbound/inbox.rs: messages received.
CREATE TABLE received (
    position    INTEGER PRIMARY KEY,
    sender      BLOB NOT NULL,      -- fingerprint of the handshake's key, empty without one: whose ids these are
    id          BLOB NOT NULL,
    from_name   TEXT NOT NULL,
    to_name     TEXT NOT NULL,
    body        TEXT NOT NULL,
    sent_at     TEXT,
    received_at TEXT NOT NULL,
    verified    INTEGER NOT NULL,
    source      TEXT NOT NULL,      -- the IP address that it came from
    seq         INTEGER,
    reply_to    BLOB,
    read        INTEGER NOT NULL DEFAULT 0,
    UNIQUE (sender, id)
) STRICT;
CREATE INDEX received_by_name ON received (from_name, position);
CREATE INDEX received_unread ON received (position, from_name) WHERE read = 0;

-- peer/src/outbound/outbox.rs: messages sent, and what became of them.
CREATE TABLE sent (
    position    INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,
    from_name   TEXT NOT NULL,
    to_name     TEXT NOT NULL,
    body        TEXT NOT NULL,
    sent_at     TEXT NOT NULL,
    received_at TEXT,               -- by the recipient's clock, from the receipt
    seq         INTEGER NOT NULL,
    reply_to    BLOB,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'delivered', 'refused', 'expired')),
    reason      TEXT,
    tries       INTEGER NOT NULL DEFAULT 0,
    expires_at  INTEGER NOT NULL    -- milliseconds since 1970
) STRICT;
CREATE INDEX sent_by_name ON sent (to_name, position);
CREATE INDEX sent_queued ON sent (to_name, position) WHERE state = 'queued';
CREATE INDEX sent_expiring ON sent (expires_at) WHERE state = 'queued';

-- peer/src/outbound/outbox.rs: each recipient's count of messages, and of tries that failed.
CREATE TABLE recipients (
    name       TEXT PRIMARY KEY,
    last_seq   INTEGER NOT NULL,
    failures   INTEGER NOT NULL DEFAULT 0,
    last_error TEXT               -- of the last try, if it failed
) STRICT, WITHOUT ROWID;

-- Both directions as they are listed: `partner` is the other side. The casts give both arms columns of one affinity:
-- without them SQLite does not merge the arms by their indexes, but sorts everything for each listing.
CREATE VIEW messages AS
    SELECT position, id, CAST('received' AS TEXT) AS direction, from_name AS partner, from_name, to_name, body, sent_at,
           received_at, verified, sender AS fingerprint, seq, reply_to, read,
           CAST(NULL AS TEXT) AS state, CAST(NULL AS TEXT) AS reason, CAST(NULL AS INTEGER) AS tries
    FROM received
    UNION ALL
    SELECT position, id, CAST('sent' AS TEXT), to_name, from_name, to_name, body, sent_at,
           received_at, CAST(0 AS INTEGER), CAST(x'' AS BLOB), seq, reply_to, CAST(NULL AS INTEGER),
           state,
           CAST(CASE state WHEN 'queued'
                THEN coalesce(reason, (SELECT last_error FROM recipients WHERE name = to_name)) ELSE reason END AS TEXT),
           tries
    FROM sent;
