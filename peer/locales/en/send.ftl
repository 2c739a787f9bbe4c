send-nobody = Nobody else is online who could be sent it: nothing was sent.
send-words = there are more words than a text
send-wait-blank = the time behind --wait, { $time }, would be taken for a name or a text
send-wait-hint = A time is written behind an equals sign, as in `--wait={ $time }`.
send-quote-hint = Quote the text, as in `peer send rui 'good morning'`.
send-quote-all-hint = Quote the text, as in `peer send --all 'good morning'`.
send-no-peer-runs = No peer runs here to deliver what waits: `peer serve` does.
send-first-try = the first try has not ended yet
send-other-key = another key than that of { $name } answers at its address: nothing was sent there, and the message waits
send-other-key-keys =
    pinned { $pinned }
    shown  { $shown }
send-other-key-hint = If { $name } has told you, not through Recado, that this is the new key: `peer trust { $name } { $shown }`
send-not-a-name = { $text } is not a name: { $why }
send-left-out = Left out, since it cannot be checked who they are (see --insecure): { $names }
send-waiting = waiting for delivery
send-no-text = there is no text
send-no-text-hint = Write it behind the name, or pipe it in: `echo hello | peer send rui`.
send-too-long = standard input is longer than { $most } bytes, the most that a message may have
send-too-long-hint = Send it in parts, or send a link to the file.
send-not-text = standard input is not text in UTF-8
send-not-text-hint = Recado sends text; convert it, or send a link to the file.
