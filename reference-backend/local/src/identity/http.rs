//! The HTTP endpoints of the provider, for players and for authorizers.
//!
//! The latency and failures of the profile apply to the endpoints of authorizers. Credentials are always available,
//! because every test needs them first.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use reference_backend::ports::IdentityError;
use reference_backend::steam;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;

use super::steam::{Bans, PUBLISHER_KEY, Question};
use super::{LocalIdentity, SigningError};

type Provider = Arc<LocalIdentity>;

/// All endpoints.
pub fn router(provider: Arc<LocalIdentity>) -> Router {
    Router::new()
        .route("/.well-known/jwks.json", get(keys))
        .route("/keys/rotate", post(rotate))
        .route("/token", post(token))
        .route("/tokens", post(tokens))
        .route(steam::PATH, get(ask_steam))
        .route(steam::PATH.trim_end_matches('/'), get(ask_steam))
        .route("/steam/token", post(ticket))
        .route("/steam/tokens", post(tickets))
        .with_state(provider)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenRequest {
    player_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokensRequest {
    player_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TicketRequest {
    player_id: String,
    #[serde(default)]
    bans: Bans,
}

async fn keys(State(provider): State<Provider>) -> Response {
    match provider.delay_or_fail().await {
        Ok(()) => Json(provider.keys()).into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn rotate(State(provider): State<Provider>) -> Response {
    match provider.rotate() {
        Ok(kid) => Json(json!({ "kid": kid })).into_response(),
        Err(error) => unsigned(&error),
    }
}

async fn token(State(provider): State<Provider>, Json(request): Json<TokenRequest>) -> Response {
    match provider.issue(&request.player_id) {
        Ok(token) => Json(json!({ "token": token })).into_response(),
        Err(error) => unsigned(&error),
    }
}

async fn tokens(State(provider): State<Provider>, Json(request): Json<TokensRequest>) -> Response {
    // Thousands of signatures take a second, which must not block the runtime.
    let sign = move || request.player_ids.iter().map(|id| provider.issue(id)).collect::<Result<Vec<_>, _>>();
    match tokio::task::spawn_blocking(sign).await {
        Ok(Ok(tokens)) => Json(json!({ "tokens": tokens })).into_response(),
        Ok(Err(error)) => unsigned(&error),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn ticket(State(provider): State<Provider>, Json(request): Json<TicketRequest>) -> Response {
    Json(json!({ "token": provider.ticket(&request.player_id, request.bans) })).into_response()
}

async fn tickets(State(provider): State<Provider>, Json(request): Json<TokensRequest>) -> Response {
    let ticket = |id: &String| provider.ticket(id, Bans::default());
    Json(json!({ "tokens": request.player_ids.iter().map(ticket).collect::<Vec<_>>() })).into_response()
}

/// Malformed requests are answered with HTML pages, as Steam does.
async fn ask_steam(
    State(provider): State<Provider>,
    question: Result<Query<Question>, QueryRejection>,
) -> Response {
    if let Err(error) = provider.delay_or_fail().await {
        return unavailable(&error);
    }
    match question {
        Err(_) => {
            let body = "<html><head><title>Bad Request</title></head><body><h1>Bad Request</h1>\
                        Please verify that all required parameters are being sent</body></html>";
            (StatusCode::BAD_REQUEST, Html(body)).into_response()
        }
        Ok(Query(question)) if question.key.expose_secret() != PUBLISHER_KEY => {
            let body = "<html><head><title>Forbidden</title></head><body><h1>Forbidden</h1>Access is denied. \
                        Retrying will not help. Please verify your <pre>key=</pre> parameter.</body></html>";
            (StatusCode::FORBIDDEN, Html(body)).into_response()
        }
        Ok(Query(question)) => Json(provider.ask_steam(&question)).into_response(),
    }
}

fn unavailable(error: &IdentityError) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "message": error.to_string() }))).into_response()
}

fn unsigned(error: &SigningError) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "message": error.to_string() }))).into_response()
}
