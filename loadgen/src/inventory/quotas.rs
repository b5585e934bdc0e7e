//! Service Quotas: what the account may use.

use reports::format::LimitKind;
use serde::Deserialize;
use serde_json::json;

use super::Inventory;
use crate::aws::{Api, Call, Service};

/// Service, code, and what it limits.
const QUOTAS: [(&str, &str, LimitKind); 6] = [
    ("lambda", "L-B99A9384", LimitKind::AccountConcurrency),
    ("apigateway", "L-9ED1E49A", LimitKind::ConnectionsPerSecond),
    ("apigateway", "L-8A5B8E43", LimitKind::RequestsPerSecond),
    ("apigateway", "L-CDF5615A", LimitKind::RequestBurst),
    ("dynamodb", "L-CF0CBE56", LimitKind::ReadUnits),
    ("dynamodb", "L-AB614373", LimitKind::WriteUnits),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Quota {
    quota: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    value: Option<f64>,
}

/// The account's quotas; without one of its own an account has AWS's default.
pub(super) async fn quotas(api: &Api, inventory: &mut Inventory) {
    for (service, code, kind) in QUOTAS {
        let known = inventory.limits.iter().any(|limit| limit.kind == kind && limit.resource.is_empty());
        if known {
            continue;
        }
        for operation in ["GetServiceQuota", "GetAWSDefaultServiceQuota"] {
            let parameters = json!({ "ServiceCode": service, "QuotaCode": code });
            let call = Call::json(Service::Quotas, operation, &parameters);
            let quota: Option<Quota> = api.ask(&call).await;
            if let Some(value) = quota.and_then(|quota| quota.quota.value) {
                inventory.limit(kind, "", value, &format!("servicequotas:{operation} {code}"));
                break;
            }
        }
    }
}
