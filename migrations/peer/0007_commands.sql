-- peer/src/on_message/progress.rs: how far the messages have come for which the user wants a command to be run. One row while the
-- peer runs with such a command, and after it, so that what waits for its command outlives the process; none otherwise.
CREATE TABLE commands (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    behind INTEGER NOT NULL    -- the position up to which all commands were run
) STRICT;

-- peer/src/on_message/progress.rs: senders who are further than all, since another one's command takes its time.
CREATE TABLE commands_ahead (
    name     TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
