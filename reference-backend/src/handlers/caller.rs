//! The sender of a frame, and the response of a route.

use aws_lambda_events::apigw::{
    ApiGatewayProxyResponse, ApiGatewayRequestAuthorizer, ApiGatewayWebsocketProxyRequestContext,
};
use aws_lambda_events::encodings::Body;

use super::{Deps, HandlerError};
use crate::trace::Trace;
use crate::wire::{Answer, Request};

/// Header with the player's id.
pub(super) const PLAYER_HEADER: &str = "x-player-id";
/// Longest player id: it is a partition key.
pub(super) const LONGEST_PLAYER_ID: usize = 2_048;

/// The player id that the authorizer put into the request context.
pub(super) fn authorized_player(authorizer: &ApiGatewayRequestAuthorizer) -> Option<&str> {
    ["playerId", "principalId"].iter().find_map(|field| authorizer.fields.get(*field)?.as_str())
}

/// The player who owns the connection of an event: as authorized, else as recorded when it connected.
pub(super) async fn player_of(
    deps: &Deps,
    context: &ApiGatewayWebsocketProxyRequestContext,
) -> Result<Option<String>, HandlerError> {
    if let Some(player) = authorized_player(&context.authorizer) {
        return Ok(Some(player.to_owned()));
    }
    let connection_id = connection_id(context)?;
    Ok(deps.connections.by_connection_id(connection_id).await?.map(|connection| connection.player_id))
}

/// The event's connection id.
pub(super) fn connection_id(context: &ApiGatewayWebsocketProxyRequestContext) -> Result<&str, HandlerError> {
    context.connection_id.as_deref().ok_or(HandlerError::Missing("requestContext.connectionId"))
}

/// The stamps of a request whose function began at `begun_us`, where it asks for them.
pub(super) fn trace_of(
    request: &Request<'_>,
    context: &ApiGatewayWebsocketProxyRequestContext,
    begun_us: i64,
) -> Option<Trace> {
    request.is_traced().then(|| Trace::begin(context.request_time_epoch, begun_us))
}

/// A route's answer as the proxy integration returns it.
pub(super) fn answer(request: &Request<'_>, answer: &Answer) -> ApiGatewayProxyResponse {
    response(answer.status, Some(request.answer(answer)))
}

/// A proxy integration's response.
pub(super) fn response(status: u16, body: Option<String>) -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = i64::from(status);
    response.body = body.map(Body::Text);
    response
}
