//! The Service Quotas endpoint: the account's quotas that decide how much the backend holds.
//!
//! Values are the profile's. A limit that the profile switches off is no quota here: AWS's default would be a limit that
//! nothing enforces.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::arn;
use super::gateway::GatewayProfile;
use super::lambda::LambdaProfile;
use super::paging::{UnknownToken, page};
use super::rpc::{Call, Malformed};
use super::tables::TablesProfile;

/// Name of the service on the wire.
pub(super) const SERVICE: &str = "ServiceQuotasV20190624";
/// AWS's page size.
const PAGE: usize = 100;
/// The codes of services, and their names.
const SERVICES: [(&str, &str); 3] =
    [("lambda", "AWS Lambda"), ("apigateway", "Amazon API Gateway"), ("dynamodb", "Amazon DynamoDB")];

/// The quotas of the account.
#[derive(Debug)]
pub(super) struct ServiceQuotas(Vec<Quota>);

/// One quota.
#[derive(Debug)]
struct Quota {
    service: &'static str,
    code: &'static str,
    name: &'static str,
    value: f64,
    adjustable: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetServiceQuota {
    service_code: String,
    quota_code: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListServiceQuotas {
    service_code: String,
    quota_code: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

impl ServiceQuotas {
    /// The quotas of a profile's sections.
    pub(super) fn new(lambda: &LambdaProfile, gateway: &GatewayProfile, tables: &TablesProfile) -> Self {
        let on = |limit: u32| (limit > 0).then_some(limit);
        let burst =
            if gateway.request_burst > 0 { gateway.request_burst } else { gateway.requests_per_second };
        let all = [
            (
                "lambda",
                "L-B99A9384",
                "Concurrent executions",
                u32::try_from(lambda.account_concurrency).ok(),
                true,
            ),
            (
                "apigateway",
                "L-9ED1E49A",
                "WebSocket new connections rate",
                on(gateway.connections_per_second),
                true,
            ),
            // The bucket of new connections holds one second of its rate.
            (
                "apigateway",
                "L-E1465507",
                "WebSocket new connections burst rate",
                on(gateway.connections_per_second),
                false,
            ),
            ("apigateway", "L-8A5B8E43", "Throttle rate", on(gateway.requests_per_second), true),
            (
                "apigateway",
                "L-CDF5615A",
                "Throttle burst rate",
                on(gateway.requests_per_second).map(|_| burst),
                false,
            ),
            (
                "dynamodb",
                "L-CF0CBE56",
                "Table-level read throughput limit",
                on(tables.quota_read_units),
                true,
            ),
            (
                "dynamodb",
                "L-AB614373",
                "Table-level write throughput limit",
                on(tables.quota_write_units),
                true,
            ),
        ];
        let quota = |(service, code, name, value, adjustable): (_, _, _, Option<u32>, _)| {
            Some(Quota { service, code, name, value: value?.into(), adjustable })
        };
        Self(all.into_iter().filter_map(quota).collect())
    }

    /// Answers one call of the API.
    pub(super) fn answer(&self, call: &Call) -> Response {
        let answer = match call.operation.as_str() {
            "GetServiceQuota" => self.get(call),
            "ListServiceQuotas" => self.list(call),
            unknown => Err(QuotaError::UnknownOperation(unknown.into())),
        };
        match answer {
            Ok(answer) => call.codec.answer(&answer),
            Err(error) => call.codec.refusal(StatusCode::BAD_REQUEST, error.code(), &error.to_string()),
        }
    }

    fn get(&self, call: &Call) -> Result<Value, QuotaError> {
        let GetServiceQuota { service_code, quota_code } = call.parameters()?;
        known(&service_code)?;
        let found = self.0.iter().find(|quota| quota.service == service_code && quota.code == quota_code);
        let quota = found.ok_or(QuotaError::NoQuota(quota_code))?;
        Ok(json!({ "Quota": quota.shown() }))
    }

    fn list(&self, call: &Call) -> Result<Value, QuotaError> {
        let request: ListServiceQuotas = call.parameters()?;
        known(&request.service_code)?;
        let is_wanted = |quota: &&Quota| {
            quota.service == request.service_code
                && request.quota_code.as_deref().is_none_or(|code| quota.code == code)
        };
        let all = self.0.iter().filter(is_wanted).map(Quota::shown).collect();
        let limit = request.max_results.unwrap_or(PAGE).min(PAGE);
        let (quotas, next) = page(all, request.next_token.as_deref(), limit)?;
        let mut answer = json!({ "Quotas": quotas });
        if let Some(next) = next {
            answer["NextToken"] = next.into();
        }
        Ok(answer)
    }
}

impl Quota {
    fn shown(&self) -> Value {
        let Self { service, code, name, value, adjustable } = self;
        let service_name = SERVICES.iter().find(|(code, _)| code == service).map(|(_, name)| name);
        json!({
            "ServiceCode": service,
            "ServiceName": service_name,
            "QuotaArn": arn("servicequotas", &format!("{service}/{code}")),
            "QuotaCode": code,
            "QuotaName": name,
            "Value": value,
            "Unit": "None",
            "Adjustable": adjustable,
            "GlobalQuota": false,
            "QuotaAppliedAtLevel": "ACCOUNT",
        })
    }
}

fn known(service: &str) -> Result<(), QuotaError> {
    match SERVICES.iter().any(|(code, _)| *code == service) {
        true => Ok(()),
        false => Err(QuotaError::NoService(service.into())),
    }
}

/// Why a call fails; always a mistake of the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum QuotaError {
    #[error("the service {0} is unknown here; the local stack has quotas of lambda, apigateway and dynamodb")]
    NoService(String),
    #[error("the account has no quota {0}, or the profile switches its limit off")]
    NoQuota(String),
    #[error("the NextToken is none that this endpoint issued")]
    Token,
    #[error(transparent)]
    Serialization(#[from] Malformed),
    #[error(
        "the operation {0} is not emulated; the local stack answers GetServiceQuota and ListServiceQuotas"
    )]
    UnknownOperation(String),
}

impl From<UnknownToken> for QuotaError {
    fn from(_: UnknownToken) -> Self {
        Self::Token
    }
}

impl QuotaError {
    const fn code(&self) -> &'static str {
        match self {
            Self::NoService(_) | Self::NoQuota(_) => "NoSuchResourceException",
            Self::Token => "InvalidPaginationTokenException",
            Self::Serialization(_) => "SerializationException",
            Self::UnknownOperation(_) => "UnknownOperationException",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::Profile;

    fn quotas(profile: &Profile) -> ServiceQuotas {
        ServiceQuotas::new(&profile.lambda, &profile.gateway, &profile.tables)
    }

    fn value(quotas: &ServiceQuotas, code: &str) -> Option<f64> {
        quotas.0.iter().find(|quota| quota.code == code).map(|quota| quota.value)
    }

    #[test]
    fn a_limit_that_is_off_is_no_quota() {
        let instant = quotas(&Profile::default());
        assert_eq!(instant.0.len(), 1, "{instant:?}");
        assert_eq!(value(&instant, "L-B99A9384"), Some(1_000.0));

        let aws_like = quotas(&Profile::load(Path::new("aws-like")).unwrap());
        for (code, expected) in [
            ("L-9ED1E49A", 500.0),
            ("L-E1465507", 500.0),
            ("L-8A5B8E43", 10_000.0),
            ("L-CDF5615A", 5_000.0),
            ("L-CF0CBE56", 40_000.0),
            ("L-AB614373", 40_000.0),
        ] {
            assert_eq!(value(&aws_like, code), Some(expected), "{code}");
        }
    }
}
