send-nobody = Não há mais ninguém online para quem enviar: nada foi enviado.
send-words = há mais palavras do que um texto
send-wait-blank = o tempo depois de --wait, { $time }, seria tomado por um nome ou um texto
send-wait-hint = O tempo se escreve depois de um sinal de igual, como em `--wait={ $time }`.
send-quote-hint = Ponha o texto entre aspas, como em `peer send rui 'bom dia'`.
send-quote-all-hint = Ponha o texto entre aspas, como em `peer send --all 'bom dia'`.
send-no-peer-runs = Nenhum par está rodando aqui para entregar o que espera: `peer serve` faz isso.
send-first-try = a primeira tentativa ainda não terminou
send-other-key = no endereço de { $name } responde outra chave, que não é a conhecida: nada foi enviado para lá, e a mensagem espera
send-other-key-keys =
    conhecida  { $pinned }
    mostrada   { $shown }
send-other-key-hint = Se { $name } disse a você, e não pelo Recado, que esta é a chave nova: `peer trust { $name } { $shown }`
send-not-a-name = { $text } não é um nome: { $why }
send-left-out = Deixados de fora, porque não dá para verificar quem são (veja --insecure): { $names }
send-waiting = esperando a entrega
send-no-text = não há texto
send-no-text-hint = Escreva o texto depois do nome, ou passe-o por um pipe: `echo oi | peer send rui`.
send-too-long = a entrada padrão tem mais de { $most } bytes, o máximo de uma mensagem
send-too-long-hint = Envie em partes, ou envie um link para o arquivo.
send-not-text = a entrada padrão não é texto em UTF-8
send-not-text-hint = O Recado envia texto; converta o arquivo, ou envie um link para ele.
