forget-forgot = forgot
forget-kept = Its messages are kept, as unverified ones.
forget-blocked = { $name } is blocked: forgetting its keys would let it in again
forget-blocked-hint = If that is meant: `peer unblock { $name } && peer forget { $name }`
