search-no-word = there is no word in that: a word has at least one letter or digit
search-no-word-hint = Type what stands in the message, as in `peer search lunch saturday`.
search-bad-query = that is no query: { $why }
search-bad-query-hint = Without --query every word is taken as it is. `peer search --help` says what a query is made of.
search-nothing = No message has all of these words.
search-progress = Getting ready to search
