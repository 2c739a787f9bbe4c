part-no-time =
    escreva uma data ou hora, como 2026-10-01, 2026-10-01T09:30, hoje, ontem ou 7d (há sete dias), ou o id de uma mensagem
part-unknown =
    { $count ->
        [one] nenhuma mensagem com o id { $ids } está guardada aqui
       *[other] nenhuma mensagem com os ids { $ids } está guardada aqui
    }
part-unknown-hint = `peer history --ids` mostra o que está guardado, com os ids. Depois de uma que foi apagada, continue de uma data: --since 2026-10-01.
