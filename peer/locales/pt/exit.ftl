exit-no-home = não há uma pasta pessoal onde guardar as mensagens
exit-no-home-hint = Escolha uma com --data-dir.
exit-nameless-hint = Dê um nome a ele: `peer serve --name NOME`.
exit-give-a-name-hint = Dê um nome a ele: acrescente `--name NOME`, como em `peer serve --name ana`.
exit-other-name-hint = Deixe --name de fora, ou use outro --data-dir para outro par. Enquanto nenhum diretório tiver aceitado o nome, `peer serve --name` pode mudá-lo.
exit-written-down-hint = A mensagem está guardada; `peer serve` a entrega.
exit-directory-away-hint = Ele está rodando, e este é o endereço dele? Inicie um com `server`, ou indique outro com --server URL.
exit-private = o diretório é privado: só responde a quem tem um nome nele
exit-private-hint = Primeiro reserve um nome, como em `RECADO_INVITE=CÓDIGO peer serve --name ana`; quem mantém o diretório cria códigos com `server invite`.
exit-unknown-hint = Nada foi enviado. `peer peers` lista quem está online.
exit-never-met-hint = Nada foi enviado. Peça o link à pessoa e use `peer add LINK`, ou indique um diretório com --server URL.
exit-unchecked-hint = Nada foi enviado. Peça o link à pessoa e use `peer add`; ou acrescente --insecure, e então quem responder lá poderá ler a mensagem e se passar por ela.
exit-renamed-hint = Nada foi enviado. Tente de novo.
exit-held-hint = Ele é seu em { $server }. Se for o mesmo diretório, chame-o por essa URL: --server { $server }
exit-name-taken-hint = Escolha outro com --name. Se { $name } é seu e o token se perdeu, quem mantém o diretório libera o nome com `server names release { $name }`.
exit-fingerprint-changed-hint = Restaure o identity.pem deste par de um backup. Se ele se perdeu, escolha outro nome com --name, ou peça a quem mantém o diretório que libere este com `server names release { $name }`.
exit-invite-required-hint = Peça um código a quem mantém o diretório, criado com `server invite`, e digite `RECADO_INVITE=CÓDIGO peer serve --name { $name }`
exit-running-hint = Use esse, ou outro --data-dir para outro par.
exit-delivering-hint = Tente de novo quando ele terminar.
exit-listen-hint = Escolha outro endereço ou porta com --listen.
exit-no-free-port-hint = Escolha uma com --listen, como em --listen 127.0.0.1:0 para qualquer uma.
