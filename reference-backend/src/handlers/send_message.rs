//! `sendMessage`: one message item per recipient who is connected; the table's stream delivers them.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Builder;

use super::caller::{answer, player_of};
use super::{Deps, HandlerError};
use crate::store::{Message, StoreError};
use crate::wire::{Answer, Request};

/// The request's body, its members not yet judged, so that each gets its own answer.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(rename = "playerIds", borrow, default)]
    player_ids: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
}

pub(super) async fn handle(
    deps: &Deps,
    event: ApiGatewayWebsocketProxyRequest,
) -> Result<ApiGatewayProxyResponse, HandlerError> {
    let request = Request::parse(event.body.as_deref().unwrap_or_default());
    let (player_ids, message) = match parameters(&request) {
        Ok(parameters) => parameters,
        Err(missing) => {
            return Ok(answer(&request, &Answer::text(400, format!("Missing Params [{missing}]"))));
        }
    };
    let Some(sender) = player_of(deps, &event.request_context).await? else {
        return Ok(answer(&request, &Answer::text(403, "Unknown Connection")));
    };
    Ok(answer(
        &request,
        &match send(deps, &sender, &player_ids, &message).await {
            Ok(()) => Answer::text(200, "Message(s) Sent"),
            Err(error) => {
                tracing::warn!(%error, recipients = player_ids.len(), "message not sent");
                Answer::text(500, "Failed To Send Message(s)")
            }
        },
    ))
}

/// Recipients and text, or the parameter that is missing.
fn parameters(request: &Request<'_>) -> Result<(Vec<String>, String), &'static str> {
    let body: Body<'_> = request.body().unwrap_or(Body { player_ids: None, message: None });
    let player_ids = body.player_ids.and_then(|ids| serde_json::from_str(ids.get()).ok());
    let message = body.message.and_then(|text| serde_json::from_str(text.get()).ok());
    Ok((player_ids.ok_or("playerIds(array)")?, message.ok_or("message(string)")?))
}

/// A random UUID out of the thread's generator: [`Uuid::new_v4`](uuid::Uuid::new_v4) asks the system for each.
fn message_id() -> String {
    Builder::from_random_bytes(rand::random()).into_uuid().to_string()
}

async fn send(deps: &Deps, sender: &str, player_ids: &[String], text: &str) -> Result<(), StoreError> {
    let recipients = deps.connections.of_players(player_ids.iter().map(String::as_str)).await?;
    let created_at = Some(deps.clock.epoch_ms());
    let expire_at = Some(deps.expire_at(deps.settings.message_ttl));
    let messages: Vec<Message> = recipients
        .into_iter()
        .map(|recipient| Message {
            message_id: message_id(),
            recipient_id: recipient.player_id,
            sender_id: Some(sender.to_owned()),
            message: text.to_owned(),
            created_at,
            expire_at,
        })
        .collect();
    deps.messages.put_all(&messages).await
}
