add-no-link = that is no invitation: { $why }
add-no-link-hint = `peer invite` prints it on the other side. Copy the whole line, and put it into quotes.
add-added = added
add-already = already a contact:
add-other-key = { $name } has another key here than in this link; nothing was changed
add-other-key-keys =
    here     { $pinned }
    the link { $linked }
add-other-key-hint = Ask { $name } over another channel whose key has changed. If it is theirs: `peer trust { $name } { $linked }`
