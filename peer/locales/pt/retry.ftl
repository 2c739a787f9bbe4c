retry-nothing = Nenhuma mensagem para { $name } foi recusada nem expirou: não há o que tentar de novo.
retry-left-alone = { $id } não voltou para a fila: não tinha sido recusada nem tinha expirado.
retry-id = um id é um UUID como 0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3; `peer sent --ids` mostra os das suas mensagens
retry-unknown = nenhuma mensagem com o id { $ids } foi enviada daqui
retry-unknown-hint = Nada voltou para a fila. `peer sent --ids` mostra o que foi enviado, com os ids.
