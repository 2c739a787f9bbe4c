language-unknown = write en or pt
