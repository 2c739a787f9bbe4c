import-progress = Importando
import-unreadable = não é possível ler { $file }: { $why }
import-standard-input = entrada padrão
import-bad-line = { $file }, linha { $line }: { $why }
import-bad-line-hint =
    O que está antes dessa linha foi importado. Corrija ou retire a linha e importe de novo: o que já existe é pulado.
    De quem é cada chave só se aprende de um arquivo inteiro.
import-again-hint = O que já foi importado está guardado. Importe de novo quando isso estiver resolvido: o que já existe é pulado.
import-bad-read = não é possível ler a linha: { $why }
import-bad-long = a linha tem mais de { $most } bytes, e nenhuma mensagem tem tantos
import-terminal = o que se importa não vem de um terminal
import-terminal-hint = Dê o nome de um arquivo, como em `peer import history.jsonl`, ou passe um por um pipe.
import-bad-syntax = não é JSON
import-bad-json = isso não é uma mensagem: { $why }
import-bad-member = `{ $member }` não pode ser { $value }
import-bad-missing = falta `{ $member }`
import-bad-name = em `{ $member }`: { $why }
import-pinned = { $name } tem a chave { $key }, como diz o arquivo.
import-other-key =
    { $name } tem a chave { $here } aqui e { $there } no arquivo: fica a daqui, e o que a outra assinou
    aparece como não verificado. Se a do arquivo é a certa: `peer trust { $name } { $there }`
import-done =
    { $count ->
        [0] Nada foi importado
        [one] 1 mensagem foi importada
       *[other] { $count } mensagens foram importadas
    }{ $known ->
        [0] {""}
        [one] , 1 já estava aqui
       *[other] , { $known } já estavam aqui
    }{ $deleted ->
        [0] {""}
        [one] , 1 tinha sido apagada aqui
       *[other] , { $deleted } tinham sido apagadas aqui
    }.
