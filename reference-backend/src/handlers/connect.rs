//! `$connect`: stores where the player is reached.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};

use super::caller::{authorized_player, connection_id, response};
use super::{AuthMode, Deps, HandlerError, signed};
use crate::store::Connection;

pub(super) async fn handle(
    deps: &Deps,
    event: ApiGatewayWebsocketProxyRequest,
) -> Result<ApiGatewayProxyResponse, HandlerError> {
    let context = &event.request_context;
    let player = if deps.settings.auth == AuthMode::Iam {
        let Some(player) = signed::player(&event.headers, &event.query_string_parameters, &context.identity)
        else {
            return Ok(response(403, Some("Missing Player Id".into())));
        };
        player
    } else {
        authorized_player(&context.authorizer)
            .ok_or(HandlerError::Missing("requestContext.authorizer.playerId"))?
    };
    let connection = Connection {
        player_id: player.to_owned(),
        connection_id: connection_id(context)?.to_owned(),
        stage: context.stage.clone().unwrap_or_default(),
        domain: context.domain_name.clone().unwrap_or_default(),
        connected_at: Some(context.connected_at),
        expire_at: Some(deps.expire_at(deps.settings.connection_ttl)),
    };
    Ok(match deps.connections.register(&connection).await {
        // Not the newest: the socket opens all the same, pushes go to the newer one.
        Ok(_newest) => response(200, Some("Connected".into())),
        Err(error) => {
            tracing::warn!(%error, "connection not stored");
            response(500, Some("Failed To Update Player Connection".into()))
        }
    })
}
