doctor-ok = certo
doctor-warning = atenção
doctor-failed = falha
doctor-skipped = pulado
doctor-data-directory = pasta de dados
doctor-disk = disco
doctor-files = arquivos
doctor-key = chave
doctor-tokens = registros
doctor-settings = configuração
doctor-database = banco de dados
doctor-name = nome
doctor-daemon = par
doctor-port = porta
doctor-directory = diretório
doctor-listed = na lista
doctor-reachable = alcançável
doctor-clock = relógio
doctor-proxy = proxies
doctor-queue = à espera
doctor-no-data-directory = ainda não há nenhuma em { $path }
doctor-first-start = Digite `peer serve --name NOME` para começar.
doctor-not-a-directory = { $path } não é uma pasta
doctor-another-data-dir = Tire-a do lugar, ou escolha outro lugar com --data-dir.
doctor-unreadable = não é possível olhar dentro de { $path }: { $why }
doctor-unwritable = este usuário não consegue ler e gravar em { $path }
doctor-somebody-elses = { $path } pertence a outro usuário (número { $owner })
doctor-give-back = Execute isto como aquele usuário, ou torne-a sua: chown -R "$USER" '{ $path }'
doctor-others-write = outros usuários desta máquina podem alterar { $path } (modo { $mode })
doctor-others-enter = outros usuários desta máquina podem entrar em { $path } (modo { $mode })
doctor-close-directory = Execute: chmod 700 '{ $path }'
doctor-file-open = { $path } está aberto a outros usuários desta máquina (modo { $mode })
doctor-close-file = Execute: chmod 600 '{ $path }'
doctor-files-private = chave, tokens e mensagens são só do dono
doctor-free = { $free } livres
doctor-make-room = Libere espaço: com o disco cheio, nenhuma mensagem é recebida nem enviada. `peer prune` abre espaço para mensagens dentro de recado.db, e para nada mais.
doctor-free-unknown = não é possível saber quanto espaço há: { $why }
doctor-no-key = ainda não há; o primeiro início cria uma
doctor-lost-key = há mensagens aqui, mas nenhum identity.pem
doctor-restore-key = Restaure-o de um backup. Sem ele, o próximo início cria uma chave nova, que quem conhece este par terá de aceitar com `peer trust`.
doctor-claims =
    { $claims ->
        [0] nenhum diretório aceitou ainda o nome deste par
        [one] um diretório aceitou o nome deste par
       *[other] { $claims } diretórios aceitaram o nome deste par
    }
doctor-config = { $path } pode ser usado; `peer config` mostra o que está definido
doctor-no-config = nenhum config.toml; `peer config` mostra o que está definido
doctor-sound = está íntegro
doctor-no-database = ainda não há; o primeiro início cria um
doctor-old-database = é de uma versão anterior
doctor-update-database = Qualquer outro comando o atualiza; depois verifique de novo.
doctor-restore-database = Guarde uma cópia da pasta de dados, e restaure recado.db de um backup.
doctor-runs = está rodando, como processo { $pid }
doctor-other-version = está rodando, como processo { $pid }, mas é a versão { $version }; este comando é { $own }
doctor-restart-or-copy = Encerre o par que está rodando, e inicie-o de novo. Se nada mudar: há uma cópia deste par rodando em outra máquina? Encerre-a lá.
doctor-restart = Encerre o par que está rodando, e inicie-o de novo.
doctor-runs-not = não está rodando: nada é recebido, e o que espera só é tentado quando você envia
doctor-delivers = não está rodando; um comando está entregando agora, como processo { $pid }
doctor-start = Digite `peer serve`, ou deixe que o systemd o execute.
doctor-port-free = { $port } está livre
doctor-port-held = a { $port } é a porta em que os outros se conectam
doctor-port-taken = outro programa está usando a { $port }
doctor-next-port = `peer serve` usa a { $next } no lugar; para saber quem tem a outra: ss -ltnp
doctor-no-port = Escolha outra com --listen, como em `peer serve --listen 127.0.0.1:0`.
doctor-no-directory = nenhum é consultado (--server none)
doctor-directory-answers = { $url } responde
doctor-directory-version = { $url } é a versão { $version }; este comando é { $own }
doctor-update = Deixe os dois na mesma versão quando puder.
doctor-exposed = { $url } responde, sem TLS: quem estiver no caminho pode ler o token que guarda o seu nome
doctor-use-tls = Peça a quem o mantém uma URL https://.
doctor-start-directory = Ele está rodando, e é este o endereço? Inicie um com `server`, ou indique outro com --server URL.
doctor-listed-at = em { $address }
doctor-listed-elsewhere = o diretório lista { $listed }, este par diz { $own }
doctor-none = nenhum
doctor-listed-not = o diretório conhece o nome, mas não o lista como online, embora este par esteja rodando
doctor-see-log = O log dele diz por quê. Execute-o em um terminal para ver: `peer serve -v`
doctor-unclaimed = o diretório não conhece o nome { $name }
doctor-claim = `peer serve` o registra. Se já há um rodando, o log dele diz por que não conseguiu.
doctor-claimed = neste diretório, { $name } é de outra chave: { $key }
doctor-release = Escolha outro nome; ou, se ele é seu, peça a quem mantém o diretório que o libere com `server names release { $name }`.
doctor-answers = este par responde em { $address }, visto daqui
doctor-answers-here = este par responde em { $address }, que só programas desta máquina alcançam
doctor-listen = Para os outros da rede: `peer serve --listen 0.0.0.0:7101`
doctor-answers-not = nada de útil responde em { $address }: { $why }
doctor-open-way = É lá que os outros se conectam. Libere a porta { $port } no firewall, ou diga com --advertise onde este par pode ser alcançado.
doctor-another-answers = em { $address } responde outra chave: { $presented }
doctor-advertise = Outro programa está nesse endereço. Diga com --advertise onde este par pode ser alcançado.
doctor-needs = não verificado; cuide primeiro de: { $first }
doctor-clock-right = está de acordo com o do diretório
doctor-clock-ahead =
    { $seconds ->
        [one] está um segundo adiantado em relação ao do diretório
       *[other] está { $seconds } segundos adiantado em relação ao do diretório
    }
doctor-clock-behind =
    { $seconds ->
        [one] está um segundo atrasado em relação ao do diretório
       *[other] está { $seconds } segundos atrasado em relação ao do diretório
    }
doctor-future = uma mensagem foi recebida em { $at }, que ainda está por vir
doctor-set-clock = Acerte o relógio, ou deixe isso com o sistema: timedatectl set-ntp true
doctor-no-proxy = nenhuma variável indica um
doctor-proxies = definidas: { $variables }
doctor-no-proxy-used = O Recado não usa proxy: as conexões a pares e ao diretório são diretas.
doctor-nothing-waits = nada espera para ser entregue
doctor-waits =
    { $count ->
        [one] uma mensagem para { $to }, ainda não tentada
       *[other] { $count } mensagens para { $to }, ainda não tentadas
    }
doctor-waits-since =
    { $count ->
        [one] uma mensagem para { $to }: { $reason }
       *[other] { $count } mensagens para { $to }: { $reason }
    }
doctor-next-try =
    { $seconds ->
        [0] Será tentada de novo em instantes.
        [one] Será tentada de novo em um segundo, ou assim que o destinatário voltar.
       *[other] Será tentada de novo em { $seconds } segundos, ou assim que o destinatário voltar.
    }
doctor-other-key = Pergunte a { $name }, mas não pelo Recado. Se a chave é nova: `peer trust { $name } { $key }`. Se não é, outra pessoa está nesse endereço: espere, e a entrega é feita quando { $name } voltar.
doctor-no-answer = O par de lá não está rodando, ou há um firewall ou roteador no caminho, ou o --advertise de lá está errado: `peer doctor` na outra máquina diz qual. Será tentado de novo por si só.
doctor-deliver = Um par em execução a entrega (`peer serve`); `peer send` também tenta.
