serve-stopped = parado antes que tudo tivesse terminado
serve-damaged-hint = Nada mais é recebido. Guarde uma cópia da pasta de dados e restaure o recado.db de um backup.
serve-listen = escreva um endereço IP e uma porta, como em 127.0.0.1:7101, 0.0.0.0:7101 ou [::]:7101
serve-invite-unreadable = não é possível ler o convite em { $file }: { $error }
serve-no-invite = não há convite nele
serve-no-invite-hint = É o código que `server invite` imprimiu, sozinho na linha.
