prune-ask =
    { $count ->
        [one] Apagar 1 mensagem para sempre?
       *[other] Apagar { $count } mensagens para sempre?
    }{ $unread ->
        [0] {""}
        [one] {" "}Uma delas nunca foi lida.
       *[other] {" "}{ $unread } delas nunca foram lidas.
    }
prune-progress = Apagando
prune-unread =
    { $count ->
        [one] Uma delas nunca foi lida.
       *[other] { $count } delas nunca foram lidas.
    }
prune-would =
    { $count ->
        [one] 1 mensagem seria apagada.
       *[other] { $count } mensagens seriam apagadas.
    }{ $unread ->
        [0] {""}
        [one] {" "}Uma delas nunca foi lida.
       *[other] {" "}{ $unread } delas nunca foram lidas.
    }
