//! Inbound: the way of a message that somebody sends to this peer. It passes the gate and arrives at the endpoint, its
//! sender is judged, and the inbox keeps it.

pub mod gate;

pub mod endpoint;

mod batch;

pub mod claims;

mod budget;

pub mod sender;

pub mod had;

pub mod quota;

pub mod inbox;

mod refusal;
