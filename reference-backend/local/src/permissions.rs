//! The `[control]` section of a profile: actions that the control plane refuses, as AWS does where an IAM policy lacks
//! them. Tests of a client that may not read everything need that.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account::ACCOUNT_ID;
use super::{cloudwatch, dynamodb, gamelift, rest_json, service_quotas};
use crate::rpc::Call;

/// The `[control]` section of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ControlProfile {
    /// Actions that are refused, by their names in IAM policies, e.g. `lambda:GetFunctionConcurrency`.
    pub forbidden: Vec<String>,
}

/// Every action that can be refused: those that read.
const ACTIONS: [&str; 15] = [
    "apigateway:GET",
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "dynamodb:DescribeStream",
    "dynamodb:DescribeTable",
    "dynamodb:ListStreams",
    "dynamodb:ListTables",
    "gamelift:DescribeGameSessionQueues",
    "lambda:GetAccountSettings",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:ListEventSourceMappings",
    "lambda:ListFunctions",
    "servicequotas:GetServiceQuota",
    "servicequotas:ListServiceQuotas",
];

impl ControlProfile {
    /// Checks what the types alone cannot.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub fn check(&self) -> Result<(), String> {
        match self.forbidden.iter().find(|action| !ACTIONS.contains(&action.as_str())) {
            None => Ok(()),
            Some(unknown) => Err(format!(
                "[control] forbidden has {unknown:?}, which is no action that can be forbidden; use {}",
                ACTIONS.join(", ")
            )),
        }
    }
}

/// What callers may do. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Permissions {
    forbidden: Arc<[String]>,
}

impl Permissions {
    /// The permissions of a profile.
    pub(super) fn new(profile: &ControlProfile) -> Self {
        Self { forbidden: profile.forbidden.as_slice().into() }
    }

    fn forbids(&self, action: &str) -> bool {
        self.forbidden.iter().any(|forbidden| forbidden == action)
    }

    /// The endpoint of an action in restJson1, or one that refuses it.
    pub(super) fn guard<S: Clone + Send + Sync + 'static>(
        &self,
        action: &'static str,
        endpoint: MethodRouter<S>,
    ) -> MethodRouter<S> {
        if !self.forbids(action) {
            return endpoint;
        }
        any(async move || {
            rest_json::refusal(StatusCode::FORBIDDEN, "AccessDeniedException", &message(action))
        })
    }

    /// The refusal of a call in CBOR or AWS JSON, if it is forbidden.
    pub(super) fn refusal(&self, service: &str, call: &Call) -> Option<Response> {
        if self.forbidden.is_empty() {
            return None;
        }
        let action = format!("{}:{}", prefix(service)?, call.operation);
        let refuse = || {
            let code = match service {
                dynamodb::SERVICE | dynamodb::STREAMS => "com.amazon.coral.service#AccessDeniedException",
                _ => "AccessDeniedException",
            };
            call.codec.refusal(StatusCode::BAD_REQUEST, code, &message(&action))
        };
        self.forbids(&action).then(refuse)
    }
}

/// The name of a service in IAM policies.
fn prefix(service: &str) -> Option<&'static str> {
    match service {
        cloudwatch::SERVICE => Some("cloudwatch"),
        dynamodb::SERVICE | dynamodb::STREAMS => Some("dynamodb"),
        gamelift::endpoint::SERVICE => Some("gamelift"),
        service_quotas::SERVICE => Some("servicequotas"),
        _ => None,
    }
}

/// As IAM words it, with the role that the stack's callers pass for.
fn message(action: &str) -> String {
    format!(
        "User: arn:aws:iam::{ACCOUNT_ID}:user/local is not authorized to perform: {action} because no identity-based \
         policy allows the {action} action"
    )
}
