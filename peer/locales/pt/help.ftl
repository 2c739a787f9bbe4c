# The help in Portuguese; in English it stands beside the commands themselves. `help-COMMAND`, `-long` (what stands below the
# first line), `-examples` (a remark stands behind two blanks), `-after`, and `help-COMMAND-FLAG`. Lines are joined again,
# paragraphs stay.

help-around-usage = Uso:
help-around-options = [OPÇÕES]
help-around-default = padrão:
help-around-values = valores possíveis:
help-around-variable = variável:

help-heading-examples = Exemplos:
help-heading-commands = Comandos
help-heading-command = COMANDO
help-heading-arguments = Argumentos
help-heading-options = Opções
help-heading-global-options = Opções globais
help-heading-limits = Limites

help-flag-help = Mostra a ajuda (-h mostra um resumo)
help-flag-version = Mostra a versão

help-peer = Deixe recados curtos de máquina para máquina, sem ninguém no meio
help-peer-examples =
    peer serve --name ana  recebe, entrega e aparece na lista como ana
    peer send rui 'almoço à uma?'  deixa um recado para rui
    peer inbox  lê o que chegou
    peer  tudo isso em um menu
help-peer-data-dir = Onde fica tudo deste par [padrão: a pasta de dados da plataforma]
help-peer-server = A URL do diretório, ou `none` para nenhum
help-peer-json = Mostra os resultados em JSON, um objeto por linha
help-peer-color = Quando usar cores
help-peer-lang = O idioma, `en` ou `pt` [padrão: a do sistema]
help-peer-verbose = Diz mais na saída de erros; duas vezes, mais ainda

help-serve = Recebe mensagens, entrega as que esperam e aparece na lista
help-serve-long =
    Fica em execução até ser interrompido ou encerrado. Quando está pronto, mostra uma linha na saída padrão,
    `peer https://HOST:PORT`; os logs vão para a saída de erros.
help-serve-examples =
    peer serve --name ana  na primeira vez; depois basta `peer serve`
    peer serve --listen 0.0.0.0:7101  para outras máquinas da rede
    peer serve --advertise https://ana.example:443
              por trás de um redirecionamento de porta
    peer serve --on-message ./answer.sh  roda um script para cada mensagem que chega
help-serve-name = O nome pelo qual os outros encontram este par; necessário na primeira vez
help-serve-listen =
    O endereço em que escuta [padrão: 127.0.0.1 e, das portas 7101 a 7164, a da última vez ou a primeira livre]
help-serve-advertise = A URL que é dito aos outros, se não for o endereço em que escuta
help-serve-allow-plain-http =
    Aceita mensagens sem TLS também de outras máquinas: quem está no caminho pode ler e mudar essas mensagens. Programas
    desta máquina não precisam disso
help-serve-invite-file =
    O arquivo com o convite que um diretório privado pede para um nome novo; `-` é uma linha da entrada padrão. A variável
    `RECADO_INVITE` recebe o próprio código
help-serve-on-message = Roda este comando para cada mensagem que chega: sem shell, dividido em palavras como um shell faria
help-serve-on-message-long =
    O texto vem na entrada padrão dele, o resto no ambiente: `RECADO_ID`, `RECADO_FROM`, `RECADO_TO`, `RECADO_VERIFIED` (true
    ou false), `RECADO_FINGERPRINT`, `RECADO_SENT_AT`, `RECADO_RECEIVED_AT`, `RECADO_REPLY_TO`; um `peer send` dentro dele
    envia como este par. O que ele diz na saída de erros vai para o log, a saída padrão para lugar nenhum. As mensagens de
    cada remetente têm a vez uma depois da outra; quatro comandos rodam ao mesmo tempo, por no máximo 30 s. Um comando
    interrompido pelo fim do par roda de novo no próximo início. Em config.toml, escreva o caminho completo do programa
help-serve-ui = Onde a página do navegador vai escutar; aceito, e sem efeito até que ela exista
help-serve-no-ui = Sem página no navegador; aceito, e já é assim até que ela exista
help-serve-accept = De quem as mensagens são aceitas; os outros são avisados
help-serve-accept-everyone = De todos, mas de um nome que tem chave só o que a prova
help-serve-accept-verified = De quem provou a chave do nome
help-serve-accept-contacts = De contatos
help-serve-unverified-limit =
    Mensagens e bytes de texto guardados de todos os remetentes sem certificado; acima disso a resposta é 429. `none` para não limitar,
    `0` para recusar todas
help-serve-stranger-limit = O mesmo de cada chave que não é de um contato
help-serve-strangers-limit = O mesmo de todas as chaves que não são de contatos, juntas
help-serve-max-connections = Conexões ao mesmo tempo; quem vem depois recebe 503
help-serve-max-connections-per-source =
    Conexões ao mesmo tempo de um endereço, ou de um /64 de IPv6; quem vem depois recebe 429. Esta máquina e proxies de confiança
    ficam isentos
help-serve-max-requests-per-source =
    Pedidos por segundo de um endereço, ou de um /64 de IPv6; acima disso a resposta é 429. Os mesmos ficam isentos
help-serve-max-body = O maior corpo de um pedido; a um maior a resposta é 413
help-serve-max-header-bytes = O maior cabeçalho de um pedido; a um maior a resposta é 413
help-serve-max-headers = Linhas no cabeçalho de um pedido; acima disso a resposta é 413
help-serve-handshake-timeout = Tempo para o primeiro byte de uma conexão e para abrir o TLS; depois ela é fechada
help-serve-header-timeout = Tempo para o cabeçalho de um pedido, mesmo que venha aos pingos; depois a resposta é 408
help-serve-body-timeout = Tempo para o corpo de um pedido; depois a resposta é 408
help-serve-idle-timeout =
    Tempo entre dois pedidos, e para um cliente que não lê a resposta; depois a conexão é fechada
help-serve-request-timeout =
    Tempo para uma resposta inteira, menos fluxos de eventos; depois vem 503, ou a conexão é fechada
help-serve-drain-timeout = Tempo para o que está em andamento quando o programa deve terminar; depois é cortado

help-send = Deixa uma mensagem para outros
help-send-long =
    Primeiro a mensagem é guardada. Se um destinatário não pode ser alcançado agora, ou não respondeu em 5 segundos, ela espera, e
    `peer serve` a entrega quando ele voltar: isso também é o código de saída 0, e o comando mostra o que aconteceu com ela.

    Um TIME se escreve 30s, 5m, 12h ou 7d. Uma mensagem tem no máximo 65.536 bytes.
    Códigos de saída: 0 entregue ou na fila, 2 entrada errada, 3 não entregue a tempo (--wait), 4 recusada pelo destinatário,
    5 ninguém tem esse nome, 6 o diretório não pode ser alcançado e era necessário, 7 outra chave responde no endereço do
    destinatário. 5 e 6 não guardam nada; com 7 a mensagem espera pela chave do próprio destinatário.
help-send-examples =
    peer send rui 'almoço à uma?'
    peer send ana,rui 'a compilação passou'
    make 2>&1 | tail -5 | peer send rui  o texto é a entrada padrão
    peer send --wait=1m rui 'você está aí?'  falha (3) se não for entregue a tempo
    peer send --all 'o servidor reinicia às seis'
help-send-to = Para quem é; vários nomes se separam por vírgulas
help-send-text = O texto; se falta ou é `-`, o que vem pela entrada padrão
help-send-all = Todos os que estão online
help-send-wait = Espera até ser entregue, 30s se não se diz quanto, e falha se não for
help-send-expire = Desiste se não pôde ser entregue por esse tempo
help-send-insecure =
    Envia mesmo que não se possa verificar quem responde: não se conhece nenhuma chave do destinatário, ou todos os endereços
    conhecidos são http://, seja qual for a chave. Quem responder ali pode ler a mensagem e mudá-la. Onde há um endereço https://,
    uma chave conhecida é verificada assim mesmo, e os http:// ficam de fora
help-send-name = O nome com que se envia; necessário antes do primeiro `peer serve`

help-inbox = Mostra o que foi recebido, o mais antigo primeiro
help-inbox-long =
    Uma estrela marca o que não foi lido. Mostrar como texto marca como lido; `--json` só com --mark-read.

    Um programa que responde continua de onde parou com `--follow --unread --mark-read`: nada se perde, e o que foi mostrado mas
    ainda não marcado quando ele morreu é mostrado mais uma vez. Ou ele mesmo guarda o último id: `--follow --since ID`.
help-inbox-examples =
    peer inbox --unread  o que há de novo
    peer inbox --from ana  só o que é de ana
    peer inbox --since yesterday  o que chegou ontem e hoje
    peer inbox --unverified  o que qualquer um pode ter enviado
    peer inbox --follow --unread --mark-read --json
              para um programa que responde
help-inbox-from = Só deste nome
help-inbox-unread = Só o que ainda não foi mostrado
help-inbox-unverified =
    Só o que veio de quem não provou ter a chave do nome. O que veio assim sob um nome que tem chave é mostrado aqui, e não com
    --from
help-inbox-since = Só o que está na lista a partir desta hora, ou depois da mensagem com este ID
help-inbox-since-long =
    Uma hora é uma data, sozinha ou com a hora (2026-10-01, 2026-10-01T09:30, no seu fuso), `today` (hoje), `yesterday` (ontem), ou
    há quanto tempo (90m, 12h, 7d).
help-inbox-before = Só o que está na lista antes desta hora, ou antes da mensagem com este ID; com --limit, uma página para trás
help-inbox-limit = Só as últimas tantas
help-inbox-ids = Mostra o id de cada mensagem
help-inbox-follow = Continua com o que chega, seja qual for o programa que o guarda; com --since ID, tudo o que foi guardado depois daquela mensagem
help-inbox-mark-read = Com --json: marca como lido o que é mostrado

help-sent = Mostra o que foi enviado, e o que aconteceu com isso
help-sent-examples =
    peer sent --state queued  o que ainda espera, e por quê
    peer sent --to rui --since 7d
help-sent-to = Só para este nome
help-sent-state = Só o que chegou a este estado: queued (na fila), delivered (entregue), refused (recusada) ou expired (expirada)
help-sent-since = { help-inbox-since }
help-sent-since-long = { help-inbox-since-long }
help-sent-before = { help-inbox-before }
help-sent-limit = { help-inbox-limit }
help-sent-ids = { help-inbox-ids }

help-retry = Envia de novo mensagens que foram recusadas ou expiraram
help-retry-long =
    Cada uma mantém o id e o lugar, de modo que ninguém a recebe duas vezes. O que aconteceu com ela é mostrado como por `peer send`;
    uma mensagem que espera ou já foi entregue fica como está.

    `peer sent --json --state refused` mostra os ids. Um TIME se escreve 30s, 5m, 12h ou 7d.
    Códigos de saída: 0 entregue ou na fila, 1 essa mensagem não existe, 2 entrada errada, 3 não entregue a tempo (--wait), 4 recusada
    de novo pelo destinatário, 5 nada se sabe de NAME, 7 outra chave responde no endereço do destinatário.
help-retry-examples =
    peer retry --to rui  tudo o que rui recusou, ou que expirou antes de alcançá-lo
    peer retry 0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3
help-retry-ids = Quais mensagens, pelos ids
help-retry-to = Todas as que este nome recusou, ou que expiraram antes de alcançá-lo
help-retry-wait = Espera até serem entregues, 30s se não se diz quanto, e falha se não forem
help-retry-expire = Desiste de novo se não puderam ser entregues por esse tempo

help-history = Mostra os dois lados de uma conversa, ou de todas
help-history-examples =
    peer history ana --limit 20
    peer history ana --since 2026-10 --before 2026-11
    peer history --json > everything.jsonl
help-history-name = Só com este nome
help-history-unverified = Só o que foi recebido de quem não provou ter a chave do nome
help-history-since = { help-inbox-since }
help-history-since-long = { help-inbox-since-long }
help-history-before = { help-inbox-before }
help-history-limit = { help-inbox-limit }
help-history-ids = { help-inbox-ids }

help-peers = Mostra quem está online
help-peers-examples =
    peer peers  quem está online
    peer peers --watch --json  para um programa que quer saber quem vem e vai
help-peers-watch = Continua com quem vem, muda e vai, até ser interrompido

help-contacts = Mostra de quem este par lembra a chave
help-contacts-long =
    Contatos são aqueles a quem você escreveu, que adicionou ou em quem confiou: a chave deles nunca muda sozinha. Vistos são os que
    só escreveram para você: somem depois de 90 dias sem mensagem. Com NAME mostra só este, com a chave inteira, também em palavras
    para comparar ao telefone.
help-contacts-examples =
    peer contacts
    peer contacts rui  a chave inteira, e em palavras
    peer contacts --json | jq -r 'select(.mismatch).name'  sob que nome outra chave falou
help-contacts-name = Só este

help-invite = Mostra um link com que outros podem escrever para você sem diretório nenhum
help-invite-long =
    O link é o nome, o endereço e a chave deste par em uma linha: recado:NAME@HOST:PORT#FINGERPRINT. Envie-o por um canal em que
    ninguém possa mudá-lo no caminho, como uma conversa criptografada; nada nele é segredo. Quem escreve `peer add LINK` tem você como
    contato. O link vai para a saída padrão; o mesmo como código QR, para uma câmera, vai para a saída de erros.
help-invite-examples =
    peer invite  o link, e embaixo um código QR
    peer invite 2>/dev/null  só o link
    peer serve --advertise https://ana.example:7101  se os outros têm de usar outro endereço

help-add = Adiciona como contato a pessoa de um link
help-add-long =
    Nada é enviado e nenhum diretório é consultado. A partir daí este par só escreve para o nome onde encontra a chave do link. Um
    nome que já tem outra chave aqui não muda: para isso existe `peer trust`.

    Códigos de saída: 0 adicionado, ou já era contato; 1 o nome tem outra chave; 2 isso não é um link, ou é um para você mesmo.
help-add-examples =
    peer add 'recado:rui@192.0.2.7:7101#FINGERPRINT'  como `peer invite` mostrou na máquina de rui
    peer add 'LINK' && peer send rui 'almoço à uma?'  dois pares não precisam de diretório
help-add-link = O link; entre aspas, porque um shell pode ver mais nele

help-trust = Torna uma chave a de um contato, no lugar da que o nome tinha
help-trust-long =
    Nada mais muda a chave de um contato: nem o diretório, nem uma mensagem. Sem FINGERPRINT é a chave pela qual o diretório conhece o
    nome, ou então a que respondeu por último no endereço dele. Uma que só falou sob o nome é mostrada com o comando que a aceitaria,
    e nunca aceita. Compare-a com o que `peer whoami` mostra do outro lado, por outro canal: quem mantém o diretório poderia dizer
    qualquer uma.

    O que veio com a chave antiga fica como está. O que espera pelo nome sai agora.
    Códigos de saída: 0 feito, 1 é preciso dizer qual chave, 2 entrada errada, 5 ninguém disse uma chave desse nome, 6 só o diretório
    poderia dizer, e não pode ser alcançado.
help-trust-examples =
    peer trust rui  a chave pela qual o diretório conhece rui agora
    peer trust rui FINGERPRINT  esta chave, como rui a leu para você
help-trust-name = De quem é a chave
help-trust-fingerprint = A chave, 52 letras e algarismos como `peer whoami` mostra

help-block = Não aceita mais mensagens de um nome
help-block-long =
    O que vem sob o nome é recusado, e também o que vem com qualquer chave que o nome já teve aqui, seja sob que nome for. O remetente
    é avisado. O que está guardado fica, e você ainda pode escrever para o nome.
help-block-examples =
    peer block mallory
    peer unblock mallory  desfaz
help-block-name = De quem as mensagens são recusadas; não precisa ser um contato

help-unblock = Aceita de novo mensagens de um nome bloqueado
help-unblock-examples =
    peer unblock mallory
    peer contacts  mostra quem está bloqueado
help-unblock-name = De quem as mensagens são aceitas de novo

help-forget = Esquece as chaves de um nome, e onde estava
help-forget-long =
    As mensagens dele ficam, como não verificadas. Para este par o nome passa a ser o de um estranho: o próximo que escreve sob ele, ou
    que o diretório indica, pode ter outra chave. Se alguém tem uma chave nova, o que você quer é `peer trust`.
help-forget-examples =
    peer forget rui
help-forget-name = Quem esquecer

help-whoami = Mostra o nome, a chave, o endereço e as pastas deste par
help-whoami-long =
    Os outros conferem a impressão digital antes de confiar na chave: comparem-na por outro canal, ou leiam as palavras um para o
    outro. --json mostra os mesmos membros em uma linha.
help-whoami-examples =
    peer whoami
    curl -k --pinnedpubkey "$(peer whoami --json | jq -r .curl_pin)" https://127.0.0.1:7101/health

help-config = Mostra cada ajuste, e de onde vem o valor
help-config-long =
    Um ajuste é uma opção que também pode ser dada por uma variável, ou em config.toml na pasta de dados. Uma opção vale mais que a
    variável, a variável mais que o arquivo. O que todo comando aceita fica no começo do arquivo, o que é de um comando em uma tabela com o
    nome dele. O que está ligado no arquivo se desliga pela variável, como em `RECADO_ALLOW_PLAIN_HTTP=false`. Nada é escrito, e não é
    preciso ter nome nem diretório.
help-config-examples =
    peer config  cada ajuste, o valor, e quem o disse
    peer config --json | grep -v default  o que alguém ajustou
    RECADO_EXPIRE=1d peer config  uma variável vale mais que o arquivo
help-config-after =
    Um config.toml:
      server = "https://recado.example:7100"

    {"  ["}serve]
      listen = "0.0.0.0:7101"
      allow-plain-http = true

    {"  ["}send]
      expire = "1d"

help-help = Mostra como se usa um comando
help-help-examples =
    peer help  todos os comandos
    peer help send  o mesmo que `peer send --help`
help-help-command = O comando

help-menu = O menu numerado: enviar, listar mensagens, listar pares
help-menu-long =
    Mantém o par em execução enquanto está aberto, a não ser que outro processo já o faça. Também funciona em um pipe.
help-menu-examples =
    peer menu  enviar, ler e ver quem está online, por números
    peer menu --name ana  na primeira vez
    printf '3\n0\n' | peer menu  também a partir de um script

help-demo = Veja funcionar: um diretório e dois pares nesta máquina, em uma pasta temporária
help-demo-long =
    Mostra uma troca de verdade passo a passo, e depois deixa tudo em execução para experimentar. Ctrl-C encerra e apaga tudo.
help-demo-examples =
    peer demo  Ctrl-C encerra, e não sobra nada

help-search = Procura mensagens pelas palavras
help-search-long =
    Em tudo o que está guardado, nos dois sentidos, o mais antigo primeiro. Todas as palavras têm de estar na mensagem, em qualquer ordem,
    cada uma inteira; maiúsculas e acentos não importam: `reuniao` acha "Reunião". O que se escreve vale como está: nada nele tem outro
    sentido.

    Uma palavra são letras e algarismos seguidos; todo o resto fica entre palavras, de modo que `ana@lima` são duas que têm de estar uma
    ao lado da outra. O que não tem letra nem algarismo (🎉, %), e o que se escreve sem espaços, como o chinês e o japonês, é procurado
    como está, em qualquer parte do texto. Acentos são os das letras latinas: ё, ß, ø e ligaturas são letras próprias.

    Com --query é uma consulta do FTS5 do SQLite: AND, OR, NOT, NEAR(a b, 5), "uma frase", começo*.
help-search-examples =
    peer search almoço sábado
    peer search relatório --from ana --since 2026-10 --before 2026-11
    peer search --query 'reuni* NOT cancelada' --limit 5
help-search-words = As palavras
help-search-query = Entende WORDS como uma consulta na linguagem do FTS5
help-search-from = Só o que foi recebido deste nome
help-search-to = Só o que foi enviado a este nome
help-search-with = Só com este nome do outro lado
help-search-since = { help-inbox-since }
help-search-since-long = { help-inbox-since-long }
help-search-before = { help-inbox-before }
help-search-limit = { help-inbox-limit }
help-search-ids = { help-inbox-ids }

help-delete = Apaga mensagens para sempre
help-delete-long =
    Uma mensagem apagada nunca volta: se é enviada de novo, o remetente é informado de que ela foi recebida, e nada é guardado. Uma que espera para
    ser entregue não é mais entregue.

    Os outros ficam com a deles: apagar só vale para este par. `--ids` em uma lista mostra os ids. Em um terminal se pergunta antes de apagar.
    São apagadas todas, ou nenhuma.
    Códigos de saída: 0 apagadas, 1 essa mensagem não existe, ou há várias com o mesmo id, 2 entrada errada.
help-delete-examples =
    peer inbox --ids  que id ela tem
    peer delete 0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3
    peer delete --from ana 0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3
help-delete-ids = Quais mensagens, pelos ids
help-delete-from = Só o que é deste nome, onde várias mensagens têm o mesmo id
help-delete-yes = Não pergunta

help-prune = Apaga mensagens antigas para sempre
help-prune-long =
    Tudo o que foi recebido, ou foi enviado e está resolvido, há mais tempo que TIME; lido ou não. O que espera para ser entregue fica. Como
    com `peer delete`, nada disso volta.

    Em um terminal se pergunta antes de apagar. Interrompido, terá apagado as mais antigas: rode de novo, e ele continua. Um TIME se escreve 12h, 7d ou
    365d.
help-prune-examples =
    peer prune --older-than 365d --dry-run  quantas seriam
    peer prune --older-than 365d
    peer prune --older-than 30d --with ci  só o que ci enviou ou recebeu
help-prune-older-than = A idade mínima das mensagens; 0s para todas
help-prune-with = Só com este nome do outro lado
help-prune-dry-run = Não apaga nada, e diz quantas mensagens seriam
help-prune-yes = Não pergunta

help-doctor = Verifica a instalação, e diz o que fazer
help-doctor-long =
    Olha a pasta de dados, o disco, a chave, o banco de dados, config.toml, o par que roda, a porta dele, o diretório, se os outros
    alcançam este par, os relógios, e o que espera para ser entregue. Nada é mudado, e não é preciso ter nome nem pasta de dados. Sai
    com 0 se nada falhou, senão com 1; só avisos ainda é 0. --json escreve `check`, `status` (ok, warning, failed ou skipped), `detail`
    e `advice` de cada resultado, em inglês.
help-doctor-examples =
    peer doctor  tudo, e o que fazer
    peer doctor --json | grep -v '"status":"ok"'  o que não está como deveria
    peer doctor --server http://192.168.1.10:7100  com outro diretório

help-completions = Mostra o que faz um shell completar comandos, opções e nomes
help-completions-long =
    Ponha a linha do seu shell no arquivo que ele lê ao iniciar. Os nomes são completados a partir dos seus contatos e de quem está on-line: o
    diretório tem 0,3 segundo para responder.
help-completions-examples =
    source <(peer completions bash)  no ~/.bashrc
    source <(peer completions zsh)  no ~/.zshrc, depois de compinit
    peer completions fish | source  no ~/.config/fish/config.fish
    peer completions powershell | Out-String | Invoke-Expression
    eval (peer completions elvish | slurp)  no ~/.elvish/rc.elv
help-completions-shell = O seu shell

help-man = Mostra uma página do manual
help-man-long = Sem COMMAND é a do próprio programa. O que é mostrado é para `man -l -`, ou para um arquivo.
help-man-examples =
    peer man | man -l -  a página do programa
    peer man send | man -l -  a de um comando
    peer man --out ~/.local/share/man/man1  todas as páginas, para `man peer` e `man peer-send`
help-man-command = A página deste comando
help-man-out = Escreve todas as páginas nesta pasta

help-export = Escreve tudo o que está guardado, uma mensagem por linha
help-export-long =
    Cada linha é um objeto JSON, com o que `peer history --json` tem e o que `peer import` precisa além disso; a mensagem mais antiga vem
    primeiro. Chaves e contatos não estão nele: identity.pem na pasta de dados é o que faz de outra máquina este par.

    Com as mensagens de cada remetente vai o que já se recebeu dele, para que o apagado não volte lá. Se todas as mensagens de um
    remetente foram apagadas, não há linha que o diga: nesse caso, copie a pasta de dados inteira.
help-export-examples =
    peer export history.jsonl  um arquivo que só você pode ler
    peer export | jq -r .body  todos os textos
    peer export | gzip > history.jsonl.gz
help-export-file = Para onde; a saída padrão se falta, ou com `-`. O que já está lá é substituído quando tudo foi escrito

help-import = Traz o que `peer export` escreveu
help-import-long =
    O que já está guardado aqui é pulado, e também o que foi apagado aqui: o mesmo arquivo pode ser importado de novo. Mensagens importadas
    ficam na lista antes das que chegaram ou foram escritas aqui, mas as de cada remetente na ordem em que foram escritas. O que lá ainda
    esperava para ser entregue está expirado aqui; `peer retry` envia.

    Um nome que não tem chave aqui recebe a que o arquivo diz que ele provou por último, e o comando diz qual: importe só arquivos em que confia como
    em si mesmo. Um nome que tem outra chave aqui fica com ela.

    Uma linha que não é uma mensagem encerra a importação: o que está antes dela foi importado. Depois de corrigida, o mesmo comando continua.
help-import-examples =
    peer import history.jsonl
    ssh old-machine peer export | peer import -
help-import-file = O arquivo; `-` é a entrada padrão
