//! API Gateway's control API for WebSocket APIs (`apigatewayv2`, restJson1): the API, its stage with its throttles, and
//! which function stands behind each route.
//!
//! Nothing of it changes while the stack runs, so the answers are made once. The throttles of the stage are those of the
//! account, because the stack has one stage only.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{SecondsFormat, Utc};
use reference_backend::function::{Deployment, Function, Layout};
use reference_backend::handlers::AuthMode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::GatewayProfile;
use super::route::Route;
use crate::account::REGION;
use crate::lambda::alias_arn;
use crate::paging::{UnknownToken, page};
use crate::permissions::Permissions;
use crate::rest_json;

/// AWS's page size.
const PAGE: usize = 100;
/// The id of the one authorizer.
const AUTHORIZER_ID: &str = "authorizer";

/// The WebSocket API as it is deployed.
#[derive(Debug)]
pub(crate) struct DeployedApi {
    id: String,
    api: Value,
    stage: Value,
    routes: Vec<Value>,
    integrations: Vec<Value>,
    authorizers: Vec<Value>,
}

impl DeployedApi {
    /// The API with this id, with the throttles of a profile.
    pub(crate) fn new(
        id: &str,
        endpoint: &str,
        profile: &GatewayProfile,
        deployment: &Deployment,
        layout: Layout,
        auth: AuthMode,
    ) -> Self {
        let created = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let uri = |function: Function| {
            let alias = alias_arn(&deployment.lambda_name(layout, function), deployment);
            format!("arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{alias}/invocations")
        };
        let routes = [("$connect", Function::Connect), ("$disconnect", Function::Disconnect)]
            .into_iter()
            .chain(Route::ALL.map(|route| (route.key(), route.function())));
        let integration = |function: Function| {
            let mut integration = json!({
                "integrationId": function.short_name(),
                "integrationType": "AWS_PROXY",
                "integrationMethod": "POST",
                "integrationUri": uri(function),
                "connectionType": "INTERNET",
                "passthroughBehavior": "WHEN_NO_MATCH",
                "payloadFormatVersion": "1.0",
            });
            if profile.integration_timeout_s > 0.0 {
                let milliseconds = (profile.integration_timeout_s * 1_000.0).round();
                integration["timeoutInMillis"] = (milliseconds as u64).into();
            }
            integration
        };
        let route = |key: &str, function: Function| {
            let mut route = json!({
                "routeId": function.short_name(),
                "routeKey": key,
                "target": format!("integrations/{}", function.short_name()),
                "apiKeyRequired": false,
                "authorizationType": "NONE",
            });
            if function == Function::Connect {
                match auth {
                    AuthMode::Iam => route["authorizationType"] = "AWS_IAM".into(),
                    _ => {
                        route["authorizationType"] = "CUSTOM".into();
                        route["authorizerId"] = AUTHORIZER_ID.into();
                    }
                }
            }
            route
        };
        let authorizer = json!({
            "authorizerId": AUTHORIZER_ID,
            "authorizerType": "REQUEST",
            "authorizerUri": uri(Function::Authorizer),
            "name": deployment.function_name(Function::Authorizer),
        });
        Self {
            id: id.into(),
            api: json!({
                "apiId": id,
                "apiEndpoint": endpoint,
                "name": deployment.resource("reference-backend"),
                "protocolType": "WEBSOCKET",
                "routeSelectionExpression": "$request.body.route",
                "createdDate": created,
                "tags": { "Game": deployment.game, "Stage": deployment.stage },
            }),
            stage: json!({
                "stageName": deployment.stage,
                "createdDate": created,
                "lastUpdatedDate": created,
                "defaultRouteSettings": throttles(profile),
                "routeSettings": {},
                "stageVariables": {},
            }),
            integrations: routes.clone().map(|(_, function)| integration(function)).collect(),
            routes: routes.map(|(key, function)| route(key, function)).collect(),
            authorizers: if auth == AuthMode::Iam { Vec::new() } else { vec![authorizer] },
        }
    }

    /// The API's endpoints.
    pub(crate) fn router(self: Arc<Self>, permissions: &Permissions) -> Router {
        // In IAM every one of these is the same action, on another resource.
        let guard = |endpoint| permissions.guard("apigateway:GET", endpoint);
        Router::new()
            .route("/v2/apis", guard(get(get_apis)))
            .route("/v2/apis/{api}", guard(get(get_api)))
            .route("/v2/apis/{api}/stages", guard(get(get_stages)))
            .route("/v2/apis/{api}/stages/{stage}", guard(get(get_stage)))
            .route("/v2/apis/{api}/routes", guard(get(get_routes)))
            .route("/v2/apis/{api}/integrations", guard(get(get_integrations)))
            .route("/v2/apis/{api}/integrations/{id}", guard(get(get_integration)))
            .route("/v2/apis/{api}/authorizers", guard(get(get_authorizers)))
            .with_state(self)
    }

    fn check(&self, id: &str) -> Result<(), ApiError> {
        if id == self.id { Ok(()) } else { Err(ApiError::NotFound(format!("API identifier {id}"))) }
    }
}

/// The settings of every route. A limit that the profile switches off is absent.
fn throttles(profile: &GatewayProfile) -> Value {
    let mut settings = json!({ "detailedMetricsEnabled": false, "dataTraceEnabled": false });
    let rate = profile.requests_per_second;
    if rate > 0 {
        let burst = if profile.request_burst > 0 { profile.request_burst } else { rate };
        settings["throttlingRateLimit"] = f64::from(rate).into();
        settings["throttlingBurstLimit"] = burst.into();
    }
    settings
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    max_results: Option<usize>,
    next_token: Option<String>,
}

impl Listing {
    fn answer(&self, all: Vec<Value>) -> Result<Response, ApiError> {
        let limit = self.max_results.unwrap_or(PAGE).min(PAGE);
        let (items, next) = page(all, self.next_token.as_deref(), limit)?;
        let mut answer = json!({ "items": items });
        if let Some(next) = next {
            answer["nextToken"] = next.into();
        }
        Ok(rest_json::answer(answer))
    }
}

async fn get_apis(
    State(deployed): State<Arc<DeployedApi>>,
    Query(listing): Query<Listing>,
) -> Result<Response, ApiError> {
    listing.answer(vec![deployed.api.clone()])
}

async fn get_api(
    State(deployed): State<Arc<DeployedApi>>,
    Path(api): Path<String>,
) -> Result<Response, ApiError> {
    deployed.check(&api)?;
    Ok(rest_json::answer(deployed.api.clone()))
}

async fn get_stages(
    State(deployed): State<Arc<DeployedApi>>,
    Path(api): Path<String>,
    Query(listing): Query<Listing>,
) -> Result<Response, ApiError> {
    deployed.check(&api)?;
    listing.answer(vec![deployed.stage.clone()])
}

async fn get_stage(
    State(deployed): State<Arc<DeployedApi>>,
    Path((api, stage)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    deployed.check(&api)?;
    if deployed.stage["stageName"] != stage.as_str() {
        return Err(ApiError::NotFound(format!("stage identifier {stage}")));
    }
    Ok(rest_json::answer(deployed.stage.clone()))
}

async fn get_routes(
    State(deployed): State<Arc<DeployedApi>>,
    Path(api): Path<String>,
    Query(listing): Query<Listing>,
) -> Result<Response, ApiError> {
    deployed.check(&api)?;
    listing.answer(deployed.routes.clone())
}

async fn get_integrations(
    State(deployed): State<Arc<DeployedApi>>,
    Path(api): Path<String>,
    Query(listing): Query<Listing>,
) -> Result<Response, ApiError> {
    deployed.check(&api)?;
    listing.answer(deployed.integrations.clone())
}

async fn get_integration(
    State(deployed): State<Arc<DeployedApi>>,
    Path((api, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    deployed.check(&api)?;
    let found = deployed.integrations.iter().find(|integration| integration["integrationId"] == id.as_str());
    let found = found.ok_or_else(|| ApiError::NotFound(format!("integration identifier {id}")))?;
    Ok(rest_json::answer(found.clone()))
}

async fn get_authorizers(
    State(deployed): State<Arc<DeployedApi>>,
    Path(api): Path<String>,
    Query(listing): Query<Listing>,
) -> Result<Response, ApiError> {
    deployed.check(&api)?;
    listing.answer(deployed.authorizers.clone())
}

/// Why a call fails.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum ApiError {
    #[error("Invalid {0} specified")]
    NotFound(String),
    #[error("the nextToken is none that this endpoint issued")]
    Token,
}

impl From<UnknownToken> for ApiError {
    fn from(_: UnknownToken) -> Self {
        Self::Token
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = match self {
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "NotFoundException"),
            Self::Token => (StatusCode::BAD_REQUEST, "BadRequestException"),
        };
        rest_json::refusal(status, code, &self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployed(profile: &GatewayProfile, auth: AuthMode) -> DeployedApi {
        DeployedApi::new("local", "ws://x", profile, &Deployment::default(), Layout::PerOperation, auth)
    }

    #[test]
    fn throttles_are_those_that_are_on() {
        let off = deployed(&GatewayProfile::default(), AuthMode::Token);
        assert!(off.stage["defaultRouteSettings"].get("throttlingRateLimit").is_none(), "{}", off.stage);
        let profile = GatewayProfile { requests_per_second: 70, ..GatewayProfile::default() };
        let on = deployed(&profile, AuthMode::Token);
        let settings = &on.stage["defaultRouteSettings"];
        assert_eq!(settings["throttlingRateLimit"], 70.0);
        assert_eq!(settings["throttlingBurstLimit"], 70, "without one of its own, a second of the rate");
    }

    #[test]
    fn each_route_leads_to_its_function() {
        let token = deployed(&GatewayProfile::default(), AuthMode::Token);
        assert_eq!(token.routes.len(), 5);
        for (route, integration) in token.routes.iter().zip(&token.integrations) {
            let target = format!("integrations/{}", integration["integrationId"].as_str().unwrap());
            assert_eq!(route["target"], target);
        }
        let send = token.integrations.iter().find(|found| found["integrationId"] == "SendMessage").unwrap();
        let uri = send["integrationUri"].as_str().unwrap();
        assert!(
            uri.ends_with(":function:reference-Development-SendMessage:Development/invocations"),
            "{uri}"
        );
        assert_eq!(send["timeoutInMillis"], 29_000);
        assert_eq!((token.authorizers.len(), &token.routes[0]["authorizationType"]), (1, &json!("CUSTOM")));
        let iam = deployed(&GatewayProfile::default(), AuthMode::Iam);
        assert_eq!((iam.authorizers.len(), &iam.routes[0]["authorizationType"]), (0, &json!("AWS_IAM")));
    }
}
