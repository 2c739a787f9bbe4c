demo-begin =
    Recado leaves messages straight from one machine to another, with nobody in between.
    Here are a directory and two peers, kept in { $folder } for as long as this runs.
demo-step-directory = A directory lists who is online, and nothing else.
demo-directory = directory
demo-step-start = ana and rui start. Each is a server of its own, with an SQLite file of its own.
demo-step-peers = ana asks the directory who is there.
demo-step-send = ana leaves rui a message. It goes straight to rui's peer, which writes it to disk and answers.
demo-lunch = Olá Rui! Lunch at one?
demo-step-offline = rui goes offline, and ana writes all the same. Her peer keeps the message.
demo-seat = I have kept you a seat.
demo-step-back = rui comes back, at another port, and the message arrives without anybody doing anything.
demo-step-answer = rui answers, and ana has the whole conversation in her own file.
demo-on-my-way = On my way.
demo-as = as { $name }
demo-took = { $milliseconds } ms, with every write on disk
demo-yours = Now it is yours.
demo-stays = Everything stays up until you press Ctrl-C here. In another terminal:
demo-play-inbox = read what rui gets, as it comes
demo-play-send = write to rui as ana
demo-play-history = everything that ana keeps
demo-play-menu = the numbered menu, as rui
demo-play-peers = who is online, without Recado
demo-play-script = a message from a script
demo-green = the build is green
demo-stopped = Stopped, and { $folder } is removed.
demo-not-arrived = a message of the demo did not arrive
