watch-directory-away = { $why }. Continuo observando.
watch-directory-back = O diretório voltou.
watch-joined = { $name } está online em { $address }
watch-changed = { $name } está online de novo em { $address }
watch-left = { $name } saiu
watch-too-many = o diretório fala de mais de { $most } pares online ao mesmo tempo
