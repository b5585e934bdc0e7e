//! Lambda: concurrency, time-outs, memory, and the streams that call functions.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use reports::format::{LimitKind, Mapping};
use serde::Deserialize;

use super::{Inventory, Scope, arn};
use crate::aws::{Api, Call, Page, Service};

/// Calls at the same time.
const AT_ONCE: usize = 6;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccountSettings {
    account_limit: AccountLimit,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccountLimit {
    concurrent_executions: Option<f64>,
    unreserved_concurrent_executions: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Concurrency {
    reserved_concurrent_executions: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    timeout: Option<f64>,
    memory_size: Option<f64>,
    #[serde(default)]
    environment: Environment,
    #[serde(default)]
    logging_config: LoggingConfig,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct LoggingConfig {
    log_group: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Environment {
    variables: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mappings {
    #[serde(default)]
    event_source_mappings: Vec<StreamMapping>,
    next_marker: Option<String>,
}

#[derive(Deserialize)]
struct StreamMapping {
    #[serde(rename = "UUID")]
    uuid: String,
    #[serde(rename = "EventSourceArn", default)]
    source: String,
    #[serde(rename = "FunctionArn", default)]
    function: String,
    #[serde(rename = "BatchSize")]
    batch_size: Option<f64>,
    #[serde(rename = "ParallelizationFactor")]
    parallelization_factor: Option<f64>,
    #[serde(rename = "MaximumRetryAttempts")]
    retries: Option<f64>,
}

impl Page for Mappings {
    type Item = StreamMapping;

    fn split(self) -> (Vec<StreamMapping>, Option<String>) {
        (self.event_source_mappings, self.next_marker)
    }
}

/// The streams that call functions of the backend.
pub(super) async fn mappings(api: &Api, scope: &Scope, inventory: &mut Inventory) {
    let call = |marker: Option<&str>| {
        let path = "/2015-03-31/event-source-mappings/";
        Call::get(Service::Lambda, "ListEventSourceMappings", path).with("Marker", marker)
    };
    for mapping in api.list::<Mappings>(call).await {
        let (Some(table), Some(function)) = (arn::table(&mapping.source), arn::function(&mapping.function))
        else {
            continue;
        };
        if !scope.owns_function(function) {
            continue;
        }
        let source = "lambda:ListEventSourceMappings";
        for (kind, value) in [
            (LimitKind::BatchSize, mapping.batch_size),
            (LimitKind::ParallelizationFactor, mapping.parallelization_factor.or(Some(1.0))),
            (LimitKind::MaxRetries, mapping.retries),
        ] {
            if let Some(value) = value {
                inventory.limit(kind, &mapping.uuid, value, source);
            }
        }
        inventory.tables.insert(table.to_owned());
        let (table, function) = (table.to_owned(), function.to_owned());
        inventory.wiring.mappings.push(Mapping { uuid: mapping.uuid, table, function });
    }
}

/// Limits of the account and of each function; what the functions' environments name belongs to the backend.
pub(super) async fn configurations(api: &Api, scope: &mut Scope, inventory: &mut Inventory) {
    let settings = Call::get(Service::Lambda, "GetAccountSettings", "/2016-08-19/account-settings/");
    if let Some(AccountSettings { account_limit }) = api.ask(&settings).await {
        let source = "lambda:GetAccountSettings";
        for (kind, value) in [
            (LimitKind::AccountConcurrency, account_limit.concurrent_executions),
            (LimitKind::UnreservedConcurrency, account_limit.unreserved_concurrent_executions),
        ] {
            if let Some(value) = value {
                inventory.limit(kind, "", value, source);
            }
        }
    }
    let called = inventory.called().into_iter().filter(|name| scope.owns_function(name)).map(str::to_owned);
    let mut names: Vec<String> = called.chain(scope.functions.iter().cloned()).collect();
    names.sort();
    names.dedup();
    let asked = futures_util::stream::iter(names).map(|name| async {
        let concurrency: Option<Concurrency> = api.ask(&of(&name, "2019-09-30", "concurrency")).await;
        let configuration: Option<Configuration> = api.ask(&of(&name, "2015-03-31", "configuration")).await;
        (name, concurrency, configuration)
    });
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, concurrency, configuration) in asked.buffered(AT_ONCE).collect::<Vec<_>>().await {
        if let Some(reserved) = concurrency.and_then(|concurrency| concurrency.reserved_concurrent_executions)
        {
            inventory.limit(LimitKind::ReservedConcurrency, &name, reserved, "lambda:GetFunctionConcurrency");
        }
        let configured = configuration.as_ref().and_then(|one| one.logging_config.log_group.clone());
        let group = configured.unwrap_or_else(|| format!("/aws/lambda/{name}"));
        groups.entry(group).or_default().push(name.clone());
        let Some(Configuration { timeout, memory_size, environment, .. }) = configuration else { continue };
        environment.variables.values().for_each(|value| scope.name(value));
        for (kind, value) in [(LimitKind::TimeoutS, timeout), (LimitKind::MemoryMb, memory_size)] {
            if let Some(value) = value {
                inventory.limit(kind, &name, value, "lambda:GetFunctionConfiguration");
            }
        }
    }
    let own = groups
        .into_iter()
        .filter_map(|(group, names)| <[String; 1]>::try_from(names).ok().map(|[name]| (group, name)));
    inventory.log_groups = own.collect();
}

/// Asks for a part of what a function has.
fn of(name: &str, version: &str, part: &str) -> Call {
    let permission =
        if part == "concurrency" { "GetFunctionConcurrency" } else { "GetFunctionConfiguration" };
    Call::get(Service::Lambda, permission, format!("/{version}/functions/{name}/{part}"))
}
