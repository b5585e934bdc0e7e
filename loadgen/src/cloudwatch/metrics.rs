//! What is fetched.

/// The namespace of Lambda's metrics.
pub(super) const NAMESPACE: &str = "AWS/Lambda";
/// The dimension that names a function.
pub(super) const DIMENSION: &str = "FunctionName";
/// Metric, statistic, unit: what is fetched of every function.
pub(super) const METRICS: [(&str, &str, &str); 7] = [
    ("ConcurrentExecutions", "Maximum", "Count"),
    ("Invocations", "Sum", "Count"),
    ("Duration", "Average", "Milliseconds"),
    ("Duration", "Maximum", "Milliseconds"),
    ("Throttles", "Sum", "Count"),
    ("Errors", "Sum", "Count"),
    ("IteratorAge", "Maximum", "Milliseconds"),
];
