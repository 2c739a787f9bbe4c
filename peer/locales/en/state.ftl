state-queued = queued
state-delivered = delivered
state-refused = refused
state-expired = expired
