man-not-written = não é possível escrever as páginas em { $folder }: { $error }
man-name = NOME
man-synopsis = SINOPSE
man-description = DESCRIÇÃO
man-examples = EXEMPLOS
man-commands = COMANDOS
man-exit-status = CÓDIGOS DE SAÍDA
man-exit-codes =
    0    feito; em `peer send`: entregue ou na fila, e o que foi é mostrado
    1    falhou
    2    uso errado ou entrada errada
    3    não entregue a tempo (--wait)
    4    recusada pelo destinatário
    5    ninguém tem esse nome
    6    o diretório não pode ser alcançado e era necessário
    7    outra chave que não a do destinatário responde no endereço dele
    130  interrompido
man-environment = AMBIENTE
man-variables =
    RECADO_...        o valor de uma opção: RECADO_SERVER o de --server; `peer config` mostra todas
    RECADO_INVITE     o convite que um diretório privado pede para um nome novo
    RECADO_LOG        o que vai para o log, como em peer=debug
    NO_COLOR          sem cores, seja qual for o valor
    LC_ALL, LC_MESSAGES, LANG
                      o idioma, se --lang não o diz
man-files = ARQUIVOS
man-paths =
    ~/.local/share/recado/                a pasta de dados, se --data-dir não indica outra
    ~/.local/share/recado/recado.db       todas as mensagens, enviadas e recebidas
    ~/.local/share/recado/identity.pem    a chave: quem a tem é este par
    ~/.local/share/recado/config.toml     ajustes
man-see-also = VEJA TAMBÉM
