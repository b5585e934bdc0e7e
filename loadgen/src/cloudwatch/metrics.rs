//! What is fetched, as a table: of whom, which metrics, which statistics.
//!
//! By which dimensions a resource is named is discovered: a series that `ListMetrics` shows belongs to a resource when one of
//! its dimensions has the resource's name. What is not listed (a metric that never had a value, or has had its first only now)
//! is asked for by the dimensions that AWS documents.

use std::collections::BTreeMap;

/// The namespace of Lambda's metrics.
pub(super) const LAMBDA: &str = "AWS/Lambda";
/// The dimension that names a function.
pub(super) const FUNCTION_NAME: &str = "FunctionName";

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Function,
    Account,
    Mapping,
    Api,
    Table,
    Index,
    Queue,
    Topic,
}

/// Metrics that resources of one kind have in one namespace.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) namespace: &'static str,
    pub(super) kind: Kind,
    /// Dimensions that a series may have beside the one that names the resource.
    pub(super) beside: usize,
    /// Whether what is not listed is asked for by documented dimensions.
    pub(super) unlisted: bool,
    /// Name, statistics, unit.
    pub(super) metrics: &'static [(&'static str, &'static [&'static str], &'static str)],
}

const SUM: &[&str] = &["Sum"];
const MAXIMUM: &[&str] = &["Maximum"];
const AVERAGE_AND_MAXIMUM: &[&str] = &["Average", "Maximum"];
const LATENCY: &[&str] = &["Average", "Maximum", "p50", "p90", "p99"];

/// Everything that is fetched.
pub(super) const FAMILIES: [Family; 12] = [
    Family {
        namespace: LAMBDA,
        kind: Kind::Function,
        beside: 0,
        unlisted: true,
        metrics: &[
            ("ConcurrentExecutions", MAXIMUM, "Count"),
            ("Invocations", SUM, "Count"),
            ("Duration", LATENCY, "Milliseconds"),
            ("Throttles", SUM, "Count"),
            ("Errors", SUM, "Count"),
            ("IteratorAge", MAXIMUM, "Milliseconds"),
            ("AsyncEventsReceived", SUM, "Count"),
            ("AsyncEventAge", AVERAGE_AND_MAXIMUM, "Milliseconds"),
            ("AsyncEventsDropped", SUM, "Count"),
        ],
    },
    Family {
        namespace: LAMBDA,
        kind: Kind::Account,
        beside: 0,
        unlisted: true,
        metrics: &[
            ("ConcurrentExecutions", MAXIMUM, "Count"),
            ("UnreservedConcurrentExecutions", MAXIMUM, "Count"),
            ("ClaimedAccountConcurrency", MAXIMUM, "Count"),
            ("Invocations", SUM, "Count"),
            ("Throttles", SUM, "Count"),
        ],
    },
    Family {
        namespace: LAMBDA,
        kind: Kind::Mapping,
        beside: 0,
        unlisted: true,
        metrics: &[
            ("PolledEventCount", SUM, "Count"),
            ("FilteredOutEventCount", SUM, "Count"),
            ("InvokedEventCount", SUM, "Count"),
            ("FailedInvokeEventCount", SUM, "Count"),
            ("DroppedEventCount", SUM, "Count"),
            ("OnFailureDestinationDeliveredEventCount", SUM, "Count"),
        ],
    },
    // Only where Lambda Insights is switched on.
    Family {
        namespace: "LambdaInsights",
        kind: Kind::Function,
        beside: 0,
        unlisted: false,
        metrics: &[
            ("cpu_total_time", AVERAGE_AND_MAXIMUM, "Milliseconds"),
            // Only a cold start has one, so that its count is that of cold starts.
            ("init_duration", &["Average", "Maximum", "SampleCount"], "Milliseconds"),
            ("memory_utilization", MAXIMUM, "Percent"),
            ("used_memory_max", MAXIMUM, "Megabytes"),
            ("total_memory", MAXIMUM, "Megabytes"),
        ],
    },
    Family {
        namespace: "AWS/ApiGateway",
        kind: Kind::Api,
        // The stage, and what detailed metrics have: which route.
        beside: 3,
        unlisted: true,
        metrics: &[
            ("ConnectCount", SUM, "Count"),
            ("MessageCount", SUM, "Count"),
            ("ClientError", SUM, "Count"),
            ("IntegrationError", SUM, "Count"),
            ("ExecutionError", SUM, "Count"),
            ("IntegrationLatency", &["Average", "Maximum", "p99"], "Milliseconds"),
        ],
    },
    Family {
        namespace: "AWS/DynamoDB",
        kind: Kind::Table,
        // An index, or an operation.
        beside: 1,
        unlisted: true,
        metrics: THROUGHPUT,
    },
    Family { namespace: "AWS/DynamoDB", kind: Kind::Index, beside: 0, unlisted: true, metrics: THROUGHPUT },
    Family {
        namespace: "AWS/DynamoDB",
        kind: Kind::Table,
        // The operation.
        beside: 1,
        unlisted: false,
        metrics: &[
            ("ThrottledRequests", SUM, "Count"),
            ("SuccessfulRequestLatency", &["Average", "Maximum", "SampleCount"], "Milliseconds"),
            ("SystemErrors", SUM, "Count"),
        ],
    },
    // AWS writes the namespace in both ways.
    Family { namespace: "GameLift", kind: Kind::Queue, beside: 0, unlisted: false, metrics: PLACEMENTS },
    Family { namespace: "AWS/GameLift", kind: Kind::Queue, beside: 0, unlisted: false, metrics: PLACEMENTS },
    Family {
        namespace: "AWS/SNS",
        kind: Kind::Topic,
        beside: 0,
        unlisted: true,
        metrics: &[
            ("NumberOfMessagesPublished", SUM, "Count"),
            ("NumberOfNotificationsDelivered", SUM, "Count"),
            ("NumberOfNotificationsFailed", SUM, "Count"),
        ],
    },
    Family {
        namespace: "AWS/Logs",
        kind: Kind::Function,
        beside: 0,
        unlisted: true,
        metrics: &[("IncomingBytes", SUM, "Bytes")],
    },
];

const THROUGHPUT: &[(&str, &[&str], &str)] = &[
    ("ConsumedReadCapacityUnits", SUM, "Count"),
    ("ConsumedWriteCapacityUnits", SUM, "Count"),
    ("ReadThrottleEvents", SUM, "Count"),
    ("WriteThrottleEvents", SUM, "Count"),
    ("ReadKeyRangeThroughputThrottleEvents", SUM, "Count"),
    ("WriteKeyRangeThroughputThrottleEvents", SUM, "Count"),
    ("ReadAccountLimitThrottleEvents", SUM, "Count"),
    ("WriteAccountLimitThrottleEvents", SUM, "Count"),
    ("ReadMaxOnDemandThroughputThrottleEvents", SUM, "Count"),
    ("WriteMaxOnDemandThroughputThrottleEvents", SUM, "Count"),
    ("ReadProvisionedThroughputThrottleEvents", SUM, "Count"),
    ("WriteProvisionedThroughputThrottleEvents", SUM, "Count"),
];

const PLACEMENTS: &[(&str, &[&str], &str)] = &[
    ("PlacementsStarted", SUM, "Count"),
    ("PlacementsSucceeded", SUM, "Count"),
    ("PlacementsFailed", SUM, "Count"),
    ("PlacementsTimedOut", SUM, "Count"),
    ("PlacementsCanceled", SUM, "Count"),
    ("AverageWaitTime", &["Average"], "Seconds"),
    ("QueueDepth", MAXIMUM, "Count"),
];

/// What is listed, by namespace: all of it, or one metric that stands for all where a namespace has very many.
pub(super) const LISTS: [(&str, Option<&str>); 8] = [
    (LAMBDA, Some("PolledEventCount")),
    ("LambdaInsights", None),
    ("AWS/ApiGateway", None),
    ("AWS/DynamoDB", None),
    ("GameLift", None),
    ("AWS/GameLift", None),
    ("AWS/SNS", None),
    ("AWS/Logs", Some("IncomingBytes")),
];

impl Family {
    /// The name by which its series call a resource.
    pub(super) fn name_of(&self, resource: &str) -> String {
        match self.namespace {
            "AWS/Logs" => format!("/aws/lambda/{resource}"),
            _ => resource.to_owned(),
        }
    }

    /// The dimensions of a resource as AWS documents them.
    pub(super) fn documented(&self, resource: &str) -> BTreeMap<String, String> {
        let name = self.name_of(resource);
        let only = |key: &str| BTreeMap::from([(key.to_owned(), name.clone())]);
        match self.kind {
            Kind::Account => BTreeMap::new(),
            Kind::Function if self.namespace == "AWS/Logs" => only("LogGroupName"),
            Kind::Function => only(FUNCTION_NAME),
            Kind::Mapping => only("EventSourceMappingUUID"),
            Kind::Api => only("ApiId"),
            Kind::Table => only("TableName"),
            Kind::Queue => only("QueueName"),
            Kind::Topic => only("TopicName"),
            Kind::Index => {
                let (table, index) = resource.split_once('/').unwrap_or((resource, ""));
                let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
                BTreeMap::from([pair("TableName", table), pair("GlobalSecondaryIndexName", index)])
            }
        }
    }
}
