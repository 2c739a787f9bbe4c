state-queued = na fila
state-delivered = entregue
state-refused = recusada
state-expired = expirada
