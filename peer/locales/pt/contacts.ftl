contacts-none = Ainda não há contatos: `peer add LINK` cria um, e escrever para alguém também.
contacts-title-contact = CONTATO
contacts-title-seen = SÓ VISTO
contacts-title-blocked = BLOQUEADO
contacts-title-key = CHAVE
contacts-title-address = ÚLTIMO ENDEREÇO
contacts-title-unread = NÃO LIDAS
contacts-blocked = bloqueado
contacts-is-contact = { $name } (um contato)
contacts-is-seen = { $name } (só visto: escreveu para você, e você ainda não lhe escreveu)
contacts-is-own = { $name } (você)
contacts-has-no-key = { $name } (nenhuma chave é conhecida)
contacts-name = nome
contacts-fingerprint = impressão digital
contacts-address = endereço
contacts-no-address = nenhum ainda
contacts-unread = não lidas
contacts-is-blocked = { $name } está bloqueado.
contacts-unblock = Para receber as mensagens dele de novo: `peer unblock { $name }`
contacts-another-key = Outra chave falou como { $name } e foi recusada, pela última vez: { $at }.
contacts-trust =
    Se { $name } tem uma chave nova, compare-a com a da pessoa e digite:
      `peer trust { $name } { $key }`
