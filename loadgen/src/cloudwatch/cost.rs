//! What reading costs, said before and after.

use reports::format::FetchCost;
use scenarios::plan::CloudWatch;
use scenarios::plan::way::is_loopback;

/// Dollars for one metric that `GetMetricData` is asked for ($0.01 for a thousand, no free tier).
const METRIC: f64 = 0.01 / 1_000.0;
/// Dollars for a byte that a query of Logs Insights scans ($0.005 a gigabyte).
const SCANNED_BYTE: f64 = 0.005 / 1e9;

/// What is going to be read.
pub(super) fn before(metrics: usize) -> String {
    format!("reading {metrics} metrics: {}", dollars(metrics as f64 * METRIC))
}

/// What was read.
pub(crate) fn after(cost: FetchCost, wanted: &CloudWatch) -> String {
    let FetchCost { metrics, calls, scanned_bytes } = cost;
    let scanned =
        if scanned_bytes > 0 { format!(" and scanned {scanned_bytes} bytes of logs") } else { String::new() };
    let price = metrics as f64 * METRIC + scanned_bytes as f64 * SCANNED_BYTE;
    let local = wanted.endpoint.as_ref().is_some_and(is_loopback);
    let price = if local { "a local stack asks for no money".into() } else { dollars(price) };
    format!("read {metrics} metrics in {calls} calls{scanned}: {price}")
}

fn dollars(price: f64) -> String {
    format!("about ${price:.4}")
}
