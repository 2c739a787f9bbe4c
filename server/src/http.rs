//! All routes of the directory on one page. Each endpoint has a file; what it decides is the directory's affair.

mod events;
mod health;
mod peers;
mod register;

mod bearer;
mod coding;
mod conditional;
mod percent;
mod private;
mod refusal;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use protocol::paths;

use crate::directory::Directory;

/// The directory's API.
pub fn router(directory: Directory) -> Router {
    let mut reading = Router::new()
        .route(paths::PEERS, get(peers::list))
        .route(&format!("{}/{{name}}", paths::PEERS), get(peers::find))
        .route(paths::EVENTS, get(events::events));
    if directory.is_private() {
        reading = reading.route_layer(from_fn_with_state(directory.clone(), private::holders_only));
    }
    let routes = Router::new()
        .merge(reading)
        .route(paths::REGISTER, post(register::register).delete(register::leave))
        .route(paths::HEALTH, get(health::health))
        .route(paths::OPENAPI, get(health::contract))
        .with_state(directory);
    listener::dressed(routes)
}

#[cfg(test)]
mod tests;
