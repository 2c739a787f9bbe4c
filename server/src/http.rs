//! All routes of the directory on one page. Each endpoint has a file; what it decides is the directory's affair.

mod events;
mod health;
mod metrics;
mod peers;
mod register;

mod bearer;
mod coding;
mod conditional;
mod measure;
mod percent;
mod private;
mod refusal;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use protocol::paths;

use self::events::Streams;
use crate::directory::Directory;
use crate::metrics::Metrics;

/// The directory's API, which counts in these metrics what it answers.
pub fn router(directory: Directory, metrics: Arc<Metrics>) -> Router {
    let mut reading = Router::new()
        .route(paths::PEERS, get(peers::list))
        .route(&format!("{}/{{name}}", paths::PEERS), get(peers::find))
        .route(paths::EVENTS, get(events::events).with_state(Streams::of(&directory)));
    if directory.is_private() {
        reading = reading.route_layer(from_fn_with_state(directory.clone(), private::holders_only));
    }
    let routes = Router::new()
        .merge(reading)
        .route(paths::REGISTER, post(register::register).delete(register::leave))
        .route(paths::METRICS, get(metrics::metrics).with_state(Arc::clone(&metrics)))
        .route(paths::HEALTH, get(health::health))
        .route(paths::OPENAPI, get(health::contract))
        .route_layer(from_fn_with_state(metrics, measure::measure))
        .with_state(directory);
    listener::dressed(routes)
}

#[cfg(test)]
mod tests;
