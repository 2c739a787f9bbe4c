add-no-link = isso não é um convite: { $why }
add-no-link-hint = `peer invite` imprime o convite do outro lado. Copie a linha inteira e ponha-a entre aspas.
add-added = adicionado:
add-already = já era um contato:
add-other-key = { $name } tem aqui outra chave, que não é a deste link; nada foi mudado
add-other-key-keys =
    aqui     { $pinned }
    no link  { $linked }
add-other-key-hint = Pergunte a { $name }, por outro canal, de quem é a chave que mudou. Se for a dele ou dela: `peer trust { $name } { $linked }`
