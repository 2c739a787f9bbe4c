listing-none = Nenhuma mensagem.
listing-to = para{" "}
listing-unverified = não verificada, { $origin }
listing-from-key = chave { $key }
listing-from-address = de { $address }
listing-from-nowhere = sem origem conhecida
listing-after-tries =
    { $tries ->
        [one] { $state } após 1 tentativa
       *[other] { $state } após { $tries } tentativas
    }
listing-next-try-seconds = nova tentativa em { $seconds } s
listing-next-try-minutes = nova tentativa em { $minutes } min
listing-set-aside =
    { $count ->
        [one] Mais uma mensagem chegou com este nome, e não com a chave dele: `peer inbox --unverified --from { $name }`
       *[other] Mais { $count } mensagens chegaram com este nome, e não com a chave dele: `peer inbox --unverified --from { $name }`
    }
listing-other-key = se { $name } disse a você que a chave é nova: `peer trust { $name } { $key }`; se não, espere
listing-peer-answered = o par de { $name } respondeu: { $said }
