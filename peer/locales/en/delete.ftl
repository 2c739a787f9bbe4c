delete-ask =
    { $count ->
        [one] Delete this message for good?
       *[other] Delete these { $count } messages for good?
    }
delete-done =
    { $count ->
        [0] Nothing was deleted.
        [one] 1 message was deleted.
       *[other] { $count } messages were deleted.
    }
delete-several = { $count } messages have the id { $id }
delete-several-hint = Nothing was deleted. Say whose is meant: `peer delete --from { $name } { $id }`.
delete-sent = { $time }  to { $to }
delete-received = { $time }  from { $from }
delete-received-unverified = { $time }  from { $from }, unverified
delete-no-id =
    an id is a UUID such as 0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3; `peer history --ids` shows those of your messages
