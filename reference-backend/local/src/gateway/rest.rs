//! Polling: a REST API with two methods, with the same guard as the sockets.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header, request};
use axum::response::{IntoResponse, Response};
use reference_backend::function::Function;
use serde_json::json;
use tokio::time::Instant;

use super::edge::Edge;
use super::event::Client;
use super::event::rest::Rest;
use super::guard::RequestGuard;
use super::integration::{Integration, IntegrationError};
use super::meters::RestMeters;

/// A method of the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestMethod<'a> {
    /// `POST /placements`
    StartPlacement,
    /// `GET /placements/{id}`
    ReadPlacement(&'a str),
}

impl RestMethod<'_> {
    const fn resource(&self) -> &'static str {
        match self {
            Self::StartPlacement => "/placements",
            Self::ReadPlacement(_) => "/placements/{id}",
        }
    }

    fn arn_path(&self) -> String {
        match self {
            Self::StartPlacement => format!("{}/placements", Method::POST),
            Self::ReadPlacement(id) => format!("{}/placements/{id}", Method::GET),
        }
    }
}

/// The REST API beside the sockets.
pub(super) struct RestApi {
    pub(super) edge: Arc<Edge>,
    pub(super) guard: Arc<RequestGuard>,
    pub(super) integration: Integration,
    pub(super) meters: RestMeters,
}

impl RestApi {
    /// Answers a REST request and takes its measure.
    pub(super) async fn answer(
        &self,
        method: RestMethod<'_>,
        head: &request::Parts,
        source_ip: IpAddr,
        body: &[u8],
    ) -> Response {
        let (at, started) = (SystemTime::now(), Instant::now());
        let response = self.answer_unmeasured(method, head, source_ip, body).await;
        self.meters.request(at, started.elapsed(), response.status());
        response
    }

    async fn answer_unmeasured(
        &self,
        method: RestMethod<'_>,
        head: &request::Parts,
        source_ip: IpAddr,
        body: &[u8],
    ) -> Response {
        let api = &self.edge.api;
        if !self.edge.limits.admits_request() {
            return error(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
        }
        let mut client = Client::new(source_ip, &head.headers);
        let id = if let RestMethod::ReadPlacement(id) = method { Some(id) } else { None };
        let resource = method.resource();
        let arn = api.method_arn(&method.arn_path());
        let question = |client: &Client| Rest { api, client, head, resource, id }.authorize(&arn);
        if let Err(denial) = self.guard.authorize(&mut client, head, body, &arn, question).await {
            let error_type = [("x-amzn-errortype", denial.error_type())];
            return (error_type, error(denial.status(), &denial.to_string())).into_response();
        }
        let rest = Rest { api, client: &client, head, resource, id };
        let event = rest.proxy(&String::from_utf8_lossy(body));
        match self.integration.call(Function::PlacementsRest, event).await {
            Ok(result) => {
                let status = StatusCode::from_u16(result.status_code).unwrap_or(StatusCode::BAD_GATEWAY);
                let mut response = (status, Body::from(result.body.unwrap_or_default())).into_response();
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                for (name, value) in result.headers.iter().flatten() {
                    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
                    {
                        response.headers_mut().insert(name, value);
                    }
                }
                response
            }
            Err(timeout @ IntegrationError::TimedOut) => {
                error(StatusCode::GATEWAY_TIMEOUT, &timeout.to_string())
            }
            Err(failure) => error(StatusCode::BAD_GATEWAY, &failure.to_string()),
        }
    }
}

fn error(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message }))).into_response()
}
