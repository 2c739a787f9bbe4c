suggest-this = Você quis dizer { $word }?
suggest-these = Você quis dizer { $words } ou { $last }?
suggest-all = Há estes: { $words }.
