output-error = error:
output-hint = hint:
