unblock-unblocked = desbloqueado:
unblock-not-blocked = { $name } não está bloqueado
unblock-not-blocked-hint = `peer contacts` mostra quem está.
