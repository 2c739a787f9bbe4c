serve-stopped = stopped before everything had ended
serve-damaged-hint = Nothing is received any more. Keep a copy of the data directory, and restore recado.db from a backup.
serve-listen = write an IP address and a port, as in 127.0.0.1:7101, 0.0.0.0:7101 or [::]:7101
serve-invite-unreadable = the invitation in { $file } cannot be read: { $error }
serve-no-invite = there is no invitation in it
serve-no-invite-hint = It is the code that `server invite` printed, alone in its line.
