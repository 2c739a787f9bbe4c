watch-directory-away = { $why }. Watching on.
watch-directory-back = The directory is back.
watch-joined = { $name } is online at { $address }
watch-changed = { $name } is online anew at { $address }
watch-left = { $name } is offline
watch-too-many = the directory tells of more than { $most } peers online at once
