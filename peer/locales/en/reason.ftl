### Each line is the shape of a reason as the rooms tell it, word for word (see `language/reasons.rs`): one line each, and
### `{ $why }` is a reason itself.

# Outbound
reason-no-answer = no answer from { $address }: { $why }
reason-no-receipt = no receipt from { $address }: { $why }
reason-not-the-recipient = { $address } is not the recipient: { $why }
reason-other-key = it has the key { $presented }, where { $expected } was expected
reason-certificates = it shows { $count } certificates, where a peer has one
reason-not-in-time-by-name = { $name } did not answer in time
reason-offline = { $name } is offline
reason-listed-unchecked = { $name } is listed at { $address } and cannot be checked there: `peer send --insecure` does without
reason-no-address = { $name } has no known address
reason-nobody = nobody has the name { $name } at the moment
reason-no-directory = no directory is configured
reason-imported = it was still queued where it was exported
reason-deleted = it was deleted here before it was delivered
reason-not-reached = the recipient was not reached in time
reason-not-a-receipt = the answer is not a receipt for this message
reason-not-an-answer = the answer is not one to these messages
reason-says-nothing = the answer says nothing of it
reason-answers-status = the recipient answers { $status }
reason-fewer = it takes fewer messages at once
reason-one-by-one = it takes one message at a time

# The directory
reason-directory-away = the directory { $directory } cannot be reached: { $why }
reason-directory-late = the directory { $directory } did not answer in time
reason-directory-refused = the directory refused: { $detail }
reason-answers-of-another = asked for { $name }, it answers of { $other }
reason-answers-otherwise = it answers { $status }, and not as a directory does
reason-no-directory-there = what answers there is no directory
reason-no-peer-there = what answers there is no peer
reason-answers = it answers { $status }
reason-late = it did not answer in time
reason-answers-nonsense = it answers what no directory does: { $detail }
reason-directory-key = { $why }. It may be another one; if it has a new key, its URL is to end in #{ $presented }
reason-directory-distrusted = { $why }. Pin its key with `--server { $url }#FINGERPRINT` (README says how to compute that), or let the system trust it
reason-no-events = it answers with something else than events
reason-silent = it said nothing for { $seconds } s
reason-stream-ended = it ended the stream
reason-no-event = its event is none: { $detail }
reason-event-too-long = it sent an event of more than { $bytes } bytes
reason-pages = its list has more than { $pages } pages
reason-not-modified = it answers 304 to one who knows nothing
reason-list-elsewhere = its list goes on elsewhere, at { $target }
reason-coding = its list comes in a coding that nobody asked for
reason-not-unpacked = its list cannot be unpacked: { $detail }
reason-list-too-long = its list is longer than { $bytes } bytes

# The client
reason-answer-too-long = its answer is longer than { $bytes } bytes
reason-expired-certificate = its certificate has expired
reason-other-host = its certificate is for another host
reason-distrusted = the system does not trust its certificate
reason-port = port 0 cannot be dialled
reason-unspecified = an unspecified address is not dialled
reason-link-local = a link-local address is not dialled, whoever names it
reason-multicast = a multicast or broadcast address is not dialled
reason-loopback = a loopback address is dialled only for a directory on this machine, or if you gave it yourself
reason-nowhere = its name has no address

# The system, where it is often met
reason-connection-refused = Connection refused (os error { $number })
reason-no-route = No route to host (os error { $number })
reason-network-unreachable = Network is unreachable (os error { $number })
reason-connection-reset = Connection reset by peer (os error { $number })
reason-timed-out = Connection timed out (os error { $number })

# The database file
reason-not-regular = it is not a regular file
reason-application-id = its application id is { $found }, not { $expected }
reason-not-sqlite = it is not an SQLite file

# What a recipient says against a message, each with its own words
reason-bad-json = bad-json: { $said }
reason-bad-request = bad-request: { $said }
reason-token-unknown = token-unknown: { $said }
reason-blocked = blocked: { $said }
reason-not-accepted = not-accepted: { $said }
reason-proof-required = proof-required: { $said }
reason-key-mismatch = key-mismatch: { $said }
reason-tls-required = tls-required: { $said }
reason-browser-refused = browser-refused: { $said }
reason-invite-required = invite-required: { $said }
reason-not-found = not-found: { $said }
reason-unknown-name = unknown-name: { $said }
reason-method-not-allowed = method-not-allowed: { $said }
reason-timeout = timeout: { $said }
reason-name-taken = name-taken: { $said }
reason-token-in-use = token-in-use: { $said }
reason-fingerprint-changed = fingerprint-changed: { $said }
reason-id-conflict = id-conflict: { $said }
reason-too-large = too-large: { $said }
reason-unsupported-media-type = unsupported-media-type: { $said }
reason-misdirected = misdirected: { $said }
reason-invalid-name = invalid-name: { $said }
reason-invalid-address = invalid-address: { $said }
reason-invalid-fingerprint = invalid-fingerprint: { $said }
reason-invalid-token = invalid-token: { $said }
reason-invalid-message = invalid-message: { $said }
reason-invalid-query = invalid-query: { $said }
reason-rate-limited = rate-limited: { $said }
reason-quota-exceeded = quota-exceeded: { $said }
reason-internal = internal: { $said }
reason-unavailable = unavailable: { $said }
reason-directory-needed = directory-needed: { $said }
reason-storage-full = storage-full: { $said }
reason-directory-full = directory-full: { $said }
