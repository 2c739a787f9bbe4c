//! `POST /register` and `DELETE /register`: claim a name, come online, renew; go offline, or give the name up.

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use listener::{Query, Refusal, Shape, Source};
use protocol::address::Reach;
use protocol::{Address, Problem, Slug, directory as wire, paths};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::bearer::{Bearer, bearer};
use super::percent::Percent;
use super::refusal::{failed, unregistered};
use crate::directory::{Arrival, Directory, InviteHash, Parting, Request, Token, TokenHash};

/// The members of a registration, each to be judged on its own.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Members(Map<String, Value>);

impl Shape for Members {
    const SLUG: Slug = Slug::BadRequest;
}

/// An unspecified host cannot be filled in for who is hidden by a proxy.
const UNSEEN: &str =
    "`address`: the proxy between us does not say where you are: use the address at which others reach you.";

pub(super) async fn register(
    State(directory): State<Directory>,
    source: Source,
    headers: HeaderMap,
    listener::Json(body): listener::Json<Members>,
) -> Result<Response, Refusal> {
    let (token, made) = token(&headers)?;
    let request = Request {
        name: parsed(&body, "name", Slug::InvalidName)?.ok_or_else(|| missing("name", Slug::InvalidName))?,
        address: address(&body, source)?,
        fingerprint: parsed(&body, "fingerprint", Slug::InvalidFingerprint)?,
        token,
        fresh: fresh(&body)?,
        invite: invite(&body)?,
        network: (!source.is_loopback()).then(|| source.network()),
    };
    let name = request.name.clone();
    let registered = directory.register(request).await.map_err(|error| unregistered(&name, error))?;
    let status = match registered.arrival {
        Arrival::Joined => StatusCode::CREATED,
        Arrival::Stayed => StatusCode::OK,
    };
    let answer = wire::Registered {
        record: registered.record,
        expires_at: registered.expires_at,
        // Never 0, by which a client would divide.
        ttl_seconds: directory.ttl().as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
        token: made.map(|token| token.into_text().into()),
    };
    let location = format!("{}/{}", paths::PEERS, Percent(name.as_str()));
    Ok((status, [(LOCATION, location)], Json(answer)).into_response())
}

/// The token that was sent, or one that is made here and told to its owner.
fn token(headers: &HeaderMap) -> Result<(TokenHash, Option<Token>), Refusal> {
    match bearer(headers) {
        Bearer::Token(hash) => Ok((hash, None)),
        Bearer::Malformed(why) => Err(Slug::InvalidToken.because(format!("`Authorization`: {why}.")).into()),
        Bearer::Absent => {
            let token = Token::make().map_err(Refusal::internal)?;
            Ok((token.hash(), Some(token)))
        }
    }
}

fn member<'a>(body: &'a Members, member: &str) -> Option<&'a Value> {
    body.0.get(member).filter(|value| !value.is_null())
}

/// A member that is a text and parses, or is absent.
fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    body: &Members,
    name: &str,
    slug: Slug,
) -> Result<Option<T>, Problem> {
    let Some(value) = member(body, name) else { return Ok(None) };
    let text = value.as_str().ok_or_else(|| slug.because(format!("`{name}` must be a string.")))?;
    text.parse().map(Some).map_err(|error| slug.because(format!("`{name}`: {error}.")))
}

fn missing(name: &str, slug: Slug) -> Problem {
    slug.because(format!("`{name}` is missing: send {{\"name\": …, \"address\": …}}."))
}

/// The address as it will be listed, if this client may have it listed.
fn address(body: &Members, source: Source) -> Result<Address, Problem> {
    let slug = Slug::InvalidAddress;
    let address: Option<Address> = parsed(body, "address", slug)?;
    let address = address.ok_or_else(|| missing("address", slug))?;
    let address = match source.seen_at() {
        Some(ip) => address.seen_at(ip),
        None if address.reach() == Reach::Unspecified => return Err(slug.because(UNSEEN)),
        None => address,
    };
    match address.listable(source.is_loopback()) {
        Ok(()) => Ok(address),
        Err(error) => Err(slug.because(format!("`address`: {error}."))),
    }
}

fn fresh(body: &Members) -> Result<bool, Problem> {
    match member(body, "fresh") {
        None => Ok(false),
        Some(value) => {
            value.as_bool().ok_or_else(|| Slug::BadRequest.because("`fresh` must be true or false."))
        }
    }
}

/// What an open directory does not ask for does no harm.
fn invite(body: &Members) -> Result<Option<InviteHash>, Problem> {
    let Some(value) = member(body, "invite") else { return Ok(None) };
    let code = value.as_str().ok_or_else(|| Slug::BadRequest.because("`invite` must be a string."))?;
    Ok(Some(InviteHash::of(code)))
}

#[derive(Deserialize)]
pub(super) struct Leaving {
    #[serde(default)]
    forget: bool,
}

pub(super) async fn leave(
    State(directory): State<Directory>,
    Query(Leaving { forget }): Query<Leaving>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let unknown =
        || Slug::TokenUnknown.because("Send the token of the claim: `Authorization: Bearer <token>`.");
    let Bearer::Token(token) = bearer(&headers) else { return Err(unknown().into()) };
    let parting = if forget { Parting::Claim } else { Parting::Lease };
    directory.leave(token, parting).await.map_err(failed)?.ok_or_else(unknown)?;
    Ok(StatusCode::NO_CONTENT)
}
