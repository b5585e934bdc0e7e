//! `sendMessage`: one message item per recipient who is connected; the table's stream delivers them.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::again::Attempt;
use super::caller::{answer, player_of, trace_of};
use super::{Deps, HandlerError};
use crate::ports::BATCH_PUT_LIMIT;
use crate::store::{Message, StoreError};
use crate::trace::{Stage, Trace};
use crate::wire::{Answer, Request};

/// The request's body with unchecked members, so that each mistake gets its own answer.
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
    begun_us: i64,
) -> Result<ApiGatewayProxyResponse, HandlerError> {
    let request = Request::parse(event.body.as_deref().unwrap_or_default());
    let trace = trace_of(&request, &event.request_context, begun_us);
    let (player_ids, message) = match parameters(&request) {
        Ok(parameters) => parameters,
        Err(missing) => {
            return Ok(answer(&request, &Answer::text(400, format!("Missing Params [{missing}]"))));
        }
    };
    if let Some(refusal) = too_large(player_ids.len(), &message) {
        return Ok(answer(&request, &Answer::text(413, refusal)));
    }
    let Some(sender) = player_of(deps, &event.request_context).await? else {
        return Ok(answer(&request, &Answer::text(403, "Unknown Connection")));
    };
    let (client_id, gateway_id) =
        (request.id().map(RawValue::get), event.request_context.request_id.as_deref());
    let attempt = deps.failed_sends.attempt(&sender, client_id, &message, gateway_id);
    Ok(answer(
        &request,
        &match send(deps, &attempt, &sender, &player_ids, &message, trace).await {
            Ok(()) => {
                attempt.done();
                Answer::text(200, "Message(s) Sent")
            }
            Err(error) => {
                tracing::warn!(%error, recipients = player_ids.len(), "message not sent");
                Answer::text(500, "Failed To Send Message(s)")
            }
        },
    ))
}

/// The distinct recipients and the text, or the missing parameter.
fn parameters(request: &Request<'_>) -> Result<(Vec<String>, String), &'static str> {
    let body: Body<'_> = request.body().unwrap_or(Body { player_ids: None, message: None });
    let player_ids: Option<Vec<String>> =
        body.player_ids.and_then(|ids| serde_json::from_str(ids.get()).ok());
    let message = body.message.and_then(|text| serde_json::from_str(text.get()).ok());
    let mut player_ids = player_ids.ok_or("playerIds(array)")?;
    player_ids.sort_unstable();
    player_ids.dedup();
    Ok((player_ids, message.ok_or("message(string)")?))
}

/// Maximum bytes that one request may write: each recipient gets an item.
const LARGEST_FAN_OUT: usize = 4 * 1024 * 1024;
/// Upper estimate of an item's size without its text.
const BESIDE_TEXT: usize = 512;

/// Refuses a request that would write more than [`LARGEST_FAN_OUT`].
fn too_large(recipients: usize, text: &str) -> Option<String> {
    let bytes = recipients.saturating_mul(text.len().saturating_add(BESIDE_TEXT));
    (bytes > LARGEST_FAN_OUT).then(|| {
        format!(
            "Message Too Large [{recipients} recipients x {} bytes, at most {} bytes for so many]",
            text.len(),
            (LARGEST_FAN_OUT / recipients.max(1)).saturating_sub(BESIDE_TEXT)
        )
    })
}

async fn send(
    deps: &Deps,
    attempt: &Attempt<'_>,
    sender: &str,
    player_ids: &[String],
    text: &str,
    mut trace: Option<Trace>,
) -> Result<(), StoreError> {
    let recipients = deps.connections.of_players(player_ids.iter().map(String::as_str)).await?;
    let created_at = Some(deps.clock.epoch_ms());
    let expire_at = Some(deps.expire_at(deps.settings.message_ttl));
    // Batch by batch: the text is copied for each recipient.
    for batch in recipients.chunks(BATCH_PUT_LIMIT) {
        if let Some(trace) = &mut trace {
            trace.set(Stage::Table, deps.clock.epoch_us());
        }
        let messages: Vec<Message> = batch
            .iter()
            .map(|recipient| Message {
                message_id: attempt.message_id(&recipient.player_id),
                recipient_id: recipient.player_id.clone(),
                sender_id: Some(sender.to_owned()),
                message: text.to_owned(),
                created_at,
                expire_at,
                trace: trace.clone(),
            })
            .collect();
        deps.messages.put_all(&messages).await?;
    }
    Ok(())
}
