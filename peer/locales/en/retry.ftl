retry-nothing = No message to { $name } was refused or has expired: nothing to retry.
retry-left-alone = { $id } was not queued again: it was neither refused nor expired.
retry-id = an id is a UUID such as 0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3; `peer sent --ids` shows those of your messages
retry-unknown = no message with the id { $ids } was sent from here
retry-unknown-hint = Nothing was queued again. `peer sent --ids` shows what was sent, with the ids.
