//! The events of the REST API.

use axum::http::request;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Api, Client, Identity, ProxyEvent, RequestMaps, Target, clf, json};
use crate::account::ACCOUNT_ID;
use crate::gateway::id::Id;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RestContext<'a> {
    resource_path: &'a str,
    http_method: &'a str,
    path: &'a str,
    protocol: &'a str,
    account_id: &'a str,
    stage: &'a str,
    request_id: Id,
    extended_request_id: Id,
    request_time: String,
    request_time_epoch: i64,
    identity: Identity<'a>,
    domain_name: &'a str,
    api_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a RawValue>,
}

/// A REST request for a Lambda: the handler, or with a method's ARN the authorizer.
pub(in crate::gateway) struct Rest<'a> {
    pub(in crate::gateway) api: &'a Api,
    pub(in crate::gateway) client: &'a Client,
    pub(in crate::gateway) head: &'a request::Parts,
    /// As the API declares it, e.g. `/placements/{id}`.
    pub(in crate::gateway) resource: &'a str,
    /// Value of `{id}`.
    pub(in crate::gateway) id: Option<&'a str>,
}

impl Rest<'_> {
    /// The handler's event.
    pub(in crate::gateway) fn proxy(&self, body: &str) -> Bytes {
        let body = (!body.is_empty()).then_some(body);
        json(&ProxyEvent {
            target: Some(self.target()),
            request: Some(RequestMaps::of(self.head)),
            body,
            ..self.event()
        })
    }

    /// The authorizer's event.
    pub(in crate::gateway) fn authorize(&self, arn: &str) -> Bytes {
        let request = Some(RequestMaps::of(self.head));
        let (r#type, method_arn) = (Some("REQUEST"), Some(arn));
        json(&ProxyEvent { r#type, method_arn, target: Some(self.target()), request, ..self.event() })
    }

    fn target(&self) -> Target<'_> {
        let path_parameters = self.id.map(|id| ("id", id)).into_iter().collect();
        let path =
            self.head.uri.path().strip_prefix('/').and_then(|path| path.find('/').map(|at| &path[at..]));
        Target {
            resource: self.resource,
            path: path.unwrap_or("/"),
            http_method: self.head.method.as_str(),
            path_parameters,
        }
    }

    fn event(&self) -> ProxyEvent<'_, RestContext<'_>> {
        let (now, request_id) = (Timestamp::now(), Id::random());
        ProxyEvent::of(RestContext {
            resource_path: self.resource,
            http_method: self.head.method.as_str(),
            path: self.head.uri.path(),
            protocol: "HTTP/1.1",
            account_id: ACCOUNT_ID,
            stage: &self.api.stage,
            request_id,
            extended_request_id: request_id,
            request_time: clf(now),
            request_time_epoch: now.as_millisecond(),
            identity: Identity::of(self.client),
            domain_name: &self.api.domain,
            api_id: &self.api.id,
            authorizer: self.client.authorizer.as_deref(),
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::apigw::{ApiGatewayCustomAuthorizerRequestTypeRequest, ApiGatewayProxyRequest};

    use super::super::tests::{api, client, head};
    use super::*;

    #[test]
    fn rest_events_read_as_aws_types() {
        let (api, head) = (api(), head("/Development/placements/p1"));
        let client = client(&head);
        let rest =
            Rest { api: &api, client: &client, head: &head, resource: "/placements/{id}", id: Some("p1") };
        let event: ApiGatewayProxyRequest = serde_json::from_slice(&rest.proxy("")).unwrap();
        assert_eq!(event.path_parameters["id"], "p1");
        assert_eq!((event.path.as_deref(), event.http_method.as_str()), (Some("/placements/p1"), "GET"));
        assert_eq!(event.request_context.authorizer.fields["principalId"], "a");
        assert_eq!(event.body, None);
        let bytes = rest.authorize("arn");
        let event: ApiGatewayCustomAuthorizerRequestTypeRequest = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(event.method_arn.as_deref(), Some("arn"));
    }
}
