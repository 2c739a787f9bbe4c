output-error = erro:
output-hint = dica:
