//! Polling: `POST /placements` and `GET /placements/{id}` over REST, for comparison with the push.

use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use serde::Serialize;

use super::caller::{authorized_player, response};
use super::start::{PlacementRequest, start, unreadable};
use super::{AuthMode, Deps, HandlerError, signed};
use crate::wire::{Answer, AnswerBody, placement_json};

pub(super) async fn handle(
    deps: &Deps,
    event: ApiGatewayProxyRequest,
) -> Result<ApiGatewayProxyResponse, HandlerError> {
    let context = &event.request_context;
    let (player, refusal) = match deps.settings.auth {
        AuthMode::Iam => (
            signed::player(&event.headers, &event.query_string_parameters, &context.identity),
            (403, "Missing Player Id"),
        ),
        _ => (authorized_player(&context.authorizer), (401, "Unauthorized")),
    };
    let Some(player) = player else { return Ok(message(refusal.0, refusal.1)) };
    let id = event.path_parameters.get("id").map(String::as_str);
    let mut answered = match (event.http_method.as_str(), id) {
        ("POST", None) => post(deps, player, event.body.as_deref().unwrap_or_default()).await,
        ("GET", Some(id)) => get(deps, player, id).await?,
        _ => message(404, "Not Found"),
    };
    answered.headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    Ok(answered)
}

async fn post(deps: &Deps, player: &str, body: &str) -> ApiGatewayProxyResponse {
    let wish =
        if body.trim().is_empty() { Ok(PlacementRequest::default()) } else { serde_json::from_str(body) };
    let Answer { status, body } = match wish {
        Ok(wish) => start(deps, player, wish, None).await,
        Err(_) => unreadable(),
    };
    match body {
        AnswerBody::Text(text) => message(status, &text),
        // 202: the placement is pending.
        started => encode(202, &started),
    }
}

/// Returns a placement to its player only; for others it does not exist.
async fn get(deps: &Deps, player: &str, id: &str) -> Result<ApiGatewayProxyResponse, HandlerError> {
    let placement = deps.placements.get(id).await?.filter(|placement| placement.player_id == player);
    Ok(match placement {
        Some(placement) => response(200, Some(placement_json(&placement))),
        None => message(404, "Placement Not Found"),
    })
}

fn message(status: u16, message: &str) -> ApiGatewayProxyResponse {
    encode(status, &serde_json::json!({ "message": message }))
}

fn encode(status: u16, body: &impl Serialize) -> ApiGatewayProxyResponse {
    response(status, serde_json::to_string(body).ok())
}
