part-no-time =
    write a time such as 2026-10-01, 2026-10-01T09:30, today, yesterday or 7d (seven days ago), or the id of a message
part-unknown =
    { $count ->
        [one] no message with the id { $ids } is kept here
       *[other] no messages with the ids { $ids } are kept here
    }
part-unknown-hint = `peer history --ids` shows what is kept, with the ids. Behind one that was deleted, go on from a time: --since 2026-10-01.
