forget-forgot = esquecido:
forget-kept = As mensagens desse nome continuam guardadas, como não verificadas.
forget-blocked = { $name } está bloqueado: esquecer as chaves o deixaria entrar de novo
forget-blocked-hint = Se é isso que você quer: `peer unblock { $name } && peer forget { $name }`
