//! Lambda's control API (restJson1): what is deployed, and the limits that it has.
//!
//! Nothing of it changes while the stack runs, so the answers are made once.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use reference_backend::function::{Deployment, Function, Layout};
use serde::Deserialize;
use serde_json::{Value, json};

use super::LambdaProfile;
use crate::account::arn;
use crate::paging::{UnknownToken, page};
use crate::permissions::Permissions;
use crate::rest_json;

/// AWS's page sizes.
const FUNCTIONS_PAGE: usize = 50;
const MAPPINGS_PAGE: usize = 100;
/// Memory of a function in megabytes, as in the deployment template. It is not enforced.
const MEMORY_MB: u32 = 256;

/// What is deployed.
#[derive(Debug)]
pub(crate) struct Deployed {
    /// The alias that routes and mappings invoke: the stage, as in the deployment template.
    alias: String,
    account: Value,
    functions: Vec<DeployedFunction>,
    mappings: Vec<Value>,
}

/// One Lambda.
#[derive(Debug)]
struct DeployedFunction {
    name: String,
    reserved: Option<usize>,
    configuration: Value,
}

/// The ARN under which routes and mappings invoke a Lambda: that of its alias.
pub(crate) fn alias_arn(lambda_name: &str, deployment: &Deployment) -> String {
    format!("{}:{}", arn("lambda", &format!("function:{lambda_name}")), deployment.stage)
}

impl Deployed {
    /// The functions of a profile, and their event source mappings as
    /// [`describe`](crate::streams::describe) has them.
    pub(crate) fn new(profile: &LambdaProfile, deployment: &Deployment, mappings: Vec<Value>) -> Self {
        let unreserved = profile.account_concurrency.saturating_sub(profile.reserved());
        let mut functions: Vec<_> = Function::ALL
            .iter()
            .map(|&function| DeployedFunction::new(profile, deployment, function))
            .collect();
        functions.dedup_by(|a, b| a.name == b.name);
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        let account = json!({
            "AccountLimit": {
                "ConcurrentExecutions": profile.account_concurrency,
                "UnreservedConcurrentExecutions": unreserved,
                "TotalCodeSize": 80_530_636_800_u64,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
            },
            "AccountUsage": { "FunctionCount": functions.len(), "TotalCodeSize": 0 },
        });
        Self { alias: deployment.stage.clone(), account, functions, mappings }
    }

    /// The API's endpoints.
    pub(crate) fn router(self: Arc<Self>, permissions: &Permissions) -> Router {
        let settings = permissions.guard("lambda:GetAccountSettings", get(get_account_settings));
        let concurrency = permissions.guard("lambda:GetFunctionConcurrency", get(get_function_concurrency));
        let configuration =
            permissions.guard("lambda:GetFunctionConfiguration", get(get_function_configuration));
        let functions = permissions.guard("lambda:ListFunctions", get(list_functions));
        let mappings = permissions.guard("lambda:ListEventSourceMappings", get(list_mappings));
        // SDKs disagree about the slash at the end.
        Router::new()
            .route("/2016-08-19/account-settings", settings.clone())
            .route("/2016-08-19/account-settings/", settings)
            .route("/2019-09-30/functions/{name}/concurrency", concurrency)
            .route("/2015-03-31/functions/{name}/configuration", configuration)
            .route("/2015-03-31/functions", functions.clone())
            .route("/2015-03-31/functions/", functions)
            .route("/2015-03-31/event-source-mappings", mappings.clone())
            .route("/2015-03-31/event-source-mappings/", mappings)
            .with_state(self)
    }

    /// The function of a name, a partial ARN or an ARN, each perhaps with a version or alias.
    fn find(&self, reference: &str, qualifier: Option<&str>) -> Result<&DeployedFunction, LambdaError> {
        let (name, own) = split(reference);
        let known = |qualifier: &str| qualifier == "$LATEST" || qualifier == self.alias;
        self.functions
            .iter()
            .find(|function| function.name == name)
            .filter(|_| qualifier.or(own).is_none_or(known))
            .ok_or_else(|| LambdaError::NoFunction(reference.into()))
    }
}

impl DeployedFunction {
    fn new(profile: &LambdaProfile, deployment: &Deployment, function: Function) -> Self {
        let name = deployment.lambda_name(profile.layout, function);
        let (reserved, timeout_s) = match profile.layout {
            Layout::Single => (profile.reserved_concurrency, profile.timeout_s),
            Layout::PerOperation => {
                let own = profile.functions.get(&function).copied().unwrap_or_default();
                (
                    own.reserved_concurrency.or(profile.reserved_concurrency),
                    own.timeout_s.unwrap_or(profile.timeout_s),
                )
            }
        };
        // `VpcConfig` is absent: the functions are in no VPC.
        let configuration = json!({
            "FunctionName": name,
            "FunctionArn": arn("lambda", &format!("function:{name}")),
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "PackageType": "Zip",
            "Architectures": ["x86_64"],
            "CodeSize": 0,
            // Whole seconds on AWS.
            "Timeout": timeout_s.ceil() as u64,
            "MemorySize": MEMORY_MB,
            "Version": "$LATEST",
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "TracingConfig": { "Mode": "PassThrough" },
            "LoggingConfig": { "LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}") },
        });
        Self { name, reserved, configuration }
    }
}

/// The name of a function and the version or alias, from a name, a partial ARN or an ARN.
fn split(reference: &str) -> (&str, Option<&str>) {
    let name = reference.rsplit_once("function:").map_or(reference, |(_, name)| name);
    name.split_once(':').map_or((name, None), |(name, qualifier)| (name, Some(qualifier)))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Qualified {
    qualifier: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    marker: Option<String>,
    max_items: Option<usize>,
    function_name: Option<String>,
    event_source_arn: Option<String>,
}

async fn get_account_settings(State(deployed): State<Arc<Deployed>>) -> Response {
    rest_json::answer(deployed.account.clone())
}

async fn get_function_concurrency(
    State(deployed): State<Arc<Deployed>>,
    Path(name): Path<String>,
) -> Result<Response, LambdaError> {
    let reserved = deployed.find(&name, None)?.reserved;
    Ok(rest_json::answer(
        reserved.map_or_else(|| json!({}), |reserved| json!({ "ReservedConcurrentExecutions": reserved })),
    ))
}

async fn get_function_configuration(
    State(deployed): State<Arc<Deployed>>,
    Path(name): Path<String>,
    Query(Qualified { qualifier }): Query<Qualified>,
) -> Result<Response, LambdaError> {
    let function = deployed.find(&name, qualifier.as_deref())?;
    Ok(rest_json::answer(function.configuration.clone()))
}

async fn list_functions(
    State(deployed): State<Arc<Deployed>>,
    Query(listing): Query<Listing>,
) -> Result<Response, LambdaError> {
    let all = deployed.functions.iter().map(|function| function.configuration.clone()).collect();
    listing.answer("Functions", all, FUNCTIONS_PAGE)
}

/// A mapping belongs to the alias that it invokes: the name of the function alone finds none. Whether it does on AWS is
/// documented nowhere.
async fn list_mappings(
    State(deployed): State<Arc<Deployed>>,
    Query(listing): Query<Listing>,
) -> Result<Response, LambdaError> {
    let function =
        listing.function_name.as_deref().map(|name| deployed.find(name, None).map(|_| split(name)));
    let function = function.transpose()?;
    let is_wanted = |mapping: &&Value| {
        let of = |field: &str| mapping[field].as_str().unwrap_or_default();
        function.is_none_or(|function| split(of("FunctionArn")) == function)
            && listing.event_source_arn.as_deref().is_none_or(|arn| of("EventSourceArn") == arn)
    };
    let all = deployed.mappings.iter().filter(is_wanted).cloned().collect();
    listing.answer("EventSourceMappings", all, MAPPINGS_PAGE)
}

impl Listing {
    fn answer(&self, of: &str, all: Vec<Value>, most: usize) -> Result<Response, LambdaError> {
        let limit = self.max_items.unwrap_or(most).min(most);
        let (items, next) = page(all, self.marker.as_deref(), limit)?;
        let mut answer = json!({ of: items });
        if let Some(next) = next {
            answer["NextMarker"] = next.into();
        }
        Ok(rest_json::answer(answer))
    }
}

/// Why a call fails.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum LambdaError {
    #[error("Function not found: {0}")]
    NoFunction(String),
    #[error("the Marker is none that this endpoint issued")]
    Marker,
}

impl From<UnknownToken> for LambdaError {
    fn from(_: UnknownToken) -> Self {
        Self::Marker
    }
}

impl IntoResponse for LambdaError {
    fn into_response(self) -> Response {
        let (status, code) = match self {
            Self::NoFunction(_) => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
            Self::Marker => (StatusCode::BAD_REQUEST, "InvalidParameterValueException"),
        };
        rest_json::refusal(status, code, &self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::lambda::FunctionProfile;

    fn deployed(layout: Layout) -> Deployed {
        let own = FunctionProfile {
            timeout_s: Some(2.5),
            reserved_concurrency: Some(7),
            ..FunctionProfile::default()
        };
        let profile = LambdaProfile {
            layout,
            functions: BTreeMap::from([(Function::SendMessage, own)]),
            ..LambdaProfile::default()
        };
        Deployed::new(&profile, &Deployment::default(), Vec::new())
    }

    #[test]
    fn limits_are_those_of_the_profile() {
        let all = deployed(Layout::PerOperation);
        assert_eq!(all.functions.len(), Function::ALL.len());
        assert_eq!(all.account["AccountLimit"]["ConcurrentExecutions"], 1_000);
        assert_eq!(all.account["AccountLimit"]["UnreservedConcurrentExecutions"], 993);
        let send = all.find("reference-Development-SendMessage", None).unwrap();
        assert_eq!((send.reserved, &send.configuration["Timeout"]), (Some(7), &json!(3)));
        assert!(send.configuration.get("VpcConfig").is_none());
        let connect = all.find("reference-Development-Connect", None).unwrap();
        assert_eq!((connect.reserved, &connect.configuration["Timeout"]), (None, &json!(10)));

        let single = deployed(Layout::Single);
        assert_eq!(single.account["AccountLimit"]["UnreservedConcurrentExecutions"], 1_000);
        let names: Vec<_> = single.functions.iter().map(|function| &function.name).collect();
        assert_eq!(names, ["reference-Development-Backend"]);
    }

    #[test]
    fn a_function_has_several_names() {
        let all = deployed(Layout::PerOperation);
        let name = "reference-Development-Connect";
        for reference in [
            name.to_owned(),
            format!("{name}:Development"),
            format!("function:{name}"),
            arn("lambda", &format!("function:{name}")),
            alias_arn(name, &Deployment::default()),
        ] {
            assert_eq!(all.find(&reference, None).unwrap().name, name, "{reference}");
        }
        assert!(all.find(name, Some("$LATEST")).is_ok());
        assert!(all.find(name, Some("Production")).is_err(), "there is no such alias");
        assert_eq!(all.find("other", None).unwrap_err(), LambdaError::NoFunction("other".into()));
    }
}
