exit-no-home = there is no home directory to keep messages in
exit-no-home-hint = Choose one with --data-dir.
exit-nameless-hint = Give it one: `peer serve --name NAME`.
exit-give-a-name-hint = Give it one: add `--name NAME`, as in `peer serve --name ana`.
exit-other-name-hint = Leave --name out, or use another --data-dir for another peer. Until a directory has accepted the name, `peer serve --name` changes it.
exit-written-down-hint = The message is written down; `peer serve` delivers it.
exit-directory-away-hint = Is it running, and is this its address? Start one with `server`, or name another with --server URL.
exit-private = the directory is private: it answers only those who have a name there
exit-private-hint = Claim one first, as in `RECADO_INVITE=CODE peer serve --name ana`; whoever runs the directory makes codes with `server invite`.
exit-unknown-hint = Nothing was sent. `peer peers` lists who is online.
exit-never-met-hint = Nothing was sent. Ask them for their link and `peer add LINK` it, or name a directory with --server URL.
exit-unchecked-hint = Nothing was sent. Ask them for their link and `peer add` it; or add --insecure, and whoever answers there may read the message and pass for them.
exit-renamed-hint = Nothing was sent. Try again.
exit-held-hint = It is yours at { $server }. If that is the same directory, call it by that URL: --server { $server }
exit-name-taken-hint = Choose another with --name. If { $name } is yours and its token is lost, whoever runs the directory frees it with `server names release { $name }`.
exit-fingerprint-changed-hint = Put this peer's identity.pem back from a backup. If it is lost, choose another name with --name, or have whoever runs the directory free this one with `server names release { $name }`.
exit-invite-required-hint = Ask whoever runs it for a code, which `server invite` makes, and type `RECADO_INVITE=CODE peer serve --name { $name }`
exit-running-hint = Use that one, or another --data-dir for another peer.
exit-delivering-hint = Try again when it has ended.
exit-listen-hint = Choose another address or port with --listen.
exit-no-free-port-hint = Choose one with --listen, as in --listen 127.0.0.1:0 for any.
