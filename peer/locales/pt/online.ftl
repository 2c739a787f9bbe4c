online-no-directory = nenhum diretório está configurado
online-no-directory-hint = Indique um com --server URL.
online-nobody = Ninguém está online.
online-title-name = NOME
online-title-address = ENDEREÇO
online-title-since = ONLINE DESDE
online-title-unread = NÃO LIDAS
online-title-key = CHAVE
online-you = { $name } (você)
online-verified = verificada
online-other-key = outra chave
online-listed-with-another-key =
    { $name } está na lista com outra chave, não com a conhecida aqui. Se { $name } tem uma nova:
      `peer trust { $name } { $key }`
