contacts-none = No contacts yet: `peer add LINK` makes one, and so does writing to somebody.
contacts-title-contact = CONTACT
contacts-title-seen = SEEN ONLY
contacts-title-blocked = BLOCKED
contacts-title-key = KEY
contacts-title-address = LAST ADDRESS
contacts-title-unread = UNREAD
contacts-blocked = blocked
contacts-is-contact = { $name } (a contact)
contacts-is-seen = { $name } (seen only: wrote to you, and you not yet to them)
contacts-is-own = { $name } (yourself)
contacts-has-no-key = { $name } (no key is known)
contacts-name = name
contacts-fingerprint = fingerprint
contacts-address = address
contacts-no-address = none yet
contacts-unread = unread
contacts-is-blocked = { $name } is blocked.
contacts-unblock = To take its messages again: `peer unblock { $name }`
contacts-another-key = Another key spoke as { $name } and was refused, last: { $at }.
contacts-trust =
    If { $name } has a new key, compare it with theirs, and type:
      `peer trust { $name } { $key }`
