export-progress = Exporting
export-unwritable = { $file } cannot be written: { $why }
export-done =
    { $count ->
        [one] 1 message was written to { $file }.
       *[other] { $count } messages were written to { $file }.
    }
export-ours = { $file } is a file that this peer needs itself
export-ours-hint = Name another one, as in `peer export history.jsonl`.
