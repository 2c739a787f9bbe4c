delete-ask =
    { $count ->
        [one] Apagar esta mensagem para sempre?
       *[other] Apagar estas { $count } mensagens para sempre?
    }
delete-done =
    { $count ->
        [0] Nada foi apagado.
        [one] 1 mensagem foi apagada.
       *[other] { $count } mensagens foram apagadas.
    }
delete-several = { $count } mensagens têm o id { $id }
delete-several-hint = Nada foi apagado. Diga de quem é a mensagem: `peer delete --from { $name } { $id }`.
delete-sent = { $time }  para { $to }
delete-received = { $time }  de { $from }
delete-received-unverified = { $time }  de { $from }, não verificada
delete-no-id =
    um id é um UUID como 0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3; `peer history --ids` mostra os das suas mensagens
