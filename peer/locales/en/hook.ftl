hook-empty = it names no program
hook-open-quote = a quote or a backslash is open at its end
hook-no-program = there is no program { $program }: write its whole path, and make it executable (`chmod +x`). No shell reads the command; what needs one goes into a script
