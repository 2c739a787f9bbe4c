export-progress = Exportando
export-unwritable = não é possível escrever em { $file }: { $why }
export-done =
    { $count ->
        [one] 1 mensagem foi escrita em { $file }.
       *[other] { $count } mensagens foram escritas em { $file }.
    }
export-ours = { $file } é um arquivo de que o próprio par precisa
export-ours-hint = Dê outro nome, como em `peer export history.jsonl`.
