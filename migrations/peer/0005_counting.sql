-- peer/src/inbound/quota.rs counts what it keeps by itself, once a transaction: with a trigger for each row (and positions given
-- one by one) a message in a batch of 500 took 30 µs of CPU instead of 7.
DROP TRIGGER received_counts_up;
