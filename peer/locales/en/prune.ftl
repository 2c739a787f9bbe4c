prune-ask =
    { $count ->
        [one] Delete 1 message for good?
       *[other] Delete { $count } messages for good?
    }{ $unread ->
        [0] {""}
        [one] {" "}One of them was never read.
       *[other] {" "}{ $unread } of them were never read.
    }
prune-progress = Deleting
prune-unread =
    { $count ->
        [one] One of them was never read.
       *[other] { $count } of them were never read.
    }
prune-would =
    { $count ->
        [one] 1 message would be deleted.
       *[other] { $count } messages would be deleted.
    }{ $unread ->
        [0] {""}
        [one] {" "}One of them was never read.
       *[other] {" "}{ $unread } of them were never read.
    }
