//! `sessionPlacementRequest`: asks for a place in a game session; the outcome is pushed.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};

use super::caller::{answer, player_of, trace_of};
use super::start::{PlacementRequest, start, unreadable};
use super::{Deps, HandlerError};
use crate::wire::{Answer, Request};

pub(super) async fn handle(
    deps: &Deps,
    event: ApiGatewayWebsocketProxyRequest,
    begun_us: i64,
) -> Result<ApiGatewayProxyResponse, HandlerError> {
    let request = Request::parse(event.body.as_deref().unwrap_or_default());
    let trace = trace_of(&request, &event.request_context, begun_us);
    let Some(player) = player_of(deps, &event.request_context).await? else {
        return Ok(answer(&request, &Answer::text(403, "Unknown Connection")));
    };
    let wish = if request.has_body() { request.body() } else { Some(PlacementRequest::default()) };
    let outcome = match wish {
        Some(wish) => start(deps, &player, wish, trace).await,
        None => unreadable(),
    };
    Ok(answer(&request, &outcome))
}
