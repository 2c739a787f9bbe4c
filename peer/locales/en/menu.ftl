menu-choices =
    1) Send a message
    2) List messages
    3) List peers
    0) Quit
menu-prompt = >{" "}
menu-unknown-choice = Please type 1, 2, 3 or 0.
menu-own-name = Your name:{" "}
menu-no-name = no name was given
menu-no-name-hint = Give one with --name.
menu-to = To:{" "}
menu-text = Text:{" "}
menu-no-messages = No messages yet.
menu-only-the-last = The last { $count }; `peer history` shows all.
menu-you-are = You are { $name }, { $address }
menu-runs-already = This peer runs in another process; this menu uses it.
menu-arrived = New:
menu-goodbye = Goodbye.
