//! `$disconnect`: forgets the connection, unless its player has a newer one.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};

use super::caller::{connection_id, response};
use super::{Deps, HandlerError};

pub(super) async fn handle(
    deps: &Deps,
    event: ApiGatewayWebsocketProxyRequest,
) -> Result<ApiGatewayProxyResponse, HandlerError> {
    let connection_id = connection_id(&event.request_context)?;
    if let Some(connection) = deps.connections.by_connection_id(connection_id).await? {
        deps.connections.remove(&connection.player_id, connection_id).await?;
    }
    Ok(response(200, Some("Disconnected".into())))
}
