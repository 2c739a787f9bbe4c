import-progress = Importing
import-unreadable = { $file } cannot be read: { $why }
import-standard-input = standard input
import-bad-line = { $file }, line { $line }: { $why }
import-bad-line-hint =
    What stands before that line is imported. Mend the line or take it out, and import again: what is known is skipped.
    Whose key is whose is learnt from a whole file only.
import-again-hint = What was imported so far is kept. Import again when that is mended: what is known is skipped.
import-bad-read = it cannot be read: { $why }
import-bad-long = it is longer than { $most } bytes, and no message is
import-terminal = what is to be imported does not come from a terminal
import-terminal-hint = Name a file, as in `peer import history.jsonl`, or pipe one in.
import-bad-syntax = it is no JSON
import-bad-json = it is no message: { $why }
import-bad-member = `{ $member }` cannot be { $value }
import-bad-missing = `{ $member }` is missing
import-bad-name = `{ $member }`: { $why }
import-pinned = { $name } has the key { $key }, as the file says.
import-other-key =
    { $name } has the key { $here } here and { $there } in the file: it keeps the one from here, and what the other one
    signed is shown as unverified. If the one in the file is right: `peer trust { $name } { $there }`
import-done =
    { $count ->
        [0] Nothing was imported
        [one] 1 message was imported
       *[other] { $count } messages were imported
    }{ $known ->
        [0] {""}
       *[other] , { $known } known already
    }{ $deleted ->
        [0] {""}
       *[other] , { $deleted } deleted here before
    }.
