//! Which series there are of the backend: what `ListMetrics` shows of its resources, and what it may show later.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::DimensionFilter;
use reports::format::CloudWatchSeries;

use super::client::explained;
use super::metrics::{FAMILIES, FUNCTION_NAME, Family, Kind, LAMBDA, LISTS};
use crate::inventory::{Inventory, Scope};

/// Pages of 500 that are read of one namespace.
const PAGES: usize = 100;

/// A metric that `ListMetrics` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) namespace: String,
    pub(super) metric: String,
    pub(super) dimensions: BTreeMap<String, String>,
}

/// What `ListMetrics` shows, and how often it was called.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) metrics: Vec<Listed>,
    pub(super) calls: u64,
    /// What it did not show, and why.
    pub(super) notes: Vec<String>,
}

/// The functions that `ListMetrics` shows, by their beginning, and the calls that it took.
pub(super) async fn functions(client: &Client, prefix: &str) -> Result<(Vec<String>, u64), String> {
    let mut pages = client
        .list_metrics()
        .namespace(LAMBDA)
        .metric_name("Invocations")
        .dimensions(DimensionFilter::builder().name(FUNCTION_NAME).build())
        .into_paginator()
        .send();
    let (mut found, mut calls) = (Vec::new(), 0);
    while let Some(page) = pages.next().await {
        calls += 1;
        let page = page.map_err(|error| explained("ListMetrics", &error))?;
        found.extend(page.metrics().iter().filter_map(|metric| match metric.dimensions() {
            [only] if only.name() == Some(FUNCTION_NAME) => only.value().map(str::to_owned),
            _ => None,
        }));
    }
    found.retain(|name| name.starts_with(prefix));
    found.sort();
    found.dedup();
    Ok((found, calls))
}

/// Everything that may belong to the backend.
pub(super) async fn list(client: &Client) -> Listing {
    let mut listing = Listing::default();
    let mut failed: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (namespace, metric) in LISTS {
        let request = client.list_metrics().namespace(namespace).set_metric_name(metric.map(str::to_owned));
        let mut pages = request.into_paginator().send();
        let mut read = 0;
        while let Some(page) = pages.next().await {
            listing.calls += 1;
            read += 1;
            match page {
                Ok(page) => listing.metrics.extend(page.metrics().iter().map(listed)),
                Err(error) => {
                    failed.entry(explained("ListMetrics", &error)).or_default().push(namespace);
                    break;
                }
            }
            if read == PAGES {
                listing.notes.push(format!(
                    "ListMetrics shows more than {PAGES} pages of {namespace}, and only these were read"
                ));
                break;
            }
        }
    }
    let sentence = |(why, namespaces): (String, Vec<&str>)| {
        format!("{why}; of {} only what AWS documents is asked for", namespaces.join(", "))
    };
    listing.notes.extend(failed.into_iter().map(sentence));
    listing
}

fn listed(metric: &aws_sdk_cloudwatch::types::Metric) -> Listed {
    let dimensions = metric.dimensions().iter();
    Listed {
        namespace: metric.namespace().unwrap_or_default().to_owned(),
        metric: metric.metric_name().unwrap_or_default().to_owned(),
        dimensions: dimensions
            .filter_map(|one| Some((one.name()?.to_owned(), one.value()?.to_owned())))
            .collect(),
    }
}

/// The series to be fetched, each once and without points.
pub(super) fn series(
    listed: &[Listed],
    functions: &[String],
    inventory: &Inventory,
) -> Vec<CloudWatchSeries> {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for family in &FAMILIES {
        let resources = resources(family.kind, functions, inventory);
        let names: BTreeSet<String> = resources.iter().map(|resource| family.name_of(resource)).collect();
        for &(metric, statistics, unit) in family.metrics {
            let found = listed.iter().filter(|one| one.namespace == family.namespace && one.metric == metric);
            let found: Vec<_> = found.filter(|one| belongs(family, &names, &one.dimensions)).collect();
            let mut dimensions: BTreeSet<_> = found.iter().map(|one| one.dimensions.clone()).collect();
            if family.unlisted {
                dimensions.extend(resources.iter().map(|resource| family.documented(resource)));
            }
            for dimensions in dimensions {
                for statistic in statistics {
                    if seen.insert((family.namespace, metric, *statistic, dimensions.clone())) {
                        all.push(CloudWatchSeries {
                            namespace: family.namespace.into(),
                            metric: metric.into(),
                            statistic: (*statistic).into(),
                            dimensions: dimensions.clone(),
                            unit: unit.into(),
                            ..CloudWatchSeries::default()
                        });
                    }
                }
            }
        }
    }
    all
}

/// Adds the tables, queues, topics and APIs that only `ListMetrics` shows, for want of a permission.
pub(super) fn learn(listed: &[Listed], scope: &Scope, inventory: &mut Inventory) {
    for one in listed.iter().filter(|one| one.dimensions.len() == 1) {
        for name in one.dimensions.values() {
            let into = match one.namespace.as_str() {
                "AWS/DynamoDB" if scope.owns(name) => &mut inventory.tables,
                "GameLift" | "AWS/GameLift" if scope.owns(name) => &mut inventory.queues,
                "AWS/SNS" if scope.owns(name) => &mut inventory.topics,
                "AWS/ApiGateway" if scope.everything || scope.api.as_ref() == Some(name) => {
                    &mut inventory.apis
                }
                _ => continue,
            };
            into.insert(name.clone());
        }
    }
}

/// The queues of which no series is listed.
pub(super) fn unlisted_queues<'i>(series: &[CloudWatchSeries], inventory: &'i Inventory) -> Vec<&'i str> {
    let is_listed = |queue: &str| {
        series.iter().any(|one| {
            one.namespace.ends_with("GameLift") && one.dimensions.values().any(|name| name == queue)
        })
    };
    inventory.queues.iter().map(String::as_str).filter(|queue| !is_listed(queue)).collect()
}

fn resources(kind: Kind, functions: &[String], inventory: &Inventory) -> Vec<String> {
    let of = |names: &BTreeSet<String>| names.iter().cloned().collect();
    match kind {
        Kind::Function => functions.to_vec(),
        Kind::Account => vec![String::new()],
        Kind::Mapping => inventory.wiring.mappings.iter().map(|mapping| mapping.uuid.clone()).collect(),
        Kind::Api => of(&inventory.apis),
        Kind::Table => of(&inventory.tables),
        Kind::Index => of(&inventory.indexes),
        Kind::Queue => of(&inventory.queues),
        Kind::Topic => of(&inventory.topics),
    }
}

/// Whether a listed series is one of the named resources' own.
fn belongs(family: &Family, names: &BTreeSet<String>, dimensions: &BTreeMap<String, String>) -> bool {
    match family.kind {
        Kind::Account => dimensions.is_empty(),
        // Its series are found with those of its table.
        Kind::Index => false,
        _ => {
            (1..=1 + family.beside).contains(&dimensions.len())
                && dimensions.values().any(|value| names.contains(value))
        }
    }
}

#[cfg(test)]
mod tests {
    use reports::format::Mapping;

    use super::*;

    fn listed(namespace: &str, metric: &str, dimensions: &[(&str, &str)]) -> Listed {
        let dimensions = dimensions.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Listed { namespace: namespace.into(), metric: metric.into(), dimensions: dimensions.collect() }
    }

    /// The dimensions by which a metric is asked for.
    fn asked(series: &[CloudWatchSeries], namespace: &str, metric: &str) -> Vec<String> {
        let such = series.iter().filter(|one| one.namespace == namespace && one.metric == metric);
        such.map(|one| {
            let pairs = one.dimensions.iter().map(|(key, value)| format!("{key}={value}"));
            format!("{} {}", one.statistic, pairs.collect::<Vec<_>>().join(","))
        })
        .collect()
    }

    #[test]
    fn dimensions_are_those_that_are_listed_and_else_the_documented_ones() {
        let mut inventory = Inventory::default();
        inventory.tables.insert("game-Messages".into());
        inventory.indexes.insert("game-Messages/RecipientIdIndex".into());
        inventory.queues.extend(["ranked".to_owned(), "new".to_owned()]);
        inventory.apis.insert("abc".into());
        inventory.wiring.mappings.push(Mapping { uuid: "u-1".into(), ..Mapping::default() });
        let shown = [
            listed(
                "AWS/DynamoDB",
                "SuccessfulRequestLatency",
                &[("TableName", "game-Messages"), ("Operation", "PutItem")],
            ),
            listed(
                "AWS/DynamoDB",
                "SuccessfulRequestLatency",
                &[("TableName", "other"), ("Operation", "PutItem")],
            ),
            listed("GameLift", "QueueDepth", &[("GameSessionQueueName", "ranked")]),
            listed("GameLift", "QueueDepth", &[("GameSessionQueueName", "foreign")]),
            listed("AWS/ApiGateway", "ConnectCount", &[("ApiId", "abc"), ("Stage", "Staging")]),
            listed("AWS/ApiGateway", "ConnectCount", &[("ApiId", "xyz")]),
            listed("LambdaInsights", "cpu_total_time", &[("function_name", "game-Send")]),
        ];
        let series = series(&shown, &["game-Send".into()], &inventory);
        let of = |namespace, metric| asked(&series, namespace, metric);
        let latency = of("AWS/DynamoDB", "SuccessfulRequestLatency");
        assert_eq!(latency[0], "Average Operation=PutItem,TableName=game-Messages");
        assert_eq!(latency.len(), 3, "{latency:?}");
        assert_eq!(
            of("AWS/DynamoDB", "WriteThrottleEvents"),
            [
                "Sum TableName=game-Messages",
                "Sum GlobalSecondaryIndexName=RecipientIdIndex,TableName=game-Messages"
            ]
        );
        assert_eq!(of("GameLift", "QueueDepth"), ["Maximum GameSessionQueueName=ranked"]);
        assert_eq!(of("GameLift", "PlacementsStarted"), [""; 0]);
        assert_eq!(unlisted_queues(&series, &inventory), ["new"]);
        assert_eq!(of("AWS/ApiGateway", "ConnectCount"), ["Sum ApiId=abc", "Sum ApiId=abc,Stage=Staging"]);
        assert_eq!(of("LambdaInsights", "cpu_total_time").len(), 2);
        assert_eq!(of(LAMBDA, "PolledEventCount"), ["Sum EventSourceMappingUUID=u-1"]);
        assert_eq!(of(LAMBDA, "UnreservedConcurrentExecutions"), ["Maximum "]);
        assert_eq!(of("AWS/Logs", "IncomingBytes"), ["Sum LogGroupName=/aws/lambda/game-Send"]);
        let statistics: Vec<_> = of(LAMBDA, "Duration");
        assert_eq!(statistics.len(), 5, "{statistics:?}");
        let mut once: Vec<_> = series.iter().map(|one| format!("{one:?}")).collect();
        once.dedup();
        assert_eq!(once.len(), series.len());
    }

    #[test]
    fn without_permissions_names_are_learnt_from_what_is_listed() {
        let mut inventory = Inventory::default();
        let mut scope = Scope::default();
        scope.prefix = "game-".into();
        let shown = [
            listed("AWS/DynamoDB", "ConsumedWriteCapacityUnits", &[("TableName", "game-Messages")]),
            listed("AWS/DynamoDB", "ConsumedWriteCapacityUnits", &[("TableName", "other")]),
            listed("AWS/ApiGateway", "ConnectCount", &[("ApiId", "abc")]),
        ];
        learn(&shown, &scope, &mut inventory);
        assert_eq!(inventory.tables.iter().collect::<Vec<_>>(), ["game-Messages"]);
        assert!(inventory.apis.is_empty(), "whose it is is not known");
    }
}
