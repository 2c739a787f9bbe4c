online-no-directory = no directory is configured
online-no-directory-hint = Name one with --server URL.
online-nobody = Nobody is online.
online-title-name = NAME
online-title-address = ADDRESS
online-title-since = ONLINE SINCE
online-title-unread = UNREAD
online-title-key = KEY
online-you = { $name } (you)
online-verified = verified
online-other-key = another key
online-listed-with-another-key =
    { $name } is listed with another key than the one known here. If { $name } has a new one:
      `peer trust { $name } { $key }`
