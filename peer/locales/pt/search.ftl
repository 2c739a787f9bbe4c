search-blank = não há nada para procurar
search-blank-hint = Digite o que está na mensagem, como em `peer search almoço sábado`.
search-too-many = são mais de { $most } palavras
search-bad-query = isso não é uma consulta: { $why }
search-bad-query-hint = Sem --query cada palavra vale como está escrita. `peer search --help` diz de que é feita uma consulta.
search-nothing = Nenhuma mensagem foi achada.
search-nothing-whole = Nenhuma mensagem tem todas essas palavras. Só palavras inteiras são achadas: `peer search --query 'come*'` acha como uma começa.
search-progress = Preparando a busca
