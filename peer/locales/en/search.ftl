search-blank = there is nothing to search for
search-blank-hint = Type what stands in the message, as in `peer search lunch saturday`.
search-too-many = that is more than { $most } words
search-bad-query = that is no query: { $why }
search-bad-query-hint = Without --query every word is taken as it is. `peer search --help` says what a query is made of.
search-nothing = No message was found.
search-nothing-whole = No message has all of these words. Only whole words are found: `peer search --query 'begin*'` finds how one begins.
search-progress = Getting ready to search
