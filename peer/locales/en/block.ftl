block-blocked = blocked
block-only-the-name = Nobody has proved a key under that name here, so only the name is blocked: its owner may come with another.
