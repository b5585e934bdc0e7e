//! `$default`: every route that is not defined, and everything that is no JSON.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};

use super::caller::answer;
use crate::wire::{Answer, Request};

pub(super) fn handle(event: ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
    let request = Request::parse(event.body.as_deref().unwrap_or_default());
    answer(&request, &Answer::text(404, format!("Route [{}] Not Found", request.route())))
}
