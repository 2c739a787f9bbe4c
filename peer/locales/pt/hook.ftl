hook-empty = não indica nenhum programa
hook-open-quote = falta fechar aspas, ou há uma barra invertida no fim
hook-no-program = não existe o programa { $program }: escreva o caminho completo e torne-o executável (`chmod +x`). Nenhum shell lê o comando; o que precisa de um vai em um script
