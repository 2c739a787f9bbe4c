invite-no-address = este par ainda não tem endereço, então não há link para ele
invite-no-address-hint = `peer serve` dá um a ele. Diga onde os outros podem se conectar: `peer serve --advertise https://HOST:PORTA`.
invite-advertise-hint = Diga onde os outros podem se conectar: `peer serve --advertise https://HOST:PORTA`.
invite-note = Quem digitar `peer add '{ $link }'` terá você como contato.
invite-this-machine =
    Ele só funciona nesta máquina. Para outras:
      `peer serve --listen 0.0.0.0:7101 --advertise https://HOST:7101`
invite-no-link = não dá para fazer um link com { $address }, o endereço que os outros recebem deste par: { $why }
