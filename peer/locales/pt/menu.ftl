menu-choices =
    1) Enviar uma mensagem
    2) Listar mensagens
    3) Listar pares
    0) Sair
menu-prompt = >{" "}
menu-unknown-choice = Digite 1, 2, 3 ou 0.
menu-own-name = Seu nome:{" "}
menu-no-name = nenhum nome foi informado
menu-no-name-hint = Informe um com --name.
menu-to = Para:{" "}
menu-text = Texto:{" "}
menu-no-messages = Ainda não há mensagens.
menu-only-the-last = As últimas { $count }; `peer history` mostra todas.
menu-you-are = Você é { $name }, { $address }
menu-runs-already = Este par já está rodando em outro processo; este menu usa esse.
menu-arrived = Nova:
menu-goodbye = Até logo.
