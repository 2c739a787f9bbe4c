suggest-this = Did you mean { $word }?
suggest-these = Did you mean { $words } or { $last }?
suggest-all = There are: { $words }.
