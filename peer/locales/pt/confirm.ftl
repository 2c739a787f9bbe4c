confirm-yes-or-no = [s/N]
confirm-nothing-done = nada foi apagado
