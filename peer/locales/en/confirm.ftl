confirm-yes-or-no = [y/N]
confirm-nothing-done = nothing was deleted
