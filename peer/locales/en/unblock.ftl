unblock-unblocked = unblocked
unblock-not-blocked = { $name } is not blocked
unblock-not-blocked-hint = `peer contacts` shows who is.
