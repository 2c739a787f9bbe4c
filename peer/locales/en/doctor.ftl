doctor-ok = ok
doctor-warning = warning
doctor-failed = failed
doctor-skipped = skipped
doctor-data-directory = data directory
doctor-disk = disk
doctor-files = files
doctor-key = key
doctor-tokens = claims
doctor-settings = settings
doctor-database = database
doctor-name = name
doctor-daemon = peer
doctor-port = port
doctor-directory = directory
doctor-listed = listed
doctor-reachable = reachable
doctor-clock = clock
doctor-proxy = proxy
doctor-queue = waiting
doctor-no-data-directory = there is none yet at { $path }
doctor-first-start = Type `peer serve --name NAME` to begin.
doctor-not-a-directory = { $path } is no directory
doctor-another-data-dir = Move it away, or choose another place with --data-dir.
doctor-unreadable = { $path } cannot be looked into: { $why }
doctor-unwritable = { $path } cannot be read and written by this user
doctor-somebody-elses = { $path } belongs to another user (number { $owner })
doctor-give-back = Run this as that user, or make it yours: chown -R "$USER" '{ $path }'
doctor-others-write = { $path } can be changed by other users of this machine (mode { $mode })
doctor-others-enter = { $path } can be entered by other users of this machine (mode { $mode })
doctor-close-directory = Run: chmod 700 '{ $path }'
doctor-file-open = { $path } is open to other users of this machine (mode { $mode })
doctor-close-file = Run: chmod 600 '{ $path }'
doctor-files-private = key, tokens and messages are their owner's alone
doctor-free = { $free } free
doctor-make-room = Make room: on a full disk no message is received or sent. `peer prune` makes room for messages within recado.db, and none for anything else.
doctor-free-unknown = how much room there is cannot be told: { $why }
doctor-no-key = none yet; the first start makes one
doctor-lost-key = there are messages here, but no identity.pem
doctor-restore-key = Put it back from a backup. Without it the next start makes a new key, which those who know this peer have to `peer trust`.
doctor-claims =
    { $claims ->
        [0] no directory has accepted this peer's name yet
        [one] one directory has accepted this peer's name
       *[other] { $claims } directories have accepted this peer's name
    }
doctor-config = { $path } can be used; `peer config` shows what is set
doctor-no-config = no config.toml; `peer config` shows what is set
doctor-sound = it is sound
doctor-no-database = none yet; the first start makes one
doctor-old-database = it is an earlier version's
doctor-update-database = Any other command brings it up to date; then look again.
doctor-restore-database = Keep a copy of the data directory, and restore recado.db from a backup.
doctor-runs = it runs, as process { $pid }
doctor-other-version = it runs, as process { $pid }, but is version { $version }; this command is { $own }
doctor-restart-or-copy = End the peer that runs, and start it again. If that changes nothing: does a copy of this peer run on another machine? End it there.
doctor-restart = End the peer that runs, and start it again.
doctor-runs-not = it does not run: nothing is received, and what waits is only tried when you send
doctor-delivers = it does not run; a command delivers just now, as process { $pid }
doctor-start = Type `peer serve`, or have systemd run it.
doctor-port-free = { $port } is free
doctor-port-held = { $port } is the one that is dialled
doctor-port-taken = { $port } is in use by another program
doctor-next-port = `peer serve` takes { $next } instead; find out who has the other one with: ss -ltnp
doctor-no-port = Choose another with --listen, as in `peer serve --listen 127.0.0.1:0`.
doctor-no-directory = none is asked (--server none)
doctor-directory-answers = { $url } answers
doctor-directory-version = { $url } is version { $version }; this command is { $own }
doctor-update = Bring both to the same version when you can.
doctor-exposed = { $url } answers, without TLS: whoever is on the way can read the token that holds your name
doctor-use-tls = Ask whoever runs it for an https:// URL.
doctor-start-directory = Is it running, and is this its address? Start one with `server`, or name another with --server URL.
doctor-listed-at = under { $address }
doctor-listed-elsewhere = the directory lists { $listed }, this peer says { $own }
doctor-none = none
doctor-listed-not = the directory knows the name, and does not list it as online although this peer runs
doctor-see-log = Its log says why. Run it in a terminal to see: `peer serve -v`
doctor-unclaimed = the directory does not know the name { $name }
doctor-claim = `peer serve` claims it. If one runs, its log says why it could not.
doctor-claimed = in this directory { $name } is another key's: { $key }
doctor-release = Choose another name; or, if it is yours, have whoever runs the directory free it with `server names release { $name }`.
doctor-answers = this peer answers at { $address }, as seen from here
doctor-answers-here = this peer answers at { $address }, which only programs on this machine can dial
doctor-listen = For others on the network: `peer serve --listen 0.0.0.0:7101`
doctor-answers-not = nothing of use answers at { $address }: { $why }
doctor-open-way = Others dial that. Let port { $port } through the firewall, or say with --advertise where this peer can be dialled.
doctor-another-answers = at { $address } another key answers: { $presented }
doctor-advertise = Another program has that address. Say with --advertise where this peer can be dialled.
doctor-needs = not looked at; first see to: { $first }
doctor-clock-right = it agrees with the directory's
doctor-clock-ahead =
    { $seconds ->
        [one] it is a second ahead of the directory's
       *[other] it is { $seconds } seconds ahead of the directory's
    }
doctor-clock-behind =
    { $seconds ->
        [one] it is a second behind the directory's
       *[other] it is { $seconds } seconds behind the directory's
    }
doctor-future = a message was received at { $at }, which is still to come
doctor-set-clock = Set the clock, or have the system do it: timedatectl set-ntp true
doctor-no-proxy = no variable names one
doctor-proxies = set: { $variables }
doctor-no-proxy-used = Recado uses no proxy: peers and the directory are dialled straight.
doctor-nothing-waits = nothing waits to be delivered
doctor-waits =
    { $count ->
        [one] one message for { $to }, not tried yet
       *[other] { $count } messages for { $to }, not tried yet
    }
doctor-waits-since =
    { $count ->
        [one] one message for { $to }: { $reason }
       *[other] { $count } messages for { $to }: { $reason }
    }
doctor-next-try =
    { $seconds ->
        [0] It is tried again in a moment.
        [one] It is tried again in a second, or as soon as they are back.
       *[other] It is tried again in { $seconds } seconds, or as soon as they are back.
    }
doctor-other-key = Ask { $name }, but not through Recado. If this is the new key: `peer trust { $name } { $key }`. If not, somebody else is at that address: wait, and it is delivered when { $name } is back.
doctor-no-answer = Their peer does not run, or a firewall or router is in the way, or they told a wrong --advertise: `peer doctor` on their machine tells which. It is tried again by itself.
doctor-deliver = A peer that runs delivers it (`peer serve`); `peer send` tries it too.
