demo-begin =
    O Recado leva mensagens direto de uma máquina para outra, sem ninguém no meio.
    Aqui estão um diretório e dois pares, guardados em { $folder } enquanto isto estiver rodando.
demo-step-directory = Um diretório lista quem está online, e mais nada.
demo-directory = diretório
demo-step-start = ana e rui iniciam. Cada par é um servidor, com um arquivo SQLite só seu.
demo-step-peers = ana pergunta ao diretório quem está lá.
demo-step-send = ana deixa uma mensagem para rui. Ela vai direto ao par dele, que a grava no disco e responde.
demo-lunch = Olá, Rui! Almoço à uma?
demo-step-offline = rui fica offline, e ana escreve mesmo assim. O par dela guarda a mensagem.
demo-seat = Guardei um lugar para você.
demo-step-back = rui volta, em outra porta, e a mensagem chega sem que ninguém faça nada.
demo-step-answer = rui responde, e ana tem a conversa inteira no arquivo dela.
demo-on-my-way = Estou a caminho.
demo-as = como { $name }
demo-took = { $milliseconds } ms, com tudo gravado no disco
demo-yours = Agora é com você.
demo-stays = Tudo continua rodando até você apertar Ctrl-C aqui. Em outro terminal:
demo-play-inbox = ler o que rui recebe, assim que chega
demo-play-send = escrever para rui como ana
demo-play-history = tudo o que ana guarda
demo-play-menu = o menu numerado, como rui
demo-play-peers = quem está online, sem o Recado
demo-play-script = uma mensagem de um script
demo-green = o build passou
demo-stopped = Parado, e { $folder } foi removida.
demo-not-arrived = uma mensagem da demonstração não chegou
