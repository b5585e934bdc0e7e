//! What is taken for granted where neither the plan nor the protocol says it. Each can be seen in `scenario explain`.

/// How long an invocation takes, in seconds.
pub const INVOCATION_SECONDS: f64 = 0.02;
/// How long an execution environment takes to initialise, in seconds: the median of the profile `aws-like`.
pub const INIT_SECONDS: f64 = 0.06;
/// Memory of a function in gigabytes: the template's default, 256 MB.
pub const MEMORY_GB: f64 = 0.25;
/// Batches that a stream can hand over in a second: four shards, each polled four times.
pub const BATCHES_PER_SECOND: f64 = 16.0;
/// Streams that Lambda polls: the template's two.
pub const STREAMS: f64 = 2.0;
/// Records of a batch: the template's `BatchSize`.
pub const BATCH: f64 = 100.0;
/// What Lambda itself logs of an invocation, in bytes: START, END and REPORT, as text.
pub const LOGGED_BYTES: f64 = 350.0;
/// Series that are read of a function.
pub const SERIES_PER_FUNCTION: f64 = 20.0;
/// Functions of a connection's life: authorizer, connect, disconnect.
pub const FUNCTIONS_OF_A_CONNECTION: usize = 3;
/// What frames and items have beside ids and text, in bytes.
pub const AROUND: f64 = 120.0;
/// Read units of an item that is read in a batch or through an index, which is eventually consistent.
pub const EVENTUAL_READ: f64 = 0.5;

/// The same in sentences.
#[must_use]
pub fn sentences() -> Vec<String> {
    vec![format!(
        "The backend's work as the protocol says, with a function for each operation: {MEMORY_GB} GB, {:.0} ms an \
             invocation, {:.0} ms an initialisation, {LOGGED_BYTES} bytes logged an invocation; on-demand tables with one index \
             each; at most {BATCHES_PER_SECOND:.0} batches of a stream a second; {SERIES_PER_FUNCTION} series read of a function.",
        INVOCATION_SECONDS * 1e3,
        INIT_SECONDS * 1e3,
    )]
}
