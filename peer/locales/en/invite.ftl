invite-no-address = this peer has no address yet, so there is no link to it
invite-no-address-hint = `peer serve` gives it one. Say where others can dial it: `peer serve --advertise https://HOST:PORT`.
invite-advertise-hint = Say where others can dial it: `peer serve --advertise https://HOST:PORT`.
invite-note = Whoever types `peer add '{ $link }'` has you as a contact.
invite-this-machine =
    It works on this machine only. For others:
      `peer serve --listen 0.0.0.0:7101 --advertise https://HOST:7101`
invite-no-link = no link can be made of { $address }, where others are told to dial this peer: { $why }
