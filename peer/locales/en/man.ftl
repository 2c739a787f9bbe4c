man-not-written = the pages cannot be written to { $folder }: { $error }
man-name = NAME
man-synopsis = SYNOPSIS
man-description = DESCRIPTION
man-examples = EXAMPLES
man-commands = COMMANDS
man-exit-status = EXIT STATUS
man-exit-codes =
    0    done; for `peer send`: delivered or queued, and which is printed
    1    failed
    2    wrong usage or bad input
    3    not delivered in time (--wait)
    4    refused by the recipient
    5    nobody has that name
    6    the directory cannot be reached and was needed
    7    another key than the recipient's answers at its address
    130  interrupted
man-environment = ENVIRONMENT
man-variables =
    RECADO_...        the value of a flag: RECADO_SERVER of --server; `peer config` shows them all
    RECADO_INVITE     the invitation that a private directory wants with a new name
    RECADO_LOG        what is logged, as in peer=debug
    NO_COLOR          no colour, whatever it is set to
    LC_ALL, LC_MESSAGES, LANG
                      the language, unless --lang says it
man-files = FILES
man-paths =
    ~/.local/share/recado/                the data directory, unless --data-dir names another
    ~/.local/share/recado/recado.db       all messages, sent and received
    ~/.local/share/recado/identity.pem    the key: who has it is this peer
    ~/.local/share/recado/config.toml     settings
man-see-also = SEE ALSO
