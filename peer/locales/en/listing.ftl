listing-none = No messages.
listing-to = to{" "}
listing-unverified = unverified, { $origin }
listing-from-key = key { $key }
listing-from-address = from { $address }
listing-from-nowhere = from nowhere
listing-after-tries =
    { $tries ->
        [one] { $state } after 1 try
       *[other] { $state } after { $tries } tries
    }
listing-next-try-seconds = next try in { $seconds } s
listing-next-try-minutes = next try in { $minutes } min
listing-set-aside =
    { $count ->
        [one] One more message came under this name, and not from its key: `peer inbox --unverified --from { $name }`
       *[other] { $count } more messages came under this name, and not from its key: `peer inbox --unverified --from { $name }`
    }
listing-other-key = if { $name } has told you that this key is new: `peer trust { $name } { $key }`; otherwise wait
listing-peer-answered = { $name }'s peer answered: { $said }
