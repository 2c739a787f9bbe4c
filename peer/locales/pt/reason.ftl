# Outbound
reason-no-answer = sem resposta de { $address }: { $why }
reason-no-receipt = nenhum recibo de { $address }: { $why }
reason-not-the-recipient = { $address } não é o destinatário: { $why }
reason-other-key = tem a chave { $presented }, e a esperada era { $expected }
reason-certificates = mostra { $count } certificados, e um par tem um só
reason-not-in-time-by-name = { $name } não respondeu a tempo
reason-offline = { $name } está offline
reason-listed-unchecked = { $name } está na lista em { $address }, onde não pode ser verificado: `peer send --insecure` dispensa a verificação
reason-no-address = { $name } não tem endereço conhecido
reason-nobody = ninguém tem o nome { $name } no momento
reason-no-directory = nenhum diretório está configurado
reason-imported = ainda estava na fila quando foi exportada
reason-deleted = foi apagada aqui antes de ser entregue
reason-not-reached = o destinatário não foi alcançado a tempo
reason-not-a-receipt = a resposta não é um recibo desta mensagem
reason-not-an-answer = a resposta não é sobre estas mensagens
reason-says-nothing = a resposta não diz nada sobre ela
reason-answers-status = o destinatário responde { $status }
reason-fewer = recebe menos mensagens de cada vez
reason-one-by-one = recebe uma mensagem de cada vez

# The directory
reason-directory-away = não foi possível alcançar o diretório { $directory }: { $why }
reason-directory-late = o diretório { $directory } não respondeu a tempo
reason-directory-refused = o diretório recusou: { $detail }
reason-answers-of-another = perguntado sobre { $name }, responde sobre { $other }
reason-answers-otherwise = responde { $status }, e não como um diretório
reason-no-directory-there = o que responde ali não é um diretório
reason-no-peer-there = o que responde lá não é um par
reason-answers = responde { $status }
reason-late = não respondeu a tempo
reason-answers-nonsense = responde o que nenhum diretório responde: { $detail }
reason-directory-key = { $why }. Pode ser outro; se ele tem uma chave nova, a URL deve terminar em #{ $presented }
reason-directory-distrusted = { $why }. Fixe a chave dele com `--server { $url }#FINGERPRINT` (o README diz como calculá-la), ou faça o sistema confiar nele
reason-no-events = responde outra coisa que não eventos
reason-silent = não disse nada por { $seconds } s
reason-stream-ended = encerrou o fluxo
reason-no-event = o evento dele não é um evento: { $detail }
reason-event-too-long = enviou um evento de mais de { $bytes } bytes
reason-pages = a lista dele tem mais de { $pages } páginas
reason-not-modified = responde 304 a quem não sabe de nada
reason-list-elsewhere = a lista dele continua em outro lugar, em { $target }
reason-coding = a lista dele vem em uma codificação que ninguém pediu
reason-not-unpacked = não foi possível descompactar a lista dele: { $detail }
reason-list-too-long = a lista dele tem mais de { $bytes } bytes

# The client
reason-answer-too-long = a resposta tem mais de { $bytes } bytes
reason-expired-certificate = o certificado expirou
reason-other-host = o certificado é de outro host
reason-distrusted = o sistema não confia no certificado
reason-port = não se conecta à porta 0
reason-unspecified = não se conecta a um endereço não especificado
reason-link-local = não se conecta a um endereço link-local, seja quem for que o indique
reason-multicast = não se conecta a um endereço de multicast ou broadcast
reason-loopback = só se conecta a um endereço de loopback por um diretório nesta máquina, ou se você mesmo o indicou
reason-nowhere = o nome do host não tem endereço

# The system, where it is often met
reason-connection-refused = conexão recusada (erro { $number } do sistema)
reason-no-route = não há rota até o host (erro { $number } do sistema)
reason-network-unreachable = a rede está inacessível (erro { $number } do sistema)
reason-connection-reset = a conexão foi interrompida do outro lado (erro { $number } do sistema)
reason-timed-out = a conexão demorou demais (erro { $number } do sistema)

# The database file
reason-not-regular = não é um arquivo comum
reason-application-id = o application id dele é { $found }, e não { $expected }
reason-not-sqlite = não é um arquivo SQLite

# What a recipient says against a message, each with its own words
reason-bad-json = o JSON não foi entendido: { $said }
reason-bad-request = o pedido não foi entendido: { $said }
reason-token-unknown = o token não é conhecido lá: { $said }
reason-blocked = você foi bloqueado: { $said }
reason-not-accepted = não aceita mensagens deste remetente: { $said }
reason-proof-required = o nome tem uma chave, e ela não foi provada: { $said }
reason-key-mismatch = o nome pertence a outra chave: { $said }
reason-tls-required = HTTP sem TLS não é aceito lá: { $said }
reason-browser-refused = pedidos de páginas web não são aceitos: { $said }
reason-invite-required = um nome novo precisa de convite: { $said }
reason-not-found = não há nada nesse caminho: { $said }
reason-unknown-name = ninguém tem esse nome: { $said }
reason-method-not-allowed = o caminho não aceita esse método: { $said }
reason-timeout = o pedido demorou demais a chegar: { $said }
reason-name-taken = o nome pertence a outra pessoa: { $said }
reason-token-in-use = o token tem outro nome: { $said }
reason-fingerprint-changed = a impressão digital de um nome nunca muda: { $said }
reason-id-conflict = o id é de outra mensagem: { $said }
reason-too-large = o pedido é grande demais: { $said }
reason-unsupported-media-type = o corpo tem de ser JSON: { $said }
reason-misdirected = a mensagem é para outra pessoa: { $said }
reason-invalid-name = isso não é um nome: { $said }
reason-invalid-address = esse endereço não pode ser listado: { $said }
reason-invalid-fingerprint = isso não é uma impressão digital: { $said }
reason-invalid-token = isso não é um token: { $said }
reason-invalid-message = isso não é uma mensagem: { $said }
reason-invalid-query = a consulta não pode ser respondida: { $said }
reason-rate-limited = pedidos demais: { $said }
reason-quota-exceeded = a cota para estas mensagens acabou: { $said }
reason-internal = algo falhou do outro lado: { $said }
reason-unavailable = o outro lado não pode responder agora: { $said }
reason-directory-needed = sem o diretório o remetente não pode ser verificado: { $said }
reason-storage-full = não há espaço do outro lado: { $said }
reason-directory-full = o diretório não aceita mais nomes: { $said }
