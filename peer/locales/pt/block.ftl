block-blocked = bloqueado:
block-only-the-name = Ninguém provou aqui uma chave com esse nome, então só o nome está bloqueado: o dono dele pode voltar com outro.
